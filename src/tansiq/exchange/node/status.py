"""How every link stands: for the links page, ``tansiq exchange status`` and ``doctor``. A fixed number of queries.

Headers, sizes, times and reason codes only: what is in an object, not even quarantine's, is not told here. Which
program a peer runs is what it says itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from tansiq.exchange.body import Lane, State
from tansiq.exchange.models import (
    Alarm,
    Life,
    Link,
    RosterRecord,
    Waiting,
    WayHeard,
)
from tansiq.exchange.node import held_up
from tansiq.exchange.node.here import Here
from tansiq.exchange.node.standing import AlarmState, Backlog, Held, KeyState, LinkState, Status, Urgent, WayState
from tansiq.exchange.receiving import GAP

LASTING = frozenset({"exchange.held", "exchange.clone"})
"""Alarms that last as long as what they tell of, and end with it."""


def status(here: Here, *, now: datetime) -> Status:
    """Every peer of the roster, in the order of codes."""
    life = Life.objects.first()
    alarms = open_alarms()
    keys = _keys(here)
    return Status(
        code=here.code,
        realm=here.realm,
        epoch=here.epoch,
        life=life.number if life else 0,
        held_since=life.held_since if life else None,
        held_because=life.reason if life and life.held_since else "",
        key=keys.get(here.code),
        links=tuple(_links(here, alarms, keys, now)),
        alarms=tuple(alarms),
    )


def of_team(here: Here, team: str, *, now: datetime) -> list[Held]:
    """What is held up of the objects of one team, by peer; only peers where anything is."""
    backlogs, waiting, recalls = held_up.backlogs_of(team), held_up.waiting(team), held_up.recalls_open(now, team)
    found = (_held(peer, backlogs, waiting, recalls) for peer in sorted(here.peers))
    return [one for one in found if not one.is_empty]


def open_alarms() -> list[AlarmState]:
    rows = Alarm.objects.filter(ended_at=None).order_by("peer", "code")
    return [AlarmState(one.pk, one.code, one.peer, one.values, one.since, one.last_at, one.times) for one in rows]


def urgent(here: Here) -> Urgent:
    frozen = Link.objects.filter(frozen_at__isnull=False, peer__in=here.peers).order_by("peer")
    return Urgent(
        is_held=Life.objects.filter(held_since__isnull=False).exists(),
        frozen=tuple(frozen.values_list("peer", flat=True)),
        alarms=Alarm.objects.filter(ended_at=None).exclude(code__in=LASTING).count(),
        quarantined=Waiting.objects.filter(state=State.QUARANTINED.value).exclude(reason=GAP).count(),
    )


# ---- of each link


def _links(here: Here, alarms: Sequence[AlarmState], keys: Mapping[str, KeyState], now: datetime) -> list[LinkState]:
    known = Link.objects.in_bulk(list(here.peers))
    ways, gaps = _ways(), held_up.gaps()
    backlogs, waiting, recalls = held_up.backlogs(), held_up.waiting(), held_up.recalls_open(now)
    codes: dict[str, list[str]] = {}
    for alarm in alarms:
        codes.setdefault(alarm.peer, []).append(alarm.code)
    return [
        _link(
            known.get(peer) or Link(peer=peer),
            _held(peer, backlogs, waiting, recalls),
            team=here.operators.get(peer, ""),
            key=keys.get(peer),
            ways=tuple(ways.get(peer, ())),
            gaps=gaps.get(peer, 0),
            alarms=tuple(codes.get(peer, ())),
        )
        for peer in sorted(here.peers)
    ]


def _link(row: Link, held: Held, **rest: Any) -> LinkState:
    offset = row.clock_offset_ms
    return LinkState(
        peer=row.peer,
        backlog=held.backlog,
        parked=held.parked,
        quarantined=held.quarantined,
        recalls_open=held.recalls_open,
        recalls_unreachable=held.recalls_unreachable,
        frozen_at=row.frozen_at,
        not_equal_since=row.incomplete_since,
        equal_at=row.equal_at,
        compared_at=row.compared_at,
        asking=row.asking_since is not None,
        waived=row.waived_at is not None,
        heard_at=row.heard_at,
        heard_way=row.heard_way,
        heard_epoch=row.heard_epoch,
        version=row.heard_version,
        clock_offset=None if offset is None else timedelta(milliseconds=offset),
        **rest,
    )


Waited = Mapping[tuple[str, str], Mapping[str, int]]


def _held(
    peer: str, backlogs: Mapping[str, Mapping[Lane, Backlog]], waiting: Waited, recalls: Mapping[str, tuple[int, int]]
) -> Held:
    unanswered, silent = recalls.get(peer, (0, 0))
    return Held(
        peer,
        backlog=backlogs.get(peer, {}),
        parked=waiting.get((peer, State.PARKED.value), {}),
        quarantined=waiting.get((peer, State.QUARANTINED.value), {}),
        recalls_open=unanswered,
        recalls_unreachable=silent,
    )


def _keys(here: Here) -> dict[str, KeyState]:
    """Node -> the certificate that the roster has of it now."""
    present = {}
    for key in sorted(here.facts.node_keys.values(), key=lambda one: (one.from_epoch, one.fingerprint)):
        if key.until_epoch is None and not key.revoked:
            present[key.node] = key
    epochs = {key.from_epoch for key in present.values()}
    issued = dict(RosterRecord.objects.filter(epoch__in=epochs).values_list("epoch", "issued_at"))
    return {
        node: KeyState(key.fingerprint, key.from_epoch, issued.get(key.from_epoch)) for node, key in present.items()
    }


def _ways() -> Mapping[str, Sequence[WayState]]:
    found: dict[str, list[WayState]] = {}
    for row in WayHeard.objects.order_by("peer", "way"):
        state = WayState(row.way, row.heard_at, row.attempted_at, row.failed_at, row.failure)
        found.setdefault(row.peer, []).append(state)
    return found
