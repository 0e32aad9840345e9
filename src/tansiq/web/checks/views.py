"""The page on which a check of another node is answered, and what of it needs somebody now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from tansiq.core.decision import NotAllowed
from tansiq.core.errors import TansiqError
from tansiq.core.viewer import Viewer
from tansiq.exchange import rules
from tansiq.exchange.models import CheckHeard
from tansiq.exchange.node import checking, rosters
from tansiq.exchange.node.looking import look
from tansiq.web.desk.place import at_desk
from tansiq.web.desk.words import told
from tansiq.web.languages import see_other

ANSWERED_SHOWN = 20
LARGEST_NUMBER = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Unseen:
    """A check that nobody here has answered."""

    number: int
    team: str
    heard_at: datetime


def unseen(viewer: Viewer, now: datetime) -> Iterator[Unseen]:
    """For whoever may answer them; nothing for others."""
    rows = checking.unseen(now)
    if rows and rules.may_answer_check(operator=look(viewer, now=now).operator, by=viewer):
        yield from (Unseen(row.pk, row.team, row.heard_at) for row in rows)


@at_desk
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    viewer, now = request.viewer, request.now
    rules.may_answer_check(operator=look(viewer, now=now).operator, by=viewer).require()
    answered = CheckHeard.objects.filter(seen_at__isnull=False).order_by("-seen_at")[:ANSWERED_SHOWN]
    return render(request, "checks/page.html", {"unseen": list(unseen(viewer, now)), "answered": list(answered)})


@at_desk
@require_POST
def seen(request: HttpRequest, number: int) -> HttpResponse:
    """Raises: NotAllowed."""
    try:
        here = rosters.here(settings.HOME, now=request.now)
        if here is None:
            raise checking.NotAsked
        checking.acknowledge(here, min(number, LARGEST_NUMBER), by=request.viewer, now=request.now)
        messages.success(request, _("Thank you. They are told that you have seen it."))
    except NotAllowed:
        raise
    except TansiqError as error:
        messages.error(request, told(error))
    return see_other(reverse("checks"))
