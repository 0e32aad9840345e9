"""API keys of the team that a head acts for: made, shown once, revoked."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any

from allauth.account.decorators import reauthentication_required
from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from tansiq.core.errors import TansiqError
from tansiq.core.viewer import Scope
from tansiq.members.actions.keys import LIFE_DAYS, create_key, revoke_key
from tansiq.members.models import Team
from tansiq.members.queries import keys as queries
from tansiq.members.rules.keys import may_keep_keys
from tansiq.web.account.signed_in import signed_in
from tansiq.web.account.words import said
from tansiq.web.languages import see_other


class KeyForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Name of the key"),
        max_length=32,
        help_text=gettext_lazy("Small Latin letters, digits and hyphens, such as siem-export."),
        widget=forms.TextInput(attrs={"dir": "ltr", "autocomplete": "off"}),
    )
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("What it may do"),
        widget=forms.CheckboxSelectMultiple,
        choices=[
            (Scope.DIRECTORY_READ.value, gettext_lazy("Read the directory")),
            (Scope.DIRECTORY_WRITE.value, gettext_lazy("Change the team's entry in the directory")),
            (Scope.EVENTS_READ.value, gettext_lazy("Read the team's events")),
            (Scope.EVENTS_WRITE.value, gettext_lazy("Hand in events")),
            (Scope.EXCHANGE_READ.value, gettext_lazy("Read the state of the node's links")),
        ],
    )
    expires_on = forms.DateField(
        label=gettext_lazy("Works until the end of"), widget=forms.DateInput(attrs={"type": "date"})
    )
    addresses = forms.CharField(
        label=gettext_lazy("Only from these networks"),
        required=False,
        help_text=gettext_lazy("One a line, such as 192.0.2.0/24. Empty: from anywhere."),
        widget=forms.Textarea(attrs={"rows": 3, "dir": "ltr"}),
    )

    def wishes(self) -> dict[str, Any]:
        return {
            "scopes": [Scope(scope) for scope in self.cleaned_data["scopes"]],
            "expires_at": datetime.combine(self.cleaned_data["expires_on"], time(23, 59, 59), tzinfo=UTC),
            "addresses": self.cleaned_data["addresses"].split(),
        }


@signed_in
@never_cache
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    return _shown(request, KeyForm())


@signed_in
@require_POST
@reauthentication_required
@never_cache
def create(request: HttpRequest) -> HttpResponse:
    """The secret stands in the answer to this one request, and nowhere else."""
    form = KeyForm(request.POST)
    if not form.is_valid():
        return _shown(request, form, status=422)
    team = Team.objects.filter(code=request.viewer.team).first()
    if team is None:
        raise Http404
    try:
        made = create_key(form.cleaned_data["name"], team=team, by=request.viewer, now=request.now, **form.wishes())
    except TansiqError as error:
        form.add_error(None, said(error))
        return _shown(request, form, status=422)
    return _shown(request, KeyForm(), secret=made.secret)


@signed_in
@require_POST
@reauthentication_required
def revoke(request: HttpRequest, key: int) -> HttpResponse:
    row = queries.key_of(request.viewer, key)
    if row is None:
        raise Http404
    revoke_key(row, by=request.viewer, now=request.now)
    messages.success(request, _("The key {name} opens nothing any more.").format(name=row.name))
    return see_other(reverse("keys"))


STATES = {
    "active": pgettext_lazy("key", "active"),
    "expired": pgettext_lazy("key", "expired"),
    "revoked": pgettext_lazy("key", "revoked"),
}


def _shown(request: HttpRequest, form: KeyForm, *, secret: str = "", status: int = 200) -> HttpResponse:
    team = request.viewer.team
    keys = queries.keys_of(request.viewer, team, now=request.now)
    context = {
        "form": form,
        "secret": secret,
        "team": team,
        "keys": [(key, STATES[key.state]) for key in keys],
        "allowed": bool(team) and bool(may_keep_keys(team=team, by=request.viewer)),
        "days": LIFE_DAYS,
    }
    return render(request, "account/keys.html", context, status=status)
