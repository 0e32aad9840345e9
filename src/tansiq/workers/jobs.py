"""What a node does by itself, and how often. What is heavy is loaded when its turn comes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime, timedelta

from tansiq.attribution.folder import Pointer
from tansiq.core.errors import N_, TansiqError
from tansiq.core.home import Home
from tansiq.core.viewer import Viewer
from tansiq.exchange.node.life import held_since
from tansiq.exchange.sending import Way
from tansiq.members.queries import claims_version
from tansiq.notices import mail
from tansiq.notices.models import Mail, Stage
from tansiq.notices.submission import Server
from tansiq.workers.loop import Job
from tansiq.workers.mail import send_waiting

SIGN_OF_LIFE = "mail"  # the job that every worker has a turn at, every minute
COMPILE = """
import django
django.setup()
from django.conf import settings
from tansiq.workers.tables import refresh
refresh(settings.HOME)
"""
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


class RecordBroken(TansiqError):
    code = "audit.broken"
    message = N_("The audit log is not what was recorded, from row {number} on ({fault}).")
    remedy = N_("Run `tansiq audit verify`, keep a copy of the database, and find out who could write to it.")


class TableNotCompiled(TansiqError):
    code = "attribution.not_compiled"
    message = N_("The attribution table could not be brought up to date: {reason}")
    remedy = N_("The former one is used on. Run `tansiq doctor`.")
    transient = True


def jobs(server: Server | None, sender: str, address: str, home: Home, closed: Mapping[Way, str]) -> tuple[Job, ...]:
    """Every job of the node ``home``; its mails go to ``server`` from ``sender``, its portal is at ``address``.

    Args:
        closed: ways to other nodes that it cannot use, and why (``checking.closed``).
    """

    def send_mail(now: datetime) -> int:
        return send_waiting(server, sender, now=now)

    def mail_waits(now: datetime) -> bool:
        return server is not None and Mail.objects.filter(stage=Stage.WAITING, next_try_at__lte=now).exists()

    def remind(now: datetime) -> int:
        from tansiq.workers.reminders import ask

        return ask(address, now=now)

    def begin_check(now: datetime) -> int:
        from tansiq.workers.checks import begin_monthly

        return begin_monthly(home, closed, now)

    def tell_of_checks(now: datetime) -> int:
        from tansiq.workers.checks import tell_people

        return tell_people(address, now=now)

    def check_waits(now: datetime) -> bool:
        from tansiq.workers.checks import people_wait

        return people_wait(now)

    def recheck(now: datetime) -> int:
        from tansiq.workers.certificates import recheck_and_tell

        return recheck_and_tell(address, now=now)

    def table_is_behind(now: datetime) -> bool:
        said, held = Pointer(home.tables).read(), held_since()
        wanted = (claims_version(), held.isoformat() if held else None)
        return (said.get("claims_version"), said.get("held_since")) != wanted

    return (
        Job("tables", HOUR, lambda now: compile_tables(home), table_is_behind),
        Job(SIGN_OF_LIFE, MINUTE, send_mail, mail_waits),
        Job("mail-erase", DAY, lambda now: mail.erase_old(now=now)),
        Job("reminders", HOUR, remind),
        Job("checks", HOUR, tell_of_checks, check_waits),
        Job("check", DAY, begin_check),
        Job("certificates", DAY, recheck),
        Job("audit", DAY, verify_record),
        Job("sessions", DAY, forget_sessions),
        Job("keys", DAY, lambda now: keep_keys(home, now)),
    )


def compile_tables(home: Home) -> int:
    """Bring the attribution table in step with claims and addresses: one run. Raises: TableNotCompiled.

    In a process of its own: the column engines that it needs would stay in this one's memory for ever.
    """
    command = [sys.executable, "-P", "-c", COMPILE]
    environment = {"DJANGO_SETTINGS_MODULE": "tansiq.settings"} | os.environ | {"TANSIQ_HOME": str(home.path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise TableNotCompiled(reason=done.stderr.strip()[-200:])
    return 1


def verify_record(now: datetime) -> int:
    """How many rows of the audit log hold. Raises: RecordBroken."""
    from tansiq.audit.verify import verify

    verdict = verify()
    if verdict.broken is not None:
        raise RecordBroken(number=verdict.broken.number, fault=verdict.broken.fault.value)
    return verdict.rows


def forget_sessions(now: datetime) -> int:
    """How many sessions were over, and are dropped."""
    from django.contrib.sessions.models import Session

    return Session.objects.filter(expire_date__lt=now).delete()[0]


def keep_keys(home: Home, now: datetime) -> int:
    """Destroy the node's keys whose retention is over; how many."""
    from tansiq.exchange.node.rosters import keep_house

    return len(keep_house(home, by=Viewer.system(because="keys"), now=now))
