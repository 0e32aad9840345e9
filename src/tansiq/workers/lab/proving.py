"""From a lab that was broken to one in which everything is proven: healed, quiet, compared, and looked through."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tansiq.exchange.values import write_time
from tansiq.workers.lab import deeds, proof, standing
from tansiq.workers.lab.lab import Lab

LOOK_SECONDS = 1.0
HURRY_SECONDS = 70.0
"""What passes by every clock at each look: what is due again in ten minutes need not be waited for. While bodies move
they are left alone: whatever is under way would count as lost, and be sent again."""
UNDER_WAY = ("outbox", "uncovered")
STANDING = 0.9
"""Of what was under way at the look before: if so much still is, most of it waits for the clock."""
TRACES = ("Traceback", "database is locked")
OPEN = ("outbox", "uncovered", "gaps", "parked", "quarantined", "recalls")

Tell = Callable[[str], None]


class NotOne(Exception):
    """The federation is not in one state. ``args``: in which ways."""


def come_together(lab: Lab, *, within_seconds: float, tell: Tell) -> dict[str, float]:
    """Heal everything; wait until nothing is under way; compare all pairs; wait until all are equal.

    Returns: seconds that each took. Raises: NotOne.
    """
    lab.heal(lab.codes)
    lab.crew.start(*lab.members)
    times = {"quiet": _awaited(lab, _still_open, within_seconds, tell)}
    since = write_time(datetime.now(UTC) + timedelta(seconds=lab.time_passed))
    lab.crew.do_all(((code, {"peers": _others(lab, code)}) for code in lab.members), deeds.want_compared)

    def unequal(stands: Mapping[str, Any]) -> Iterator[str]:
        yield from _still_open(stands)
        for code, stand in stands.items():
            for peer in _others(lab, code):
                if stand["equal_at"].get(peer, "") < since:
                    yield f"{code} and {peer} are not equal"

    times["equal"] = _awaited(lab, unequal, within_seconds, tell)
    return times


def _others(lab: Lab, code: str) -> list[str]:
    return [peer for peer in lab.members if peer != code]


def stands(lab: Lab) -> dict[str, Any]:
    return lab.crew.do_all(((code, {"peers": _others(lab, code)}) for code in lab.members), standing.stand)


def _still_open(stands: Mapping[str, Any]) -> Iterator[str]:
    newest = max(stand["epoch"] for stand in stands.values())
    for code, stand in stands.items():
        if stand["held"]:
            yield f"{code} is held"
        if stand["epoch"] != newest:
            yield f"{code} has the roster of epoch {stand['epoch']}"
        if stand["frozen"]:
            yield f"{code} has frozen its links to {', '.join(stand['frozen'])}"
        for what in OPEN:
            if stand[what]:
                yield f"{code}: {what} {stand[what]}"


def _awaited(lab: Lab, left: Callable[[Mapping[str, Any]], Iterator[str]], within_seconds: float, tell: Tell) -> float:
    begun, before = time.monotonic(), 0
    while True:
        lab.crew.look()
        if lab.crew.ended:
            raise NotOne(f"processes ended by themselves: {lab.crew.ended}")
        found = stands(lab)
        reasons = list(left(found))
        if not reasons:
            return round(time.monotonic() - begun, 1)
        if time.monotonic() - begun > within_seconds:
            raise NotOne(*reasons)
        tell(f"{len(reasons)} left: {'; '.join(reasons[:3])}")
        moving = sum(stand[what] for stand in found.values() for what in UNDER_WAY)
        if moving >= before * STANDING:
            lab.pass_time(HURRY_SECONDS)
        before = moving
        time.sleep(LOOK_SECONDS)


def prove(lab: Lab, markers: Mapping[str, frozenset[str]]) -> dict[str, int]:
    """Look through what everybody has, and end it: no file changes while it is read. Returns: what was looked at.

    Raises: NotOne.

    Args:
        markers: planted text -> the nodes that were ever to have it.
    """
    holdings = lab.crew.do_all(((code, {}) for code in lab.members), standing.holdings)
    wrong = list(proof.differences(holdings))
    for code, has in holdings.items():
        wrong += proof.disorder(code, has["deeds"])
    lab.down()
    opened = lab.crew.do_all(((code, {"markers": _foreign(code, markers)}) for code in lab.codes), deeds.open_tap)
    for code, tapped in opened.items():
        wrong += [f"{code} was handed {marker}" for marker in tapped["found"]]
    wrong += _leaks(lab, markers)
    wrong += _traces(lab)
    if wrong:
        raise NotOne(*wrong)
    return {
        "objects": sum(len(has["own"]) for has in holdings.values()),
        "held": sum(len(has["others"]) for has in holdings.values()),
        "deeds": sum(len(has["deeds"]) for has in holdings.values()),
        "markers": len(markers),
        "handed": sum(tapped["opened"] for tapped in opened.values()),
    }


def _foreign(code: str, markers: Mapping[str, frozenset[str]]) -> list[str]:
    """Those that a node was never to have."""
    return [marker for marker, allowed in markers.items() if code not in allowed]


def _leaks(lab: Lab, markers: Mapping[str, frozenset[str]]) -> Iterator[str]:
    """In what a node has of files, in what it was handed; in the message server's files, on sticks and in every log."""
    folder = lab.place.folder
    logs = [*folder.glob("*.log"), *folder.glob("*.stick"), *_files(lab.place.server)]
    for marker, file in proof.finding([one.encode() for one in markers], iter(logs)):
        yield f"{marker.decode()} is in {file}"
    for code in lab.codes:
        foreign = [marker.encode() for marker in _foreign(code, markers)]
        homes = [home for home in folder.glob(f"{code}*") if home.is_dir() and home.name.partition("~")[0] == code]
        files = [file for home in homes for file in _files(home)]
        files += [file for file in (lab.place.tap(code), lab.place.backup(code)) if file.exists()]
        for marker, file in proof.finding(foreign, iter(files)):
            yield f"{marker.decode()} is in {file}"


def _files(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file()]


def _traces(lab: Lab) -> Iterator[str]:
    """A fault of the program leaves a trace in a node's log, those of its copies too."""
    for log in sorted(lab.place.folder.glob("X*.log")):
        text = log.read_text(errors="replace")
        for what in TRACES:
            if count := text.count(what):
                yield f"{log.name} has {what} {count} times"
