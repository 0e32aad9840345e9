"""How pages write what is not prose: addresses, hashes, times, texts in three languages."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django import template
from django.conf import settings
from django.utils import timezone
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

from tansiq.core.hijri import PrintedDate, with_hijri
from tansiq.core.text import Text
from tansiq.members.models import Node
from tansiq.members.viewers import teams_of
from tansiq.notices.defang import defang
from tansiq.web import navigation as places
from tansiq.web import writing
from tansiq.web.front_door import RIGHT_TO_LEFT
from tansiq.web.map import world

register = template.Library()
COMMAND = re.compile("`([^`{}]+)`")
"""As the sentences of ours write one."""


def spoken() -> str:
    return get_language() or settings.LANGUAGE_CODE


@register.simple_tag
def tech(value: object) -> SafeString:
    """A token that is no word of any language: kept in one piece, left to right."""
    return format_html('<bdi dir="ltr" class="tech">{}</bdi>', value)


@register.filter
def commands(sentence: str) -> SafeString:
    """A sentence, with the commands that it names in one piece, whatever the direction of its language."""
    return mark_safe(COMMAND.sub(lambda found: tech(mark_safe(found[1])), conditional_escape(sentence)))


@register.simple_tag
def defanged(value: object) -> SafeString:
    """An indicator, written so that no program makes a link of it."""
    return tech(defang(str(value)))


@register.simple_tag
def words(text: Text | Mapping[str, str] | None) -> SafeString:
    """Written content in the reader's language; in another, and saying so, where that is missing."""
    language = spoken()
    content = text if isinstance(text, Text) else Text.of(text or {})
    said, within = content.within(language)
    if within == language or not said:
        return format_html("<bdi>{}</bdi>", said)
    name = dict(settings.LANGUAGES)[within]
    direction = "rtl" if within in RIGHT_TO_LEFT else "ltr"
    return format_html(
        '<bdi lang="{0}" dir="{1}">{2}</bdi> <span class="badge quiet" lang="{0}" dir="{1}">{3}</span>',
        within,
        direction,
        said,
        name,
    )


@register.simple_tag(takes_context=True)
def when(context: template.Context, moment: datetime | None) -> SafeString:
    """A moment on the reader's own clock, with the name of that clock."""
    if moment is None:
        return SafeString("")
    language, here = spoken(), timezone.localtime(moment)
    return format_html(
        '<time datetime="{}"><span>{}</span> <span class="zone">{}</span>{}</time>',
        moment.isoformat(timespec="seconds"),
        _("{day}, {clock}").format(day=writing.day(here, language), clock=writing.clock(here, language)),
        writing.zone(here.tzinfo, language),
        beside(with_hijri(PrintedDate(here.date())), language) if context.get("hijri") else "",
    )


@register.simple_tag(takes_context=True)
def day(context: template.Context, value: date | PrintedDate | None) -> SafeString:
    """A date; a printed one with the Hijri date that the document prints, whatever the reader's calendar."""
    if value is None:
        return SafeString("")
    language = spoken()
    printed = value if isinstance(value, PrintedDate) else PrintedDate(value)
    if context.get("hijri"):
        printed = with_hijri(printed)
    written = writing.day(printed.gregorian, language)
    return format_html(
        '<time datetime="{}"><span>{}</span>{}</time>',
        printed.gregorian.isoformat(),
        written,
        beside(printed, language),
    )


def beside(day: PrintedDate, language: str) -> SafeString:
    if day.hijri is None:
        return SafeString("")
    note = _("reckoned by the Umm al-Qura calendar") if day.computed else _("as printed in the document")
    return format_html(' <span class="hijri" title="{}">({})</span>', note, day.hijri.within(language))


@register.simple_tag
def tlp(marking: Any) -> SafeString:
    """The label of a marking, spelled out: the colour says nothing that the letters do not."""
    label = str(getattr(marking, "label", marking)).upper().removeprefix("TLP:")
    colour = label.partition("+")[0].lower()
    return format_html('<bdi dir="ltr" class="tlp {}" title="{}">TLP:{}</bdi>', colour, meaning(label), label)


def meaning(label: str) -> str:
    """What TLP 2.0 means by the label, in the reader's words."""
    return {
        "RED": pgettext("TLP", "named recipients only"),
        "AMBER+STRICT": pgettext("TLP", "the recipient's organisation only"),
        "AMBER": pgettext("TLP", "the organisation and its clients, need to know"),
        "GREEN": pgettext("TLP", "the community, not for publication"),
        "CLEAR": pgettext("TLP", "no limit on disclosure"),
    }.get(label, "")


@register.filter
def number(value: Any) -> str:
    """A quantity, grouped as the reader's language groups, with Latin digits."""
    return "" if value is None else writing.number(value, spoken())


@register.inclusion_tag("parts/world_map.html")
def world_map(entries: Sequence[world.Place], title: str) -> dict[str, Any]:
    """The world with these places shown; a table that says the same must stand beside it."""
    return {"drawing": world.drawing(entries), "title": title}


@register.simple_tag(takes_context=True)
def navigation(context: template.Context) -> list[places.Entry]:
    return places.desks(context["viewer"], path_of(context))


@register.simple_tag(takes_context=True)
def personal(context: template.Context) -> list[places.Entry]:
    return places.personal(path_of(context))


@register.simple_tag(takes_context=True)
def acting_for(context: template.Context) -> list[str]:
    """The teams that the person in the session may act for."""
    return teams_of(context["person"], now=context["request"].now) if not context["viewer"].nobody else []


@register.simple_tag
def node_name() -> str:
    return Node.objects.values_list("name", flat=True).first() or ""


def path_of(context: template.Context) -> str:
    return context["request"].path
