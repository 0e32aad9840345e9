"""The state of links as programs are told it: the API's JSON. Codes, sizes and moments; no words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from typing_extensions import TypedDict

from tansiq.exchange.body import Lane
from tansiq.exchange.node.here import Here
from tansiq.exchange.node.standing import AlarmState, Backlog, Held, KeyState, LinkState, Status, WayState
from tansiq.web.directory.facts import moment


class BacklogFacts(TypedDict):
    count: int
    size_bytes: int
    oldest_at: str | None


class HeldFacts(TypedDict):
    """What of a peer, or for it, is held up. ``parked`` and ``quarantined``: by reason code; ``recalls_unreachable``:
    those of the open recalls that it has not answered for a day."""

    peer: str
    waiting: dict[str, BacklogFacts]
    parked: dict[str, int]
    quarantined: dict[str, int]
    recalls_open: int
    recalls_unreachable: int


class WayFacts(TypedDict):
    way: str
    reaches: bool
    heard_at: str | None
    attempted_at: str | None
    failed_at: str | None
    failure: str


class KeyFacts(TypedDict):
    fingerprint: str
    from_epoch: int
    since: str | None
    due_at: str | None


class LinkFacts(HeldFacts):
    """``standing``: frozen, alarm, never, away, clock, differs or equal, the first that is so."""

    standing: str
    team: str
    heard_at: str | None
    heard_way: str
    epoch: int
    version: str
    clock_offset_seconds: float | None
    ways: list[WayFacts]
    equal_at: str | None
    compared_at: str | None
    not_equal_since: str | None
    frozen_at: str | None
    asking: bool
    waived: bool
    gaps: int
    key: KeyFacts | None
    alarms: list[str]


class AlarmFacts(TypedDict):
    """``peer`` is empty where the alarm is about the node itself."""

    code: str
    peer: str
    since: str
    last_at: str
    times: int


class LinksFacts(TypedDict):
    """``reach``: ``whole``, or ``own``: only what is held up of the asker's own team's objects, in ``held``."""

    reach: str
    node: str
    realm: str
    epoch: int
    life: int | None
    held_since: str | None
    held_because: str
    key: KeyFacts | None
    links: list[LinkFacts]
    alarms: list[AlarmFacts]
    held: list[HeldFacts]


def links_facts(status: Status, now: datetime) -> LinksFacts:
    return {
        "reach": "whole",
        "node": status.code,
        "realm": status.realm,
        "epoch": status.epoch,
        "life": status.life,
        "held_since": moment(status.held_since),
        "held_because": status.held_because,
        "key": _key(status.key),
        "links": [link_facts(link, now) for link in status.links],
        "alarms": [_alarm(one) for one in status.alarms],
        "held": [],
    }


def own_facts(here: Here, held: list[Held]) -> LinksFacts:
    return _nothing() | {
        "reach": "own",
        "node": here.code,
        "realm": here.realm,
        "epoch": here.epoch,
        "held": [held_facts(one) for one in held],
    }


def alone_facts() -> LinksFacts:
    """Of a node that has no roster."""
    return _nothing()


def _nothing() -> LinksFacts:
    return {
        "reach": "whole",
        "node": "",
        "realm": "",
        "epoch": 0,
        "life": None,
        "held_since": None,
        "held_because": "",
        "key": None,
        "links": [],
        "alarms": [],
        "held": [],
    }


def link_facts(link: LinkState, now: datetime) -> LinkFacts:
    return {
        **held_facts(link),
        "standing": link.standing(now).value,
        "team": link.team,
        "heard_at": moment(link.heard_at),
        "heard_way": link.heard_way,
        "epoch": link.heard_epoch,
        "version": link.version,
        "clock_offset_seconds": None if link.clock_offset is None else link.clock_offset.total_seconds(),
        "ways": [_way(way, now) for way in link.ways],
        "equal_at": moment(link.equal_at),
        "compared_at": moment(link.compared_at),
        "not_equal_since": moment(link.not_equal_since),
        "frozen_at": moment(link.frozen_at),
        "asking": link.asking,
        "waived": link.waived,
        "gaps": link.gaps,
        "key": _key(link.key),
        "alarms": list(link.alarms),
    }


def held_facts(held: Held) -> HeldFacts:
    return {
        "peer": held.peer,
        "waiting": _backlogs(held.backlog),
        "parked": dict(held.parked),
        "quarantined": dict(held.quarantined),
        "recalls_open": held.recalls_open,
        "recalls_unreachable": held.recalls_unreachable,
    }


def _backlogs(backlog: Mapping[Lane, Backlog]) -> dict[str, BacklogFacts]:
    return {
        lane.value: {"count": one.count, "size_bytes": one.size_bytes, "oldest_at": moment(one.oldest_at)}
        for lane, one in backlog.items()
    }


def _way(way: WayState, now: datetime) -> WayFacts:
    return {
        "way": way.way,
        "reaches": way.reaches(now),
        "heard_at": moment(way.heard_at),
        "attempted_at": moment(way.attempted_at),
        "failed_at": moment(way.failed_at),
        "failure": way.failure,
    }


def _key(key: KeyState | None) -> KeyFacts | None:
    if key is None:
        return None
    return {
        "fingerprint": key.fingerprint,
        "from_epoch": key.from_epoch,
        "since": moment(key.since),
        "due_at": moment(key.due_at),
    }


def _alarm(alarm: AlarmState) -> AlarmFacts:
    return {
        "code": alarm.code,
        "peer": alarm.peer,
        "since": alarm.since.isoformat(),
        "last_at": alarm.last_at.isoformat(),
        "times": alarm.times,
    }
