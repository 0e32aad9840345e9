"""A form with every kind of field, and one that was filled in badly."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tansiq.core.viewer import Role
from tansiq.web.navigation import role_name


class Specimen(forms.Form):
    name = forms.CharField(label=_("Name of the team"), help_text=_("As the team writes it itself."))
    email = forms.EmailField(label=_("Mail address"))
    role = forms.ChoiceField(label=pgettext_lazy("field", "Role"))
    hours = forms.ChoiceField(
        label=_("Reachable"),
        widget=forms.RadioSelect,
        choices=[("24x7", _("at any hour")), ("office", _("in office hours"))],
        initial="24x7",
    )
    note = forms.CharField(label=_("Note"), widget=forms.Textarea(attrs={"rows": 3}), required=False)
    consent = forms.BooleanField(label=_("Show this contact to guests"), required=False)

    def __init__(self, *args: object, **named: object) -> None:
        super().__init__(*args, **named)
        self.fields["role"].choices = [(role.value, role_name(role)) for role in Role]


def empty(mark: str) -> Specimen:
    return Specimen(auto_id=f"{mark}-empty-%s")


def mistaken(mark: str) -> Specimen:
    """Filled in with a mistake of each kind."""
    said = {"name": "", "email": "amina(at)cert.example", "role": Role.ANALYST.value, "hours": "24x7"}
    return Specimen(said, auto_id=f"{mark}-mistaken-%s")
