"""The sending side of a node on SQLite: publications, positions, attempts and seals, by rows a second.

    python -m bench.sealing [--rows 5000] [--peers 1 57] [--bytes 1024]

A node in a folder of its own, as the first command sets one up. ``rows`` is objects times recipients; a row goes
through ``leave`` (decide, position, body, first attempt: one transaction for all peers) and ``openpgp`` (sign and
encrypt, on a sample). Publishing signs once for each object. ``processor`` is this process's time, ``wall`` what a
clock says.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from factories import exchange as keys
from factories import exchange_node as make
from tansiq.core.marking import Marking, Tlp
from tansiq.exchange.body import Lane
from tansiq.exchange.seal import seal_written

if TYPE_CHECKING:
    from tansiq.exchange.node.here import Here
    from tansiq.exchange.node.leaving import Attempt
    from tansiq.exchange.node.sealing import Sealing

SAMPLE = 2000
"""Bodies that are sealed by OpenPGP; one costs as much as another."""


@dataclass
class Times:
    """Seconds of the processor and of the clock, by step, and how often each was done."""

    processor: dict[str, float] = field(default_factory=dict)
    wall: dict[str, float] = field(default_factory=dict)
    count: dict[str, int] = field(default_factory=dict)

    def measure(self, step: str, work: Callable[[], int]) -> int:
        used, began = time.process_time(), time.perf_counter()
        done = work()
        self.processor[step] = self.processor.get(step, 0.0) + time.process_time() - used
        self.wall[step] = self.wall.get(step, 0.0) + time.perf_counter() - began
        self.count[step] = self.count.get(step, 0) + done
        return done

    def figures(self) -> dict[str, dict[str, int]]:
        return {
            step: {
                "times": count,
                "processor_per_s": round(count / self.processor[step]),
                "wall_per_s": round(count / self.wall[step]),
            }
            for step, count in self.count.items()
        }

    def together(self, *steps: str) -> int:
        """Rows a second of the clock through all of these steps, one after the other."""
        return round(1 / sum(self.wall[step] / self.count[step] for step in steps))


def run(rows: int, peers: int, size_bytes: int) -> dict[str, Any]:
    from tansiq.exchange.node.publishing import Change, publish_all
    from tansiq.exchange.node.sealing import seal

    names = [f"N{number:02}" for number in range(peers)]
    here, now, times = make.here("XA", members=("XA", *names)), datetime.now(UTC), Times()
    changes = [
        Change(
            kind="event",
            name=f"{peers}.{number}",
            payload=make.payload("x" * size_bytes),
            markings=[Marking(Tlp.GREEN, "XA")],
            team="XA",
        )
        for number in range(rows // peers)
    ]
    times.measure("publish, by object", lambda: len(publish_all(here, changes, now)))
    bodies: list[tuple[str, bytes]] = []
    while attempts := _left(times, lambda: seal(here, names, Lane.BULK, worker="bench", now=now)):
        bodies += [(attempt.peer, attempt.body) for attempt in attempts] if len(bodies) < SAMPLE else []
    times.measure("openpgp", lambda: _sealed(here, bodies[:SAMPLE]))
    return {
        "recipients": peers,
        "content_bytes": size_bytes,
        "body_bytes": len(bodies[0][1]),
        "steps": times.figures(),
        "outbox to sealed, rows_per_s": times.together("leave", "openpgp"),
    }


def _left(times: Times, work: Callable[[], Sealing]) -> list[Attempt]:
    found: list[Attempt] = []
    times.measure("leave", lambda: len(found.extend(work().attempts) or found))
    return found


def _sealed(here: Here, bodies: list[tuple[str, bytes]]) -> int:
    for peer, body in bodies:
        seal_written(body, by=here.secrets[0], to=keys.node_secret(peer).certificate)
    return len(bodies)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--rows", type=int, default=5000)
    asked.add_argument("--peers", type=int, nargs="+", default=[1, 57])
    asked.add_argument("--bytes", type=int, default=1024)
    args = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TANSIQ_HOME"] = folder
        os.environ.pop("TANSIQ_DATABASE_URL", None)
        from tansiq.cli import node

        node.opened()
        print(json.dumps([run(args.rows, peers, args.bytes) for peers in args.peers], indent=2))


if __name__ == "__main__":
    main()
