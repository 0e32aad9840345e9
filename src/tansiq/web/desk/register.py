"""What waits for the keepers of the register."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from tansiq.members import queries, rules
from tansiq.web.desk.place import at_desk
from tansiq.web.desk.words import SHORT_FLAGS
from tansiq.web.directory import words


@at_desk
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    viewer, now = request.viewer, request.now
    rules.may_keep_register(by=viewer).require()
    shown = {
        "waiting": queries.claims_to_judge(viewer, now=now),
        "overlaps": queries.all_overlaps(viewer, now=now),
        "lacking": queries.all_flags(viewer, now=now).items(),
        "conflicts": queries.full_member_conflicts(viewer, day=now.date()).items(),
        "words": words,
        "short": SHORT_FLAGS,
    }
    return render(request, "desk/register.html", shown)
