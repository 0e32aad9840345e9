"""Sending what waits in the mail queue."""

from __future__ import annotations

from datetime import datetime

from tansiq.core.errors import N_, TansiqError
from tansiq.notices import mail
from tansiq.notices.models import Mail, Stage
from tansiq.notices.submission import Letter, NotSent, Refused, Server, Submission, Unknown

AT_ONCE = 50  # then the other jobs have their turn, long before a claim counts as lost


class ServerUnusable(TansiqError):
    code = "mail.server.unusable"
    message = N_("The mail server {host}:{port} does not take our mails: {why}.")
    remedy = N_("Correct TANSIQ_SMTP_URL, or ask whoever runs that server. The mails wait, and are tried again.")
    exit_code = 3
    transient = True


def send_waiting(server: Server | None, sender: str, *, now: datetime) -> int:
    """Send what is due over one connection. Without a server mails wait. Returns: how many were sent."""
    mail.take_back(now=now)
    if server is None or (first := mail.claim_next(now=now)) is None:
        return 0
    try:
        submission = Submission(server)
    except NotSent as error:
        mail.not_sent(first, str(error), now=now)
        raise ServerUnusable(host=server.host, port=server.port, why=mail.one_line(str(error))) from error
    try:
        return _send(submission, first, sender, now)
    finally:
        submission.close()


def _send(submission: Submission, first: Mail, sender: str, now: datetime) -> int:
    sent = 0
    one: Mail | None = first
    for _turn in range(AT_ONCE):
        if one is None or not _handed_over(submission, one, sender, now):
            break
        sent += one.stage == Stage.SENT
        one = mail.claim_next(now=now) if _turn + 1 < AT_ONCE else None
    return sent


def _handed_over(submission: Submission, one: Mail, sender: str, now: datetime) -> bool:
    """Send it and write down what became of it. Returns: whether the connection is good for another."""
    try:
        submission.send(letter(one, sender))
    except Refused as error:
        mail.refused(one, str(error), now=now)
    except (NotSent, Unknown) as error:
        mail.not_sent(one, str(error), now=now, uncertain=isinstance(error, Unknown))
        return False
    else:
        mail.sent(one, now=now)
        one.stage = Stage.SENT
    return True


def letter(one: Mail, sender: str) -> Letter:
    return Letter(
        sender=sender,
        to=one.to,
        subject=one.subject,
        text=one.text,
        html=one.html,
        language=one.language,
        message_id=one.message_id,
        written_at=one.queued_at,
    )
