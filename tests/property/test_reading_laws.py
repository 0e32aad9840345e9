"""Laws of reading: whatever the bytes are, nothing is raised and every line is counted exactly once."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from tansiq.core.errors import TansiqError
from tansiq.feeds.feed import Delimited, Feed, JsonLines, Plain
from tansiq.feeds.parse import parse
from tansiq.feeds.reading.blocks import Block, blocks
from tansiq.feeds.reading.cutting import cut

LINES = st.lists(
    st.one_of(
        st.sampled_from(
            [
                b'"192.0.2.1","80"',
                b"192.0.2.1,80",
                b'"192.0.2.1,"80"',
                b"",
                b"# c",
                b'{"ip":"192.0.2.1"}',
                b'"',
                b"\0",
                b"\xff\xfe,1",
            ]
        ),
        st.binary(max_size=30).map(lambda raw: raw.replace(b"\n", b"")),
    ),
    max_size=20,
)
SHAPES = st.sampled_from(
    [
        Delimited(names=("ip", "port")),
        Delimited(names=("ip", "port"), comments=("#",)),
        Plain(),
        JsonLines({"ip": "$.ip"}),
    ]
)


@settings(deadline=None)
@given(LINES, SHAPES, st.integers(1, 64))
def test_every_physical_line_is_an_event_a_reject_or_blank(lines: list[bytes], shape, block_bytes: int) -> None:
    data = b"\n".join(lines)
    feed = Feed(
        code="x",
        title="",
        licence="",
        cadence_minutes=1,
        shape=shape,
        columns={"ip": ("ip", "value"), "port": ("port",)},
    )
    with TemporaryDirectory() as folder:
        path = Path(folder) / "report"
        path.write_bytes(data)
        try:
            found = list(parse(path, feed, block_bytes=block_bytes, modified_at=datetime(2026, 1, 1, tzinfo=UTC)))
        except TansiqError as refused:
            assert refused.code in ("feeds.report.empty", "feeds.report.not_text", "feeds.report.unreadable")
            return

    numbers = [n for part in found for n in (*part.events["line_number"], *part.rejects["line_number"])]
    if not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        assert sum(part.lines for part in found) == data.count(b"\n") + (not data.endswith(b"\n"))
    assert all(part.lines == part.blank + part.events.height + part.rejects.height for part in found)
    assert len(numbers) == len(set(numbers))


@settings(deadline=None)
@given(LINES, st.integers(1, 50), st.integers(51, 4096))
def test_size_of_the_blocks_changes_nothing(lines: list[bytes], small: int, large: int) -> None:
    data = b"\n".join(lines)
    shape = Delimited(names=("ip", "port"))

    ways = [
        [cut(block, shape, shape.names) for block in blocks(io.BytesIO(data), block_bytes=size)]
        for size in (small, large)
    ]

    first, second = ([row for found in way for row in found.columns.rows()] for way in ways)
    assert first == second
    assert [r for f in ways[0] for r in f.refused.rows()] == [r for f in ways[1] for r in f.refused.rows()]


CELL = st.text(st.characters(blacklist_characters="\r\n\0", blacklist_categories=["Cs"]), max_size=8)


@settings(deadline=None)
@given(
    st.lists(st.tuples(CELL, CELL, CELL), min_size=1, max_size=10), st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL])
)
def test_what_a_csv_writer_writes_is_read_back(rows: list[tuple[str, str, str]], quoting: int) -> None:
    written = io.StringIO()
    csv.writer(written, quoting=quoting, lineterminator="\n").writerows(rows)
    names = ("a", "b", "c")

    found = cut(Block(2, written.getvalue().encode()), Delimited(), names)

    assert [tuple(cell or "" for cell in row[1:]) for row in found.columns.rows()] == rows
