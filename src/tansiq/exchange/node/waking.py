"""Marking what waits for something that is here now (section 7). ``settling`` does what is marked."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.db.models import QuerySet

from tansiq.exchange.body import State
from tansiq.exchange.models import Waiting, WaitingFor
from tansiq.exchange.node.portions import in_parts


def mark(rows: QuerySet[Waiting], **changes: object) -> int:
    """To be settled by ``settling.settle_ready``; how many that are. What was refused waits for nothing that comes."""
    return rows.exclude(state=State.REFUSED).update(ready=True, **changes)


@transaction.atomic
def wake(what: Iterable[str], **changes: object) -> int:
    """What waited for one of these (``WaitingFor.what``; an object's id is one) is to be tried; how many that are."""
    woken = 0
    for some in in_parts(sorted(what)):
        rows = WaitingFor.objects.filter(what__in=some)
        if rows.exists():
            woken += mark(Waiting.objects.filter(pk__in=rows.values("waiting_id")), **changes)
            rows.delete()
    return woken
