"""The backbone on this machine: publishing and fetching 1 kB, and how long nothing gets through when a leader dies.

    python -m bench.backbone [--count 5000] [--seconds 40] [--rate 100]

Every acknowledgement comes after the bytes are on disk (``sync_interval: always``). For the failover three servers run
on loopback, one sender publishes steadily, and the leader of the recipient's stream is killed as by a power cut. The
gap is the longest time between two acknowledgements; a message that failed is tried again at once, as a new attempt.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from factories.backbone import Backbone, subject
from tansiq.exchange import administration, jetstream
from tansiq.exchange.body import Lane
from tansiq.exchange.carried import Outbound, Outcome
from tansiq.exchange.connection import Connection
from tansiq.exchange.transport import Transport

SIZE = 1024
QUOTAS = jetstream.Quotas(urgent=100_000, normal=100_000, bulk=100_000)


@contextmanager
def running(servers: int) -> Iterator[Backbone]:
    with tempfile.TemporaryDirectory() as folder:
        backbone = Backbone(Path(folder), ["XA", "XB"], servers, QUOTAS)
        backbone.write()
        try:
            for number in range(servers):
                backbone.begin(number)
            backbone.administer()
            yield backbone
        finally:
            backbone.end()


def rates(servers: int, count: int) -> dict[str, int]:
    """Messages a second: one after the other, many under way, fetched and acknowledged."""
    with running(servers) as backbone, backbone.transport("XA") as xa, backbone.transport("XB") as xb:
        singly = min(count, 500)
        began = time.perf_counter()
        for number in range(singly):
            assert publish(xb, f"one.{number}")
        one_by_one = singly / (time.perf_counter() - began)
        messages = [Outbound(subject("XA", "XB"), b"x" * SIZE, f"many.{number}") for number in range(count)]
        began = time.perf_counter()
        outcomes = xb.publish_many(messages, timeout_seconds=60)
        many = count / (time.perf_counter() - began)
        assert set(outcomes) == {Outcome.ACKNOWLEDGED}, set(outcomes)
        fetched, began = 0, time.perf_counter()
        while fetched < count + singly:
            found = xa.fetch(Lane.NORMAL, 500, 10)
            assert found
            xa.ack(found)
            fetched += len(found)
        fetching = fetched / (time.perf_counter() - began)
    return {"publish_one_by_one": round(one_by_one), "publish_many": round(many), "fetch_and_ack": round(fetching)}


def publish(transport: Transport, name: str) -> bool:
    return transport.publish(subject("XA", "XB"), b"x" * SIZE, name, timeout_seconds=2) is Outcome.ACKNOWLEDGED


def failover(seconds: float, rate: float) -> dict[str, object]:
    """The longest gap of a steady sender, and whether everything that was acknowledged arrived."""
    with running(3) as backbone, backbone.transport("XA") as xa, backbone.transport("XB") as xb:
        leader = leading(backbone)
        killing = threading.Timer(seconds / 3, lambda: backbone.kill(leader))
        killing.start()
        acknowledged, moments, failed = set(), [time.perf_counter()], 0
        number, until = 0, time.perf_counter() + seconds
        while time.perf_counter() < until:
            due = moments[0] + number / rate
            time.sleep(max(0.0, due - time.perf_counter()))
            attempt = 1
            while not publish(xb, name := f"{number}.{attempt}"):
                failed, attempt = failed + 1, attempt + 1
                time.sleep(0.02)
            acknowledged.add(name)
            moments.append(time.perf_counter())
            number += 1
        killing.join()
        found: set[str] = set()
        while more := xa.fetch(Lane.NORMAL, 500, 5):
            xa.ack(more)
            found |= {one.headers[jetstream.ID_HEADER] for one in more}
    gaps = sorted(later - earlier for earlier, later in itertools.pairwise(moments))
    return {
        "acknowledged": len(acknowledged),
        "attempts_failed": failed,
        "longest_gap_seconds": round(gaps[-1], 2),
        "second_longest_gap_seconds": round(gaps[-2], 2),
        "median_gap_milliseconds": round(1000 * gaps[len(gaps) // 2], 1),
        "acknowledged_and_lost": len(acknowledged - found),
    }


def leading(backbone: Backbone) -> int:
    """Which server leads the stream that is written to."""
    stream = jetstream.stream_name("live", "XA", Lane.NORMAL)
    said = asyncio.run(asked(backbone, f"{administration.API}.STREAM.INFO.{stream}"))
    return int(said["cluster"]["leader"].removeprefix("server"))


async def asked(backbone: Backbone, subject: str) -> Any:
    connection = Connection()
    try:
        await connection.open(backbone.urls[0], seed=backbone.administrator, inbox="_INBOX.administrator", trusted=None)
        return json.loads((await connection.ask(subject, b"", 5)).data)
    finally:
        await connection.close()


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--count", type=int, default=5000)
    asked.add_argument("--seconds", type=float, default=40)
    asked.add_argument("--rate", type=float, default=100)
    args = asked.parse_args()
    figures = {
        "bytes": SIZE,
        "one_server_per_second": rates(1, args.count),
        "three_servers_per_second": rates(3, args.count),
        "failover": {"rate_per_second": args.rate, **failover(args.seconds, args.rate)},
    }
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
