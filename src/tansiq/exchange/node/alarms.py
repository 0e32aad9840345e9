"""What a person must look at. One open alarm for each code and peer, however often it is raised."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F

from tansiq.exchange.models import Alarm


@transaction.atomic
def raise_alarm(code: str, peer: str, values: Mapping[str, Any], now: datetime) -> None:
    """``values``: codes and numbers that fill the words a front door has for the code; never content."""
    _alarm, is_new = Alarm.objects.get_or_create(
        code=code, peer=peer, ended_at=None, defaults={"values": dict(values), "since": now, "last_at": now}
    )
    if not is_new:
        open_ones = Alarm.objects.filter(code=code, peer=peer, ended_at=None)
        open_ones.update(last_at=now, times=F("times") + 1, values=dict(values))


@transaction.atomic
def end_alarm(code: str, peer: str, now: datetime, *, by: str = "") -> bool:
    """Whether there was one. ``by``: name of the person; empty: it ended by itself."""
    return bool(Alarm.objects.filter(code=code, peer=peer, ended_at=None).update(ended_at=now, ended_by=by))
