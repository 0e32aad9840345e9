"""Every feed on a small report of its own: the events and rejects it must give, to the last column.

A case is a folder named by the feed's code, with ``__variant`` where a feed has several. Beside ``events.jsonl`` and
``rejects.jsonl`` it holds one report, named as its publisher names it.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from tansiq.feeds.catalogue import FEEDS
from tansiq.feeds.detect import detect
from tansiq.feeds.parse import Parsed, parse, sample

HERE = Path(__file__).parent / "feeds"
CASES = sorted(path for path in HERE.iterdir() if path.is_dir())
EXPECTED = ("events.jsonl", "rejects.jsonl")
MODIFIED_AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SAME_AS_IP = ("ip_hi", "ip_lo")


def report_of(case: Path) -> Path:
    (report,) = (path for path in case.iterdir() if path.name not in EXPECTED)
    return report


def parsed(case: Path, block_bytes: int = 1 << 20) -> list[Parsed]:
    report = report_of(case)
    feed = FEEDS[case.name.partition("__")[0]].fitted(sample(report))
    return list(parse(report, feed, name=report.name, block_bytes=block_bytes, modified_at=MODIFIED_AT))


def events_of(parts: list[Parsed]) -> list[dict[str, object]]:
    rows = pl.concat([part.events for part in parts]).sort("line_number").drop(SAME_AS_IP)
    rows = rows.with_columns(pl.col("observed_at").dt.strftime("%Y-%m-%dT%H:%M:%S%.fZ"))
    return [
        {name: json.loads(value) if name == "extra" else value for name, value in row.items() if value is not None}
        for row in rows.to_dicts()
    ]


def rejects_of(parts: list[Parsed]) -> list[dict[str, object]]:
    rows = pl.concat([part.rejects for part in parts]).sort("line_number").to_dicts()
    return [row | {"raw": row["raw"].decode("utf-8", "backslashreplace")} for row in rows]


def written(rows: list[dict[str, object]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n" for row in rows)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_report_of_a_feed_gives_its_events_and_rejects(case: Path, regenerate: bool) -> None:
    parts = parsed(case)

    found = {"events.jsonl": written(events_of(parts)), "rejects.jsonl": written(rejects_of(parts))}

    if regenerate:
        for name, text in found.items():
            (case / name).write_text(text, encoding="utf-8")
    assert found == {name: (case / name).read_text(encoding="utf-8") for name in EXPECTED}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_report_of_a_feed_keeps_its_counts_in_sum(case: Path) -> None:
    parts = parsed(case)

    for part in parts:
        assert part.lines == part.blank + part.events.height + part.rejects.height
        numbers = part.events["line_number"].to_list() + part.rejects["line_number"].to_list()
        assert len(numbers) == len(set(numbers))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_report_of_a_feed_is_recognised_as_it(case: Path) -> None:
    code = case.name.partition("__")[0]

    found = detect(sample(report_of(case)))

    assert found[0][0] == code


def test_every_feed_has_a_case_with_events_and_rejects() -> None:
    with_rejects = {case.name.partition("__")[0] for case in CASES if (case / "rejects.jsonl").stat().st_size}
    with_events = {case.name.partition("__")[0] for case in CASES if (case / "events.jsonl").stat().st_size}

    assert with_events == set(FEEDS)
    assert with_rejects == set(FEEDS)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_case_has_an_empty_line_and_a_letter_beyond_ascii(case: Path) -> None:
    text = report_of(case).read_text(encoding="utf-8")

    assert "\n\n" in text
    assert not text.isascii()
