"""The addresses of the API, version 1."""

from __future__ import annotations

from functools import partial

from django.core.exceptions import SuspiciousOperation
from django.http import Http404, HttpRequest
from django.urls import URLPattern, URLResolver, path, re_path
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.renderers import JSONRenderer

from tansiq.core.errors import TansiqError
from tansiq.web.api import asker, directory, document, exchange, refusals, whois
from tansiq.web.api.door import door, suspicious


class Plain(JSONRenderer):
    """Letters as letters: half of what is said here is Arabic."""

    json_dumps_params = {"ensure_ascii": False}


class Api(NinjaAPI):
    def _get_urls(self) -> list[URLResolver | URLPattern]:
        patterns = super()._get_urls()
        for pattern in patterns:
            pattern.callback = door(pattern.callback)
        return patterns


api = Api(
    title=document.TITLE,
    version="1",
    description=document.DESCRIPTION,
    openapi_url=None,
    docs_url=None,
    urls_namespace="api",
    renderer=Plain(),
    openapi_extra={"tags": document.TAGS},
)
api.add_router("", whois.router)
api.add_router("", directory.router)
api.add_router("", exchange.router)
api.add_router("", asker.router)
api.add_exception_handler(TansiqError, lambda _request, error: refusals.answer(error))
api.add_exception_handler(ValidationError, lambda _request, error: refusals.answer(refusals.of_validation(error)))
api.add_exception_handler(Http404, refusals.nothing_here)
api.add_exception_handler(HttpError, refusals.unreadable)  # of the library itself: a body that is no JSON
api.add_exception_handler(SuspiciousOperation, suspicious)


def nothing(_request: HttpRequest) -> None:
    raise Http404


nothing.csrf_exempt = True  # type: ignore[attr-defined]  # there is nothing to protect, and the answer is JSON

urlpatterns: list[URLPattern | URLResolver] = [
    path("v1/openapi.json", door(partial(document.answered, api)), name="openapi"),
    path("v1/", api.urls),
    re_path("", door(nothing)),
]
