"""The API's description in OpenAPI 3.1, made once a process."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse

from tansiq import __version__
from tansiq.web.api.entry import Guest, Key

if TYPE_CHECKING:
    from ninja import NinjaAPI
    from ninja.operation import Operation

TITLE = "Tansiq"
DESCRIPTION = (
    "The members of the federation, who answers for what, and what is proposed for the register. "
    'Every refusal is `{"error": {code, message, remedy}}`: `code` is stable, the rest is in the language of '
    "`Accept-Language` (ar, en, fr), or of the session's person. After too many requests the answer is 429, and "
    "`Retry-After` says for how many seconds. Answers to GET carry an `ETag`."
)
TAGS = [
    {"name": "whois", "description": "Who answers for an address, prefix, AS number, domain, URL or country."},
    {"name": "directory", "description": "Teams, their memberships, contacts, certificates and claims; the map."},
    {"name": "exchange", "description": "The state of the node's links to its peers."},
    {"name": "asker", "description": "Who the node takes the asker for."},
]


@cache
def text(api: NinjaAPI) -> str:
    return json.dumps(described(api), ensure_ascii=False)


def described(api: NinjaAPI) -> dict[str, Any]:
    """The library's description with what it does not know: the scopes of keys, and which operations guests may ask."""
    document: dict[str, Any] = json.loads(json.dumps(api.get_openapi_schema()))
    for operation in operations(api):
        described_one = next(
            one
            for methods in document["paths"].values()
            for one in methods.values()
            if one["operationId"] == operation.operation_id
        )
        described_one["security"] = security(operation)
        described_one["responses"]["429"]["headers"] = {
            "Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}
        }
    document["info"]["x-program-version"] = __version__
    return document


def operations(api: NinjaAPI) -> list[Operation]:
    return [
        operation
        for router in api._get_bound_routers()
        for view in router.path_operations.values()
        for operation in view.operations
    ]


def security(operation: Operation) -> list[dict[str, list[str]]]:
    """The ways to be let in, any one of them; ``{}`` for a guest."""
    ways: list[dict[str, list[str]]] = []
    for callback in operation.auth_callbacks:
        if isinstance(callback, Key):
            ways.append({"Key": [callback.scope.value] if callback.scope else []})
        elif isinstance(callback, Guest):
            ways += [] if callback.turned_away else [{}]
        else:
            ways.append({"Session": []})
    return ways


def answered(api: NinjaAPI, request: HttpRequest) -> HttpResponse:
    return HttpResponse(text(api), content_type="application/json; charset=utf-8")
