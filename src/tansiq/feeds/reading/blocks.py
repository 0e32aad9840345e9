"""Cut a stream into blocks of whole physical lines. One physical line is one record, whatever is on it."""

from __future__ import annotations

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

    def after(self, end_line: int) -> Block | None:
        """What of the block lies at or after ``end_line``; None when nothing does."""
        if self.end_line <= end_line:
            return None
        if self.first_line >= end_line or self.oversized:
            return self
        return Block(end_line, self.data[int(self.ends[end_line - self.first_line - 1]) + 1 :])

    def lines(self) -> pl.DataFrame:
        """Rows of ``line_number`` and ``line`` (text without line end; NUL characters dropped, bytes that are no UTF-8
        read as Windows-1252, the usual other encoding of such reports)."""
        text = readable(self.data.replace(b"\0", b"") if b"\0" in self.data else self.data)
        if self.first_line == 1:
            text = text.removeprefix(BYTE_ORDER_MARK)
        if not self.data:
            return pl.DataFrame(schema={"line_number": pl.UInt64, "line": pl.String})
        lines = pl.read_lines(text, name="line")
        if lines.height < len(self.ends):  # nothing but NULs or a byte order mark on the last line
            lines = pl.concat([lines, pl.DataFrame({"line": [""]}, schema=lines.schema)])
        numbers = pl.int_range(self.first_line, self.first_line + pl.len(), dtype=pl.UInt64)
        return lines.select(numbers.alias("line_number"), "line")


def readable(data: bytes) -> bytes:
    """The same as valid UTF-8. Only lines with bytes that are none are touched, so that one foreign letter costs
    its own line a different reading and no other."""
    if data.isascii():
        return data
    try:
        data.decode()
        return data
    except UnicodeDecodeError:
        pass
    bytes_ = np.frombuffer(data, np.uint8)
    ends = np.append(np.flatnonzero(bytes_ == 0x0A), len(data))
    rows = np.unique(np.searchsorted(ends, np.flatnonzero(bytes_ >= 0x80)))
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


def blocks(stream: Readable, *, block_bytes: int) -> Iterator[Block]:
    """Blocks of about ``block_bytes``; memory is bounded by it and the line limit however long a line is."""
    number, carry = 1, b""
    while True:
        chunk = stream.read(max(block_bytes - len(carry), 1 << 16))
        data = carry + chunk
        cut = data.rfind(b"\n") + 1 if chunk else len(data)
        if cut:
            block = Block(number, data[:cut])
            number, carry = block.end_line, data[cut:]
            yield block
        elif len(data) > LINE_LIMIT_BYTES:
            carry = skip_line(stream)
            yield Block(number, b"", {number: data[:KEPT_BYTES]})
            number += 1
        else:
            carry = data
        if not chunk and not carry:
            return


def skip_line(stream: Readable) -> bytes:
    """Read on to the next line feed and return what came after it."""
    while chunk := stream.read(1 << 20):
        if (end := chunk.find(b"\n")) >= 0:
            return chunk[end + 1 :]
    return b""


class Transcoded:
    """A UTF-16 stream (told by its byte order mark) read as UTF-8."""

    def __init__(self, stream: Readable, start: bytes) -> None:
        import codecs

        self.stream, self.pending = stream, start
        self.decoder = codecs.getincrementaldecoder("utf-16")("replace")

    def read(self, size: int) -> bytes:
        while True:
            chunk = self.pending or self.stream.read(size)
            self.pending = b""
            if text := self.decoder.decode(chunk, final=not chunk):
                return text.encode()
            if not chunk:
                return b""
