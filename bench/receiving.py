"""Envelopes received on a database: opened and authenticated, then checked, given positions, applied and stored.

    python -m bench.receiving [--count 5000] [--batch 500] [--parked]

A SQLite file in WAL mode, as a node has it; 1 kB of payload, one object each. ``applied`` is what ``inbox.receive``
does: the author's signature, the sharing decision, positions, rows. ``--parked``: each refers to one object that comes
last, and wakes all of them. By processor time of all processes; ``wall`` is what a clock says.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from bench.envelope import processor_seconds
from factories import exchange as make
from factories.exchange_bodies import Stream
from factories.exchange_node import NOW, Desk, here
from tansiq.exchange import trust
from tansiq.exchange.opener import Opener
from tansiq.exchange.seal import Sealed, Unsealed, seal_written
from tansiq.exchange.trust import Authentic

FILLER = "x" * 900


def bodies(count: int, *, parked: bool) -> list[Authentic]:
    stream = Stream()
    needs = "XA:last" if parked else ""
    said = [stream.says(str(number), text=f"{number} {FILLER}", needs=needs) for number in range(count)]
    return [*said, stream.says("last", text=FILLER)]


def sealed(said: list[Authentic]) -> list[Sealed]:
    to = make.node_secret("XE").certificate
    return [seal_written(body.content, by=make.node_secret("XA"), to=to) for body in said]


def opened(messages: list[Sealed], batch: int) -> tuple[float, float]:
    """Seconds of processor and of the wall to open all, and to see who sent them."""
    node = here("XE")
    with Opener([make.node_secret("XE")], node.facts.believed_certificates()) as opener:
        opener.open(messages[0])
        pid = opener.pid
        before, begun = processor_seconds(pid), time.monotonic()
        for start in range(0, len(messages), batch):
            for found in opener.open_all(messages[start : start + batch]):
                assert isinstance(found, Unsealed)
                assert isinstance(trust.authenticate(found, node.facts), Authentic)
        return processor_seconds(pid) - before, time.monotonic() - begun


def applied(said: list[Authentic], batch: int) -> tuple[float, float]:
    from tansiq.exchange.node import inbox, settling

    desk = Desk()
    node = here("XE", desk=desk)
    before, begun = time.process_time(), time.monotonic()
    for start in range(0, len(said), batch):
        inbox.receive(node, [(body, "jetstream") for body in said[start : start + batch]], now=NOW)
    while settling.settle_ready(node, NOW):
        pass
    taken = time.process_time() - before, time.monotonic() - begun
    assert len(desk.texts) == len(said)
    return taken


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--count", type=int, default=5000)
    options.add_argument("--batch", type=int, default=500)
    options.add_argument("--parked", action="store_true")
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"TANSIQ_HOME": folder, "DJANGO_SETTINGS_MODULE": "tansiq.settings"}
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0, interactive=False)
        said = bodies(asked.count, parked=asked.parked)
        figures = {}
        for what, (processor, wall) in {
            "opened": opened(sealed(said), asked.batch),
            "applied": applied(said, asked.batch),
        }.items():
            figures[what] = {"a_second": round(len(said) / processor), "wall_a_second": round(len(said) / wall)}
        print(json.dumps({"count": len(said), "batch": asked.batch, "parked": asked.parked} | figures))


if __name__ == "__main__":
    main()
