"""The mail queue: a message is a row, written with what it tells of; a worker hands it to the submission server."""

from __future__ import annotations

import re
import secrets
from datetime import datetime, timedelta

from django.db import transaction

from tansiq.core.errors import N_, TansiqError
from tansiq.notices.models import Mail, Stage

KEPT = timedelta(days=30)
GIVEN_UP_AFTER = timedelta(days=4)  # RFC 5321 section 4.5.4.1: at least four to five days
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=4)
LOST_AFTER = timedelta(minutes=10)  # a worker that holds a claim for so long is gone
ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,185}[A-Za-z0-9])?")
SUBJECT_LIMIT, TROUBLE_LIMIT = 300, 200
BREAKS = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]+")


class BadAddress(TansiqError):
    code = "mail.address.bad"
    message = N_("{value} is no mail address.")
    remedy = N_("Write one address, such as duty@cert.example, without a name.")
    exit_code = 2


@transaction.atomic
def enqueue(to: str, subject: str, text: str, *, language: str, now: datetime, html: str = "") -> Mail:
    """Write a mail in the caller's transaction: it leaves if that is committed, and not otherwise.

    Args:
        to: one address, without a name.
        subject: one line; line breaks become spaces.
        text: the whole message in plain words; ``html`` says the same, if given.
        language: ar, en or fr: of the words.

    Raises: BadAddress.
    """
    if not ADDRESS.fullmatch(to):
        raise BadAddress(value=to[:80])
    return Mail.objects.create(
        to=to,
        subject=BREAKS.sub(" ", subject).strip()[:SUBJECT_LIMIT],
        text=text,
        html=html,
        language=language,
        message_id=secrets.token_hex(16),
        queued_at=now,
        next_try_at=now,
    )


def claim_next(*, now: datetime) -> Mail | None:
    """The mail that is due longest, claimed for the caller alone; None if none is due."""
    due = Mail.objects.filter(stage=Stage.WAITING, next_try_at__lte=now)
    while (found := due.order_by("next_try_at", "pk").values_list("pk", flat=True).first()) is not None:
        claim = secrets.token_hex(16)
        moved = due.filter(pk=found).update(stage=Stage.SENDING, claim=claim, claimed_at=now)
        if moved:
            return Mail.objects.get(pk=found)
    return None


def sent(mail: Mail, *, now: datetime) -> None:
    _end(mail, Stage.SENT, "", now)


def refused(mail: Mail, trouble: str, *, now: datetime) -> None:
    """The server will never take it."""
    _end(mail, Stage.FAILED, trouble, now)


def not_sent(mail: Mail, trouble: str, *, now: datetime, uncertain: bool = False) -> None:
    """This attempt failed; another follows after a growing pause, until it has been tried for too long.

    With ``uncertain`` the server may have taken it before it fell silent: the next attempt may be a repeat.
    """
    if now - mail.queued_at >= GIVEN_UP_AFTER:
        _end(mail, Stage.FAILED, trouble, now, uncertain=uncertain)
        return
    pause = min(FIRST_PAUSE * 2 ** min(mail.tries, 16), LONGEST_PAUSE)
    _move(
        mail,
        stage=Stage.WAITING,
        next_try_at=now + pause,
        tries=mail.tries + 1,
        uncertain=mail.uncertain + uncertain,
        trouble=one_line(trouble),
    )


def take_back(*, now: datetime) -> int:
    """Have mails sent again whose worker is gone: whether they left is not known. Returns: how many."""
    lost = list(Mail.objects.filter(stage=Stage.SENDING, claimed_at__lte=now - LOST_AFTER))
    for mail in lost:
        not_sent(mail, "worker lost", now=now, uncertain=True)
    return len(lost)


def erase_old(*, now: datetime) -> int:
    """Erase the words and address of what was sent, or given up, thirty days ago. Returns: how many."""
    old = Mail.objects.filter(erased_at=None, ended_at__lte=now - KEPT)
    return old.update(to="", subject="", text="", html="", trouble="", erased_at=now)


def one_line(text: str) -> str:
    return BREAKS.sub(" ", text).strip()[:TROUBLE_LIMIT]


def _end(mail: Mail, stage: Stage, trouble: str, now: datetime, *, uncertain: bool = False) -> None:
    _move(
        mail,
        stage=stage,
        ended_at=now,
        tries=mail.tries + 1,
        uncertain=mail.uncertain + uncertain,
        trouble=one_line(trouble),
    )


def _move(mail: Mail, **to: object) -> None:
    """Only for whoever holds the claim: a worker that was given up in between changes nothing any more."""
    Mail.objects.filter(pk=mail.pk, stage=Stage.SENDING, claim=mail.claim).update(claim="", claimed_at=None, **to)
