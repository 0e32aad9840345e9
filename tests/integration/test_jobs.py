"""The worker's jobs: each run falls to one worker, and a job that fails does not end the others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from factories import postgres

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def row(database: None) -> Any:
    from tansiq.notices.models import JobRun

    return JobRun.objects.create(name="reminders", due_at=NOW)


def test_job_that_is_due_runs_once_and_is_written_down(row: Any) -> None:
    from tansiq.workers.loop import Job, turn

    ran: list[datetime] = []
    job = Job("reminders", HOUR, lambda now: ran.append(now) or 3)

    turns = [turn(job, now=NOW), turn(job, now=NOW), turn(job, now=NOW + HOUR)]

    row.refresh_from_db()
    assert (turns, ran) == ([True, False, True], [NOW, NOW + HOUR])
    assert (row.outcome, row.count, row.trouble, row.due_at) == ("done", 3, "", NOW + 2 * HOUR)


def test_job_that_is_wanted_runs_before_it_is_due(row: Any) -> None:
    from tansiq.workers.loop import Job, turn

    job = Job("reminders", HOUR, lambda now: 0, wanted=lambda now: now.minute == 30)
    turn(job, now=NOW)

    assert [turn(job, now=NOW + timedelta(minutes=minutes)) for minutes in (29, 30)] == [False, True]


def test_job_that_fails_is_written_down_and_due_again_soon(row: Any, capsys: pytest.CaptureFixture[str]) -> None:
    from tansiq.workers.jobs import RecordBroken
    from tansiq.workers.loop import Job, turn

    def broken(now: datetime) -> int:
        raise RecordBroken(number=7, fault="changed")

    turn(Job("reminders", timedelta(days=365), broken), now=NOW)

    row.refresh_from_db()
    assert (row.outcome, row.count) == ("failed", 0)
    assert row.trouble.startswith("audit.broken: The audit log is not what was recorded, from row 7 on (changed).")
    assert row.due_at <= datetime.now(UTC) + timedelta(minutes=1)
    assert capsys.readouterr().err == ""


def test_every_job_of_a_node_runs_on_an_empty_one(database: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.conf import settings

    from tansiq.attribution.whois import Whois
    from tansiq.workers.jobs import jobs

    if url := postgres.url_of(settings.HOME.path):  # the table is compiled in a process of its own
        monkeypatch.setenv("TANSIQ_DATABASE_URL", url)
    every = jobs(None, "tansiq@xa-cert.example", "http://localhost:8420", settings.HOME, {})
    done = {job.name: job.run(NOW) for job in every}

    assert Whois.open(settings.HOME.tables) is not None
    assert set(done) == {
        "tables",
        "mail",
        "mail-erase",
        "reminders",
        "checks",
        "check",
        "certificates",
        "audit",
        "sessions",
        "keys",
    }
    assert done["mail"] == done["mail-erase"] == done["certificates"] == done["sessions"] == done["keys"] == 0
