"""Inviting somebody to a role in one team, or to a seat of the federation."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tansiq.core.viewer import Role, Seat, Viewer
from tansiq.web.navigation import role_name


class InviteForm(forms.Form):
    email = forms.EmailField(
        label=_("Mail address"), widget=forms.EmailInput(attrs={"dir": "ltr", "autocomplete": "off"})
    )
    name = forms.CharField(label=_("Name"), max_length=200, required=False)
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    post = forms.ChoiceField(label=pgettext_lazy("field", "Role"))
    decision = forms.CharField(
        label=_("Decision"),
        max_length=300,
        required=False,
        help_text=_("What it rests on, such as a resolution of the Board."),
    )

    def __init__(self, *args: Any, viewer: Viewer, team: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind: type[Role] | type[Seat] = Role if team else Seat
        self.fields["post"].choices = [(post.value, role_name(post)) for post in offered(viewer, team)]
        if team:
            del self.fields["decision"]
        else:
            self.fields["decision"].required = True

    @property
    def chosen(self) -> Role | Seat:
        return self.kind(self.cleaned_data["post"])


def offered(viewer: Viewer, team: str) -> list[Role | Seat]:
    """What the viewer may give there: a head all roles of the own team, the Secretariat heads and seats."""
    if not team:
        return list(Seat)
    return list(Role) if viewer.team == team and viewer.holds(Role.HEAD) else [Role.HEAD]
