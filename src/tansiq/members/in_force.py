"""What holds at a moment: half-open, without an end as long as nobody ends it."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q


def current(now: datetime) -> Q:
    """Of appointments."""
    return Q(since__lte=now) & (Q(until=None) | Q(until__gt=now))
