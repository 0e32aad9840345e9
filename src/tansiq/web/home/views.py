"""The first page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from tansiq.members.queries import pages
from tansiq.web.home.needs import needs


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    if request.viewer.nobody:
        entries = pages.map_entries(request.viewer, now=request.now)
        shown = {
            "teams": sum(len(entry.teams) for entry in entries),
            "states": sum(entry.state and bool(entry.teams) for entry in entries),
        }
        return render(request, "home/guest.html", shown)
    return render(request, "home/person.html", {"needs": needs(request.viewer, now=request.now)})
