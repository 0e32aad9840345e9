"""What a reader sees when a page cannot be had. Two of these need neither session nor database. Programs get JSON."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import translation

from tansiq.web.api import refusals
from tansiq.web.front_door import RIGHT_TO_LEFT, language_of_browser


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if of_a_program(request):
        with translation.override(language_of_browser(request)):
            return refusals.bad_request(request)
    return bare(request, "errors/400.html", 400)


def not_allowed(request: HttpRequest, exception: Exception) -> HttpResponse:
    return HttpResponse(render_to_string("errors/403.html", request=request), status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Absent, or not for this reader's eyes: the two look alike."""
    return HttpResponse(render_to_string("errors/404.html", request=request), status=404)


def broken(request: HttpRequest) -> HttpResponse:
    if of_a_program(request):
        with translation.override(language_of_browser(request)):
            return refusals.broken(request)
    return bare(request, "errors/500.html", 500)


def of_a_program(request: HttpRequest) -> bool:
    return request.path_info.startswith("/api/")


def forged(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without its token: a page kept open too long, a browser without cookies, or somebody else's page."""
    return bare(request, "errors/form.html", 403)


def bare(request: HttpRequest, template: str, status: int) -> HttpResponse:
    """A page out of the template alone, in the language that the browser asks for."""
    language = language_of_browser(request)
    context = {"language": language, "direction": "rtl" if language in RIGHT_TO_LEFT else "ltr"}
    with translation.override(language):
        return HttpResponse(render_to_string(template, context), status=status)
