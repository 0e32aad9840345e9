"""What is to leave now, decided again and marked before it does (sections 8.3 and 8.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import F, Min, Q

from tansiq.exchange import recall, sending
from tansiq.exchange.body import Lane
from tansiq.exchange.models import OutChannel, Sent
from tansiq.exchange.node import keeping, leaving
from tansiq.exchange.node.believing import Follow, on_receipt, on_receipts
from tansiq.exchange.node.deciding import Deciding
from tansiq.exchange.node.here import Here
from tansiq.exchange.node.keeping import prune
from tansiq.exchange.node.leaving import Attempt
from tansiq.exchange.node.portions import in_parts
from tansiq.exchange.node.refusing import entry_of, join, refuse, refused_of, uncovered
from tansiq.exchange.sending import Entry, Way

__all__ = ["Attempt", "Follow", "due_attempts", "on_receipt", "on_receipts", "prune"]


@transaction.atomic
def due_attempts(
    here: Here, peer: str, lane: Lane, *, now: datetime, most: int = 500, room: int | None = None
) -> list[Attempt]:
    """What is to be attempted now on a channel, at most ``most`` bodies; call it again while there are that many.

    Args:
        room: how many may go by the backbone, where it did not take all before.

    That they were attempted, and the recipients with them, is stored when this returns: nothing may leave before the
    transaction has ended.
    """
    channel = keeping.locked(peer, lane)
    if channel is None or not channel.incarnation or keeping.is_silent(peer) or keeping.is_outdated(here.epoch):
        return []
    deciding = Deciding(here, now)
    if not is_reached(here, peer, lane):
        refuse(channel, deciding, known=channel.given)
        return []
    if channel.idle_until is not None and now < channel.idle_until:
        return []
    rows = _decided(channel, here, deciding, now, most)
    found = sending.due(
        [entry_of(row) for row in rows],
        keeping.belief_of(channel),
        lane=lane,
        has_mail=bool(here.address_of(peer)),
        heard_at=channel.heard_at,
        now=now,
        window=here.window,
    )[:most]
    chosen = found if room is None else _fitting(found, room)
    by_position = {row.first: row for row in rows}
    _mark_attempted(peer, [by_position[entry.span.first] for entry, _ways in chosen], now)
    made = _attempts(here, channel, chosen, by_position, now)
    if len(found) < most and chosen == found:
        OutChannel.objects.filter(pk=channel.pk).update(idle_until=_next_due(channel, here))
    return made


def _fitting(chosen: Sequence[tuple[Entry, frozenset[Way]]], room: int) -> list[tuple[Entry, frozenset[Way]]]:
    """The first few that may go by the backbone; and what goes by mail anyhow."""
    found = []
    for entry, ways in chosen:
        if Way.JETSTREAM in ways:
            ways, room = (ways, room - 1) if room > 0 else (ways - {Way.JETSTREAM}, room)
        if ways:
            found.append((entry, ways))
    return found


@transaction.atomic
def not_taken(peer: str, lane: Lane, made: Sequence[Attempt]) -> None:
    """The backbone had no room for these: they never left, and are tried as if for the first time.

    Else they would count as lost on the way, of which but the lowest is sent again while nothing is heard.
    """
    channel = keeping.locked(peer, lane)
    if channel is None or not made:
        return
    for firsts in in_parts([one.first for one in made if one.incarnation == channel.incarnation]):
        rows = Sent.objects.filter(channel=channel, first__in=firsts, covered_at=None, attempts__gt=0)
        rows.update(next_at=None, tried_at=None, attempts=F("attempts") - 1)
    OutChannel.objects.filter(pk=channel.pk).update(idle_until=None)


@transaction.atomic
def by_file(here: Here, peer: str, lane: Lane, *, above: int, now: datetime, most: int = 500) -> list[Attempt]:
    """The next that go into a file: all that no receipt covers, in order, whenever they were tried by other ways.

    Decided and stored as ``due_attempts`` does it. Call it again, with ``first`` of the last, until there are none.

    Args:
        above: a position; 0 to begin with.
    """
    channel = keeping.locked(peer, lane)
    if channel is None or not channel.incarnation or keeping.is_silent(peer) or keeping.is_outdated(here.epoch):
        return []
    if not is_reached(here, peer, lane):
        return []
    deciding = Deciding(here, now)
    while True:
        rows = list(uncovered(channel).filter(first__gt=above)[:most])
        refused = refused_of(channel.peer, rows, deciding)
        if refused:
            refuse(channel, deciding, known=refused[-1].last)
        elif not join(channel, rows):
            break
    chosen = [(entry_of(row), frozenset({Way.FILE})) for row in rows]
    _mark_attempted(peer, rows, now)
    return _attempts(here, channel, chosen, {row.first: row for row in rows}, now)


def left_of(here: Here, peer: str, lane: Lane, *, above: int) -> int:
    """How many ``by_file`` did not give, of what may still go there: there was no room, or nothing goes there now."""
    if not is_reached(here, peer, lane):
        return 0
    rows = Sent.objects.filter(channel__peer=peer, channel__lane=lane.value, covered_at=None)
    return rows.filter(first__gt=above).count()


@transaction.atomic
def may_leave(here: Here, made: Sequence[Attempt], now: datetime) -> set[Attempt]:
    """Of attempts on one channel that waited in memory those that may leave still: decided again, as before every
    attempt (section 8.3), and not covered meanwhile. What may go no longer is a skip by now."""
    peer, lane = made[0].peer, made[0].lane
    channel = keeping.locked(peer, lane)
    if channel is None or keeping.is_silent(peer) or keeping.is_outdated(here.epoch):
        return set()
    if not is_reached(here, peer, lane):
        return set()
    deciding = Deciding(here, now)
    is_skip: dict[int, bool] = {}
    for firsts in in_parts([one.first for one in made if one.incarnation == channel.incarnation]):
        rows = list(uncovered(channel).filter(first__in=firsts))
        refused = refused_of(peer, rows, deciding)
        if refused:
            refuse(channel, deciding, known=refused[-1].last)
        gone = {row.pk for row in refused}
        is_skip |= {row.first: row.statement_id is None for row in rows if row.pk not in gone}
    return {one for one in made if one.incarnation == channel.incarnation and is_skip.get(one.first) is one.is_skip}


@transaction.atomic
def mailed(made: Sequence[Attempt], now: datetime) -> None:
    """A server took them over: the next mail of them is due later than if none had (section 8.4)."""
    channel = keeping.locked(made[0].peer, made[0].lane)
    if channel is None:
        return
    for some in in_parts([one.first for one in made if one.incarnation == channel.incarnation]):
        rows = Sent.objects.filter(channel=channel, covered_at=None, first__in=some, mailed__gt=0)
        for count in list(rows.order_by().values_list("mailed", flat=True).distinct()):
            rows.filter(mailed=count).update(next_mail_at=now + sending.mail_pause(count))


@transaction.atomic
def not_mailed(made: Sequence[Attempt], now: datetime) -> None:
    """No server took them over: mails that never left count for nothing, and are tried again sooner (section 8.4)."""
    channel = keeping.locked(made[0].peer, made[0].lane)
    if channel is None:
        return
    at = now + sending.MAIL_AGAIN[made[0].lane]
    for some in in_parts([one.first for one in made if one.incarnation == channel.incarnation]):
        rows = Sent.objects.filter(channel=channel, covered_at=None, first__in=some, mailed__gt=0)
        rows.update(mailed=F("mailed") - 1, next_mail_at=at)
    OutChannel.objects.filter(pk=channel.pk).update(idle_until=None)


def _next_due(channel: OutChannel, here: Here) -> datetime | None:
    """When what is under way is due again, if until then nothing is sealed and nothing heard (section 8.4)."""
    reached = keeping.belief_of(channel).horizon + here.window
    under_way = Sent.objects.filter(channel=channel, covered_at=None, first__lte=reached)
    lowest = under_way.order_by("first").values_list("next_at", flat=True)[:1]
    found = list(lowest)
    if channel.heard_at is not None:
        lost = under_way.filter(tried_at__lte=channel.heard_at - sending.LOST_AFTER)
        found.append(lost.aggregate(at=Min("next_at"))["at"])
    if here.address_of(channel.peer):
        alone = Q(only_way=Way.JETSTREAM)
        by_mail = under_way.aggregate(
            first=Min("first_sent_at", filter=Q(next_mail_at=None) & ~alone),
            alone=Min("first_sent_at", filter=Q(next_mail_at=None) & alone),
            again=Min("next_mail_at"),
        )
        if by_mail["first"]:
            found.append(by_mail["first"] + sending.MAIL_AFTER[Lane(channel.lane)])
        if by_mail["alone"]:
            found.append(by_mail["alone"] + sending.ALONE_BY_JETSTREAM)
        found.append(by_mail["again"])
    return min((at for at in found if at is not None), default=None)


def is_reached(here: Here, peer: str, lane: Lane) -> bool:
    """A member; or one that was removed lately, which gets its recalls (section 12)."""
    return peer in here.peers or (peer in here.facts.former and lane is Lane.URGENT)


def _decided(channel: OutChannel, here: Here, deciding: Deciding, now: datetime, most: int) -> list[Sent]:
    """The lowest uncovered and the candidates, all of which may go; what may not is a skip by now."""
    while True:
        rows = _candidates(channel, here, now, most)
        refused = refused_of(channel.peer, rows, deciding)
        if refused:
            refuse(channel, deciding, known=refused[-1].last)
        elif not join(channel, rows):
            return rows


def _candidates(channel: OutChannel, here: Here, now: datetime, most: int) -> list[Sent]:
    """The lowest, and those that ``sending.due`` may choose: never tried, seemingly lost, or to go by mail."""
    waiting = uncovered(channel)
    rows = list(waiting[:1])
    if not rows:
        return []
    wanted = Q(next_at=None)
    if channel.heard_at is not None:
        wanted |= Q(next_at__lte=now, tried_at__lte=channel.heard_at - sending.LOST_AFTER)
    if here.address_of(channel.peer):
        first_by_mail = Q(next_mail_at=None, first_sent_at__lte=now - sending.MAIL_AFTER[Lane(channel.lane)])
        wanted |= Q(next_mail_at__lte=now) | first_by_mail
    reached = keeping.belief_of(channel).horizon + here.window
    others = waiting.filter(wanted, first__gt=rows[0].first, first__lte=reached)
    return rows + list(others[:most])


def _mark_attempted(peer: str, rows: Sequence[Sent], now: datetime) -> None:
    statements = [row.statement for row in rows if row.statement_id is not None]
    leaving.mark({peer: {one.object for one in statements if one.kind != recall.KIND}}, now)


def _attempts(
    here: Here,
    channel: OutChannel,
    chosen: Sequence[tuple[Entry, frozenset[Way]]],
    rows: Mapping[int, Sent],
    now: datetime,
) -> list[Attempt]:
    changes: dict[tuple[object, ...], list[int]] = {}
    made: list[Attempt] = []
    bodies = dict(
        Sent.objects.filter(id__in=[rows[entry.span.first].pk for entry, _ways in chosen]).values_list("first", "body")
    )
    for entry, ways in chosen:
        after = sending.attempted(entry, ways, lane=Lane(channel.lane), now=now)
        tried_at = now if Way.JETSTREAM in ways else rows[entry.span.first].tried_at
        said = (after.attempts, after.next_at, tried_at, after.mailed, after.next_mail_at, after.first_sent_at)
        changes.setdefault(said, []).append(rows[entry.span.first].pk)
        body = bodies[entry.span.first]
        made.append(leaving.attempt(here, channel, after, ways, None if body is None else bytes(body), now))
    columns = ("attempts", "next_at", "tried_at", "mailed", "next_mail_at", "first_sent_at")
    for said, ids in changes.items():
        Sent.objects.filter(id__in=ids).update(**dict(zip(columns, said, strict=True)))
    return made
