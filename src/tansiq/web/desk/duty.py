"""Who is on duty, now and later: planned by the team, on each reader's own clock."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from tansiq.members import actions, queries, rules
from tansiq.members.models import DutyShift, Person
from tansiq.members.queries.people import Member
from tansiq.web import writing
from tansiq.web.desk.fields import MomentField
from tansiq.web.desk.place import at_desk, at_team, did, own_team_at
from tansiq.web.languages import see_other


class ShiftForm(forms.Form):
    person = forms.ChoiceField(label=gettext_lazy("Person"))
    since = MomentField(label=gettext_lazy("From"))
    until = MomentField(label=gettext_lazy("Until"))

    def __init__(self, *args: Any, people: list[Member], **named: Any) -> None:
        super().__init__(*args, **named)
        self.fields["person"].choices = [(member.code, member.name) for member in people]

    def clean_person(self) -> Person:
        return Person.objects.get(code=self.cleaned_data["person"])


@at_desk
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, code: str) -> HttpResponse:
    team, viewer, now = own_team_at(request, code), request.viewer, request.now
    form = ShiftForm(request.POST or None, people=queries.team_people(viewer, code, now=now))
    if request.method == "POST":
        rules.may_keep_duty(team=code, by=viewer).require()
        act = lambda clean: actions.put_on_duty(team=team, by=viewer, now=now, **clean)  # noqa: E731
        if did(form, act, {"members.duty.times": "until", "members.duty.person": "person"}):
            messages.success(request, _("The shift is planned."))
            return see_other(reverse("duty", args=[code]))
    roster = queries.duty_roster(viewer, code, now=now)
    return at_team(
        request,
        "desk/duty.html",
        team,
        here="duty",
        status=422 if form.is_bound else 200,
        form=form,
        present=[shift for shift in roster if shift.since <= now],
        coming=[shift for shift in roster if shift.since > now],
        may_keep=bool(rules.may_keep_duty(team=code, by=viewer)),
        zone=writing.zone(timezone.get_current_timezone(), get_language() or "en"),
    )


@at_desk
@require_POST
def end(request: HttpRequest, code: str, number: int) -> HttpResponse:
    team = own_team_at(request, code)
    shift = get_object_or_404(DutyShift.objects.select_related("team", "person"), team=team, pk=number)
    actions.take_off_duty(shift, by=request.viewer, now=request.now)
    messages.success(request, _("The shift is over.") if shift.since < request.now else _("The shift is taken out."))
    return see_other(reverse("duty", args=[code]))
