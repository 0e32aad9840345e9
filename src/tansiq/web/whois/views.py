"""The page and the JSON of "who answers for this?"; what they show of contacts is what the viewer may see."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from tansiq.attribution import reasons
from tansiq.attribution.targets import BadTarget, read
from tansiq.audit.actions import record_read
from tansiq.core.errors import TansiqError
from tansiq.core.viewer import Viewer
from tansiq.members import rules, withheld
from tansiq.web.api.refusals import told
from tansiq.web.held import said_if_held
from tansiq.web.whois.book import book

LONGEST = 2048
"""Characters of a target that are looked at: a URL may be long, a question is not longer."""

EXAMPLES = ("192.0.2.7", "2001:db8::/32", "AS64496", "gov.example", "MA")


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    asked = request.GET.get("target", "").strip()
    shown: dict[str, Any] = {"asked": asked, "examples": EXAMPLES, "longest": LONGEST}
    status = 200
    if asked:
        try:
            shown |= answered(asked, request)
        except TansiqError as error:
            shown["refused"] = told(error)
            status = 503 if error.transient else 400
    return render(request, "whois/page.html", shown, status=status)


@require_safe
@said_if_held
def as_json(request: HttpRequest) -> JsonResponse:
    """The object of ``tansiq members whois --json``; an error is ``{"error": {code, message, remedy}}``."""
    asked = request.GET.get("target", "").strip()
    try:
        answer = look_up(asked, request)[0]
    except TansiqError as error:
        status = 503 if error.transient else 400
        return JsonResponse({"target": asked[:LONGEST], "error": told(error)}, status=status)
    return JsonResponse(answer, json_dumps_params={"ensure_ascii": False})


def answered(asked: str, request: HttpRequest) -> dict[str, Any]:
    answer, team, said = look_up(asked, request)
    return {"answer": answer, "team": team, "why": reason(answer["reason"]), "made_from": said}


def look_up(asked: str, request: HttpRequest) -> tuple[dict[str, Any], Any, dict[str, Any]]:
    read(asked[:LONGEST])  # what is no target is the asker's matter, table or none
    table, cards, said = book()
    answer = for_viewer(request.viewer, table.answer(asked[:LONGEST], now=request.now), withheld.teams())
    note_readings(request.viewer, [answer], now=request.now)
    return answer, cards.get(answer["team"]), said


def look_up_all(targets: Iterable[str], request: HttpRequest) -> list[tuple[str, dict[str, Any] | BadTarget]]:
    """Each target as it was asked, with its answer, or with why there is none. Raises: NothingCompiled."""
    table, _cards, _said = book()
    closed = withheld.teams()
    found: list[tuple[str, dict[str, Any] | BadTarget]] = []
    for target in targets:
        try:
            answer = table.answer(target[:LONGEST], now=request.now)
            found.append((target, for_viewer(request.viewer, answer, closed)))
        except BadTarget as error:
            found.append((target, error))
    note_readings(request.viewer, (answer for _target, answer in found if isinstance(answer, dict)), now=request.now)
    return found


def for_viewer(viewer: Viewer, answer: dict[str, Any], closed: Collection[str]) -> dict[str, Any]:
    """With the contacts that the viewer may see: a guest those that the team publishes, as everybody of a team that is
    one of ``closed``."""
    team = answer["team"] or ""
    if team in closed or not rules.may_see_contacts(viewer, team=team):
        answer["contacts"] = [contact for contact in answer["contacts"] if contact.get("public")]
    return answer


def note_readings(viewer: Viewer, answers: Iterable[dict[str, Any]], *, now: datetime) -> None:
    """That somebody read contacts of other teams that are not public is recorded, once an hour a reader and team."""
    shown = {answer["team"] for answer in answers if not all(held.get("public") for held in answer["contacts"])}
    for team in sorted(shown - {viewer.team}):
        record_read(("contacts", team), by=viewer, now=now)


def reason(stored: str) -> str:
    known = reasons.read(stored)
    said = _(known.sentence).format(**known.values)
    return _(reasons.PARTS).format(reason=said, others=known.others) if known.others else said
