"""Refusals of the members desk, in words."""

from __future__ import annotations

from django.utils.translation import gettext as _

from tansiq.core.decision import NotAllowed
from tansiq.core.errors import TansiqError


def said(error: TansiqError) -> str:
    if isinstance(error, NotAllowed):
        return refusal(error.values["reason"])
    sentences = (error.message, error.remedy)
    return " ".join(_(sentence).format(**error.values) for sentence in sentences if sentence)


def refusal(reason: str) -> str:
    words = {
        "members.appointment.seat_not_secretariat": _("Seats of the federation are given by the Secretariat."),
        "members.appointment.seat_without_decision": _("A seat rests on a decision. Name it."),
        "members.appointment.not_head": _("Only the head of a team appoints in it; the Secretariat appoints heads."),
        "members.appointment.last_head": _("A team's last head goes only once there is another."),
        "members.person.other_teams": _("This person is of other teams too: the Secretariat decides."),
        "members.person.left": _("This person has left."),
    }
    return words.get(reason) or _("This is not allowed: {reason}.").format(reason=reason)
