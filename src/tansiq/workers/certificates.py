"""Judging teams' certificates again, and telling those who keep them what became of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from tansiq.core.errors import N_
from tansiq.core.language import catalogue
from tansiq.members.actions.certificates import Rechecked, in_use, recheck
from tansiq.members.queries import home_language
from tansiq.notices import mail
from tansiq.workers.reminders import named

SUBJECT = N_("The OpenPGP certificate of {team} needs a look")
GOOD_AGAIN = N_("The OpenPGP certificate of {team} is good again")
TOLD = N_(
    "This node judges the certificates of teams every day. Of this one of {team} it now says something else than "
    "before:\n\n{fingerprint}\n\n{findings}\n\nSee to it here: {address}"
)
NOTHING = N_("Nothing is wrong with it.")
FINDINGS = {
    "expired": N_("It has expired: nothing is sealed to it any more."),
    "expires_soon": N_("It expires soon."),
    "revoked": N_("It is revoked: nothing is sealed to it any more."),
    "weak": N_("Its algorithms are weak by the measure of today."),
    "no_encryption_subkey": N_("Nothing can be encrypted to it."),
    "no_signing_key": N_("It cannot sign."),
    "wrong_address": N_("It names no mail address of the team."),
    "v6_only": N_("GnuPG cannot read it."),
    "unbound": N_("It is not held together by a valid signature of its own."),
}
"""Code of a finding -> what the mail says of it."""


def recheck_and_tell(address: str, *, now: datetime) -> int:
    """Judge all again; each change is written in one transaction with the mails that tell of it.

    Args:
        address: of the portal, where certificates are kept.

    Returns: how many certificates changed.
    """
    count = 0
    for pk in in_use():
        with transaction.atomic():
            if (change := recheck(pk, now=now)) is not None:
                _tell(change, address, now)
                count += 1
    return count


def _tell(change: Rechecked, address: str, now: datetime) -> None:
    own = home_language()  # of a mailbox that no person here stands behind
    for email, spoken in change.to:
        language = spoken or own
        words = catalogue(language).gettext
        team = named(change.names, language, change.team)
        subject = words(SUBJECT if change.findings else GOOD_AGAIN).format(team=team)
        text = words(TOLD).format(
            team=team,
            fingerprint=change.fingerprint,
            findings=_findings(change, words),
            address=f"{address}/teams/{change.team}/keys/",
        )
        mail.enqueue(email, subject, text, language=language, now=now)


def _findings(change: Rechecked, words: Callable[[str], str]) -> str:
    said = dict.fromkeys(words(FINDINGS[code]) for code in change.findings)  # one weak part or three: said once
    return "\n".join(said) or words(NOTHING)
