"""What a node does by itself, and how often. What is heavy is loaded when its turn comes."""

from __future__ import annotations

from datetime import datetime, timedelta

from tansiq.notices import mail
from tansiq.notices.models import Mail, Stage
from tansiq.notices.submission import Server
from tansiq.workers.loop import Job
from tansiq.workers.mail import send_waiting

HEARTBEAT = timedelta(minutes=1)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def jobs(server: Server | None, sender: str) -> tuple[Job, ...]:
    """Every job of a node whose mails go to ``server`` from the address ``sender``."""

    def send_mail(now: datetime) -> int:
        return send_waiting(server, sender, now=now)

    def mail_waits(now: datetime) -> bool:
        return server is not None and Mail.objects.filter(stage=Stage.WAITING, next_try_at__lte=now).exists()

    return (
        Job("mail", HEARTBEAT, send_mail, mail_waits),  # its run is also the worker's sign of life
        Job("mail-erase", DAY, lambda now: mail.erase_old(now=now)),
        Job("sessions", DAY, forget_sessions),
    )


def forget_sessions(now: datetime) -> int:
    """Drop the sessions that are over."""
    from django.contrib.sessions.models import Session

    return Session.objects.filter(expire_date__lt=now).delete()[0]
