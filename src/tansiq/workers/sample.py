"""A sample to try the program on: 200,000 lines of report files, as a national team receives them in a week.

Deterministic: the same address table and day give the same bytes, so that running it again repeats reports that the
node already knows. Every file has ``sample`` in its name, every event that can carry a tag has the tag ``sample``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from tansiq.addresses.table import AddressTable
from tansiq.core.errors import N_, TansiqError
from tansiq.workers.sample_hosts import Pool, pool
from tansiq.workers.sample_reports import KINDS, Draw, Kind

LINES = 200_000
DAYS = 7
SEED = 57
HOSTS = {4: 60_000, 6: 6_000}

BROKEN, BLANK, DOUBLED = 0.004, 0.001, 0.02  # of the lines of a file


class NoAllocations(TansiqError):
    code = "sample.no_allocations"
    message = N_("The address table gives no addresses to the states of the federation.")
    remedy = N_("Build it anew with `tansiq geo update` or `tansiq geo update --bundled`.")


class SampleNotWritten(TansiqError):
    code = "sample.not_written"
    message = N_("The sample could not be written to {folder}: {why}.")
    remedy = N_("Make room, or name another home with TANSIQ_HOME.")
    exit_code = 4
    transient = True


def write_sample(table: AddressTable, states: Sequence[str], into: Path, *, today: date) -> list[Path]:
    """Write the report files of the ``DAYS`` days before ``today``: exactly ``LINES`` lines in all.

    Args:
        states: ISO codes whose address space the hosts come from.

    Returns: the files, oldest day first.
    Raises: NoAllocations, SampleNotWritten.
    """
    pools = pools_of(table, states)
    paths = []
    try:
        into.mkdir(parents=True, exist_ok=True)
        for day, kind, lines in plan(today):
            path = into / f"{day.isoformat()}-{kind.name}"
            hosts = pools[kind.version] if pools[kind.version].hosts.height else pools[4]
            # Seeded by day and kind, not by position: tomorrow's run writes six of today's seven days alike.
            rng = np.random.default_rng([SEED, day.toordinal(), KINDS.index(kind)])
            path.write_bytes(report(kind, hosts, day, lines, rng))
            paths.append(path)
    except OSError as failure:
        raise SampleNotWritten(folder=into, why=failure.strerror or str(failure)) from failure
    return paths


def pools_of(table: AddressTable, states: Sequence[str]) -> dict[int, Pool]:
    rng = np.random.default_rng(SEED)
    pools = {4: pool(table, table.v4, states, HOSTS[4], rng), 6: pool(table, table.v6, states, HOSTS[6], rng)}
    if not pools[4].hosts.height:
        raise NoAllocations()
    return pools


def plan(today: date) -> Iterator[tuple[date, Kind, int]]:
    """Which files there are, and how many lines each has; the last file takes what rounding left."""
    days = [today - timedelta(days=ago) for ago in range(DAYS, 0, -1)]
    files = [(day, kind) for day in days for kind in KINDS if kind.daily or day == days[-1]]
    left = LINES
    for day, kind in files[:-1]:
        lines = round(LINES * kind.share / (DAYS if kind.daily else 1))
        left -= lines
        yield day, kind, lines
    yield (*files[-1], left)


def report(kind: Kind, hosts: Pool, day: date, lines: int, rng: np.random.Generator) -> bytes:
    """One file of ``lines`` lines, header or heading comment included, spoilt here and there as real ones are."""
    first = 0 if kind.name.endswith(".jsonl") else 1
    doubled, blank = round(lines * DOUBLED), round(lines * BLANK)
    written = kind.write(Draw(rng, day, hosts.draw(rng, lines - first - doubled - blank)))
    head, body = written[:first], np.array(written[first:], dtype=object)
    broken = rng.choice(len(body), round(lines * BROKEN), replace=False)
    body[broken] = [spoilt(line, way) for way, line in enumerate(body[broken])]
    extra = np.concatenate([body[rng.integers(0, len(body), doubled)], np.full(blank, "", dtype=object)])
    body = np.insert(body, rng.integers(1, len(body), len(extra)), extra)
    return ("\n".join([*head, *body]) + "\n").encode()


def spoilt(line: str, way: int) -> str:
    """The defects that real reports have; every one makes the line a reject."""
    match way % 3:
        case 0:
            return line[: len(line) // 3]  # broken off
        case 1:
            return line.replace('"', "", 1) if '"' in line else f"{line}..1"  # a stray quote, a name that is none
        case _:
            return f"?{line}\x00"
