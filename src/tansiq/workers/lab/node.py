"""A process that was just forked becomes one node of the lab; the process that serves its links."""

from __future__ import annotations

import os
import random
from pathlib import Path

from tansiq.core.home import Home
from tansiq.exchange.node import rosters
from tansiq.exchange.node.here import Here
from tansiq.workers.exchange import Line, Servers, running, service_of
from tansiq.workers.lab.faults import Watched
from tansiq.workers.lab.line import FaultyLine
from tansiq.workers.lab.place import Place
from tansiq.workers.waiting import signals

LOOK_SECONDS = 60.0


class NotMember(RuntimeError):
    """A node of the lab without a roster that names it."""


def become(place: Place, name: str) -> Home:
    """This process works on the home and the database of ``name`` from now on."""
    from django.conf import settings
    from django.db import connections

    home = place.home(name)
    connections.databases["default"]["NAME"] = home.database
    settings.HOME = home
    return home


def here(home: Home, place: Place, name: str) -> tuple[Here, Watched]:
    """Who the node is, and the faults and the clock that it has. Raises: NotMember."""
    watched = Watched(place.faults(name))
    found = rosters.here(home, now=watched.clock())
    if found is None:
        raise NotMember(name)
    return found, watched


def serve(place: Place, name: str) -> None:
    """Until a signal says to end."""
    home = become(place, name)
    watched = Watched(place.faults(name))
    said = place.read()
    chance = random.Random(f"{said['seed']} {name} {_starts(place.folder / f'{name}.starts')}")
    line = FaultyLine(Line(home, Servers([said["url"]])), watched, chance, place.tap(name))
    service = service_of(home, backbone=line, post=None, clock=watched.clock, worker=f"lab {name} {os.getpid()}")
    with signals() as heard, running(service, account=None, close=line.close):
        while not heard.wait(LOOK_SECONDS):
            continue


def _starts(file: Path) -> int:
    """How often it was started before, a byte for each, which no kill cuts off: each life draws its own faults."""
    count = file.stat().st_size if file.exists() else 0
    with file.open("ab", buffering=0) as starts:
        starts.write(b".")
    return count
