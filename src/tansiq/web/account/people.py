"""Who is of a team: heads of teams and the Secretariat invite, appoint, and end."""

from __future__ import annotations

from allauth.account.decorators import reauthentication_required
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from tansiq.core.decision import NotAllowed
from tansiq.core.errors import TansiqError
from tansiq.core.viewer import Role, Seat, Viewer
from tansiq.members import actions, queries
from tansiq.members.models import Appointment, Person, Team
from tansiq.members.queries.people import Member
from tansiq.web.account.forms import InviteForm
from tansiq.web.account.signed_in import signed_in
from tansiq.web.account.words import said
from tansiq.web.front_door import sent
from tansiq.web.languages import see_other
from tansiq.web.navigation import role_name
from tansiq.web.signin import post


@signed_in
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    team = looked_after(request)
    return _shown(request, team, InviteForm(viewer=request.viewer, team=team))


@signed_in
@require_POST
@reauthentication_required
def invite(request: HttpRequest) -> HttpResponse:
    team = looked_after(request)
    form = InviteForm(request.POST, viewer=request.viewer, team=team)
    if not form.is_valid():
        return _shown(request, team, form, status=422)
    chosen = form.chosen
    try:
        result = actions.invite(
            form.cleaned_data["email"],
            post=chosen,
            team=None if isinstance(chosen, Seat) else get_object_or_404(Team, code=team),
            by=request.viewer,
            now=request.now,
            name=form.cleaned_data["name"],
            language=form.cleaned_data["language"],
            decision=form.cleaned_data.get("decision", ""),
        )
    except TansiqError as error:
        form.add_error(None, said(error))
        return _shown(request, team, form, status=422)
    if result.token:
        post.invite(result.person, result.token, inviter=request.user.name, now=request.now)
        _say_invited(request, result.person.email)
    else:
        messages.success(request, _("{name} was appointed.").format(name=result.person.name))
    return _back(team)


@signed_in
@require_POST
@reauthentication_required
def invite_again(request: HttpRequest, code: str) -> HttpResponse:
    team = looked_after(request)
    if code not in {member.code for member in _members(request, team)}:
        raise Http404
    person = Person.objects.get(code=code)
    try:
        token = actions.invite_again(person, by=request.viewer, now=request.now)
    except TansiqError as error:
        messages.error(request, said(error))
        return _back(team)
    post.invite(person, token, inviter=request.user.name, now=request.now)
    _say_invited(request, person.email)
    return _back(team)


@signed_in
@require_POST
@reauthentication_required
def end(request: HttpRequest, appointment: int) -> HttpResponse:
    team = looked_after(request)
    if appointment not in {held.id for member in _members(request, team) for held in member.held}:
        raise Http404
    row = Appointment.objects.select_related("person", "team").get(pk=appointment)
    try:
        actions.end_appointment(
            row,
            by=request.viewer,
            now=request.now,
            why=sent(request, "why", most=2000),
            decision=sent(request, "decision", most=300),
        )
    except NotAllowed as error:
        messages.error(request, said(error))
    else:
        messages.success(request, _("The appointment has ended."))
    return _back(team)


def looked_after(request: HttpRequest) -> str:
    """Code of the team whose people are shown; empty: the seats of the federation.

    The head of a team sees to that team. The Secretariat names one (``team``), or else sees the seats.
    """
    viewer: Viewer = request.viewer
    if viewer.sits(Seat.SECRETARIAT):
        code = sent(request, "in_team", most=32) or request.GET.get("team", "")
        return get_object_or_404(Team, code=code).code if code else ""
    if not viewer.holds(Role.HEAD):
        raise Http404
    return viewer.team


def _members(request: HttpRequest, team: str) -> list[Member]:
    if team:
        return queries.team_people(request.viewer, team, now=request.now)
    return queries.seats(request.viewer, now=request.now)


def _shown(request: HttpRequest, team: str, form: InviteForm, status: int = 200) -> HttpResponse:
    secretariat = request.viewer.sits(Seat.SECRETARIAT)
    context = {
        "team": team,
        "members": [
            (member, [(held, role_name(held.post)) for held in member.held]) for member in _members(request, team)
        ],
        "form": form,
        "teams": Team.objects.order_by("code").values_list("code", flat=True) if secretariat else [],
    }
    return render(request, "account/people.html", context, status=status)


def _say_invited(request: HttpRequest, address: str) -> None:
    """Without a mail server it goes nowhere, and whoever invites has to know."""
    if settings.SMTP is None:
        waits = _("The invitation to {address} waits: this node has no mail server. Ask whoever runs it to name one.")
        messages.warning(request, waits.format(address=address))
    else:
        messages.success(request, _("An invitation is on its way to {address}.").format(address=address))


def _back(team: str) -> HttpResponse:
    return see_other(f"{reverse('people')}?{urlencode({'team': team})}" if team else reverse("people"))
