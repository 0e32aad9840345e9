"""What came and could not be applied: listed, looked at by whoever may, tried again, refused."""

from __future__ import annotations

import re

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from tansiq.exchange.node import attending, life, listing
from tansiq.exchange.node.looking import Look
from tansiq.web.exchange import words
from tansiq.web.exchange.place import at_links, before, done, number_of, peers_of

SHOWN_CHARACTERS = 100_000
TURNING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Characters that turn the direction of what stands beside them: shown by their numbers."""


@at_links
@require_safe
def page(request: HttpRequest, looking: Look) -> HttpResponse:
    wishes = {name: request.GET.get(name, "")[:64] for name in ("state", "peer", "reason")}
    listed = listing.waiting(looking, **wishes, before=before(request))
    context = {
        "listed": listed,
        "bodies": listing.parked_bodies(looking, peer=wishes["peer"]) if not wishes["state"] else [],
        "wishes": wishes,
        "peers": peers_of(looking),
        "states": [(state, words.STATES[state]) for state in listing.STATES],
        "whole": looking.is_whole,
        "words": words,
        "tab": "waiting",
    }
    return render(request, "exchange/waiting.html", context)


@at_links
@require_safe
def one(request: HttpRequest, looking: Look, number: int) -> HttpResponse:
    entry = listing.waiting_one(looking, number_of(number))
    if entry is None:
        raise Http404
    content = listing.content(looking, entry)
    context = {
        "entry": entry,
        "peers": peers_of(looking),
        "content": content,
        "payload": readable(content.payload) if content else "",
        "cut": bool(content) and len(content.payload) > SHOWN_CHARACTERS,
        "held": life.is_held(),
        "words": words,
        "tab": "waiting",
    }
    return render(request, "exchange/waiting_one.html", context)


@at_links
@require_POST
def retry(request: HttpRequest, looking: Look, number: int) -> HttpResponse:
    _theirs(looking, number)
    said = _("It was tried again. If it is still in the list, its reason stands there.")
    return done(request, lambda: attending.retry(looking, number), said, "exchange-waiting")


@at_links
@require_POST
def refuse(request: HttpRequest, looking: Look, number: int) -> HttpResponse:
    _theirs(looking, number)
    said = _("It is refused for good, and its sender will be told.")
    return done(request, lambda: attending.refuse(looking, number), said, "exchange-waiting")


def readable(payload: str) -> str:
    shown = payload[:SHOWN_CHARACTERS]
    return TURNING.sub(lambda found: f"\\u{ord(found[0]):04x}", shown)


def _theirs(looking: Look, number: int) -> None:
    """Raises: Http404, where it is not there or not for these eyes."""
    if listing.waiting_one(looking, number_of(number)) is None:
        raise Http404
