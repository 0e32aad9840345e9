"""What comes from other nodes: whole bodies parked or admitted, positions taken, objects settled (sections 5 to 7).

What comes in one call and belongs to one channel is one transaction for each five hundred bodies, in the order of their
positions. Signatures are checked before it begins.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from tansiq.exchange import receiving, trust
from tansiq.exchange.body import Channel, Placed, Skip
from tansiq.exchange.models import InChannel, ParkedBody, Position
from tansiq.exchange.node import admitting, alarms, examining, freezing, hearing, holding, settling
from tansiq.exchange.node.admitting import Became, Outcome
from tansiq.exchange.node.arrivals import Arrivals, span_of
from tansiq.exchange.node.examining import Examined
from tansiq.exchange.node.here import Here
from tansiq.exchange.node.junk import count_junk, receive_junk
from tansiq.exchange.node.portions import in_parts
from tansiq.exchange.node.settlement import Settlement
from tansiq.exchange.receiving import Numbering, Place
from tansiq.exchange.seal import Junk, Unsealed
from tansiq.exchange.trust import Authentic

__all__ = ["Became", "Outcome", "receive", "receive_junk", "take", "unpark"]

ROUNDS = 20
"""Chunks of what a body woke that are settled before the call returns; the node's loop goes on with the rest."""


_BECAME = {
    Place.NEW: Became.TAKEN,
    Place.REPEAT: Became.REPEAT,
    Place.SKIPPED: Became.SKIPPED,
    Place.FULL: Became.FULL,
    Place.FROZEN: Became.FROZEN,
}


def receive(here: Here, authentic: Sequence[tuple[Authentic, str]], *, now: datetime) -> list[Outcome]:
    """``take``, and note who was heard."""
    hearing.note_heard(here, authentic, now)
    return take(here, authentic, now=now)


def take(here: Here, authentic: Sequence[tuple[Authentic, str]], *, now: datetime) -> list[Outcome]:
    """Take what came, by whichever ways, in any order. What is returned was stored before.

    Args:
        authentic: bodies and the way by which each came (``jetstream``, ``mail``, ``file``).

    Returns: an outcome for each, in the order given.
    """
    outcomes: dict[int, Outcome] = {}
    channels: dict[Channel, list[tuple[int, int]]] = {}
    parking = admitting.Parking(here)
    for index, (body, way) in enumerate(authentic):
        admitted = admitting.admitted(here, body, way, parking, now)
        if isinstance(admitted, Outcome):
            outcomes[index] = admitted
        else:
            channels.setdefault(admitted.channel, []).append((admitted.seq, index))
    _refuse_of_frozen(outcomes)
    for placed in channels.values():
        for some in in_parts(sorted(placed)):
            outcomes |= _take(here, {index: authentic[index] for _seq, index in some}, now)
    for _ in range(ROUNDS if channels else 0):
        if not settling.settle_ready(here, now):
            break
    return [outcomes[index] for index in range(len(authentic))]


def _refuse_of_frozen(outcomes: dict[int, Outcome]) -> None:
    """What has no position passes over a frozen link only if it is about rosters (section 11.2)."""
    others = [
        number for number, one in outcomes.items() if one.became is Became.OTHER and not freezing.passes(one.body.head)
    ]
    frozen = freezing.frozen({outcomes[number].body.head.sender for number in others}) if others else ()
    for number in others:
        if outcomes[number].body.head.sender in frozen:
            outcomes[number] = replace(outcomes[number], became=Became.FROZEN)


def unpark(here: Here, now: datetime, *, most: int = 500) -> list[Outcome]:
    """Try again what was parked as a whole and need not be any more: the clock moved, or a roster came (5.8, 5.9).

    Its sender is authenticated again, by what is known now.
    """
    settling.on_clock(now)
    waiting = ParkedBody.objects.filter(epoch__lte=here.epoch, sent_at__lte=now + receiving.CLOCK_TOLERANCE)
    rows = list(waiting.order_by("arrived_at")[:most])
    if not rows or holding.is_held():
        return []
    judged = [(trust.authenticate(Unsealed(bytes(row.body), row.signer), here.facts), row) for row in rows]
    outcomes = receive(here, [(body, row.way) for body, row in judged if isinstance(body, Authentic)], now=now)
    done = [one.body.digest for one in outcomes if one.became not in (Became.PARKED, Became.HELD)]
    for body, row in judged:
        if isinstance(body, Junk):  # the roster that it waited for knows its signer no more
            count_junk(body, now)
            done.append(row.pk)
    ParkedBody.objects.filter(pk__in=done).delete()
    return outcomes


# ---- positions


def _take(here: Here, bodies: dict[int, tuple[Authentic, str]], now: datetime) -> dict[int, Outcome]:
    """Bodies of one channel in the order of their positions, in one transaction."""
    examined = _examined(here, [body for body, _way in bodies.values()], now)

    def work(careful: bool) -> dict[int, Place] | None:
        if settling.lock(now).held_since is not None:
            return None
        return _placed(here, bodies, examined, careful=careful, now=now)

    places = settling.in_one_transaction(work)
    if places is None:
        return {index: Outcome(body, Became.HELD) for index, (body, _way) in bodies.items()}
    return {index: Outcome(body, _BECAME[places[index]]) for index, (body, _way) in bodies.items()}


def _examined(here: Here, bodies: Iterable[Authentic], now: datetime) -> dict[str, Examined]:
    """Digest -> what the checks of an envelope say, of those whose position is not taken yet. Takes most of the time,
    and is done before anything is locked."""
    envelopes = {body.digest: body for body in bodies if not isinstance(body.head, Skip)}
    heads = [body.head for body in envelopes.values()]
    if not heads:
        return {}
    first = heads[0]
    assert isinstance(first, Placed)
    channel = {"channel__peer": first.sender, "channel__lane": first.lane, "channel__incarnation": first.incarnation}
    positions = [head.seq for head in heads if isinstance(head, Placed)]
    known = set(Position.objects.filter(**channel, last__in=positions).values_list("digest", flat=True))
    judge = here.judge(now)
    return {
        digest: examining.examine(here, body, judge, now=now)
        for digest, body in envelopes.items()
        if digest not in known
    }


def _placed(
    here: Here, bodies: dict[int, tuple[Authentic, str]], examined: dict[str, Examined], *, careful: bool, now: datetime
) -> dict[int, Place]:
    in_order = [body for body, _way in bodies.values()]
    channel = _channel(here, in_order, now)
    if channel is None:
        return dict.fromkeys(bodies, Place.FROZEN)
    settlement = Settlement(here, now, careful=careful, channels=[channel])
    arrivals = Arrivals(here, channel, [span_of(body) for body in in_order], settlement, now)
    places = {index: arrivals.take(body, way, examined.get(body.digest)) for index, (body, way) in bodies.items()}
    arrivals.store()
    return places


def _channel(here: Here, bodies: Sequence[Authentic], now: datetime) -> InChannel | None:
    """The channel's row, made if it is new; None where the link is frozen, or its number is another's already (sections
    2.1 and 11.2)."""
    heads = [body.head for body in bodies if isinstance(body.head, Placed)]
    head, latest = heads[0], max(one.sent_at for one in heads)
    if freezing.frozen([head.sender]):
        return None
    known = {
        row.incarnation: row
        for row in InChannel.objects.select_for_update().filter(peer=head.sender, lane=head.lane).order_by("pk")
    }
    begun = {row.incarnation: row.begun_at for row in known.values()}
    which = receiving.numbering(begun, head.incarnation, sent_at=latest)
    if which is Numbering.CLONE:
        _freeze_clone(here, bodies[0], now)
        return None
    if which is Numbering.SUSPECT:
        alarms.raise_alarm("exchange.former_incarnation", head.sender, {"lane": head.lane.value}, now)
    if which is Numbering.NEWER:
        hearing.close(known.values())
    earliest = min(one.sent_at for one in heads)
    channel = known.get(head.incarnation)
    if channel is None:
        is_closed = which not in (Numbering.NEWER, Numbering.CURRENT)
        return hearing.begin(head, begun_at=earliest, is_closed=is_closed)
    channel.begun_at = min(channel.begun_at, earliest)
    return channel


def _freeze_clone(here: Here, body: Authentic, now: datetime) -> None:
    head = body.head
    assert isinstance(head, Placed)
    holding.freeze(
        here,
        head.sender,
        "clone",
        now,
        lane=head.lane.value,
        incarnation=head.incarnation,
        digest=body.digest,
        body=body.content,
        position=head.seq,
    )
