"""What nobody known has sent: some of it kept for somebody to look at, all of it counted (section 5)."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Count, F, Sum

from tansiq.exchange import seal, values
from tansiq.exchange.models import Junk, JunkCount
from tansiq.exchange.seal import Sealed

MOST_ITEMS = 1_000
MOST_BYTES = 100 * 1024**2


@transaction.atomic
def receive_junk(junk: seal.Junk, sealed: Sealed, way: str, now: datetime) -> None:
    """Count it, and keep it as long as there is room: the oldest goes first."""
    count_junk(junk, now)
    digest = values.digest(sealed.data)
    if Junk.objects.filter(pk=digest).update(times=F("times") + 1, last_at=now):
        return
    if len(sealed.data) > MOST_BYTES:
        return
    _make_room(len(sealed.data))
    Junk.objects.create(
        digest=digest,
        size_bytes=len(sealed.data),
        check_number=junk.check,
        reason=junk.reason.value,
        detail=junk.detail[:500].replace("\0", ""),
        way=way,
        first_at=now,
        last_at=now,
        sealed=sealed.data,
    )


@transaction.atomic
def count_junk(junk: seal.Junk, now: datetime) -> None:
    """That it came; of what was opened before there is nothing to be kept that could be opened again."""
    counted = {"day": now.date(), "check_number": junk.check, "reason": junk.reason.value}
    if not JunkCount.objects.filter(**counted).update(count=F("count") + 1):
        JunkCount.objects.bulk_create([JunkCount(**counted)], ignore_conflicts=True)
        JunkCount.objects.filter(**counted).update(count=F("count") + 1)


def _make_room(size_bytes: int) -> None:
    kept = Junk.objects.aggregate(items=Count("pk"), size=Sum("size_bytes"))
    items, total = kept["items"], kept["size"] or 0
    if items < MOST_ITEMS and total + size_bytes <= MOST_BYTES:
        return
    going = []
    for digest, size in Junk.objects.order_by("last_at", "digest").values_list("pk", "size_bytes").iterator():
        if items < MOST_ITEMS and total + size_bytes <= MOST_BYTES:
            break
        going.append(digest)
        items, total = items - 1, total - size
    Junk.objects.filter(pk__in=going).delete()
