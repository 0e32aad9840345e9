"""All links at a glance, and one of them whole."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from tansiq.exchange import rules
from tansiq.exchange.node import attending, life, listing
from tansiq.exchange.node.looking import Look
from tansiq.exchange.node.standing import AlarmState, LinkState, Status, WayState
from tansiq.exchange.node.status import LASTING, of_team, status
from tansiq.web.exchange import words
from tansiq.web.exchange.picture import Picture, Point, picture
from tansiq.web.exchange.place import at_links, before, done, number_of, peer_of
from tansiq.web.front_door import RIGHT_TO_LEFT, sent
from tansiq.web.languages import see_other
from tansiq.web.templatetags.tansiq import commands, tech

LONGEST_REASON = 500


@dataclass(frozen=True, slots=True)
class AlarmLine:
    """An alarm in words. ``may_end``: the reader may say that it was seen to."""

    number: int
    peer: str
    what: str
    remedy: str
    since: datetime
    times: int
    may_end: bool


@dataclass(frozen=True, slots=True)
class LinkLine:
    """A link with its state in a word, and by which ways it is reached now."""

    link: LinkState
    standing: str
    tone: str
    ways: tuple[tuple[WayState, bool], ...]


@at_links
@require_safe
def page(request: HttpRequest, looking: Look) -> HttpResponse:
    if looking.here is None:
        return render(request, "exchange/empty.html")
    if not looking.is_whole:
        held = of_team(looking.here, looking.team, now=request.now)
        return render(
            request, "exchange/own.html", {"held": held, "here": looking.here, "words": words, "tab": "links"}
        )
    stand = status(looking.here, now=request.now)
    context = {
        "status": stand,
        "lines": [_line(link, request.now) for link in stand.links],
        "alarms": [alarm_line(one, looking) for one in stand.alarms],
        "picture": drawing(stand, request.now),
        "unanswered": sorted(life.waiting_for(looking.here)) if stand.held_since else [],
        "words": words,
        "tab": "links",
    }
    return render(request, "exchange/links.html", context)


@at_links
@require_safe
def link(request: HttpRequest, looking: Look, peer: str) -> HttpResponse:
    peer_of(looking, peer)
    assert looking.here is not None
    context = {
        "peer": peer,
        "peers": looking.here.peers,
        "sent": listing.sent(looking, peer, before=before(request)),
        "recalls": listing.recalls_ordered(looking, now=request.now, peer=peer),
        "words": words,
        "tab": "links",
        "here": looking.here,
    }
    if not looking.is_whole:
        own = of_team(looking.here, looking.team, now=request.now)
        held = next((one for one in own if one.peer == peer), None)
        return render(request, "exchange/own_link.html", context | {"held": held})
    stand = status(looking.here, now=request.now)
    found = next(one for one in stand.links if one.peer == peer)
    context |= {
        "status": stand,
        "line": _line(found, request.now),
        "link": found,
        "alarms": [alarm_line(one, looking) for one in stand.alarms if one.peer == peer],
        "comparisons": listing.comparisons(looking, peer),
        "evidence": listing.evidence(looking, peer),
        "may_compare": bool(rules.may_compare(operator=looking.operator, by=request.viewer)) and not found.frozen_at,
        "may_waive": bool(stand.held_since and found.asking and not found.waived)
        and bool(life.may_waive(looking.here, by=request.viewer)),
    }
    return render(request, "exchange/link.html", context)


@at_links
@require_POST
def compare(request: HttpRequest, looking: Look, peer: str) -> HttpResponse:
    peer_of(looking, peer)
    said = _("The link is compared as soon as the node comes to it, within some minutes.")
    return done(request, lambda: attending.compare(looking, peer), said, "exchange-link", peer)


@at_links
@require_POST
def waive(request: HttpRequest, looking: Look, peer: str) -> HttpResponse:
    """A reason is needed; without one nothing is done."""
    peer_of(looking, peer)
    reason = sent(request, "reason", most=LONGEST_REASON).strip()
    if not reason:
        messages.error(request, _("Nothing was changed: give a reason. It stays in the record."))
        return see_other(reverse("exchange-link", args=[peer]))
    said = _("This node no longer waits for {peer}.").format(peer=peer)
    return done(request, lambda: attending.waive(looking, peer, reason=reason), said, "exchange-link", peer)


@at_links
@require_POST
def end_alarm(request: HttpRequest, looking: Look, number: int) -> HttpResponse:
    number_of(number)
    return done(request, lambda: attending.end_alarm(looking, number), _("The alarm is ended."), "exchange")


def alarm_line(alarm: AlarmState, looking: Look) -> AlarmLine:
    what, remedy = words.alarm(alarm.code, alarm.peer, alarm.values, _filled)
    may = rules.may_end_alarm(operator=looking.operator, by=looking.viewer)
    may_end = bool(may) and alarm.code not in LASTING
    return AlarmLine(alarm.number, alarm.peer, what, remedy, alarm.since, alarm.times, may_end)


def _filled(sentence: str, **named: object) -> SafeString:
    """Codes and commands in one piece, whatever the language's direction; words of ours as they are."""
    shown = {name: tech(value) if isinstance(value, str) else value for name, value in named.items()}
    return format_html(commands(sentence), **shown)


def _line(link: LinkState, now: datetime) -> LinkLine:
    standing = link.standing(now)
    ways = tuple((way, way.reaches(now)) for way in link.ways)
    return LinkLine(link, str(words.STANDINGS[standing]), words.TONES[standing], ways)


def drawing(stand: Status, now: datetime) -> Picture:
    points = [_point(link, now) for link in stand.links]
    return picture(points, code=stand.code, rtl=get_language() in RIGHT_TO_LEFT)


def _point(link: LinkState, now: datetime) -> Point:
    standing = link.standing(now)
    said = str(words.STANDINGS[standing])
    if count := link.waiting.count:
        waits = ngettext("{count} waits", "{count} wait", count).format(count=count)
        said = _("{state}, {waiting}").format(state=said, waiting=waits)
    return Point(link.peer, reverse("exchange-link", args=[link.peer]), standing.value, said, f"{link.peer}: {said}")
