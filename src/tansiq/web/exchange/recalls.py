"""Recalls: what became of those that this node ordered, those that came, and what a person keeps against one."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from tansiq.exchange.node import attending, listing
from tansiq.exchange.node import recalls as rules
from tansiq.exchange.node.looking import Look
from tansiq.exchange.reasons import Reason
from tansiq.web.desk.place import did
from tansiq.web.exchange import words
from tansiq.web.exchange.place import at_links, before, peers_of
from tansiq.web.languages import see_other

LONGEST_NAME, LONGEST_WHY = 128, 500


class KeepForm(forms.Form):
    object = forms.CharField(
        label=gettext_lazy("Name of the object"),
        max_length=LONGEST_NAME,
        help_text=gettext_lazy("As the exchange writes it: the owner's code, a colon, and the rest."),
        widget=forms.TextInput(attrs={"dir": "ltr", "autocomplete": "off", "spellcheck": "false"}),
    )
    reason = forms.ChoiceField(
        label=gettext_lazy("What its owner is told"),
        choices=[
            (Reason.EVIDENCE.value, gettext_lazy("It is evidence.")),
            (Reason.LAW.value, gettext_lazy("A law forbids us to delete it.")),
        ],
    )
    why = forms.CharField(
        label=gettext_lazy("Why, for our own record"),
        max_length=LONGEST_WHY,
        widget=forms.Textarea(attrs={"rows": 2, "dir": "auto"}),
    )


@at_links
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, looking: Look) -> HttpResponse:
    form = KeepForm(request.POST or None)
    if request.method == "POST" and did(form, lambda clean: _keep(looking, clean), {"exchange.keep.nothing": "object"}):
        messages.success(request, _("It is kept; its owner will be told the reason if it recalls it."))
        return see_other(reverse("exchange-recalls"))
    peer = request.GET.get("peer", "")[:32]
    context = {
        "ordered": listing.recalls_ordered(looking, now=request.now, peer=peer, before=before(request)),
        "heard": listing.recalls_heard(looking),
        "peer": peer,
        "peers": peers_of(looking),
        "form": form,
        "may_keep": looking.here is not None and bool(rules.may_keep(looking.here, by=request.viewer)),
        "whole": looking.is_whole,
        "words": words,
        "tab": "recalls",
    }
    return render(request, "exchange/recalls.html", context, status=422 if form.is_bound else 200)


def _keep(looking: Look, clean: dict[str, str]) -> None:
    attending.keep(looking, clean["object"], Reason(clean["reason"]), why=clean["why"])
