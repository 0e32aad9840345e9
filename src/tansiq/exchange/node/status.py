"""How every link stands: what the links page, ``tansiq exchange status`` and ``doctor`` say. A fixed number of queries.

Headers, sizes, times and reason codes only: what is in an object, not even quarantine's, is not told here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Count, Min, Sum

from tansiq.exchange.body import Lane, State
from tansiq.exchange.models import (
    Alarm,
    Life,
    Link,
    OutboxRow,
    ParkedBody,
    RecallOrder,
    Sent,
    Waiting,
    WayHeard,
)
from tansiq.exchange.node.here import Here
from tansiq.exchange.receiving import GAP

QUIET = timedelta(hours=2)
"""A node says something at least every hour while anything is open; beyond this it counts as away."""
FAR_OFF = timedelta(minutes=20)


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
    """One way to a peer: when it was last heard by it and attempted, and what last went wrong."""

    way: str
    heard_at: datetime | None
    attempted_at: datetime | None
    failed_at: datetime | None
    failure: str


@dataclass(frozen=True, slots=True)
class LinkState:
    """One peer.

    Attributes:
        frozen_at: two machines speak for it, or did; nothing goes until a roster gives it a new certificate.
        complete: nothing was dropped since the last comparison that found both sides equal.
        backlog: by lane.
        parked, quarantined: objects that came from it and wait, by reason; gaps apart.
        gaps: bodies of it that wait for one before them.
        recalls_open: recalls that it has not answered.
        clock_offset: its clock less ours, as its last receipt said.
        alarms: open ones, by code.
    """

    peer: str
    frozen_at: datetime | None
    complete: bool
    equal_at: datetime | None
    compared_at: datetime | None
    asking: bool
    heard_at: datetime | None
    heard_way: str
    heard_epoch: int
    version: str
    clock_offset: timedelta | None
    ways: tuple[WayState, ...] = ()
    backlog: Mapping[Lane, Backlog] = field(default_factory=dict)
    parked: Mapping[str, int] = field(default_factory=dict)
    quarantined: Mapping[str, int] = field(default_factory=dict)
    gaps: int = 0
    recalls_open: int = 0
    alarms: tuple[str, ...] = ()

    def is_away(self, now: datetime) -> bool:
        return self.heard_at is None or now - self.heard_at > QUIET

    @property
    def is_clock_wrong(self) -> bool:
        return self.clock_offset is not None and abs(self.clock_offset) > FAR_OFF


@dataclass(frozen=True, slots=True)
class Status:
    """This node and all its links.

    Attributes:
        held_since: it was restored, and its peers are being asked; it sends nothing until then.
        life: 0, and one more for each restore.
    """

    code: str
    realm: str
    epoch: int
    life: int
    held_since: datetime | None
    links: tuple[LinkState, ...]


def status(here: Here) -> Status:
    """Every peer of the roster, in the order of codes."""
    life = Life.objects.first()
    return Status(
        code=here.code,
        realm=here.realm,
        epoch=here.epoch,
        life=life.number if life else 0,
        held_since=life.held_since if life else None,
        links=tuple(_links(here)),
    )


def _links(here: Here) -> list[LinkState]:
    known = Link.objects.in_bulk(list(here.peers))
    ways, backlogs, waiting = _ways(), _backlogs(), _waiting()
    gaps = _gaps()
    recalls = dict(RecallOrder.objects.filter(answered_at=None).values_list("peer").annotate(Count("pk")))
    alarms: dict[str, list[str]] = {}
    for peer, code in Alarm.objects.filter(ended_at=None).order_by("code").values_list("peer", "code"):
        alarms.setdefault(peer, []).append(code)
    return [
        _link(
            known.get(peer) or Link(peer=peer),
            ways=tuple(ways.get(peer, ())),
            backlog=backlogs.get(peer, {}),
            parked=waiting.get((peer, State.PARKED.value), {}),
            quarantined=waiting.get((peer, State.QUARANTINED.value), {}),
            gaps=gaps.get(peer, 0),
            recalls_open=recalls.get(peer, 0),
            alarms=tuple(alarms.get(peer, ())),
        )
        for peer in sorted(here.peers)
    ]


def _link(row: Link, **rest: object) -> LinkState:
    offset = row.clock_offset_ms
    return LinkState(
        peer=row.peer,
        frozen_at=row.frozen_at,
        complete=row.incomplete_since is None,
        equal_at=row.equal_at,
        compared_at=row.compared_at,
        asking=row.asking_since is not None,
        heard_at=row.heard_at,
        heard_way=row.heard_way,
        heard_epoch=row.heard_epoch,
        version=row.heard_version,
        clock_offset=None if offset is None else timedelta(milliseconds=offset),
        **rest,  # type: ignore[arg-type]
    )


def _ways() -> Mapping[str, Sequence[WayState]]:
    found: dict[str, list[WayState]] = {}
    for row in WayHeard.objects.order_by("peer", "way"):
        state = WayState(row.way, row.heard_at, row.attempted_at, row.failed_at, row.failure)
        found.setdefault(row.peer, []).append(state)
    return found


def _backlogs() -> dict[str, dict[Lane, Backlog]]:
    rows = OutboxRow.objects.values_list("peer", "lane").annotate(Count("pk"), Sum("size_bytes"), Min("put_at"))
    bodies = Sent.objects.filter(covered_at=None).values_list("channel__peer", "channel__lane")
    found: dict[str, dict[Lane, Backlog]] = {}
    for peer, lane, count, size_bytes, oldest_at in [
        *rows.order_by(),
        *bodies.annotate(Count("pk"), Sum("size_bytes"), Min("made_at")).order_by(),
    ]:
        by_lane = found.setdefault(peer, {})
        by_lane[Lane(lane)] = by_lane.get(Lane(lane), Backlog()) + Backlog(count, size_bytes or 0, oldest_at)
    return found


def _waiting() -> dict[tuple[str, str], dict[str, int]]:
    """(peer, state) -> reason -> how many; what is parked as a whole among them."""
    found: dict[tuple[str, str], dict[str, int]] = {}
    rows = Waiting.objects.exclude(reason=GAP).values_list("channel__peer", "state", "reason").annotate(Count("pk"))
    for peer, state, reason, count in rows.order_by():
        found.setdefault((peer, state), {})[reason] = count
    for peer, reason, count in ParkedBody.objects.values_list("peer", "reason").annotate(Count("pk")).order_by():
        parked = found.setdefault((peer, State.PARKED.value), {})
        parked[reason] = parked.get(reason, 0) + count
    return found


def _gaps() -> dict[str, int]:
    rows = Waiting.objects.filter(reason=GAP).values_list("channel__peer").annotate(Count("pk"))
    return dict(rows.order_by())
