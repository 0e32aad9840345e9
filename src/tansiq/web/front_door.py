"""What every request passes: who looks, in which language, and what every page shows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation

from tansiq.core.text import LANGUAGES
from tansiq.core.viewer import NOBODY, Viewer
from tansiq.members import viewers
from tansiq.web.signin.factor import wholly_signed_in
from tansiq.web.signin.provider import reached

Handler = Callable[[HttpRequest], HttpResponse]
LANGUAGE_COOKIE = "language"
TEAM_KEY = "acting_for"
RIGHT_TO_LEFT = frozenset({"ar"})


def without_nul(get_response: Handler) -> Handler:
    """No text has the NUL character, and PostgreSQL holds none: an address with one is nobody's honest question."""

    def handle(request: HttpRequest) -> HttpResponse:
        if "\x00" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
            raise BadRequest("NUL in the address")
        return get_response(request)

    return handle


def sent(request: HttpRequest, name: str, *, most: int) -> str:
    """A field that no form of Django's reads: without NUL, and cut after ``most`` characters."""
    return request.POST.get(name, "").replace("\x00", "")[:most]


def viewer(get_response: Handler) -> Handler:
    """``request.viewer`` and ``request.now``: the one clock of the request."""

    def handle(request: HttpRequest) -> HttpResponse:
        request.now = datetime.now(UTC)
        request.viewer = viewer_of(request)
        return get_response(request)

    return handle


def viewer_of(request: HttpRequest) -> Viewer:
    if not request.user.is_authenticated or not wholly_signed_in(request):
        return NOBODY
    return reached(request, viewers.viewer_of(request.user, team=request.session.get(TEAM_KEY, ""), now=request.now))


def language(get_response: Handler) -> Handler:
    """The person's own language and time zone; a guest's cookie, else what the browser asks for."""

    def handle(request: HttpRequest) -> HttpResponse:
        chosen = language_of(request)
        with translation.override(chosen), timezone.override(time_zone_of(request)):
            request.LANGUAGE_CODE = chosen
            response = get_response(request)
        response.headers.setdefault("Content-Language", chosen)
        return response

    return handle


def language_of(request: HttpRequest) -> str:
    if request.user.is_authenticated:
        return request.user.language
    return language_of_browser(request)


def language_of_browser(request: HttpRequest) -> str:
    """A guest's: the one chosen here before, else the first of ours that the browser asks for."""
    if (wish := request.COOKIES.get(LANGUAGE_COOKIE)) in LANGUAGES:
        return wish
    for wish, _weight in translation.trans_real.parse_accept_lang_header(request.headers.get("Accept-Language", "")):
        if (code := wish.partition("-")[0]) in LANGUAGES:
            return code
    return settings.LANGUAGE_CODE


def time_zone_of(request: HttpRequest) -> str:
    return request.user.time_zone if request.user.is_authenticated else settings.TIME_ZONE


def page(request: HttpRequest) -> dict[str, Any]:
    """Names that every template may use."""
    code = translation.get_language() or settings.LANGUAGE_CODE
    looking = getattr(request, "viewer", NOBODY)
    person = None if looking.nobody else request.user  # half signed in is not signed in
    return {
        "viewer": looking,
        "person": person,
        "language": code,
        "direction": "rtl" if code in RIGHT_TO_LEFT else "ltr",
        "languages": settings.LANGUAGES,
        "theme": person.theme if person else "auto",
        "hijri": bool(person and person.calendar == "both"),
    }
