"""The pages of the directory. Each asks the desk of members once."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from tansiq.core.text import Text
from tansiq.members.queries import pages
from tansiq.members.words import PERIOD_CATEGORIES
from tansiq.web.directory import words
from tansiq.web.directory.facts import entry_facts, team_facts
from tansiq.web.held import said_if_held
from tansiq.web.map.world import Place, drawing

SHOWN = 100
"""Teams a page."""


@require_safe
def teams(request: HttpRequest) -> HttpResponse:
    found = pages.directory_entries(request.viewer, now=request.now, **wishes(request))
    page = Paginator(found, SHOWN).get_page(request.GET.get("page"))
    shown = {"page": page, "count": len(found), "categories": words.CATEGORIES.items(), **wishes(request)}
    template = "directory/_teams.html" if request.headers.get("HX-Request") else "directory/teams.html"
    return render(request, template, shown)


@require_safe
@said_if_held
def teams_json(request: HttpRequest) -> JsonResponse:
    found = pages.directory_entries(request.viewer, now=request.now, **wishes(request))
    return JsonResponse({"teams": [entry_facts(entry) for entry in found]}, json_dumps_params={"ensure_ascii": False})


def wishes(request: HttpRequest) -> dict[str, str]:
    category = request.GET.get("category", "")
    return {
        "search": request.GET.get("search", "").strip()[:200],
        "category": category if category in (*PERIOD_CATEGORIES, "none") else "",
        "country": request.GET.get("country", "").strip().upper()[:2],
    }


@require_safe
def team(request: HttpRequest, code: str) -> HttpResponse:
    return render(request, "directory/team.html", {"team": page_of(request, code), "words": words})


@require_safe
@said_if_held
def team_json(request: HttpRequest, code: str) -> JsonResponse:
    return JsonResponse(team_facts(page_of(request, code)), json_dumps_params={"ensure_ascii": False})


def page_of(request: HttpRequest, code: str) -> pages.TeamPage:
    found = pages.team_page(request.viewer, code, now=request.now)
    if found is None:
        raise Http404
    return found


@require_safe
def certificate(request: HttpRequest, code: str, fingerprint: str) -> HttpResponse:
    """The armored certificate, as a file."""
    for held in page_of(request, code).certificates:
        if held.fingerprint == fingerprint:
            answer = HttpResponse(held.armored, content_type="application/pgp-keys")
            answer["Content-Disposition"] = f'attachment; filename="{held.file_name}"'
            return answer
    raise Http404


@require_safe
def world_map(request: HttpRequest) -> HttpResponse:
    entries = pages.map_entries(request.viewer, now=request.now)
    members = sum(entry.state and bool(entry.categories) for entry in entries)
    shown: dict[str, Any] = {
        "drawing": drawing([place(entry) for entry in entries if entry.state or entry.teams]),
        "entries": entries,
        "members": members,
        "states": sum(entry.state for entry in entries),
        "words": words,
    }
    return render(request, "directory/map.html", shown)


def place(entry: pages.MapEntry) -> Place:
    """A country as the map shows it: full colour with a Full Member, paler with another, plain without."""
    name = name_of(entry)
    status = ", ".join(str(words.CATEGORIES[category]) for category in entry.categories) or _("no member")
    tone = "good" if "full" in entry.categories else ("info" if entry.categories else "quiet")
    if len(entry.teams) == 1:
        url = reverse("team", args=[entry.teams[0].code])
    else:
        url = f"{reverse('teams')}?country={entry.country}"
    return Place(entry.country, name, url, tone, _("{country}: {status}").format(country=name, status=status))


def name_of(entry: pages.MapEntry) -> str:
    named: Text = entry.name
    return named.within(get_language() or "en")[0] or entry.country
