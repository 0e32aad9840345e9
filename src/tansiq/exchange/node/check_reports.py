"""What communication checks found: the last of a peer, and all of them (``checking`` begins them and follows them)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tansiq.exchange.models import CheckResult, CheckRound, CheckSeen
from tansiq.exchange.node.checking import Outcome
from tansiq.exchange.node.here import Here

MONTHLY = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class WayChecked:
    """One lane and way to a peer. ``outcome`` is ``checking.Outcome``, ``reason`` why it was not exercised."""

    lane: str
    way: str
    outcome: str
    reason: str
    sent_at: datetime | None
    receipt_at: datetime | None

    @property
    def receipt_ms(self) -> int | None:
        """From the first attempt to the receipt."""
        if self.sent_at is None or self.receipt_at is None:
            return None
        return (self.receipt_at - self.sent_at) // timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class PersonSaw:
    """Somebody there answered. ``minutes``: from the beginning of the round until the answer was here."""

    team: str
    person: str
    seen_at: datetime
    heard_at: datetime
    minutes: float


@dataclass(frozen=True, slots=True)
class PeerChecked:
    """One peer in one round. ``people_asked``: whether its people were to answer."""

    peer: str
    round: str
    begun_at: datetime
    people_asked: bool
    ways: tuple[WayChecked, ...]
    seen: tuple[PersonSaw, ...]

    @property
    def exercised(self) -> tuple[WayChecked, ...]:
        return tuple(way for way in self.ways if way.outcome != Outcome.NOT_EXERCISED)

    @property
    def is_reached(self) -> bool:
        """Something came through, by whichever way."""
        return any(way.receipt_at is not None for way in self.ways)

    @property
    def is_whole(self) -> bool:
        """Every way that was exercised works."""
        return bool(self.exercised) and all(way.outcome == Outcome.RECEIVED for way in self.exercised)

    @property
    def is_open(self) -> bool:
        """Some receipt may still come."""
        return any(way.outcome == Outcome.WAITING for way in self.ways)


@dataclass(frozen=True, slots=True)
class Round:
    """A whole round, its peers in the order of codes."""

    id: str
    begun_at: datetime
    by: str
    people: bool
    peers: tuple[PeerChecked, ...]


def history(here: Here, peer: str = "", *, most: int = 12) -> list[Round]:
    """Rounds, the newest first; with ``peer`` those that went to it, and of each that peer only."""
    rounds = CheckRound.objects.filter(results__peer=peer).distinct() if peer else CheckRound.objects.all()
    return _reports(here, list(rounds.order_by("-begun_at", "-pk")[:most]), peer)


def report(here: Here, round_id: str) -> Round:
    """Raises: CheckRound.DoesNotExist."""
    return _reports(here, [CheckRound.objects.get(pk=round_id)], "")[0]


def is_due(now: datetime) -> bool:
    """Has there been no round with people for a month?"""
    return not CheckRound.objects.filter(people=True, begun_at__gt=now - MONTHLY).exists()


def _reports(here: Here, rounds: Sequence[CheckRound], peer: str) -> list[Round]:
    of_peer = {"peer": peer} if peer else {}
    results: dict[str, dict[str, list[WayChecked]]] = {}
    for row in CheckResult.objects.filter(round__in=rounds, **of_peer).order_by("peer", "pk"):
        way = WayChecked(row.lane, row.way, row.outcome, row.reason, row.sent_at, row.receipt_at)
        results.setdefault(row.round_id, {}).setdefault(row.peer, []).append(way)
    answers = _answers(here, rounds)
    return [
        Round(
            one.pk,
            one.begun_at,
            one.by,
            one.people,
            tuple(
                PeerChecked(code, one.pk, one.begun_at, one.people, tuple(ways), answers.get((one.pk, code), ()))
                for code, ways in results.get(one.pk, {}).items()
            ),
        )
        for one in rounds
    ]


def _answers(here: Here, rounds: Sequence[CheckRound]) -> Mapping[tuple[str, str], tuple[PersonSaw, ...]]:
    """(round, peer) -> who answered, the first first; of teams that live on the peer by the roster of now."""
    found: dict[tuple[str, str], tuple[PersonSaw, ...]] = {}
    for row in CheckSeen.objects.filter(round__in=rounds).select_related("round").order_by("heard_at", "pk"):
        minutes = (row.heard_at - row.round.begun_at) / timedelta(minutes=1)
        answer = PersonSaw(row.team, row.person, row.seen_at, row.heard_at, round(minutes, 2))
        key = (row.round_id, here.facts.homes.get(row.team, ""))
        found[key] = (*found.get(key, ()), answer)
    return found
