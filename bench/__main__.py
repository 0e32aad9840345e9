"""Figures of the main job beside the hand-written reference, in one run, alternating: only the ratio counts.

    python -m bench [--lines 1000000] [--rounds 3] [--out bench/out]

Whole processes are timed from outside; memory is the peak of the process. Needs the reference and its data generator
in ../shared/bench; says so where they are absent.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT.parent / "shared" / "bench"
TANSIQ = [sys.executable, "-m", "tansiq"]


@dataclass(frozen=True)
class Timed:
    """One finished process: seconds from start to end, CPU seconds, peak memory, what it printed."""

    wall_seconds: float
    cpu_seconds: float
    peak_mb: int
    output: str


def timed(command: Sequence[str | Path], **environment: str) -> Timed:
    begun = time.monotonic()
    process = subprocess.Popen(
        [str(part) for part in command], env=os.environ | environment, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    output = process.stdout.read()
    _pid, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(map(str, command))} ended with {process.returncode}")
    return Timed(time.monotonic() - begun, used.ru_utime + used.ru_stime, used.ru_maxrss >> 10, output)


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def node(data: Path, home: Path) -> None:
    """A node with the bench's address table and claims, and nothing in its lake."""
    shutil.rmtree(home, ignore_errors=True)
    timed([*TANSIQ, "geo", "update", "--from", data / "geo", "--json"], TANSIQ_HOME=str(home))
    timed([*TANSIQ, "members", "import", data / "claims.toml", "--json"], TANSIQ_HOME=str(home))


def ingest(data: Path, lines: int, rounds: int, out: Path) -> None:
    """Lines a second of both, round by round, and the ratio."""
    ready, home = out / "ready", out / "home"
    node(data, ready)
    ours, theirs, ratios = [], [], []
    for _round in range(rounds):
        reference = timed([sys.executable, REFERENCE / "reference.py", data / "events.csv", data, out / "reference"])
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(ready, home)
        command = [*TANSIQ, "feeds", "ingest", "shadowserver", data / "events.csv", "--json"]
        done = timed(command, TANSIQ_HOME=str(home))
        told = timed([*TANSIQ, "notices", "digest", "--json"], TANSIQ_HOME=str(home))
        said = json.loads(done.output)
        expected = json.loads(reference.output)
        if said["totals"]["events"] != expected["valid"]:
            raise SystemExit(f"{said['totals']} events, the reference read {expected['valid']}")
        theirs.append((expected["secs"], reference))
        ours.append((said["seconds"], done, told))
        ratios.append(expected["secs"] / said["seconds"])
    rate = [lines / seconds for seconds, *_ in ours]
    row("ingest", lines, f"{median(rate):,.0f}", ours[0][1])
    row("reference", lines, f"{median([lines / seconds for seconds, _ in theirs]):,.0f}", theirs[0][1])
    print(
        f"ratio of lines/s, pair by pair: {min(ratios):.2f} / {median(ratios):.2f} / {max(ratios):.2f} (min/median/max)"
    )
    print(f"digests of what was ingested: {median([told.wall_seconds for *_, told in ours]):.1f} s whole process")


def row(what: str, lines: int, rate: str, process: Timed) -> None:
    cpu = process.cpu_seconds / lines * 1e6
    print(
        f"{what:12} {lines:>12,} lines {rate:>10} lines/s  {cpu:5.1f} CPU s per million  {process.peak_mb:>5} MB peak"
    )


def small_reports(data: Path, out: Path) -> None:
    """1,000 reports of 100 lines, in one command."""
    folder, home = out / "small", out / "home"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with (data / "events.csv").open("rb") as source:
        header = source.readline()
        for number in range(1000):
            (folder / f"{number:04}.csv").write_bytes(header + b"".join(source.readline() for _ in range(100)))
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(out / "ready", home)
    done = timed(
        [*TANSIQ, "feeds", "ingest", "shadowserver", *sorted(folder.iterdir()), "--json"], TANSIQ_HOME=str(home)
    )
    print(f"1,000 reports of 100 lines: {done.wall_seconds:.1f} s whole process, {done.peak_mb} MB peak")


def whois(data: Path, out: Path) -> None:
    home = str(out / "ready")
    cold = [
        timed([*TANSIQ, "members", "whois", "41.77.112.1", "--json"], TANSIQ_HOME=home).wall_seconds for _ in range(7)
    ]
    print(f"whois, cold command: {median(cold):.2f} s")
    program = (
        "import time,sys;from pathlib import Path;from datetime import datetime,UTC;"
        "from tansiq.attribution.whois import Whois;"
        "book=Whois.open(Path(sys.argv[1])/'tables');now=datetime.now(UTC);"
        "targets=[f'41.{n%256}.{n//256%256}.7' for n in range(50000)];t=time.perf_counter();"
        "[book.answer(x,now=now) for x in targets];print(round(50000/(time.perf_counter()-t)))"
    )
    print(f"whois, warm: {int(timed([sys.executable, '-c', program, home]).output):,} look-ups/s in one thread")


QUERY = """
import json, sys, time
from datetime import UTC, datetime, timedelta
from tansiq.cli import node
from tansiq.lake import Filter, Lake
with Lake.open(node.home()) as lake:
    days = lake.count(by=("day",)).sort("day")
    last = days["day"].max() + timedelta(days=1)
    until = datetime(last.year, last.month, last.day, tzinfo=UTC)
    seconds = []
    for team in ("MA", "ID", "TR", "PK", "EG") * 7:
        begun = time.perf_counter()
        lake.query(Filter(team=f"CERT-{team}", since=until - timedelta(days=7), until=until), limit=100)
        seconds.append(time.perf_counter() - begun)
seconds = sorted(seconds[1:])
at = lambda share: round(seconds[int(len(seconds) * share)] * 1e3)
print(json.dumps({"events": int(days["events"].sum()), "p50": at(0.5), "p95": at(0.95)}))
"""


def query(out: Path) -> None:
    """One team, the last 7 days of what the lake holds, in one process; its first answer is left out."""
    said = json.loads(timed([sys.executable, "-c", QUERY], TANSIQ_HOME=str(out / "home")).output)
    print(f"one team, last 7 days, of {said['events']:,} events: p50 {said['p50']} ms, p95 {said['p95']} ms")


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    options.add_argument("--lines", type=int, default=1_000_000)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--out", type=Path, default=ROOT / "bench" / "out")
    given = options.parse_args()
    if not REFERENCE.is_dir():
        raise SystemExit(f"The reference and its data generator are not at {REFERENCE}: nothing to compare with.")
    data = given.out / f"data-{given.lines}"
    if not (data / "claims.toml").exists():
        subprocess.run([sys.executable, REFERENCE / "make_data.py", data, str(given.lines)], check=True)
    ingest(data, given.lines, given.rounds, given.out)
    query(given.out)
    small_reports(data, given.out)
    whois(data, given.out)


if __name__ == "__main__":
    main()
