"""Laws of every parser: whatever the bytes, nothing is raised, and every line is blank, an event or a reject."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tansiq.feeds.catalogue import ALL, FEEDS
from tansiq.feeds.detect import detect
from tansiq.feeds.feed import Feed
from tansiq.feeds.parse import EmptyReport, NotText, parse, sample_of
from tansiq.feeds.reading.streams import UnreadableReport

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "feeds"
REPORTS = {
    path.parent.name: path for path in sorted(GOLDEN.glob("*/*")) if path.name not in ("events.jsonl", "rejects.jsonl")
}
MODIFIED_AT = datetime(2026, 1, 1, tzinfo=UTC)

JUNK = st.sampled_from(
    [
        b"\n",
        b"\r\n",
        b"\0",
        b'"',
        b",",
        b";",
        b"|",
        b"\t",
        b"{",
        b"}",
        b"[",
        b"]",
        b"\\",
        b"\xff\xfe",
        "é".encode(),
        b"-",
        b"null",
        b"0",
    ]
) | st.binary(max_size=8)


@st.composite
def spoilt(draw: st.DrawFn, whole: bytes) -> bytes:
    """A good report with pieces cut out and junk put in."""
    data = whole
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        gone = draw(st.integers(0, 40))
        data = data[:at] + draw(JUNK) + data[at + gone :]
    return data


def holds(feed: Feed, path: Path, data: bytes) -> None:
    path.write_bytes(data)
    try:
        known = sample_of(data, path.name)
        detect(known)
        parts = list(parse(path, feed.fitted(known), name=path.name, block_bytes=200, modified_at=MODIFIED_AT))
    except (EmptyReport, NotText, UnreadableReport):
        return
    for part in parts:
        assert part.lines == part.blank + part.events.height + part.rejects.height
    numbers = [n for part in parts for n in (*part.events["line_number"], *part.rejects["line_number"])]
    assert len(numbers) == len(set(numbers))


@pytest.mark.parametrize("case", REPORTS)
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(draw=st.data())
def test_spoilt_report_is_read_without_an_exception(case: str, draw: st.DataObject, tmp_path: Path) -> None:
    report = REPORTS[case]
    data = draw.draw(spoilt(report.read_bytes()))

    holds(FEEDS[case.partition("__")[0]], tmp_path / report.name, data)


@pytest.mark.parametrize("feed", ALL, ids=lambda feed: feed.code)
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=st.sampled_from(sorted(REPORTS)))
def test_report_of_another_feed_is_read_without_an_exception(feed: Feed, case: str, tmp_path: Path) -> None:
    report = REPORTS[case]

    holds(feed, tmp_path / report.name, report.read_bytes())
