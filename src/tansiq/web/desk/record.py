"""The audit record, as far as its reader may see it: filtered, page after page, and verified."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from tansiq.audit import queries, rules
from tansiq.audit.verify import verify as verified
from tansiq.audit.words import FAULTS
from tansiq.notices.models import JobRun
from tansiq.web.desk.fields import MomentField
from tansiq.web.desk.place import at_desk
from tansiq.web.desk.record_words import FAMILIES, details, verb
from tansiq.web.navigation import reads_the_record

SHOWN = 50
LARGEST = 2**62


class FilterForm(forms.Form):
    """``item``: kind and code with a colon between them, or a kind alone."""

    verb = forms.ChoiceField(label=gettext_lazy("What happened"), required=False)
    item = forms.RegexField(
        r"^[a-z][a-z0-9_.-]{0,63}(:[A-Za-z0-9:._/+-]{1,200})?$",
        label=gettext_lazy("To what"),
        required=False,
        help_text=gettext_lazy("Such as team:XA-CERT, or team alone."),
        widget=forms.TextInput(attrs={"class": "tech", "autocomplete": "off"}),
    )
    by = forms.CharField(
        label=gettext_lazy("By whom"),
        required=False,
        max_length=128,
        help_text=gettext_lazy("A person's code, such as P-4F7K2M."),
        widget=forms.TextInput(attrs={"class": "tech", "autocomplete": "off"}),
    )
    since = MomentField(label=gettext_lazy("From"), required=False)
    until = MomentField(label=gettext_lazy("Before"), required=False)
    before = forms.IntegerField(required=False, min_value=1, max_value=LARGEST, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.fields["verb"].choices = [("", gettext_lazy("anything")), *FAMILIES.items()]

    @property
    def wishes(self) -> dict[str, Any]:
        """As ``audit.queries.entries`` takes them; what is not understood asks for nothing."""
        said = {name: value for name, value in self.cleaned_data.items() if value not in ("", None)}
        if "item" in said:
            kind, _colon, code = said["item"].partition(":")
            said["item"] = (kind, code)
        return said


@at_desk
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    form = FilterForm(request.GET)
    whole = form.is_valid()
    rows = queries.entries(request.viewer, now=request.now, limit=SHOWN + 1, **form.wishes) if whole else []
    more = len(rows) > SHOWN
    shown = {
        "form": form,
        "rows": [(row, verb(row.verb), details(row.values)) for row in rows[:SHOWN]],
        "older": rows[SHOWN - 1].number if more else None,
        "all": reads_the_record(request.viewer),
        **_state(request),
    }
    return render(request, "desk/record.html", shown, status=200 if whole else 422)


@at_desk
@require_POST
def verify(request: HttpRequest) -> HttpResponse:
    rules.may_verify(request.viewer).require()
    verdict = verified()
    broken = verdict.broken
    fault = _(FAULTS[broken.fault]).format(number=broken.number) if broken else ""
    return render(request, "desk/verdict.html", {"verdict": verdict, "fault": fault, **_state(request)})


def _state(request: HttpRequest) -> dict[str, Any]:
    """The head, and what the daily verification said last."""
    return {
        "head": queries.head(),
        "daily": JobRun.objects.filter(name="audit").exclude(ended_at=None).first(),
        "may_verify": bool(rules.may_verify(request.viewer)),
    }
