"""Figures of a federation of real nodes on one machine: set-up, rest, alerts, catching up, envelopes a second.

    python -m bench.lab [--nodes 57] [--alerts 30] [--bulk 1000] [--waiting 100000] [--only alerts rest …] [--out FILE]

Each node is a process with a SQLite file of its own, all of them and the message server on one machine: what a node
does for itself elsewhere, 57 do here for two cores. Times are from the moment at which a desk says something, by the
clock of the sender, to the receipt of a peer as the sender has stored it.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tansiq.workers.lab.lab import Lab
    from tansiq.workers.lab.place import Place

PARTS = ("rest", "alerts", "lanes", "catching_up")
REST_SECONDS = 120.0
QUIET_SECONDS = 1800.0
LOOK_SECONDS = 1.0
A_KILOBYTE = 1024


MISSING = """
    SELECT (SELECT count(*) FROM exchange_outboxrow WHERE statement_id IN (SELECT id FROM said))
         + (SELECT count(*) FROM exchange_sent WHERE covered_at IS NULL AND statement_id IN (SELECT id FROM said))
"""


def receipts(place: Place, name: str, said: Mapping[str, Any]) -> list[float]:
    """Of what ``series`` said: seconds to each receipt, in order."""
    from django.db.models import F

    from tansiq.exchange.models import Sent
    from tansiq.workers.lab.node import become

    become(place, name)
    sent = Sent.objects.filter(statement__object__contains=f":lab.{said['series']}.", covered_at__isnull=False)
    times = sent.annotate(made=F("statement__made_at")).values_list("covered_at", "made")
    return sorted((covered - made).total_seconds() for covered, made in times)


class Bench:
    """Figures of one lab, as they are found."""

    def __init__(self, lab: Lab, bulk: int) -> None:
        self.lab = lab
        self.bulk = bulk
        self.figures: dict[str, Any] = {"load_before": os.getloadavg(), "processors": os.cpu_count()}
        self.series = 0

    def say(self, name: str, figure: Any) -> None:
        self.figures[name] = figure
        print(f"{name}: {json.dumps(figure)}", flush=True)

    def publish(self, name: str, objects: int, lane: str, to: list[str], size_bytes: int = A_KILOBYTE) -> str:
        from tansiq.workers.lab import deeds

        self.series += 1
        series = f"b{self.series}"
        said = {"objects": objects, "lane": lane, "to": to, "series": series, "marker": "", "size_bytes": size_bytes}
        self.lab.crew.do(name, deeds.publish, **said)
        return series

    def awaited(self, name: str, series: str, within_seconds: float) -> list[float]:
        """Seconds to each receipt, once none is missing. Raises: TimeoutError."""
        until = time.monotonic() + within_seconds
        while missing := self.missing(name, series):
            if time.monotonic() > until:
                raise TimeoutError(f"{missing} receipts of {series} are missing")
            time.sleep(LOOK_SECONDS)
        found: list[float] = self.lab.crew.do(name, receipts, series=series)
        return found

    def missing(self, name: str, series: str) -> int:
        """Looked up in the file: a process that did it each second would take what is measured its processor."""
        said = "WITH said AS (SELECT id FROM exchange_statement WHERE instr(object, ?))"
        with closing(sqlite3.connect(f"file:{self.lab.place.home(name).database}?mode=ro", uri=True)) as file:
            count: int = file.execute(said + MISSING, (f":lab.{series}.",)).fetchone()[0]
        return count

    def quiet(self) -> float:
        """Wait until nothing is under way anywhere. Returns: seconds."""
        from tansiq.workers.lab import proving

        begun = time.monotonic()
        while time.monotonic() - begun < QUIET_SECONDS:
            stands = proving.stands(self.lab)
            under_way = sum(stand[what] for stand in stands.values() for what in ("outbox", "uncovered", "gaps"))
            compared = all(len(stand["equal_at"]) == len(stands) - 1 for stand in stands.values())
            if not under_way and compared:
                return round(time.monotonic() - begun, 1)
            time.sleep(max(5, len(stands) / 4) * LOOK_SECONDS)
        raise TimeoutError("the lab does not become quiet")

    # ---- parts

    def rest(self) -> None:
        """Memory, processor time and traffic of nodes that have nothing to do."""
        before, begun = self.lab.stand(), time.monotonic()
        time.sleep(REST_SECONDS)
        after, minutes = self.lab.stand(), (time.monotonic() - begun) / 60
        nodes = len(self.lab.codes)
        traffic = sum(after["server"][way] - before["server"][way] for way in ("in_bytes", "out_bytes"))
        self.say(
            "rest",
            {
                "pss_mb_a_node": round(after["memory"]["nodes"]["pss_bytes"] / nodes / 2**20, 1),
                "pss_mb_an_opener": round(after["memory"]["openers"]["pss_bytes"] / nodes / 2**20, 1),
                "processor_share_of_one_core_all_nodes": round(
                    (after["processor_seconds"] - before["processor_seconds"]) / minutes / 60, 3
                ),
                "kb_a_minute_a_node": round(traffic / minutes / nodes / 1024, 2),
            },
        )

    def alerts(self, count: int) -> None:
        self.say("alert_to_all_idle", self._alerts(count, pause_seconds=2.0))
        with self.full_bulk_lane():
            self.say("alert_to_all_under_full_bulk", self._alerts(count, pause_seconds=2.0))
        self.say("quiet_after_bulk_seconds", self.quiet())

    def _alerts(self, count: int, *, pause_seconds: float) -> dict[str, Any]:
        """Seconds to the last receipt of an alert, and to any."""
        first = self.lab.codes[0]
        series = []
        for _ in range(count):
            series.append(self.publish(first, 1, "urgent", []))
            time.sleep(pause_seconds)
        each = [self.awaited(first, one, 300) for one in series]
        return {
            "alerts": count,
            "peers": len(each[0]),
            "last": quantiles([one[-1] for one in each]),
            "any": quantiles([seconds for one in each for seconds in one]),
            "load": os.getloadavg()[0],
        }

    @contextmanager
    def full_bulk_lane(self) -> Iterator[None]:
        """Two senders say ``bulk`` objects to everybody; that is not over when what is measured meanwhile is."""
        for name in self.lab.codes[1:3]:
            self.publish(name, self.bulk, "bulk", [])
        time.sleep(5)
        yield

    def lanes(self) -> None:
        first, second = self.lab.codes[:2]
        for lane in ("urgent", "normal", "bulk"):
            self._rate(f"to_1_{lane}", first, 10_000, lane, [second])
        for lane in ("urgent", "normal", "bulk"):
            self._rate(f"to_{len(self.lab.codes) - 1}_{lane}", first, 50, lane, [])

    def _rate(self, name: str, sender: str, objects: int, lane: str, to: list[str]) -> None:
        begun = time.monotonic()
        series = self.publish(sender, objects, lane, to)
        published = time.monotonic() - begun
        took = self.awaited(sender, series, 1800)
        self.say(
            name,
            {
                "envelopes": len(took),
                "publish_seconds": round(published, 2),
                "seconds_to_last_receipt": round(took[-1], 2),
                "envelopes_a_second": round(len(took) / took[-1], 1),
            },
        )

    def catching_up(self, waiting: int) -> None:
        """One node is off; what waits for it comes when it is back."""
        first, second = self.lab.codes[:2]
        self.lab.crew.stop(second)
        begun = time.monotonic()
        series = self.publish(first, waiting, "bulk", [second])
        published = time.monotonic() - begun
        time.sleep(10)
        begun = time.monotonic()
        self.lab.crew.start(second)
        self.awaited(first, series, 7200)
        seconds = time.monotonic() - begun
        figure = {"envelopes": waiting, "publish_seconds": round(published, 1), "seconds": round(seconds, 1)}
        self.say("catching_up", figure | {"envelopes_a_second": round(waiting / seconds, 1)})


def quantiles(seconds: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    return {"p50": round(cuts[49], 3), "p99": round(cuts[98], 3), "max": round(max(seconds), 3)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--nodes", type=int, default=57)
    parser.add_argument("--alerts", type=int, default=30)
    parser.add_argument("--bulk", type=int, default=1_000, help="objects that each of two nodes says to all at once")
    parser.add_argument("--waiting", type=int, default=100_000)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--out", type=Path)
    wanted = parser.parse_args()

    from tansiq.cli import lab as command

    folder = Path(tempfile.mkdtemp(prefix="tansiq-bench-lab-"))
    command.load(folder)
    from tansiq.workers.lab.lab import Lab
    from tansiq.workers.lab.place import codes

    begun = time.monotonic()
    lab = Lab.up(folder, codes(wanted.nodes), program=command.program())
    bench = Bench(lab, wanted.bulk)
    bench.say("setup_seconds", lab.times.parts | {"all": round(time.monotonic() - begun, 1)})
    parts: dict[str, Callable[[], None]] = {
        "rest": bench.rest,
        "alerts": lambda: bench.alerts(wanted.alerts),
        "lanes": bench.lanes,
        "catching_up": lambda: bench.catching_up(wanted.waiting),
    }
    try:
        lab.start()
        bench.say("first_quiet_seconds", bench.quiet())
        for name in wanted.only:
            parts[name]()
        bench.say("load_after", os.getloadavg())
    finally:
        lab.down()
        shutil.rmtree(folder)
    if wanted.out:
        wanted.out.parent.mkdir(parents=True, exist_ok=True)
        wanted.out.write_text(json.dumps(bench.figures, indent=1))


if __name__ == "__main__":
    main()
