"""What a node does by itself, and how often. What is heavy is loaded when its turn comes."""

from __future__ import annotations

from datetime import datetime, timedelta

from tansiq.core.errors import N_, TansiqError
from tansiq.notices import mail
from tansiq.notices.models import Mail, Stage
from tansiq.notices.submission import Server
from tansiq.workers.loop import Job
from tansiq.workers.mail import send_waiting

SIGN_OF_LIFE = "mail"  # the job that every worker has a turn at, every minute
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


class RecordBroken(TansiqError):
    code = "audit.broken"
    message = N_("The audit log is not what was recorded, from row {number} on ({fault}).")
    remedy = N_("Run `tansiq audit verify`, keep a copy of the database, and find out who could write to it.")


def jobs(server: Server | None, sender: str, address: str) -> tuple[Job, ...]:
    """Every job of a node whose mails go to ``server`` from ``sender`` and whose portal is at ``address``."""

    def send_mail(now: datetime) -> int:
        return send_waiting(server, sender, now=now)

    def mail_waits(now: datetime) -> bool:
        return server is not None and Mail.objects.filter(stage=Stage.WAITING, next_try_at__lte=now).exists()

    def remind(now: datetime) -> int:
        from tansiq.workers.reminders import ask

        return ask(address, now=now)

    return (
        Job(SIGN_OF_LIFE, MINUTE, send_mail, mail_waits),
        Job("mail-erase", DAY, lambda now: mail.erase_old(now=now)),
        Job("reminders", HOUR, remind),
        Job("certificates", DAY, recheck_certificates),
        Job("audit", DAY, verify_record),
        Job("sessions", DAY, forget_sessions),
    )


def recheck_certificates(now: datetime) -> int:
    """How many certificates have another thing wrong with them than yesterday."""
    from tansiq.members.actions.certificates import recheck_all

    return len(recheck_all(now))


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
