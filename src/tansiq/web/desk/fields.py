"""Fields that several forms of the desk have."""

from __future__ import annotations

from typing import Any

from django import forms


class MomentField(forms.DateTimeField):
    """A day and a time on the reader's own clock; becomes an aware moment."""

    def __init__(self, **named: Any) -> None:
        widget = forms.DateTimeInput(attrs={"type": "datetime-local", "dir": "ltr"}, format="%Y-%m-%dT%H:%M")
        super().__init__(widget=widget, **named)


class DayField(forms.DateField):
    def __init__(self, **named: Any) -> None:
        super().__init__(widget=forms.DateInput(attrs={"type": "date", "dir": "ltr"}, format="%Y-%m-%d"), **named)
