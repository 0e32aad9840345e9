"""At whose desk a page is, and how a refusal is told there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import pgettext

from tansiq.core.decision import Decision, NotAllowed
from tansiq.core.errors import TansiqError
from tansiq.core.viewer import Seat, Viewer
from tansiq.members import rules
from tansiq.members.models import Team
from tansiq.web import reasons
from tansiq.web.account.signed_in import signed_in
from tansiq.web.desk.words import told

View = Callable[..., HttpResponse]


def at_desk(view: View) -> View:
    """For those who are signed in; what a rule refuses is told in words."""

    @signed_in
    @wraps(view)
    def handled(request: HttpRequest, *args: Any, **named: Any) -> HttpResponse:
        try:
            return view(request, *args, **named)
        except NotAllowed as error:
            return refused(request, error)

    return handled


def refused(request: HttpRequest, error: NotAllowed) -> HttpResponse:
    sentence = reasons.sentence(Decision(False, error.values["reason"], error.values))
    return render(request, "desk/refused.html", {"sentence": sentence}, status=403)


def team_at(request: HttpRequest, code: str) -> Team:
    """The team, for its own people and the Secretariat; to others this desk is not there. Raises: Http404."""
    if request.viewer.team != code and not request.viewer.sits(Seat.SECRETARIAT):
        raise Http404
    return get_object_or_404(Team, code=code)


def own_team_at(request: HttpRequest, code: str) -> Team:
    """The team, for its own people alone. Raises: Http404."""
    if request.viewer.team != code:
        raise Http404
    return get_object_or_404(Team, code=code)


def did(form: forms.Form, act: Callable[[dict[str, Any]], object], fields: dict[str, str] | None = None) -> bool:
    """Do what the form asks, if it is whole. What the desk finds wrong becomes an error of the form.

    Args:
        act: calls one action of the desk with the form's clean values.
        fields: code of an error -> the field at which it is said; others are said of the whole form.

    Raises: NotAllowed.
    """
    if not form.is_valid():
        return False
    try:
        act(form.cleaned_data)
    except NotAllowed:
        raise
    except TansiqError as error:
        form.add_error((fields or {}).get(error.code), told(error))
        return False
    return True


@dataclass(frozen=True, slots=True)
class Tab:
    label: str
    address: str
    here: bool


def tabs(viewer: Viewer, code: str, here: str) -> list[Tab]:
    """The pages of a team's desk that the viewer may open."""
    own, secretariat = viewer.team == code, viewer.sits(Seat.SECRETARIAT)
    places = (
        (pgettext("desk", "Contacts"), "contacts", own or secretariat),
        (pgettext("desk", "Duty roster"), "duty", own),
        (pgettext("desk", "OpenPGP certificates"), "team-keys", own or secretariat),
        (pgettext("desk", "RFC 2350 profile"), "profile-edit", bool(rules.may_keep_profile(team=code, by=viewer))),
        (pgettext("desk", "Claims"), "claims", own or bool(viewer.seats)),
        (pgettext("desk", "Membership"), "membership", secretariat),
    )
    return [Tab(label, reverse(view, args=[code]), view == here) for label, view, open_ in places if open_]


def at_team(
    request: HttpRequest, template: str, team: Team, *, here: str, status: int = 200, **context: Any
) -> HttpResponse:
    """A page of a team's desk; 422 where a form was not accepted."""
    context |= {"team": team, "tabs": tabs(request.viewer, team.code, here)}
    return render(request, template, context, status=status)
