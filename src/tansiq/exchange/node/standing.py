"""How a link stands, as values: what is known of a peer, and what that comes to in a word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from tansiq.exchange.body import Lane

QUIET = timedelta(hours=2)
"""A node says something at least every hour while anything is open; beyond this it counts as away."""
FAR_OFF = timedelta(minutes=20)
ROTATION = timedelta(days=90)
"""How old a node's key may become; the roster brings the next (section 10.7)."""


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
        recalls_unreachable: those of them on which it has been silent for a day (section 12).
    """

    peer: str
    backlog: Mapping[Lane, Backlog] = field(default_factory=dict)
    parked: Mapping[str, int] = field(default_factory=dict)
    quarantined: Mapping[str, int] = field(default_factory=dict)
    recalls_open: int = 0
    recalls_unreachable: int = 0

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
