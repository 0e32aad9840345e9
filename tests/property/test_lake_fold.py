"""Any shuffle and any partition of the same sightings, over any batches and writers, gives the same events."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from factories.lake import START, folded, home_at, no_rejects, part, shown, sighting, sightings
from tansiq.lake import Lake
from tansiq.lake.fold import fold

Row = dict[str, Any]

LINES = st.lists(
    st.builds(
        lambda subject, minutes, malware, team: {
            "subject": subject,
            "observed_at": START + timedelta(minutes=minutes),
            "malware": malware,
            "team": team,
        },
        st.integers(0, 6),
        st.integers(-900, 2000),
        st.sampled_from([None, "example"]),
        st.sampled_from([None, "XA-CERT", "XE-CERT"]),
    ),
    min_size=1,
    max_size=30,
)


def rows_of(reports: Sequence[Sequence[Row]]) -> list[list[Row]]:
    return [
        [sighting(report=number, line=line, received_at=START + timedelta(days=3, hours=number), **row)
         for line, row in enumerate(lines, 1)]
        for number, lines in enumerate(reports)
    ]  # fmt: skip


@given(LINES, st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_fold_of_any_order_is_the_plain_fold(lines: list[Row], draw: Any) -> None:
    (rows,) = rows_of([lines])
    draw.shuffle(rows)

    assert shown(fold(sightings(rows))) == folded(rows)


@given(
    reports=st.lists(LINES, min_size=1, max_size=4),
    draw=st.randoms(use_true_random=False),
    writers=st.integers(1, 2),
    compacted=st.booleans(),
)
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
def test_lake_of_any_partition_shows_the_plain_fold(
    reports: list[list[Row]], draw: Any, writers: int, compacted: bool
) -> None:
    rows = rows_of(reports)
    every = [row for report in rows for row in report]
    new = 0

    with tempfile.TemporaryDirectory() as folder:
        lakes = [Lake.open(home_at(Path(folder))) for _ in range(writers)]
        waiting = dict.fromkeys(range(len(rows)), 0)
        while waiting:
            number = draw.choice(sorted(waiting))
            start = waiting.pop(number)
            end = draw.randint(start + 1, len(rows[number]))
            done = end == len(rows[number])
            new += store(draw.choice(lakes), rows[number][start:end], number, start + 1, complete=done)
            if not done:
                waiting[number] = end
            if compacted and draw.random() < 0.3:
                draw.choice(lakes).compact(START.date())
        seen = lakes[0].query()
        counted = lakes[-1].count(by=["day"])
        for lake in lakes:
            lake.close()

    assert shown(seen) == folded(every)
    assert new == len(folded(every))
    assert int(counted["sightings"].sum()) == len(every)
    assert int(counted["events"].sum()) == seen.select(pl.len()).item()


def store(lake: Lake, rows: list[Row], report: int, first: int, *, complete: bool) -> int:
    staged = lake.stage(sightings(rows), no_rejects(), [part(report, first, len(rows), complete=complete)])
    return sum(one.new for one in lake.commit(staged))
