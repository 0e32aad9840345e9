"""How every link stands: for the links page, ``tansiq exchange status`` and ``doctor``. A fixed number of queries.

Headers, sizes, times and reason codes only: what is in an object, not even quarantine's, is not told here. Which
program a peer runs is what it says itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db.models import Count, Min, OuterRef, QuerySet, Subquery, Sum

from tansiq.exchange.body import Lane, State
from tansiq.exchange.models import (
    Alarm,
    Life,
    Link,
    OutboxRow,
    OutChannel,
    ParkedBody,
    RecallOrder,
    RosterRecord,
    Sent,
    Waiting,
    WayHeard,
)
from tansiq.exchange.node.here import Here
from tansiq.exchange.receiving import GAP

QUIET = timedelta(hours=2)
"""A node says something at least every hour while anything is open; beyond this it counts as away."""
LASTING = frozenset({"exchange.held", "exchange.clone"})
"""Alarms that last as long as what they tell of, and end with it."""
FAR_OFF = timedelta(minutes=20)
ROTATION = timedelta(days=90)
"""How old a node's key may become; the roster brings the next (design, section 6)."""


class Standing(StrEnum):
    """How a link stands, in one word. The worst first: a link has the first that is so."""

    FROZEN = "frozen"
    """Two machines speak for the peer, or did; nothing goes until a roster gives one of the two new keys."""
    ALARM = "alarm"
    """A person must look."""
    NEVER = "never"
    """Nothing of the peer was ever heard."""
    AWAY = "away"
    """It was heard, and not lately."""
    CLOCK = "clock"
    """Its clock and ours are more than 20 minutes apart."""
    DIFFERS = "differs"
    """It is not known that both sides hold the same."""
    EQUAL = "equal"


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits for a peer on one lane: rows without a position and bodies that no receipt covers.

    Attributes:
        oldest_at: when the oldest of them was put there.
    """

    count: int = 0
    size_bytes: int = 0
    oldest_at: datetime | None = None

    def __add__(self, other: Backlog) -> Backlog:
        ages = [at for at in (self.oldest_at, other.oldest_at) if at is not None]
        return Backlog(self.count + other.count, self.size_bytes + other.size_bytes, min(ages, default=None))


@dataclass(frozen=True, slots=True)
class WayState:
    """One way to a peer: when it was last heard by it and attempted, and what last went wrong.

    ``failure`` is empty once an attempt went well; ``failed_at`` stays.
    """

    way: str
    heard_at: datetime | None
    attempted_at: datetime | None
    failed_at: datetime | None
    failure: str

    def reaches(self, now: datetime) -> bool:
        """Was the peer lately heard by it, and does nothing say that it is broken?"""
        return not self.failure and self.heard_at is not None and now - self.heard_at <= QUIET


@dataclass(frozen=True, slots=True)
class KeyState:
    """What is sealed to for a node.

    Attributes:
        since: when the roster was issued that brought it; None where that roster was never here.
    """

    fingerprint: str
    from_epoch: int
    since: datetime | None

    @property
    def due_at(self) -> datetime | None:
        """When the roster should have brought the next one."""
        return self.since + ROTATION if self.since else None


@dataclass(frozen=True, slots=True)
class AlarmState:
    """Something that a person must look at. ``peer`` is empty where it is about this node itself."""

    number: int
    code: str
    peer: str
    values: Mapping[str, Any]
    since: datetime
    last_at: datetime
    times: int


@dataclass(frozen=True, slots=True)
class Held:
    """What of one peer, or for it, is held up. All that a team sees that does not operate the node: of its own objects.

    Attributes:
        backlog: by lane.
        parked, quarantined: objects that came from it and wait, by reason; gaps apart.
        recalls_open: recalls that it has not answered.
    """

    peer: str
    backlog: Mapping[Lane, Backlog] = field(default_factory=dict)
    parked: Mapping[str, int] = field(default_factory=dict)
    quarantined: Mapping[str, int] = field(default_factory=dict)
    recalls_open: int = 0

    @property
    def waiting(self) -> Backlog:
        """On all lanes."""
        return sum(self.backlog.values(), Backlog())

    @property
    def is_empty(self) -> bool:
        return not (self.waiting.count or self.parked or self.quarantined or self.recalls_open)


@dataclass(frozen=True, slots=True)
class LinkState(Held):
    """One peer.

    Attributes:
        team: that operates it; empty: the roster names none.
        frozen_at: two machines speak for it, or did; nothing goes until a roster gives it a new certificate.
        not_equal_since: something was dropped, or changed sides, since the last comparison that found both sides equal;
            None: nothing.
        equal_at, compared_at: None: never.
        asking: it is asked what it has of this node's objects, ``waived`` as soon as somebody said not to wait for it.
        version: the program that it runs, as it says; empty: it did not say.
        clock_offset: its clock less ours, as its last receipt said.
        gaps: bodies of it that wait for one before them.
        alarms: open ones, by code.
    """

    team: str = ""
    frozen_at: datetime | None = None
    not_equal_since: datetime | None = None
    equal_at: datetime | None = None
    compared_at: datetime | None = None
    asking: bool = False
    waived: bool = False
    heard_at: datetime | None = None
    heard_way: str = ""
    heard_epoch: int = 0
    version: str = ""
    clock_offset: timedelta | None = None
    key: KeyState | None = None
    ways: tuple[WayState, ...] = ()
    gaps: int = 0
    alarms: tuple[str, ...] = ()

    def is_away(self, now: datetime) -> bool:
        return self.heard_at is None or now - self.heard_at > QUIET

    @property
    def is_clock_wrong(self) -> bool:
        return self.clock_offset is not None and abs(self.clock_offset) > FAR_OFF

    @property
    def is_equal(self) -> bool:
        """The last comparison found both sides equal, and nothing since says otherwise."""
        return self.equal_at is not None and self.not_equal_since is None

    def standing(self, now: datetime) -> Standing:
        if self.frozen_at is not None:
            return Standing.FROZEN
        if self.alarms:
            return Standing.ALARM
        if self.is_away(now):
            return Standing.NEVER if self.heard_at is None else Standing.AWAY
        if self.is_clock_wrong:
            return Standing.CLOCK
        return Standing.EQUAL if self.is_equal else Standing.DIFFERS


@dataclass(frozen=True, slots=True)
class Status:
    """This node and all its links.

    Attributes:
        life: 0, and one more for each restore.
        held_since: it was restored, and its peers are being asked; it sends nothing until then. ``held_because``: the
            code of why.
        key: its own.
        alarms: open ones, of the node and of every link.
    """

    code: str
    realm: str
    epoch: int
    life: int
    held_since: datetime | None
    held_because: str
    key: KeyState | None
    links: tuple[LinkState, ...]
    alarms: tuple[AlarmState, ...]


def status(here: Here) -> Status:
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
        links=tuple(_links(here, alarms, keys)),
        alarms=tuple(alarms),
    )


def of_team(here: Here, team: str) -> list[Held]:
    """What is held up of the objects of one team, by peer; only peers where anything is."""
    backlogs, waiting, recalls = _backlogs_of(team), _waiting(team), _recalls(team)
    found = (_held(peer, backlogs, waiting, recalls) for peer in sorted(here.peers))
    return [one for one in found if not one.is_empty]


def open_alarms() -> list[AlarmState]:
    rows = Alarm.objects.filter(ended_at=None).order_by("peer", "code")
    return [AlarmState(one.pk, one.code, one.peer, one.values, one.since, one.last_at, one.times) for one in rows]


@dataclass(frozen=True, slots=True)
class Urgent:
    """What of the links needs a person now, in four queries.

    Attributes:
        frozen: peers.
        alarms: how many are open; those of what the other fields say left out.
        quarantined: how many versions.
    """

    is_held: bool
    frozen: tuple[str, ...]
    alarms: int
    quarantined: int


def urgent(here: Here) -> Urgent:
    frozen = Link.objects.filter(frozen_at__isnull=False, peer__in=here.peers).order_by("peer")
    return Urgent(
        is_held=Life.objects.filter(held_since__isnull=False).exists(),
        frozen=tuple(frozen.values_list("peer", flat=True)),
        alarms=Alarm.objects.filter(ended_at=None).exclude(code__in=LASTING).count(),
        quarantined=Waiting.objects.filter(state=State.QUARANTINED.value).exclude(reason=GAP).count(),
    )


# ---- of each link


def _links(here: Here, alarms: Sequence[AlarmState], keys: Mapping[str, KeyState]) -> list[LinkState]:
    known = Link.objects.in_bulk(list(here.peers))
    ways, backlogs, waiting, recalls, gaps = _ways(), _backlogs(), _waiting(), _recalls(), _gaps()
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
    peer: str, backlogs: Mapping[str, Mapping[Lane, Backlog]], waiting: Waited, recalls: Mapping[str, int]
) -> Held:
    return Held(
        peer,
        backlog=backlogs.get(peer, {}),
        parked=waiting.get((peer, State.PARKED.value), {}),
        quarantined=waiting.get((peer, State.QUARANTINED.value), {}),
        recalls_open=recalls.get(peer, 0),
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


# ---- what waits


def _backlogs() -> dict[str, dict[Lane, Backlog]]:
    """Of what is sealed the channels keep count, so that a million bodies are not gone through."""
    oldest = Sent.objects.filter(channel=OuterRef("pk"), covered_at=None).order_by("first").values("made_at")[:1]
    sealed = OutChannel.objects.filter(waiting_bodies__gt=0).annotate(oldest_at=Subquery(oldest))
    columns = ("peer", "lane", "waiting_bodies", "waiting_bytes", "oldest_at")
    return _added([*_unsealed(OutboxRow.objects.all()), *sealed.values_list(*columns)])


def _backlogs_of(team: str) -> dict[str, dict[Lane, Backlog]]:
    bodies = Sent.objects.filter(covered_at=None, statement__team=team).values_list("channel__peer", "channel__lane")
    sealed = bodies.annotate(Count("pk"), Sum("size_bytes"), Min("made_at")).order_by()
    return _added([*_unsealed(OutboxRow.objects.filter(statement__team=team)), *sealed])


def _unsealed(rows: QuerySet[OutboxRow]) -> QuerySet[OutboxRow, tuple[Any, ...]]:
    grouped = rows.values_list("peer", "lane").annotate(Count("pk"), Sum("size_bytes"), Min("put_at"))
    return grouped.order_by()


def _added(rows: Sequence[tuple[Any, ...]]) -> dict[str, dict[Lane, Backlog]]:
    found: dict[str, dict[Lane, Backlog]] = {}
    for peer, lane, count, size_bytes, oldest_at in rows:
        by_lane = found.setdefault(peer, {})
        by_lane[Lane(lane)] = by_lane.get(Lane(lane), Backlog()) + Backlog(count, size_bytes or 0, oldest_at)
    return found


def _waiting(team: str = "") -> dict[tuple[str, str], dict[str, int]]:
    """(peer, state) -> reason -> how many; what is parked as a whole among them, whose objects nobody knows."""
    found: dict[tuple[str, str], dict[str, int]] = {}
    waiting = Waiting.objects.exclude(reason=GAP).exclude(state=State.REFUSED.value)
    if team:
        waiting = waiting.filter(object__startswith=f"{team}:")
    rows = waiting.values_list("channel__peer", "state", "reason").annotate(Count("pk"))
    for peer, state, reason, count in rows.order_by():
        found.setdefault((peer, state), {})[reason] = count
    if team:
        return found
    for peer, reason, count in ParkedBody.objects.values_list("peer", "reason").annotate(Count("pk")).order_by():
        parked = found.setdefault((peer, State.PARKED.value), {})
        parked[reason] = parked.get(reason, 0) + count
    return found


def _recalls(team: str = "") -> dict[str, int]:
    unanswered = RecallOrder.objects.filter(answered_at=None)
    if team:
        unanswered = unanswered.filter(object__startswith=f"{team}:")
    return dict(unanswered.values_list("peer").annotate(Count("pk")).order_by())


def _gaps() -> dict[str, int]:
    rows = Waiting.objects.filter(reason=GAP).values_list("channel__peer").annotate(Count("pk"))
    return dict(rows.order_by())
