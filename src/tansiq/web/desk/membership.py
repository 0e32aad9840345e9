"""A team's periods of membership, as the Secretariat keeps them: each with the decision it rests on."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from tansiq.members import actions, queries, rules
from tansiq.members.models import MembershipPeriod, Team
from tansiq.web.desk.fields import DayField
from tansiq.web.desk.place import at_desk, at_team, did, team_at
from tansiq.web.directory import words
from tansiq.web.languages import see_other

AT_FIELD = {"members.period.order": "until", "members.period.undecided": "decision"}
PRECISIONS = {
    "day": pgettext_lazy("precision", "to the day"),
    "month": pgettext_lazy("precision", "to the month"),
    "year": pgettext_lazy("precision", "to the year"),
}
MOVES = {
    "active": pgettext_lazy("membership", "reinstated"),
    **{state: words.STANDINGS[state] for state in ("suspended", "revoked", "withdrawn")},
}


def decision() -> forms.CharField:
    return forms.CharField(
        label=gettext_lazy("Decision it rests on"), max_length=300, widget=forms.TextInput(attrs={"dir": "auto"})
    )


class PeriodForm(forms.Form):
    category = forms.ChoiceField(label=gettext_lazy("Category"), choices=list(words.CATEGORIES.items()))
    since = DayField(label=gettext_lazy("Since"), required=False, help_text=gettext_lazy("Empty: unknown."))
    since_precision = forms.ChoiceField(label=gettext_lazy("Known"), choices=list(PRECISIONS.items()))
    until = DayField(
        label=gettext_lazy("Until"),
        required=False,
        help_text=gettext_lazy("The first day on which it no longer holds."),
    )
    decision = decision()
    source = forms.CharField(
        label=gettext_lazy("Source"), max_length=300, required=False, widget=forms.TextInput(attrs={"dir": "auto"})
    )


class StandingForm(forms.Form):
    state = forms.ChoiceField(label=gettext_lazy("From then on"), choices=list(MOVES.items()))
    since = DayField(label=gettext_lazy("Since"))
    decision = decision()


class EndForm(forms.Form):
    until = DayField(label=gettext_lazy("The first day on which it no longer holds"))
    decision = decision()


class CommunityForm(forms.Form):
    agreement = forms.CharField(
        label=gettext_lazy("Agreement by which the company is of the community"),
        max_length=300,
        required=False,
        help_text=gettext_lazy("With it TLP:GREEN reaches them; empty takes it back."),
        widget=forms.TextInput(attrs={"dir": "auto"}),
    )


@at_desk
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, code: str) -> HttpResponse:
    team = _team(request, code)
    form = PeriodForm(request.POST or None)
    act = lambda clean: actions.open_period(team, by=request.viewer, now=request.now, **clean)  # noqa: E731
    if request.method == "POST" and did(form, act, AT_FIELD):
        messages.success(request, _("The period is in the register."))
        return _back(code)
    return _shown(request, team, form=form)


@at_desk
@require_POST
def standing(request: HttpRequest, code: str, number: int) -> HttpResponse:
    period = _period(request, code, number)
    form = _form(StandingForm, period, request.POST)
    if did(form, lambda clean: actions.set_standing(period, by=request.viewer, now=request.now, **clean), AT_FIELD):
        messages.success(request, _("How the membership stands is in the register."))
        return _back(code)
    return _shown(request, period.team, mistaken={(number, "standing"): form})


@at_desk
@require_POST
def end(request: HttpRequest, code: str, number: int) -> HttpResponse:
    period = _period(request, code, number)
    form = _form(EndForm, period, request.POST)
    if did(form, lambda clean: actions.end_period(period, by=request.viewer, now=request.now, **clean), AT_FIELD):
        messages.success(request, _("The end of the period is in the register."))
        return _back(code)
    return _shown(request, period.team, mistaken={(number, "end"): form})


@at_desk
@require_POST
def community(request: HttpRequest, code: str, number: int) -> HttpResponse:
    period = _period(request, code, number)
    form = _form(CommunityForm, period, request.POST)
    if did(form, lambda clean: actions.agree_community(period, by=request.viewer, now=request.now, **clean)):
        messages.success(request, _("The agreement is in the register."))
        return _back(code)
    return _shown(request, period.team, mistaken={(number, "community"): form})


def _form(kind: type[forms.Form], period: MembershipPeriod, said: Any) -> forms.Form:
    return kind(said, auto_id=f"{kind.__name__}-{period.pk}-%s")


def _shown(
    request: HttpRequest, team: Team, *, form: forms.Form | None = None, mistaken: dict[Any, forms.Form] | None = None
) -> HttpResponse:
    mistaken = mistaken or {}
    form = form or PeriodForm()
    rows = []
    for period in queries.periods_of(request.viewer, team.code, day=request.now.date()):
        empty = {
            "standing": StandingForm(auto_id=f"standing-{period.id}-%s"),
            "end": EndForm(auto_id=f"end-{period.id}-%s"),
            "community": CommunityForm(
                initial={"agreement": period.community_agreement}, auto_id=f"community-{period.id}-%s"
            ),
        }
        rows.append((period, {name: mistaken.get((period.id, name), each) for name, each in empty.items()}))
    status = 422 if mistaken or form.is_bound else 200
    contending = queries.full_member_conflicts(request.viewer, day=request.now.date()).get(team.country, ())
    return at_team(
        request,
        "desk/membership.html",
        team,
        here="membership",
        status=status,
        form=form,
        rows=rows,
        contenders=[code for code in contending if code != team.code] if team.code in contending else [],
        precisions=PRECISIONS,
        words=words,
    )


def _team(request: HttpRequest, code: str) -> Team:
    team = team_at(request, code)
    rules.may_keep_register(by=request.viewer).require()
    return team


def _period(request: HttpRequest, code: str, number: int) -> MembershipPeriod:
    return get_object_or_404(MembershipPeriod.objects.select_related("team"), team=_team(request, code), pk=number)


def _back(code: str) -> HttpResponse:
    return see_other(reverse("membership", args=[code]))
