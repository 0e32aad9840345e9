"""Addresses of the sign-in desk; those of allauth that nobody needs here are nobody's."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, include, path, re_path

from tansiq.web.signin import pages


def nothing_here(request: HttpRequest) -> HttpResponse:
    raise Http404


# Nobody signs up by themselves or links another account by hand; another address is asked for at account/address/.
CLOSED = r"^account/(?:signup|email|confirm-email|3rdparty/signup|social|3rdparty/$|login/code)"

urlpatterns: list[URLPattern | URLResolver] = [
    path("enter/<str:token>/", pages.enter, name="signin_enter"),
    path("invitation/<str:token>/", pages.invitation, name="signin_invitation"),
    path("factor/", pages.second_factor, name="signin_factor"),
    re_path(CLOSED, nothing_here),
    path("account/", include("allauth.urls")),
]
