"""Which process works on this node's links: it says so again and again, so that others know whether one does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import transaction

from tansiq.core.errors import N_, TansiqError
from tansiq.exchange.models import Serving

NEVER = datetime(1970, 1, 1, tzinfo=UTC)
LEASE = timedelta(seconds=60)
"""How long a process that says nothing more is believed to be at work."""


class AlreadyServed(TansiqError):
    code = "exchange.served"
    message = N_("The exchange of this node is running: process {worker}, last heard of at {moment}.")
    remedy = N_("It sends and receives by itself. Stop it first, or wait a minute if it was killed.")
    exit_code = 1


@dataclass(frozen=True, slots=True)
class Served:
    """``until`` is at most ``LEASE`` after the process last said that it is there."""

    worker: str
    until: datetime


def served(now: datetime) -> Served | None:
    """The process at work; None where there is none, or it has been silent for too long.

    It may have said so after the asker took ``now``, which loaded keys meanwhile. What is further ahead was said before
    the clock was set back.
    """
    row = Serving.objects.filter(pk=1, until__gt=now, until__lte=now + 2 * LEASE).first()
    return Served(row.worker, row.until) if row else None


@transaction.atomic
def hold(worker: str, now: datetime) -> bool:
    """Be the one that works on the links, or go on being it; False where another is."""
    Serving.objects.bulk_create([Serving(pk=1, worker="", since=now, until=now)], ignore_conflicts=True)
    row = Serving.objects.select_for_update().get(pk=1)
    if row.worker != worker:
        if served(now) is not None:
            return False
        row.worker, row.since = worker, now
    row.until = now + LEASE
    row.save()
    return True


def must_hold(worker: str, now: datetime) -> None:
    """Raises: AlreadyServed."""
    if not hold(worker, now):
        raise _already(now)


def must_be_free(now: datetime) -> None:
    """Raises: AlreadyServed."""
    if served(now) is not None:
        raise _already(now)


def _already(now: datetime) -> AlreadyServed:
    found = served(now)
    moment = (found.until - LEASE if found else now).strftime("%Y-%m-%dT%H:%M:%SZ")
    return AlreadyServed(worker=found.worker if found else "?", moment=moment)


def let_go(worker: str) -> None:
    """Say that the work is over, so that nobody has to wait."""
    Serving.objects.filter(pk=1, worker=worker).update(worker="", until=NEVER)
