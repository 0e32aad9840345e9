"""Who answers for one thing, or for a thousand."""

from __future__ import annotations

import json
import math
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from tansiq.core.errors import TansiqError
from tansiq.core.viewer import Scope
from tansiq.web.api.entry import everybody, spend
from tansiq.web.api.refusals import told
from tansiq.web.api.responses import refused_with
from tansiq.web.api.shapes import Answers, Targets, WhoisAnswer
from tansiq.web.whois.views import LONGEST, look_up, look_up_all

LINES = "application/x-ndjson"
TARGETS_A_REQUEST = 50
"""Targets that count as one request."""

router = Router(tags=["whois"], auth=everybody(Scope.DIRECTORY_READ))


@router.get(
    "/whois", response=refused_with(200, WhoisAnswer, 503), summary="Who answers for a target", operation_id="whois"
)
def one(request: HttpRequest, target: Annotated[str, Query(max_length=LONGEST)]) -> dict[str, Any]:
    """An address, a prefix, an AS number, a domain, a URL or a country code."""
    return look_up(target.strip(), request)[0]


@router.post(
    "/whois",
    response=refused_with(200, Answers, 413, 503),
    summary="Who answers for each of up to 1,000 targets",
    operation_id="whois_all",
    openapi_extra={"responses": {200: {"content": {LINES: {"schema": {"type": "string"}}}}}},
)
def many(request: HttpRequest, asked: Targets) -> dict[str, Any] | HttpResponse:
    """One bad target spoils no other. With `Accept: application/x-ndjson` the answers come one to a line."""
    spend(request, math.ceil(len(asked.targets) / TARGETS_A_REQUEST) - 1)
    answers = [
        {"target": target, "error": told(found)} if isinstance(found, TansiqError) else found
        for target, found in look_up_all(asked.targets, request)
    ]
    if LINES in request.headers.get("Accept", ""):
        lines = "".join(json.dumps(found, ensure_ascii=False) + "\n" for found in answers)
        return HttpResponse(lines, content_type=LINES)
    return {"answers": answers}
