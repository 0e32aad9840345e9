"""A process that brings reports into a lake, block by block, until all are there. It may be killed at any moment.

Usage: python -m factories.lake_writer HOME CATALOGUE SEED REPORTS
"""

from __future__ import annotations

import random
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from factories.lake import START, home_at, no_rejects, part, report_id, sighting, sightings
from tansiq.lake import Lake, Overtaken

LINES = 30


def lines_of(report: int) -> list[dict[str, Any]]:
    """The lines of a report, always the same: many subjects that other reports have too, over three days."""
    draw = random.Random(report)
    return [
        sighting(
            draw.randrange(60),
            report,
            line,
            observed_at=START + timedelta(days=draw.randrange(3), minutes=draw.randrange(600)),
            received_at=START + timedelta(days=5, minutes=report),
        )
        for line in range(1, LINES + 1)
    ]


def bring(lake: Lake, report: int, draw: random.Random) -> None:
    """Store what the lake has not of one report, in blocks of drawn sizes, whoever else does the same."""
    lines = lines_of(report)
    while True:
        stand = lake.progress([report_id(report)]).get(report_id(report))
        first = stand.end_line if stand else 1
        if stand and stand.complete:
            return
        end = min(LINES + 1, first + draw.randint(1, LINES))
        block = lines[first - 1 : end - 1]
        slices = [part(report, first, len(block), complete=end > LINES)]
        try:
            lake.commit(lake.stage(sightings(block), no_rejects(), slices))
        except Overtaken:
            continue
        print("stored", flush=True)


def main(folder: str, catalogue: str, seed: str, reports: str) -> None:
    draw = random.Random(int(seed))
    order = draw.sample(range(int(reports)), int(reports))
    print("ready", flush=True)
    with Lake.open(home_at(Path(folder), catalogue or None)) as lake:
        for report in order:
            bring(lake, report, draw)
            if draw.random() < 0.1:
                lake.compact(START.date())
    print("done", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
