"""What waits on a channel and may no longer go: its bytes are destroyed, its positions become skips (section 8.3)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db.models import F, QuerySet

from tansiq.exchange import sending
from tansiq.exchange.body import SkipReason
from tansiq.exchange.channel import Span
from tansiq.exchange.models import OutChannel, Sent
from tansiq.exchange.node import keeping
from tansiq.exchange.node.deciding import Deciding, going_of
from tansiq.exchange.sending import Entry, Way


def uncovered(channel: OutChannel) -> QuerySet[Sent]:
    """By position, with what they carry; the bytes stay where they are."""
    rows = Sent.objects.filter(channel=channel, covered_at=None).order_by("first")
    return rows.select_related("statement").defer("body", "statement__content")


def refused_of(peer: str, rows: Sequence[Sent], deciding: Deciding) -> list[Sent]:
    """Of these those that carry something which may not go now."""
    carrying = [row for row in rows if row.statement_id is not None]
    allowed = deciding.may_go(peer, [going_of(row.statement) for row in carrying])
    return [row for row in carrying if row.statement_id not in allowed]


def refuse(channel: OutChannel, deciding: Deciding, *, known: int) -> None:
    """Destroy the bytes of all that may not go, from the lowest on; one skip for a run.

    Args:
        known: a position that may not; the look goes beyond it as long as it finds more.
    """
    above, low = 0, 0
    while carrying := _carrying(channel, above=above):
        above = carrying[-1].last
        refused = refused_of(channel.peer, carrying, deciding)
        if refused:
            _destroy(channel, refused)
            region = uncovered(channel).filter(first__gte=low, first__lte=above)
            join(channel, region)
            low = region.exclude(skipped="").order_by("-first").values_list("first", flat=True)[0]
        elif above > known:
            return


def _carrying(channel: OutChannel, *, above: int) -> list[Sent]:
    return list(uncovered(channel).filter(first__gt=above, statement__isnull=False)[: keeping.PAGE])


def _destroy(channel: OutChannel, rows: Sequence[Sent]) -> None:
    Sent.objects.filter(id__in=[row.pk for row in rows]).update(
        body=None, statement=None, size_bytes=0, skipped=SkipReason.ENTITLEMENT.value
    )
    _lessen(channel, bodies=0, size_bytes=sum(row.size_bytes for row in rows))


def _lessen(channel: OutChannel, *, bodies: int, size_bytes: int) -> None:
    channel.waiting_bodies -= bodies
    channel.waiting_bytes -= size_bytes
    OutChannel.objects.filter(pk=channel.pk).update(
        waiting_bodies=F("waiting_bodies") - bodies, waiting_bytes=F("waiting_bytes") - size_bytes
    )


def join(channel: OutChannel, rows: Iterable[Sent]) -> bool:
    """Neighbouring skips of one reason become one row; whether there were any."""
    skips = [row for row in rows if row.skipped]
    found = sending.joined([entry_of(row) for row in skips])
    if len(found) == len(skips):
        return False
    by_position = {row.first: row for row in skips}
    kept = {entry.span.first for entry in found}
    absorbed = [row.pk for row in skips if row.first not in kept]
    for start in range(0, len(absorbed), keeping.PAGE):
        Sent.objects.filter(id__in=absorbed[start : start + keeping.PAGE]).delete()
    for entry in found:
        row = by_position[entry.span.first]
        if row.last != entry.span.last:
            Sent.objects.filter(pk=row.pk).update(last=entry.span.last, digest=entry.span.digest)
    _lessen(channel, bodies=len(absorbed), size_bytes=0)
    return True


def entry_of(row: Sent) -> Entry:
    """As the engine sees it, without the bytes."""
    return Entry(
        Span(row.first, row.last, row.prev, row.digest),
        None,
        None,
        SkipReason(row.skipped) if row.skipped else None,
        attempts=row.attempts,
        next_at=row.next_at,
        mailed=row.mailed,
        next_mail_at=row.next_mail_at,
        first_sent_at=row.first_sent_at,
        covered_at=row.covered_at,
        only=Way(row.only_way) if row.only_way and not row.skipped else None,
    )
