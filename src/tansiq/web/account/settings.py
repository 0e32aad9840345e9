"""How the portal speaks to one person: name, language, time zone, calendar, colours."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_http_methods

from tansiq.audit.actions import record
from tansiq.members.actions.own import choose_language
from tansiq.members.models import Person
from tansiq.web.account.signed_in import signed_in
from tansiq.web.languages import see_other

ZONES = frozenset(available_timezones())


class SettingsForm(forms.ModelForm):
    class Meta:
        model = Person
        fields = ("name", "language", "time_zone", "calendar", "theme")

    name = forms.CharField(label=gettext_lazy("Your name"), max_length=200)
    language = forms.ChoiceField(label=gettext_lazy("Language"), choices=settings.LANGUAGES)
    time_zone = forms.CharField(
        label=gettext_lazy("Time zone"),
        help_text=gettext_lazy("Such as Africa/Tunis or Asia/Kuala_Lumpur."),
        widget=forms.TextInput(attrs={"list": "time-zones", "dir": "ltr", "autocomplete": "off"}),
    )
    calendar = forms.ChoiceField(
        label=gettext_lazy("Dates"),
        widget=forms.RadioSelect,
        choices=[("gregorian", gettext_lazy("Gregorian")), ("both", gettext_lazy("Gregorian, with the Hijri date"))],
    )
    theme = forms.ChoiceField(
        label=gettext_lazy("Colours"),
        widget=forms.RadioSelect,
        choices=[
            ("auto", gettext_lazy("As the device says")),
            ("light", pgettext_lazy("colours", "Light")),
            ("dark", pgettext_lazy("colours", "Dark")),
        ],
    )

    def clean_name(self) -> str:
        name = self.cleaned_data["name"].strip()
        if not name.isprintable():
            raise ValidationError(_("A name stands on one line."))
        return name

    def clean_time_zone(self) -> str:
        if (zone := self.cleaned_data["time_zone"]) not in ZONES:
            raise ValidationError(_("{value} is no time zone that is known here.").format(value=zone))
        return zone


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    form = SettingsForm(request.POST if request.method == "POST" else None, instance=_person(request))
    if request.method == "POST" and form.is_valid():
        keep(form, request)
        with translation.override(form.instance.language):
            messages.success(request, _("Your settings are kept."))
        return see_other(request.path)
    return render(request, "account/settings.html", {"form": form, "zones": sorted(ZONES)})


@transaction.atomic
def keep(form: SettingsForm, request: HttpRequest) -> None:
    """On record are a change of language, and of name without the name: it is what colleagues go by."""
    person: Any = form.save(commit=False)
    person.save(update_fields=[name for name in form.changed_data if name != "language"])
    choose_language(person.language, by=request.viewer, now=request.now)
    if "name" in form.changed_data:
        record("person.renamed", person, by=request.viewer, now=request.now)


def _person(request: HttpRequest) -> Person:
    return Person.objects.get(pk=request.user.pk)
