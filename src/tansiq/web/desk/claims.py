"""What a team answers for: proposed with evidence, judged by the federation's keeper, ended by either."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from tansiq.core.decision import NotAllowed
from tansiq.core.errors import TansiqError
from tansiq.members import actions, queries, rules
from tansiq.members.models import Claim, Team
from tansiq.web.desk.fields import MomentField
from tansiq.web.desk.place import at_desk, at_team, did
from tansiq.web.desk.words import told
from tansiq.web.directory import words
from tansiq.web.front_door import sent
from tansiq.web.languages import see_other, way_back

AT_FIELD = {
    "members.country.unknown": "value",
    "members.asn.malformed": "value",
    "members.asn.reserved": "value",
    "members.cidr.malformed": "value",
    "members.cidr.host_bits": "value",
    "members.cidr.everything": "value",
    "members.domain.malformed": "value",
    "members.domain.suffix": "value",
    "members.claim.claimed_already": "value",
    "members.claim.validity": "valid_until",
    "members.claim.no_evidence": "evidence",
    "members.claim.evidence": "url",
}


class ClaimForm(forms.Form):
    kind = forms.ChoiceField(label=pgettext_lazy("claim", "Kind"), choices=list(words.CLAIM_KINDS.items()))
    value = forms.CharField(
        label=pgettext_lazy("claim", "What is claimed"),
        max_length=300,
        help_text=gettext_lazy("Such as MA, 192.0.2.0/24, AS64496 or gov.example."),
        widget=forms.TextInput(attrs={"class": "tech", "autocomplete": "off", "spellcheck": "false"}),
    )
    evidence = forms.CharField(
        label=gettext_lazy("Why the team answers for it"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "dir": "auto"}),
    )
    url = forms.CharField(
        label=gettext_lazy("Address of a document that says so"),
        required=False,
        widget=forms.TextInput(attrs={"class": "tech", "autocomplete": "off", "placeholder": "https://"}),
    )
    valid_from = MomentField(label=gettext_lazy("From"), required=False, help_text=gettext_lazy("Empty: always."))
    valid_until = MomentField(
        label=gettext_lazy("Until"), required=False, help_text=gettext_lazy("Empty: without end.")
    )
    decision = forms.CharField(
        label=gettext_lazy("Agreement or decision"),
        max_length=300,
        required=False,
        help_text=gettext_lazy("By which it stands inside another team's claim, if it does."),
        widget=forms.TextInput(attrs={"dir": "auto"}),
    )


@at_desk
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, code: str) -> HttpResponse:
    team = _team(request, code)
    form = ClaimForm(request.POST or None)
    if request.method == "POST":
        rules.may_propose_claim(team=code, by=request.viewer).require()
        act = lambda clean: actions.propose_claim(team, by=request.viewer, now=request.now, **clean)  # noqa: E731
        if did(form, act, AT_FIELD):
            messages.success(request, _("The claim is proposed. It has no effect until the Secretariat verifies it."))
            return see_other(reverse("claims", args=[code]))
    return _shown(request, team, form)


@at_desk
@require_POST
def end(request: HttpRequest, code: str, number: int) -> HttpResponse:
    claim = _claim(request, code, number)
    actions.end_claim(claim, by=request.viewer, now=request.now, why=sent(request, "why", most=2000))
    messages.success(request, _("The claim of {value} has ended.").format(value=claim.value))
    return see_other(reverse("claims", args=[code]))


@at_desk
@require_POST
def judge(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """Verify or refuse, each with a note of why."""
    claim = _claim(request, code, number)
    verbs = {"verify": actions.verify_claim, "refuse": actions.refuse_claim}
    verb = verbs.get(request.POST.get("outcome", ""))
    if verb is None:
        raise Http404
    note = sent(request, "note", most=4000)
    if _done(request, lambda: verb(claim, note=note, by=request.viewer, now=request.now)):
        said = {
            "verify": _("{value} is verified for {team}: from now on it attributes."),
            "refuse": _("{value} is refused to {team}."),
        }[request.POST["outcome"]]
        messages.success(request, said.format(value=claim.value, team=code))
    return _back(request, code)


@at_desk
@require_POST
def decide(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """By which decision the claim stands inside another team's."""
    claim = _claim(request, code, number)
    decision = sent(request, "decision", most=300)
    if _done(request, lambda: actions.decide_overlap(claim, decision, by=request.viewer, now=request.now)):
        messages.success(request, _("The decision is recorded: {value} attributes to {team}.").format(
            value=claim.value, team=code
        ))  # fmt: skip
    return _back(request, code)


def _shown(request: HttpRequest, team: Team, form: ClaimForm) -> HttpResponse:
    viewer, code = request.viewer, team.code
    claims = queries.claims_of(viewer, code, now=request.now)
    overlaps = queries.overlaps_of(viewer, code, now=request.now)
    contested = {(one.kind, one.value): one.effect for one in overlaps if one.team == code}
    return at_team(
        request,
        "desk/claims.html",
        team,
        here="claims",
        status=422 if form.is_bound else 200,
        form=form,
        rows=[(claim, contested.get((claim.kind, claim.value), "")) for claim in claims],
        overlaps=overlaps,
        may_propose=bool(rules.may_propose_claim(team=code, by=viewer)),
        may_end=bool(rules.may_end_claim(team=code, by=viewer)),
        may_judge=bool(rules.may_judge_claim(team=code, by=viewer, judged=False)),
        words=words,
    )


def _team(request: HttpRequest, code: str) -> Team:
    """For the team's own people and the federation's seats; to others it is not there."""
    if not rules.may_see_proposals(team=code, viewer=request.viewer):
        raise Http404
    return get_object_or_404(Team, code=code)


def _claim(request: HttpRequest, code: str, number: int) -> Claim:
    return get_object_or_404(Claim.objects.select_related("team"), team=_team(request, code), pk=number)


def _done(request: HttpRequest, act: Any) -> bool:
    try:
        act()
    except NotAllowed:
        raise
    except TansiqError as error:
        messages.error(request, told(error))
        return False
    return True


def _back(request: HttpRequest, code: str) -> HttpResponse:
    return see_other(way_back(request) if request.POST.get("next") else reverse("claims", args=[code]))
