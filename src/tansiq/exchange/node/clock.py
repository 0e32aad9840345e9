"""A clock that was put back: what was to be done by the former one must not wait until it comes round (section 14)."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Model

from tansiq.exchange.models import (
    Blob,
    CheckRound,
    Comparison,
    InChannel,
    Life,
    Link,
    OutChannel,
    Sent,
    WayHeard,
)
from tansiq.exchange.sending import LONGEST_MAIL_PAUSE, LONGEST_PAUSE

NOTICED = timedelta(minutes=1)
"""By less a clock may be put back without anything waiting noticeably longer."""
_MOMENTS: tuple[tuple[type[Model], str, timedelta], ...] = (
    (Sent, "next_at", LONGEST_PAUSE),
    (Sent, "tried_at", timedelta(0)),
    (Sent, "next_mail_at", LONGEST_MAIL_PAUSE),
    (Sent, "first_sent_at", timedelta(0)),
    (Sent, "covered_at", timedelta(0)),
    (OutChannel, "idle_until", LONGEST_MAIL_PAUSE),
    (OutChannel, "heard_at", timedelta(0)),
    (OutChannel, "sealer_until", timedelta(minutes=10)),
    (InChannel, "receipt_at", timedelta(0)),
    (Link, "asked_at", timedelta(0)),
    (Link, "compared_at", timedelta(0)),
    (Link, "incomplete_since", timedelta(0)),
    (Link, "equal_at", timedelta(0)),
    (Link, "heard_at", timedelta(0)),
    (WayHeard, "heard_at", timedelta(0)),
    (Comparison, "began_at", timedelta(0)),
    (Comparison, "ended_at", timedelta(0)),
    (Blob, "next_at", LONGEST_MAIL_PAUSE),
    (CheckRound, "begun_at", timedelta(0)),
    (Life, "embargoes_through", timedelta(0)),
)
"""Table, column, and how far ahead it may be by a clock that goes right."""


@transaction.atomic
def mend(now: datetime) -> int:
    """Whatever was noted further ahead than it could be is taken for noted now. Returns: how many rows that were."""
    return sum(
        table.objects.filter(**{f"{column}__gt": now + ahead + NOTICED}).update(**{column: now})  # type: ignore[attr-defined]
        for table, column, ahead in _MOMENTS
    )


def was_put_back(last: datetime | None, now: datetime) -> bool:
    """Or nobody knows, since the process began just now."""
    return last is None or now < last - NOTICED
