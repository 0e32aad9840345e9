"""At the node's links: who looks, and how a refusal and a mistake are told there."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from tansiq.core.decision import NotAllowed
from tansiq.core.errors import TansiqError
from tansiq.exchange.node.looking import Look, look
from tansiq.web.desk.place import at_desk
from tansiq.web.desk.words import told
from tansiq.web.languages import see_other

LARGEST_NUMBER = 2**63 - 1
"""Of a row: databases know no larger ones."""
View = Callable[..., HttpResponse]


def at_links(view: View) -> View:
    """``view(request, look, …)`` for those who may look at links, at all or at their own team's objects."""

    @at_desk
    @wraps(view)
    def handled(request: HttpRequest, *args: Any, **named: Any) -> HttpResponse:
        looking = look(request.viewer, now=request.now)
        looking.may.require()
        return view(request, looking, *args, **named)

    return handled


def peer_of(looking: Look, peer: str) -> str:
    """A peer of this node, by the roster. Raises: Http404."""
    if looking.here is None or peer not in looking.here.peers:
        raise Http404
    return peer


def peers_of(looking: Look) -> list[str]:
    """Those that have a page: nodes that left are still in lists."""
    return sorted(looking.here.peers) if looking.here else []


def number_of(number: int) -> int:
    """Raises: Http404, for one that no row can have."""
    if number > LARGEST_NUMBER:
        raise Http404
    return number


def before(request: HttpRequest) -> int | None:
    """Where the page of a list begins; None for what is no number."""
    wish = request.GET.get("before", "")
    return int(wish) if wish.isascii() and wish.isdigit() and int(wish[:30]) <= LARGEST_NUMBER else None


def done(request: HttpRequest, act: Callable[[], object], sentence: str, back: str, *args: Any) -> HttpResponse:
    """Do it, and say so, or say what is wrong with it, on the page where it was asked. Raises: NotAllowed."""
    try:
        act()
        messages.success(request, sentence)
    except NotAllowed:
        raise
    except TansiqError as error:
        messages.error(request, told(error))
    return see_other(reverse(back, args=args))
