"""Around every view of the API: what goes wrong is told as JSON, and what did not change is not sent again."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response, patch_vary_headers, set_response_etag

from tansiq.core.errors import TansiqError
from tansiq.web.api.refusals import OtherMethod, TooLarge, Unreadable, answer, nothing_here
from tansiq.web.held import said_if_held

View = Callable[..., HttpResponse]


def door(view: View) -> View:
    @said_if_held
    @wraps(view)
    def handled(request: HttpRequest, *args: Any, **named: Any) -> HttpResponse:
        asked = request.method
        request.method = "GET" if asked == "HEAD" else asked
        try:
            response = view(request, *args, **named)
        except Http404:
            response = nothing_here(request)
        except TansiqError as error:
            response = answer(error)
        if response.status_code == 405:
            response = other_method(str(asked), response.headers["Allow"])
        patch_vary_headers(response, ("Authorization", "Accept", "Accept-Language"))
        response = unless_known(request, response)
        request.method = asked
        return response

    return handled


def other_method(method: str, allowed: str) -> HttpResponse:
    """GET is HEAD too."""
    methods = sorted({"HEAD", *allowed.split(", ")} if "GET" in allowed else allowed.split(", "))
    response = answer(OtherMethod(method=method[:20], allowed=", ".join(methods)))
    response.headers["Allow"] = ", ".join(methods)
    return response


def unless_known(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """304 where ``If-None-Match`` names this very answer (RFC 9110, section 13.1.2)."""
    if request.method != "GET" or response.status_code != 200:
        return response
    set_response_etag(response)
    response.headers.setdefault("Cache-Control", "no-store" if not request.viewer.nobody else "no-cache")
    return get_conditional_response(request, etag=response.headers["ETag"], response=response)


def suspicious(_request: HttpRequest, error: SuspiciousOperation) -> HttpResponse:
    return answer(TooLarge() if isinstance(error, RequestDataTooBig) else Unreadable())
