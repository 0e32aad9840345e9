"""A report, block by block, as events and rejects whose counts always add up to its lines."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import IO

import polars as pl

from tansiq.core.columns import PARSED
from tansiq.core.errors import N_, TansiqError
from tansiq.feeds.feed import Context, Delimited, Document, Feed, Refused, Sample
from tansiq.feeds.normalise import normalise
from tansiq.feeds.reading.blocks import Block, Readable, Transcoded, blocks
from tansiq.feeds.reading.cutting import count_fields, cut, header_names
from tansiq.feeds.reading.streams import Stream, opened, plain_name
from tansiq.feeds.times import parse_times

HEAD_BYTES = 64 << 10
HEAD_LINES = 200
REJECTS = {"line_number": pl.UInt64, "reason": pl.String, "raw": pl.Binary}


class EmptyReport(TansiqError):
    code = "feeds.report.empty"
    message = N_("Report {file} is empty.")
    remedy = N_("Fetch it again; a source that has nothing to say sends its header line.")
    exit_code = 3


class NotText(TansiqError):
    code = "feeds.report.not_text"
    message = N_("Report {file} is no text: it looks like a program, a picture or an archive of an unknown kind.")
    remedy = N_("Unpack or export it as text and ingest that.")
    exit_code = 3


class DocumentTooLarge(TansiqError):
    code = "feeds.report.document_too_large"
    message = N_("Report {file} is one document of more than {limit_mb} MB, which has to be read whole.")
    remedy = N_("Ask the source for JSON lines (one object a line), or split it.")
    exit_code = 3


@dataclass(frozen=True, slots=True)
class Parsed:
    """A run of lines [first_line, end_line): lines = blank + events.height + rejects.height.

    Attributes:
        events: columns of core.columns.PARSED, by line number.
        rejects: line_number, reason, raw.
        blank: lines that hold no record: blank, comment and header lines.
    """

    first_line: int
    end_line: int
    blank: int
    events: pl.DataFrame
    rejects: pl.DataFrame

    @property
    def lines(self) -> int:
        return self.end_line - self.first_line

    def since(self, line: int) -> Parsed:
        """Without the records before ``line``: what is left to store of a report that was interrupted."""
        if line <= self.first_line:
            return self
        line = min(line, self.end_line)
        events = self.events.filter(pl.col("line_number") >= line)
        rejects = self.rejects.filter(pl.col("line_number") >= line)
        return Parsed(line, self.end_line, self.end_line - line - events.height - rejects.height, events, rejects)


def sample(path: Path, *, name: str = "") -> Sample:
    """The head of a report, by which its feed is recognised.

    Raises: UnreadableReport, EmptyReport, NotText.
    """
    with opened(path, name=name or str(path)) as stream:
        head = stream.read(HEAD_BYTES)
    return sample_of(head, name or str(path))


def sample_of(head: bytes, name: str) -> Sample:
    if not head:
        raise EmptyReport(file=name)
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = head.decode("utf-16", "replace")
    elif binary(head):
        raise NotText(file=name)
    else:
        text = head.replace(b"\0", b"").decode("utf-8-sig", "replace")
    lines = text.splitlines()
    if len(lines) > 1 and len(head) == HEAD_BYTES:
        lines.pop()  # most likely cut in its middle
    return Sample(plain_name(name), head, tuple(lines[:HEAD_LINES]))


def binary(head: bytes) -> bool:
    """Whether the bytes are no text in any encoding of reports: many control characters that no text has."""
    odd = len(head) - len(head.translate(None, bytes(range(1, 9)) + bytes(range(14, 27)) + bytes(range(28, 32))))
    return odd > len(head) // 50 or head.count(0) > len(head) // 10


Job = Callable[[], Parsed]
"""Parses one block when it is called, in whichever thread."""


def parse(path: Path, feed: Feed, *, name: str = "", block_bytes: int, modified_at: datetime) -> Iterator[Parsed]:
    """The report's records, block by block, in order: ``jobs`` done one after the other."""
    for job in jobs(path, feed, name=name, block_bytes=block_bytes, modified_at=modified_at):
        yield job()


def jobs(
    path: Path,
    feed: Feed,
    *,
    name: str = "",
    block_bytes: int,
    modified_at: datetime,
    file: IO[bytes] | None = None,
) -> Iterator[Job]:
    """Read a report and hand out its blocks unparsed, in order.

    Args:
        path: where its bytes lie, unless ``file`` has them; ``name`` is how it was called when it was received.
        block_bytes: how much text is worked on at once; memory grows with it.
        modified_at: the file's own time, the date of last resort for records without a time.

    Raises: what reading raises; nothing that a line contains does.
    """
    name = name or str(path)
    with opened(path, name=name, file=file) as stream:
        head = stream.read(HEAD_BYTES)
        known = sample_of(head, name)
        context = Context(known.name, dated_at(feed, known, name, modified_at))
        source: Readable = Resumed(stream, head)
        if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
            source = Transcoded(source)
        if isinstance(feed.shape, Document):
            yield partial(document, whole(source, feed.shape, name), feed, feed.shape, context)
        else:
            yield from line_blocks(source, feed, context, block_bytes)


class Resumed:
    """A stream whose head has been read already."""

    def __init__(self, stream: Stream, head: bytes) -> None:
        self.stream, self.head = stream, head

    def read(self, size: int, /) -> bytes:
        head, self.head = self.head[:size], self.head[size:]
        return head + self.stream.read(size - len(head)) if head else self.stream.read(size)

    def readline(self, size: int, /) -> bytes:
        if not self.head:
            return self.stream.readline(size)
        end = self.head.find(b"\n") + 1 or len(self.head)
        line, self.head = self.head[: min(end, size)], self.head[min(end, size) :]
        return line if line.endswith(b"\n") or len(line) == size else line + self.stream.readline(size - len(line))


def line_blocks(source: Readable, feed: Feed, context: Context, block_bytes: int) -> Iterator[Job]:
    shape, header_line = feed.shape, 0
    names = shape.names if isinstance(shape, Delimited) else ()
    for block in blocks(source, block_bytes=block_bytes):
        if isinstance(shape, Delimited) and not names:
            names, header_line = header(block, shape)
            if not names:
                yield partial(no_records, block)
                continue
        yield partial(parse_block, block, feed, context, names, header_line)


def header(block: Block, shape: Delimited) -> tuple[tuple[str, ...], int]:
    """Column names and the number of the line that gives them; empty while only blank and comment lines were seen."""
    for number in range(block.first_line, min(block.end_line, block.first_line + HEAD_LINES)):
        line = text_of(block, number)
        heads = bool(shape.heading) and line.startswith(shape.heading)
        if heads or (line.strip() and not line.lstrip().startswith(shape.comments or ("\0",))):
            return as_rows_are(tuple(header_names(line, shape)), block, number, shape), number
    return (), 0


def text_of(block: Block, number: int) -> str:
    return block.raw(number).decode("utf-8-sig", "replace").replace("\0", "")


def as_rows_are(names: tuple[str, ...], block: Block, line: int, shape: Delimited) -> tuple[str, ...]:
    """Without the last names of a header that is a little longer than each of the first rows, all of one length.

    Reports with such a header exist; a row or two that break off are another matter, and refused.
    """
    rows = [text_of(block, number) for number in range(line + 1, min(block.end_line, line + HEAD_LINES))]
    lengths = {count_fields(row, shape) for row in rows if row.strip()}
    if len(rows) > 1 and len(lengths) == 1 and 0.9 * len(names) <= (length := lengths.pop()) < len(names):
        return names[:length]
    return names


def no_records(block: Block) -> Parsed:
    events = pl.DataFrame(schema=PARSED)
    return Parsed(block.first_line, block.end_line, block.line_count, events, pl.DataFrame(schema=REJECTS))


def parse_block(block: Block, feed: Feed, context: Context, names: tuple[str, ...], header_line: int) -> Parsed:
    assert not isinstance(feed.shape, Document)
    found = cut(block, feed.shape, names)
    columns, refused, blank = found.columns, found.refused, found.blank
    if block.first_line <= header_line < block.end_line:
        heading = (
            columns.filter(pl.col("line_number") == header_line).height
            + refused.filter(pl.col("line_number") == header_line).height
        )
        columns = columns.filter(pl.col("line_number") != header_line)
        refused = refused.filter(pl.col("line_number") != header_line)
        blank += heading
    if feed.translate is not None:
        columns = feed.translate(columns, context)
    normal = normalise(columns, feed, context)
    refused = pl.concat([refused, normal.refused]).sort("line_number")
    raw = [block.raw(number) for number in refused.get_column("line_number").to_list()]
    rejects = refused.with_columns(pl.Series("raw", raw, dtype=pl.Binary))
    return Parsed(block.first_line, block.end_line, blank, normal.events, rejects)


def whole(source: Readable, shape: Document, name: str) -> bytes:
    parts, size = [], 0
    while part := source.read(shape.limit_bytes + 1 - size):
        parts.append(part)
        size += len(part)
        if size > shape.limit_bytes:
            raise DocumentTooLarge(file=name, limit_mb=shape.limit_bytes >> 20)
    return b"".join(parts)


def document(data: bytes, feed: Feed, shape: Document, context: Context) -> Parsed:
    """A document is one block; a record's ordinal is its line number."""
    good, bad = [], []
    number = 0
    for number, record in enumerate(shape.records(data), 1):
        if isinstance(record, Refused):
            bad.append((number, record.reason, record.raw))
        else:
            good.append({"line_number": number} | {k: None if v in (None, "") else str(v) for k, v in record.items()})
    columns = pl.DataFrame(good, schema=columns_of(good), orient="row")
    if feed.translate is not None:
        columns = feed.translate(columns, context)
    normal = normalise(columns, feed, context)
    raw = {row["line_number"]: repr(row).encode() for row in good}
    late = [(n, reason, raw[n]) for n, reason in normal.refused.rows()]
    rejects = pl.DataFrame(bad + late, schema=REJECTS, orient="row").sort("line_number")
    return Parsed(1, number + 1, 0, normal.events, rejects)


def columns_of(records: list[dict[str, object]]) -> dict[str, pl.DataType]:
    names = dict.fromkeys(key for record in records for key in record)
    return {"line_number": pl.UInt64()} | {name: pl.String() for name in names if name != "line_number"}


DATE_IN_NAME = re.compile(r"(?<!\d)(20\d\d)-?([01]\d)-?([0-3]\d)(?!\d)")


def dated_at(feed: Feed, known: Sample, name: str, modified_at: datetime) -> datetime:
    """The report's date: from its head if the feed says where, else from its path, else the file's own."""
    if feed.date_pattern and (match := re.search(feed.date_pattern, "\n".join(known.lines))):
        found = parse_times(pl.Series([match.group(1)]), zone=feed.zone).item()
        if found is not None:
            return found.astimezone(UTC)
    for part in reversed(Path(name).parts):
        for year, month, day in DATE_IN_NAME.findall(part):
            try:
                return datetime(int(year), int(month), int(day), tzinfo=UTC)
            except ValueError:
                continue
    return modified_at
