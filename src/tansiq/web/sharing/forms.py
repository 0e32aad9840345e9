"""The fields of a marking, for this desk's page and for the form of any desk that shares something."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from tansiq.core.marking import CODE, LONGEST_NOTE, Audience, BadMarking, Marking, Pap, RedNamesTeams, Tlp, unfit
from tansiq.core.viewer import Viewer
from tansiq.members import queries
from tansiq.web.desk.fields import MomentField
from tansiq.web.desk.words import told
from tansiq.web.templatetags.tansiq import meaning, spoken, tech, tlp

MOST_TYPED = 2000
"""Characters of the field of codes."""


class MarkingForm(forms.Form):
    """A marking of something of the viewer's own team: its origin is that team and cannot be typed.

    The prefix keeps its fields apart from those of the form it stands in.
    """

    prefix = "marking"

    tlp = forms.ChoiceField(label=pgettext_lazy("marking", "Label"), widget=forms.RadioSelect, initial=Tlp.RED.label)
    teams = forms.MultipleChoiceField(
        label=gettext_lazy("Teams named"), widget=forms.CheckboxSelectMultiple, required=False
    )
    persons = forms.MultipleChoiceField(
        label=gettext_lazy("People of your team named"), widget=forms.CheckboxSelectMultiple, required=False
    )
    others = forms.CharField(
        label=gettext_lazy("Other people named, by their codes"),
        required=False,
        max_length=MOST_TYPED,
        help_text=gettext_lazy("With spaces between them. People find their code in their settings."),
        widget=forms.TextInput(attrs={"class": "tech", "dir": "ltr", "autocomplete": "off", "spellcheck": "false"}),
    )
    embargo_until = MomentField(
        label=gettext_lazy("Embargo until"),
        required=False,
        help_text=gettext_lazy("On your own clock. Until then only your team and whoever is named."),
    )
    pap = forms.ChoiceField(
        label=gettext_lazy("What recipients may do with it"),
        required=False,
        help_text=gettext_lazy("The Permissible Actions Protocol. It limits what is done, never who sees it."),
    )
    note = forms.CharField(
        label=gettext_lazy("Note on handling"),
        required=False,
        max_length=LONGEST_NOTE,
        widget=forms.TextInput(attrs={"dir": "auto", "autocomplete": "off"}),
    )
    all = forms.BooleanField(label=gettext_lazy("List every team, however many"), required=False)

    def __init__(self, *args: Any, viewer: Viewer, now: datetime, **named: Any) -> None:
        super().__init__(*args, **named)
        self.viewer, self.now = viewer, now
        self.fields["tlp"].choices = [
            (label.label, format_html('{} <span class="muted">{}</span>', tlp(label), meaning(name_of(label))))
            for label in Tlp
        ]
        self.fields["pap"].choices = [("", pgettext_lazy("marking", "not stated"))] + [
            (label.label, label.label) for label in Pap
        ]
        self.fields["teams"].choices = [
            (code, format_html("{} <bdi>{}</bdi>", tech(code), names.within(spoken())[0]))
            for code, names in queries.team_names().items()
            if code != viewer.team
        ]
        self.fields["persons"].choices = [
            (member.code, member.name) for member in queries.team_people(viewer, viewer.team, now=now)
        ]

    def clean_others(self) -> list[str]:
        codes = self.cleaned_data["others"].upper().replace(",", " ").split()
        for code in codes:
            if not CODE.fullmatch(code):
                raise ValidationError(_("{value} is not a code of a person.").format(value=code))
        return codes

    def clean_embargo_until(self) -> datetime | None:
        until: datetime | None = self.cleaned_data["embargo_until"]
        if until is not None and until <= self.now:
            raise ValidationError(_("This moment is past: an embargo ends in the future."))
        return until

    def clean_note(self) -> str:
        note: str = self.cleaned_data["note"]
        if unfit(note):
            raise ValidationError(_("A note stands on one line, without control characters."))
        return note

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or {}
        if not self.errors:
            try:
                said["marking"] = self._marking(said)
            except RedNamesTeams as error:
                self.add_error("teams", told(error))
            except BadMarking as error:
                self.add_error(None, told(error))
        return said

    def marking(self) -> Marking:
        """What the valid form says."""
        marking: Marking = self.cleaned_data["marking"]
        return marking

    def _marking(self, said: dict[str, Any]) -> Marking:
        return Marking(
            Tlp.parse(said["tlp"]),
            self.viewer.team,
            Audience.of(teams=said["teams"], persons=[*said["persons"], *said["others"]]),
            embargo_until=said["embargo_until"],
            pap=Pap.parse(said["pap"]) if said["pap"] else None,
            note=said["note"],
        )


def name_of(label: Tlp) -> str:
    return label.label.removeprefix("TLP:")
