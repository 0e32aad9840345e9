"""One file from one node to many, over a real message server: MB/s, and what memory each process takes.

    python -m bench.blobs [--megabytes 1024] [--nodes 10]

Every node is a process of its own with its own database, keys and disk; all are on this machine, the server with
``sync_interval: always`` among them. The rate is that of all recipients together, from the publication to the moment
when the last has the file whole and has applied the object that names it. Memory is the resident size at its peak, of
the node's process and of the one that opens messages for it.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, BinaryIO

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from factories.backbone import Backbone

MEGABYTE = 1024**2
CODES = [f"X{letter}" for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"]
HOUSE_SECONDS = 0.5
"""In the program it is 5 s: at most so much is added once to each file."""


class Noise:
    """A file of ``size_bytes`` that is nowhere: the same block again and again."""

    def __init__(self, size_bytes: int) -> None:
        self.left, self._block = size_bytes, os.urandom(MEGABYTE)

    def read(self, count: int) -> bytes:
        given = self._block[: min(count, self.left)]
        self.left -= len(given)
        return given


def made(folder: Path) -> Path:
    """A database with all tables, to be copied. Afterwards this process has no connection to one."""
    os.environ |= {"TANSIQ_HOME": str(folder), "DJANGO_SETTINGS_MODULE": "tansiq.settings"}
    import django
    from django.core.management import call_command
    from django.db import connections

    django.setup()
    call_command("migrate", verbosity=0, interactive=False)
    connections.close_all()
    return Path(connections.databases["default"]["NAME"])


def here(code: str, members: list[str], store: Any) -> Any:
    from factories.exchange import node_secret
    from factories.exchange_node import Desk, kinds
    from factories.exchange_node import here as as_node
    from tansiq.exchange.kinds import Kinds

    waiting = [replace(kind, blobs_needed=True) for kind in kinds(Desk()).by_name().values()]
    certificates = {one: node_secret(one).certificate for one in members}
    node = as_node(code, members=members, known=Kinds(waiting))
    return replace(node, certificates=certificates, has_blob=store.has)


def serve(code: str, members: list[str], backbone: Backbone, folder: Path, database: Path, told: Connection) -> None:
    """One node's process: until told to end."""
    from django.db import connections

    from tansiq.exchange.blobs import BlobStore
    from tansiq.exchange.node import settling
    from tansiq.exchange.node.asking import Asking
    from tansiq.exchange.node.files import Files
    from tansiq.exchange.node.here import Here
    from tansiq.exchange.node.service import Service

    own = folder / f"{code}.sqlite3"
    shutil.copy(database, own)
    connections.databases["default"]["NAME"] = own
    files = Files(BlobStore(folder / code, least_free_bytes=0))
    this = here(code, members, files.store)

    def house(service: Service, here: Here, now: datetime) -> Iterable[Any]:
        settling.settle_ready(here, now)
        asks = [service.asking.made(here, peer, asked, now) for peer, asked in files.wanted(here, now)]
        return [ask for ask in asks if ask is not None]

    with backbone.transport(code) as transport:
        service = Service(
            present=lambda now: this, epoch=lambda: 1, asking=Asking(files), backbone=transport, house=house
        )
        service.start()
        keeping = threading.Thread(target=keep_house, args=(service,), daemon=True)
        keeping.start()
        told.send("ready")
        while (asked := told.recv()) != "end":
            if asked == "have":
                told.send(applied())
            else:
                publish(this, files.store, int(asked), [one for one in members if one != code])
                told.send("published")
        service.ending.set()
    service.stop()
    told.send([resource.getrusage(who).ru_maxrss // 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)])


def keep_house(service: Any) -> None:
    while not service.ending.wait(HOUSE_SECONDS):
        service.look_after(service.here())


def applied() -> int:
    from tansiq.exchange.models import SharedObject

    return SharedObject.objects.filter(statement__isnull=False).count()


def publish(here: Any, store: Any, size_bytes: int, audience: list[str]) -> None:
    from factories.exchange_node import marked, payload
    from tansiq.exchange.node import publishing
    from tansiq.exchange.node.departing import utc_now

    source: BinaryIO = Noise(size_bytes)  # type: ignore[assignment]
    reference = store.keep(source, size_bytes=size_bytes, media_type="application/octet-stream", name="capture.pcap")
    markings = marked(here.code, *audience)
    publishing.publish(
        here, kind="event", name="1", payload=payload(), markings=markings, team=here.code, blobs=[reference],
        now=utc_now(),
    )  # fmt: skip


def measured(size_bytes: int, recipients: int) -> dict[str, object]:
    members = CODES[: recipients + 1]
    with tempfile.TemporaryDirectory() as made_here:
        folder = Path(made_here)
        database = made(folder)
        from factories.exchange import node_secret, platform_secret

        for code in members:  # known to every process: they are forked from this one
            node_secret(code), platform_secret(code)
        backbone = Backbone(folder / "backbone", members)
        backbone.write()
        backbone.begin()
        backbone.administer()
        try:
            return run(members, size_bytes, backbone, folder, database)
        finally:
            backbone.end()


def run(members: list[str], size_bytes: int, backbone: Backbone, folder: Path, database: Path) -> dict[str, object]:
    forking = multiprocessing.get_context("fork")
    lines: dict[str, Connection] = {}
    processes = []
    for code in members:
        lines[code], theirs = forking.Pipe()
        arguments = (code, members, backbone, folder, database, theirs)
        processes.append(forking.Process(target=serve, args=arguments, daemon=False))
        processes[-1].start()
    for line in lines.values():
        assert line.recv() == "ready"
    sender, *recipients = members
    ask(lines[sender], str(size_bytes))
    began, seconds = time.perf_counter(), {}
    while len(seconds) < len(recipients):
        time.sleep(0.1)
        for code in recipients:
            if code not in seconds and ask(lines[code], "have"):
                seconds[code] = time.perf_counter() - began
    memory = {code: ask(line, "end") for code, line in lines.items()}
    for process in processes:
        process.join(30)
    total = size_bytes * len(recipients) / MEGABYTE
    return {
        "megabytes": size_bytes // MEGABYTE,
        "recipients": len(recipients),
        "seconds_to_the_first": round(min(seconds.values()), 1),
        "seconds_to_the_last": round(max(seconds.values()), 1),
        "megabytes_a_second_together": round(total / max(seconds.values()), 1),
        "sender_megabytes_at_peak": memory[sender],
        "recipient_megabytes_at_peak": max(memory[code] for code in recipients),
        "in_the_backbone_at_the_end": sum(backbone.waiting().values()),
    }


def ask(line: Connection, what: str) -> Any:
    line.send(what)
    return line.recv()


def sizes(told: list[str] | None = None) -> Iterator[tuple[int, int]]:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--megabytes", type=int, default=1024)
    asked.add_argument("--nodes", type=int, default=10)
    said = asked.parse_args(told)
    yield said.megabytes * MEGABYTE, said.nodes


def main() -> None:
    for size_bytes, recipients in sizes():
        json.dump(measured(size_bytes, recipients), sys.stdout, indent=2)
        sys.stdout.write("\n")


if __name__ == "__main__":
    main()
