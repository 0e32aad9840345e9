"""The reader's language, changed from any page, and the way back to that page."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from tansiq.core.text import LANGUAGES
from tansiq.members.actions.own import choose_language
from tansiq.web.front_door import LANGUAGE_COOKIE

YEAR_SECONDS = 365 * 24 * 3600


@require_POST
def change(request: HttpRequest) -> HttpResponse:
    """A person's choice is kept with the person, a guest's in a cookie that says nothing else."""
    wish = request.POST.get("language", "")
    if wish not in LANGUAGES:
        raise BadRequest("language")
    if request.viewer.person:  # half signed in is a guest, who changes nothing of a person's
        choose_language(wish, by=request.viewer, now=request.now)
    response = see_other(way_back(request))
    response.set_cookie(
        LANGUAGE_COOKIE, wish, max_age=YEAR_SECONDS, samesite="Lax", httponly=True, secure=settings.ENCRYPTED
    )
    return response


def way_back(request: HttpRequest) -> str:
    """The page that ``next`` names if it is one of ours, else the first page: never another host."""
    wish = request.POST.get("next", "")
    ours = wish.startswith("/") and url_has_allowed_host_and_scheme(
        wish, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wish if ours else "/"


def see_other(address: str) -> HttpResponseRedirect:
    """303: whatever was posted, what follows is read."""
    response = HttpResponseRedirect(address)
    response.status_code = 303
    return response
