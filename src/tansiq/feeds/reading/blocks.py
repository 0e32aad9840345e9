"""Cut a stream into blocks of whole physical lines. One physical line is one record, whatever is on it."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

LINE_LIMIT_BYTES = 1 << 20
KEPT_BYTES = 64 << 10
"""How much of an over-long line a reject keeps; the stored report has the whole of it."""

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Block:
    """Consecutive whole lines of a report.

    Attributes:
        first_line: physical number of the first line, from 1.
        data: the bytes exactly as unpacked, line ends included; the report's last line may lack its end.
        oversized: line number -> its beginning, for lines so long that they are not in ``data``.
    """

    first_line: int
    data: bytes
    oversized: dict[int, bytes] = field(default_factory=dict)

    @cached_property
    def line_count(self) -> int:
        return len(self.ends) + len(self.oversized)

    @property
    def end_line(self) -> int:
        return self.first_line + self.line_count

    @cached_property
    def ends(self) -> NDArray[np.int64]:
        """Offset of each line's end (of its line feed, or of the data's end)."""
        ends = np.flatnonzero(np.frombuffer(self.data, np.uint8) == 0x0A)
        if self.data and not self.data.endswith(b"\n"):
            ends = np.append(ends, len(self.data))
        return ends

    def raw(self, line_number: int) -> bytes:
        """One line as received, without its line end, at most ``KEPT_BYTES`` of it."""
        if line_number in self.oversized:
            return self.oversized[line_number]
        row = line_number - self.first_line
        start = int(self.ends[row - 1]) + 1 if row else 0
        return self.data[start : min(int(self.ends[row]), start + KEPT_BYTES)].removesuffix(b"\r")

    def lines(self) -> pl.DataFrame:
        """Rows of ``line_number`` and ``line`` (text without line end; NUL characters dropped, bytes that are no UTF-8
        read as Windows-1252, the usual other encoding of such reports)."""
        text = readable(self.data, self.ends)
        if b"\0" in text:
            text = text.replace(b"\0", b"")
        if self.first_line == 1:
            text = text.removeprefix(BYTE_ORDER_MARK)
        if not self.data:
            return pl.DataFrame(schema={"line_number": pl.UInt64, "line": pl.String})
        lines = pl.read_lines(text, name="line")
        if lines.height < len(self.ends):  # nothing but NULs or a byte order mark on the last line
            lines = pl.concat([lines, pl.DataFrame({"line": [""]}, schema=lines.schema)])
        numbers = pl.int_range(self.first_line, self.first_line + pl.len(), dtype=pl.UInt64)
        return lines.select(numbers.alias("line_number"), "line")


def readable(data: bytes, ends: NDArray[np.int64]) -> bytes:
    """The same as valid UTF-8. Only lines with bytes that are none are touched, so that one foreign letter costs
    its own line a different reading and no other."""
    if data.isascii():
        return data
    try:
        data.decode()
        return data
    except UnicodeDecodeError:
        pass
    rows = np.unique(np.searchsorted(ends, np.flatnonzero(np.frombuffer(data, np.int8) < 0)))
    parts, done = [], 0
    for row in rows.tolist():
        start, end = (int(ends[row - 1]) + 1 if row else 0), int(ends[row])
        parts += (data[done:start], as_utf8(data[start:end]))
        done = end
    parts.append(data[done:])
    return b"".join(parts)


def as_utf8(line: bytes) -> bytes:
    try:
        line.decode()
        return line
    except UnicodeDecodeError:
        return line.decode("cp1252", "replace").encode()


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...

    def readline(self, size: int, /) -> bytes: ...


def blocks(stream: Readable, *, block_bytes: int) -> Iterator[Block]:
    """Blocks of about ``block_bytes``; memory is bounded by it and the line limit however long a line is."""
    number = 1
    while data := stream.read(block_bytes):
        if not data.endswith(b"\n"):
            data += stream.readline(LINE_LIMIT_BYTES)
        oversized = {}
        if len(data) - (start := data.rfind(b"\n", 0, -1) + 1) > LINE_LIMIT_BYTES and not data.endswith(b"\n"):
            skip_line(stream)
            data, oversized = data[:start], {number + data.count(b"\n", 0, start): data[start : start + KEPT_BYTES]}
        block = Block(number, data, oversized)
        number = block.end_line
        yield block


def skip_line(stream: Readable) -> None:
    """Read over what is left of a line."""
    while (part := stream.readline(LINE_LIMIT_BYTES)) and not part.endswith(b"\n"):
        pass


class Transcoded:
    """A UTF-16 stream (told by its byte order mark) read as UTF-8."""

    def __init__(self, stream: Readable) -> None:
        self.stream = stream
        self.decoder = codecs.getincrementaldecoder("utf-16")("replace")

    def read(self, size: int, /) -> bytes:
        while True:
            chunk = self.stream.read(size)
            text = self.decoder.decode(chunk, final=not chunk)
            if text or not chunk:
                return text.encode()

    def readline(self, size: int, /) -> bytes:
        """Up to a line feed; a little past it would do no harm, short of it would: UTF-16 is read in single units."""
        parts = []
        while size > 0 and (part := self.read(2)):
            parts.append(part)
            size -= len(part)
            if part.endswith(b"\n"):
                break
        return b"".join(parts)
