"""Cloned nodes (section 11.2): both ends freeze, keep the evidence, and only a roster ends it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from tansiq.exchange.body import Body
from tansiq.exchange.facts import NodeKey
from tansiq.exchange.models import Evidence, InChannel, Link, OutChannel
from tansiq.exchange.node import alarms, keeping
from tansiq.exchange.node.here import Here
from tansiq.exchange.node.life import ask_back
from tansiq.exchange.requests import Answer, Ask, RosterAsked, RosterGiven

MOST_EVIDENCE = 10
"""Of one channel: the first ones."""


@transaction.atomic
def freeze(
    here: Here,
    peer: str,
    what: str,
    now: datetime,
    *,
    lane: str,
    incarnation: str,
    digest: str,
    body: bytes,
    position: int | None = None,
    other_digest: str = "",
    other_body: bytes | None = None,
) -> None:
    """Two stories under one name: keep both, and neither send to nor take from ``peer`` until a roster ends it (11.2).

    Of a link that is frozen already nothing more is kept.

    Args:
        what: clone, equivocation, receipt.
        digest, body: of what came; ``other_*``: of what it contradicts, if that is still kept.
    """
    Link.objects.bulk_create([Link(peer=peer)], ignore_conflicts=True)
    if not Link.objects.filter(peer=peer, frozen_at=None).update(frozen_at=now):
        return
    if Evidence.objects.filter(peer=peer, lane=lane, incarnation=incarnation).count() < MOST_EVIDENCE:
        Evidence.objects.get_or_create(
            peer=peer,
            digest=digest,
            what=what,
            defaults={
                "lane": lane,
                "incarnation": incarnation,
                "position": position,
                "body": body,
                "other_digest": other_digest,
                "other_body": other_body,
                "seen_at": now,
            },
        )
    alarms.raise_alarm("exchange.clone", peer, {"what": what, "lane": lane}, now)


def frozen(peers: Collection[str]) -> set[str]:
    """Of these those with which nothing is exchanged (11.2)."""
    return set(Link.objects.filter(peer__in=peers, frozen_at__isnull=False).values_list("peer", flat=True))


def passes(body: Body) -> bool:
    """Whether it goes over a frozen link: that a roster may end it, the two may ask each other for rosters."""
    match body:
        case Ask(asked=RosterAsked()) | Answer(given=RosterGiven()):
            return True
    return False


def has_new_certificate(before: Here, after: Here, node: str) -> bool:
    """Did the roster give a node a new certificate, and strike the old ones?"""
    was = {key.fingerprint for key in before.facts.node_keys.values() if key.node == node and _counts(before, key)}
    keys = {key.fingerprint for key in after.facts.node_keys.values() if key.node == node and _counts(after, key)}
    return bool(keys - was) and not keys & was


def _counts(here: Here, key: NodeKey) -> bool:
    return not key.revoked and (key.until_epoch is None or key.until_epoch > here.epoch)


def _unfreeze(here: Here, peer: str, now: datetime) -> None:
    """Both sides begin anew, ask what the other has of theirs, and compare."""
    InChannel.objects.filter(peer=peer).update(frozen=False, closed=True)
    for channel in OutChannel.objects.select_for_update().filter(peer=peer).order_by("lane"):
        keeping.renumber(channel, now, requeue=True)
    Link.objects.filter(peer=peer).update(frozen_at=None, incomplete_since=None)
    keeping.incomplete(peer, now)
    ask_back(here, peer, now)
    alarms.end_alarm("exchange.clone", peer, now)


@transaction.atomic
def on_roster(before: Here, after: Here, now: datetime) -> None:
    """A link is free again when the roster gave either of its ends new keys."""
    is_renewed = has_new_certificate(before, after, after.code)
    for peer in Link.objects.filter(frozen_at__isnull=False).values_list("peer", flat=True):
        if is_renewed or has_new_certificate(before, after, peer):
            _unfreeze(after, peer, now)
