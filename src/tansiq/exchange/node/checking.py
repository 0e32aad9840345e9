"""Communication checks: does each way to each peer work, and do people there see what comes?

A round sends every peer an object by each lane and way, which goes by that way only (``sending.Entry.only``); its
receipt proves the way. Where the round says so the peer's people are asked to answer, by an object of their own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from django.db import transaction

from tansiq.audit import actions as audit
from tansiq.core.errors import N_, TansiqError
from tansiq.core.marking import Audience, Marking, Tlp
from tansiq.core.viewer import Viewer
from tansiq.exchange import rules
from tansiq.exchange.body import Lane
from tansiq.exchange.kinds import Said
from tansiq.exchange.models import (
    CheckHeard,
    CheckResult,
    CheckRound,
    CheckSeen,
    Link,
    OutboxRow,
    Sent,
)
from tansiq.exchange.node import publishing
from tansiq.exchange.node.here import Here
from tansiq.exchange.node.portions import in_parts
from tansiq.exchange.own_kinds import CHECKS, SEEN
from tansiq.exchange.sending import Way
from tansiq.exchange.values import new_id, read_time, write_time

GIVEN_UP = timedelta(days=7)
"""A receipt that has not come by then says nothing of the way any more."""
ANSWERED_WITHIN = timedelta(days=14)
"""For so long a person can answer a round that came."""


class Outcome(StrEnum):
    """What became of one way; ``reason`` of a result says more."""

    WAITING = "waiting"
    RECEIVED = "received"
    """A receipt came, and nothing but this way can have brought what it acknowledges."""
    OVERTAKEN = "overtaken"
    """It came, but it was sent by another way, too, as a gap was shown or this way was silent too long."""
    SILENT = "silent"
    WITHHELD = "withheld"
    """It was not allowed to leave: the peer may have nothing any more."""
    NOT_EXERCISED = "not_exercised"


BY_HAND, NO_ADDRESS, NO_TEAM, FROZEN = "by_hand", "no_address", "no_team", "frozen"
"""Why a way is not exercised: a person carries files; the roster has no mail address, or no team, for the peer; two
machines speak for it."""
NOT_MAILED, NO_SERVER = "not_mailed", "no_server"
"""The same of this node: it sends no mails; it has no message server."""


def closed(*, has_server: bool, has_post: bool) -> dict[Way, str]:
    """Ways by which this node sends nothing to anybody, and why."""
    reasons = {Way.JETSTREAM: "" if has_server else NO_SERVER, Way.MAIL: "" if has_post else NOT_MAILED}
    return {way: reason for way, reason in reasons.items() if reason}


class NoSuchPeer(TansiqError):
    code = "exchange.no_such_peer"
    message = N_("{node} is no peer of this node.")
    remedy = N_("`tansiq exchange status` lists the peers; codes are those of nodes, not of teams.")
    exit_code = 2


class NotAsked(TansiqError):
    code = "exchange.check.not_asked"
    message = N_("Nobody waits for an answer to this communication check.")
    remedy = N_("It was answered already, or it is too old.")
    exit_code = 2


class _Going(NamedTuple):
    peer: str
    lane: Lane
    way: Way
    reason: str  # not empty: it does not go


# ---- a round of this node


@transaction.atomic
def begin(
    here: Here, peers: Collection[str], *, by: Viewer, people: bool, closed: Mapping[Way, str], now: datetime
) -> CheckRound:
    """Send every one of ``peers`` a check by each lane and way.

    Args:
        people: ask the people on duty there to answer, too.
        closed: ways that this node cannot use, as ``closed`` says.

    Raises: NoSuchPeer; NodeIsHeld, NoPlatformKey.
    """
    for peer in peers:
        if peer not in here.peers:
            raise NoSuchPeer(node=peer)
    made = CheckRound.objects.create(id=new_id(now), begun_at=now, by=by.name, people=people)
    planned = list(_planned(here, sorted(peers), closed))
    going = [one for one in planned if not one.reason]
    changes = [_change(here, made, one, now) for one in going]
    for one, statement in zip(going, publishing.publish_all(here, changes, now), strict=True):
        OutboxRow.objects.filter(statement=statement).update(only_way=one.way)
    objects = {one: change.object for one, change in zip(going, changes, strict=True)}
    CheckResult.objects.bulk_create(
        [
            CheckResult(
                round=made,
                peer=one.peer,
                lane=one.lane.value,
                way=one.way.value,
                object=objects.get(one, ""),
                outcome=Outcome.NOT_EXERCISED if one.reason else Outcome.WAITING,
                reason=one.reason,
            )
            for one in planned
        ],
        batch_size=500,
    )
    audit.record("exchange.check", ("exchange.check", made.pk), by=by, now=now, peers=sorted(peers))
    return made


def _planned(here: Here, peers: Collection[str], closed: Mapping[Way, str]) -> Iterator[_Going]:
    frozen = set(Link.objects.filter(peer__in=peers, frozen_at__isnull=False).values_list("peer", flat=True))
    for peer in peers:
        of_peer = FROZEN if peer in frozen else "" if here.teams_of.get(peer) else NO_TEAM
        of_way = {Way.FILE: BY_HAND, Way.MAIL: "" if peer in here.mail else NO_ADDRESS}
        for lane in Lane:
            for way in Way:
                yield _Going(peer, lane, way, of_peer or of_way.get(way) or closed.get(way, ""))


def _change(here: Here, made: CheckRound, one: _Going, now: datetime) -> publishing.Change:
    payload = {"round": made.pk, "way": one.way.value, "sent_at": write_time(now), "people": made.people}
    return publishing.Change(
        kind=CHECKS[one.lane],
        name=f"check.{made.pk}.{one.peer}.{one.lane}.{one.way}",
        payload=payload,
        markings=[Marking(Tlp.AMBER_STRICT, here.team, Audience.of(teams=here.teams_of[one.peer]))],
        team=here.team,
    )


def follow(now: datetime) -> int:
    """Note what became of the rounds that are not over, by what receipts cover; how many results were concluded."""
    rows = list(CheckResult.objects.filter(outcome=Outcome.WAITING).select_related("round"))
    concluded = []
    for some in in_parts(rows):
        names = [row.object for row in some]
        queued = set(OutboxRow.objects.filter(statement__object__in=names).values_list("statement__object", flat=True))
        columns = (
            "statement__object",
            "first_sent_at",
            "covered_at",
            "attempts",
            "mailed",
        )  # read last: rows become these
        found = {one[0]: one[1:] for one in Sent.objects.filter(statement__object__in=names).values_list(*columns)}
        for row in some:
            if _concluded(row, found.get(row.object), row.object in queued, now):
                concluded.append(row)
    CheckResult.objects.bulk_update(concluded, ["sent_at", "receipt_at", "outcome"], batch_size=200)
    return sum(row.outcome != Outcome.WAITING for row in concluded)


def _concluded(row: CheckResult, sent: tuple[object, ...] | None, is_queued: bool, now: datetime) -> bool:
    """Bring the row up to date; whether anything is new."""
    before = (row.sent_at, row.outcome)
    if sent is not None:
        row.sent_at, row.receipt_at, attempts, mailed = sent  # type: ignore[assignment]
        by_another = mailed if row.way == Way.JETSTREAM else attempts
        if row.receipt_at is not None:
            row.outcome = Outcome.OVERTAKEN if by_another else Outcome.RECEIVED
    elif not is_queued and row.round.begun_at < now:
        row.outcome = Outcome.WITHHELD
    if row.outcome == Outcome.WAITING and now - row.round.begun_at >= GIVEN_UP:
        row.outcome = Outcome.SILENT
    return before != (row.sent_at, row.outcome)


def seen(said: Said, now: datetime) -> None:
    """A person of a peer answered: what applying a ``check.seen`` does. An answer to no round of ours is nothing."""
    found = CheckRound.objects.filter(pk=said.payload["round"]).first()
    if found is not None and said.person:
        CheckSeen.objects.get_or_create(
            round=found,
            team=said.team,
            person=said.person,
            defaults={"seen_at": read_time(said.payload["seen_at"]), "heard_at": now},
        )


# ---- rounds of others


def heard(said: Said, now: datetime) -> None:
    """A check came: what applying one does. Where it asks for people, they are to be told, once a round."""
    if said.payload.get("people"):
        CheckHeard.objects.get_or_create(
            round=said.payload["round"],
            team=said.team,
            defaults={"sent_at": read_time(said.payload["sent_at"]), "heard_at": now},
        )


def unseen(now: datetime) -> list[CheckHeard]:
    """Rounds of others that nobody here has answered yet, the oldest first."""
    rows = CheckHeard.objects.filter(seen_at=None, heard_at__gt=now - ANSWERED_WITHIN)
    return list(rows.order_by("heard_at", "pk"))


@transaction.atomic
def acknowledge(here: Here, number: int, *, by: Viewer, now: datetime) -> None:
    """A person says that they have seen a round of a peer; the peer is told who and when.

    Raises: NotAllowed, NotAsked; NodeIsHeld, NoPlatformKey.
    """
    rules.may_answer_check(operator=here.team, by=by).require()
    row = CheckHeard.objects.select_for_update().filter(pk=number, seen_at=None).first()
    if row is None or row.heard_at <= now - ANSWERED_WITHIN:
        raise NotAsked
    publishing.publish(
        here,
        kind=SEEN,
        name=f"check.seen.{new_id(now)}",
        payload={"round": row.round, "seen_at": write_time(now)},
        markings=[Marking(Tlp.AMBER_STRICT, by.team, Audience.of(teams=[row.team]))],
        team=by.team,
        person=by.person,
        now=now,
    )
    row.seen_at, row.seen_by = now, by.name
    row.save(update_fields=["seen_at", "seen_by"])
    audit.record("exchange.check_seen", ("exchange.check", row.round), by=by, now=now, team=row.team)
