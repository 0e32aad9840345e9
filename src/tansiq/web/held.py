"""What a node that is held says beside every answer for programs, as its pages say it to people (section 11.1)."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse

from tansiq.exchange.node import life
from tansiq.exchange.values import write_time

HEADER = "Tansiq-Held-Since"

View = Callable[..., HttpResponse]


def said_if_held(view: View) -> View:
    """What the answer shows may be from before a restore, and changed or recalled since that moment."""

    @wraps(view)
    def answered(request: HttpRequest, *args: Any, **named: Any) -> HttpResponse:
        response = view(request, *args, **named)
        if (since := life.held_since()) is not None:
            response.headers[HEADER] = write_time(since)
        return response

    return answered
