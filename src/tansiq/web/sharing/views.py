"""The page on which a marking is tried out. It is asked by POST: who is named has no place in an address."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from tansiq.sharing import rules
from tansiq.sharing.queries import who_can_see
from tansiq.web.desk.place import at_desk
from tansiq.web.sharing.forms import MarkingForm
from tansiq.web.sharing.seen import seen

LISTED = 200
"""Teams shown at once; all of them on request."""


@at_desk
@require_http_methods(["GET", "HEAD", "POST"])
def preview(request: HttpRequest) -> HttpResponse:
    """The page; to HTMX, from this page's form or another desk's, the answer alone."""
    rules.may_preview(by=request.viewer).require()
    asked = request.method == "POST"
    form = MarkingForm(request.POST if asked else None, viewer=request.viewer, now=request.now)
    context = {"form": form, "listed": LISTED}
    if asked and form.is_valid():
        marking = form.marking()
        answer = who_can_see([marking], viewer=request.viewer, now=request.now)
        context["listed"] = None if form.cleaned_data["all"] else LISTED
        context["seen"] = seen(answer, marking, viewer=request.viewer)
    template = "sharing/_audience.html" if request.headers.get("HX-Request") else "sharing/preview.html"
    return render(request, template, context, status=422 if asked and form.errors else 200)
