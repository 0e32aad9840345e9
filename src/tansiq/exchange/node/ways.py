"""What became of attempts by each way to a peer: for the links page, and to answer by mail who came by mail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from tansiq.exchange.carried import Outcome
from tansiq.exchange.models import WayHeard
from tansiq.exchange.sending import Way

BY_MAIL = timedelta(days=2)
"""So long after a peer was last heard by mail receipts go to it by mail, too: perhaps nothing else reaches it."""
WHILE_AT_ONCE = timedelta(minutes=10)
"""The same, where it was heard by the message server since."""
NOTED_AGAIN = timedelta(minutes=1)
"""Less than that after the same was noted it is not written again: each writing waits for the disk."""


def is_heard_by_mail(peer: str, now: datetime) -> bool:
    """A receipt travels every way by which its channel came (section 16, Mail). Where the peer is heard by the
    message server again, too, mails end soon: else each receipt of two busy days would be one."""
    heard = dict(WayHeard.objects.filter(peer=peer, heard_at__gte=now - BY_MAIL).values_list("way", "heard_at"))
    by_mail, at_once = heard.get(Way.MAIL), heard.get(Way.JETSTREAM)
    return by_mail is not None and (at_once is None or by_mail >= min(at_once, now - WHILE_AT_ONCE))


def note_published(peers: Sequence[str], outcomes: Sequence[Outcome], now: datetime) -> None:
    """One row a peer: the worst of what the backbone said of this batch."""
    bad: dict[str, Counter[Outcome]] = {}
    for peer, outcome in zip(peers, outcomes, strict=True):
        if outcome is not Outcome.ACKNOWLEDGED:
            bad.setdefault(peer, Counter())[outcome] += 1
    _note(set(peers) - set(bad), Way.JETSTREAM, now)
    for peer, counted in sorted(bad.items()):
        _note([peer], Way.JETSTREAM, now, failure=counted.most_common(1)[0][0].value)


def note_mailed(peer: str, handed_in: bool, now: datetime) -> None:
    _note([peer], Way.MAIL, now, failure="" if handed_in else Outcome.FAILED.value)


def note_exported(peers: Sequence[str], now: datetime) -> None:
    """A file for them was written. Whether somebody carries it is not known here."""
    _note(set(peers), Way.FILE, now)


def _note(peers: Collection[str], way: Way, now: datetime, *, failure: str = "") -> None:
    if not peers:
        return
    lately = {"attempted_at__gt": now - NOTED_AGAIN, "attempted_at__lte": now}
    noted = WayHeard.objects.filter(peer__in=peers, way=way, failure=failure, **lately)
    if not (peers := set(peers) - set(noted.values_list("peer", flat=True))):
        return
    said = {"attempted_at": now} | ({"failed_at": now, "failure": failure} if failure else {"failure": ""})
    known = WayHeard.objects.filter(peer__in=peers, way=way)
    if known.update(**said) < len(peers):
        missing = set(peers) - set(known.values_list("peer", flat=True))
        WayHeard.objects.bulk_create(
            [WayHeard(peer=peer, way=way, **said) for peer in sorted(missing)], ignore_conflicts=True
        )
