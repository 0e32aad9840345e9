"""The node's own work, again and again: a table of jobs, each run when it is due."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django import db

from tansiq.core.errors import TansiqError
from tansiq.notices.models import JobRun
from tansiq.workers.waiting import Signals

LOOK_SECONDS = 2.0  # at most so long a mail waits for its turn
FIRST_RETRY, TROUBLE_LIMIT = timedelta(minutes=1), 300


@dataclass(frozen=True, slots=True)
class Job:
    """Something that is done again and again.

    Attributes:
        name: as the table of runs has it.
        every: from one run to the next; a failed one is repeated sooner.
        run: does it at the time given, and says how much it did.
        wanted: cheap; whether there is work before the time is over. None: never.
    """

    name: str
    every: timedelta
    run: Callable[[datetime], int]
    wanted: Callable[[datetime], bool] | None = None


def loop(jobs: Sequence[Job], heard: Signals) -> None:
    """Run what is due until a signal says to end. Several workers may do so: each run falls to one of them."""
    for job in jobs:
        JobRun.objects.get_or_create(name=job.name, defaults={"due_at": datetime.now(UTC)})
    while not heard.wait(LOOK_SECONDS):
        for job in jobs:
            if heard.wait(0):
                return
            turn(job, now=datetime.now(UTC))
        db.close_old_connections()


def turn(job: Job, *, now: datetime) -> bool:
    """Run the job if it is due, or wanted, and nobody else runs it. Returns: whether it ran."""
    due_at = JobRun.objects.values_list("due_at", flat=True).get(name=job.name)
    if due_at > now and not (job.wanted and job.wanted(now)):
        return False
    mine = JobRun.objects.filter(name=job.name, due_at=due_at).update(due_at=now + job.every, started_at=now)
    if mine:
        write_down(job, *outcome(job, now))
    return bool(mine)


def outcome(job: Job, now: datetime) -> tuple[int, str]:
    """What the job did, and what went wrong if anything did: one job's defect must not end the others."""
    try:
        return job.run(now), ""
    except TansiqError as error:
        return 0, f"{error.code}: {error}"[:TROUBLE_LIMIT]
    except Exception as error:
        traceback.print_exc(file=sys.stderr)
        return 0, f"{type(error).__name__}: {error}"[:TROUBLE_LIMIT]


def write_down(job: Job, count: int, trouble: str) -> None:
    now = datetime.now(UTC)
    row = JobRun.objects.filter(name=job.name)
    row.update(ended_at=now, outcome="failed" if trouble else "done", count=count, trouble=trouble)
    if trouble:
        row.filter(due_at__gt=now + FIRST_RETRY).update(due_at=now + FIRST_RETRY)
