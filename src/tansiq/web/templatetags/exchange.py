"""What the pages of the links write in their own way: ages, clocks, versions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from tansiq.exchange.body import Lane
from tansiq.exchange.node.life import held
from tansiq.exchange.node.standing import Backlog
from tansiq.web import writing
from tansiq.web.templatetags.tansiq import spoken, tech

register = template.Library()
UNNOTICED = timedelta(seconds=1)


@register.simple_tag(takes_context=True)
def ago(context: template.Context, moment: datetime | None) -> SafeString:
    """How long ago, or how long until, on the request's one clock; the moment itself is in the markup."""
    if moment is None:
        return SafeString("")
    passed = context["request"].now - moment
    said = _("{span} ago") if passed >= timedelta(0) else _("in {span}")
    return format_html(
        '<time datetime="{}">{}</time>',
        moment.isoformat(timespec="seconds"),
        said.format(span=writing.span(passed, spoken())),
    )


@register.simple_tag
def offset(value: timedelta | None) -> str:
    """How far another's clock is from ours."""
    if value is None:
        return ""
    if abs(value) < UNNOTICED:
        return _("right")
    said = _("{span} ahead") if value > timedelta(0) else _("{span} behind")
    return said.format(span=writing.span(value, spoken()))


@register.inclusion_tag("exchange/_held.html", takes_context=True)
def held_notice(context: template.Context) -> dict[str, object]:
    """That this node was restored and does not know yet what came after (section 11.1); nothing where it speaks."""
    life = held()
    return {"since": life.held_since if life else None, "hijri": context.get("hijri")}


@register.filter
def of(backlog: Mapping[Lane, Backlog], lane: str) -> Backlog:
    """What waits on one lane; nothing, where nothing does."""
    return backlog.get(Lane(lane), Backlog())


@register.filter
def size(size_bytes: int) -> str:
    return writing.size(size_bytes, spoken())


@register.simple_tag
def positions(first: int, last: int) -> SafeString:
    """One, or from which to which."""
    return tech(first if first == last else f"{first}–{last}")


@register.simple_tag
def version(term: int, n: int) -> SafeString:
    return tech(f"{term}.{n}")
