"""What the desk's pages write in their own way."""

from __future__ import annotations

from django import template
from django.utils.safestring import SafeString

from tansiq.web.templatetags.tansiq import tech

register = template.Library()


@register.simple_tag
def claimed(kind: str, value: str) -> SafeString:
    """What a claim names, as people write it: AS numbers with their letters."""
    return tech(f"AS{value}" if kind == "asn" else value)
