"""The page for those who came too often."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from tansiq.web.signin.limits import TooManyFailures


def too_many(request: HttpRequest, error: TooManyFailures) -> HttpResponse:
    seconds = error.values["seconds"]
    response = render(request, "account/too_many.html", {"seconds": seconds}, status=429)
    response.headers["Retry-After"] = str(seconds)
    return response
