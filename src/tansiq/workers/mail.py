"""Sending what waits in the mail queue."""

from __future__ import annotations

from datetime import UTC, datetime

from tansiq.notices import mail
from tansiq.notices.models import Mail
from tansiq.notices.submission import Letter, NotSent, Refused, Server, Submission, Unknown

AT_ONCE = 200  # then the other jobs have their turn


def send_waiting(server: Server | None, sender: str, *, now: datetime) -> int:
    """Send what is due over one connection. Without a server mails wait. Returns: how many were sent."""
    mail.take_back(now=now)
    if server is None or (first := mail.claim_next(now=now)) is None:
        return 0
    try:
        submission = Submission(server)
    except NotSent as error:
        mail.not_sent(first, str(error), now=now)
        raise
    try:
        return _send(submission, first, sender)
    finally:
        submission.close()


def _send(submission: Submission, first: Mail, sender: str) -> int:
    sent = 0
    one: Mail | None = first
    for _turn in range(AT_ONCE):
        if one is None:
            break
        try:
            submission.send(letter(one, sender))
        except Refused as error:
            mail.refused(one, str(error), now=datetime.now(UTC))
        except NotSent as error:
            mail.not_sent(one, str(error), now=datetime.now(UTC))
            break
        except Unknown as error:
            mail.not_sent(one, str(error), now=datetime.now(UTC), uncertain=True)
            break
        else:
            mail.sent(one, now=datetime.now(UTC))
            sent += 1
        one = mail.claim_next(now=datetime.now(UTC)) if _turn + 1 < AT_ONCE else None
    return sent


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
