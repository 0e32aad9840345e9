"""The register's codes as pages write them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from tansiq.web.directory import words
from tansiq.web.navigation import role_name

register = template.Library()


@register.simple_tag
def lookup(table: Mapping[str, Any], code: str) -> str:
    """A code in the reader's words; the bare code where there are none yet."""
    return str(table.get(code, code))


@register.simple_tag
def category_badge(category: str, state: str = "active") -> SafeString:
    """A category of membership; what is not active says what it is."""
    label = lookup(words.CATEGORIES, category)
    if state == "active":
        tone = "good" if category == "full" else "info"
        return format_html('<span class="badge {}">{}</span>', tone, label)
    return format_html('<span class="badge {}">{}, {}</span>', words.TONES[state], label, words.STANDINGS[state])


@register.simple_tag
def role_words(role: str) -> str:
    return role_name(role)
