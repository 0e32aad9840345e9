"""The two forms of a digest: how each marks technical tokens, fills a sentence, and escapes.

Addresses, host names, codes and labels are written in Latin letters inside any language. Within Arabic they need
isolation, or the reader's program puts their parts in the wrong order: ``<bdi>`` in HTML, and in plain text the
characters LEFT-TO-RIGHT ISOLATE and POP DIRECTIONAL ISOLATE (Unicode Standard Annex 9, section 2.4).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

LRI, PDI = "\u2066", "\u2069"


class Form(Protocol):
    def tech(self, token: str) -> str:
        """A technical token, isolated from the writing direction around it."""

    def strong(self, number: str) -> str:
        """A figure that the eye should find."""

    def fill(self, sentence: str, *items: Any, **values: Any) -> str:
        """The translated ``sentence`` with its placeholders filled."""


@dataclass(frozen=True, slots=True)
class Html:
    def tech(self, token: str) -> str:
        from django.utils.html import format_html

        return format_html('<bdi dir="ltr">{}</bdi>', token)

    def strong(self, number: str) -> str:
        from django.utils.html import format_html

        return format_html("<b>{}</b>", number)

    def fill(self, sentence: str, *items: Any, **values: Any) -> str:
        from django.utils.html import format_html

        return format_html(sentence, *items, **values)


@dataclass(frozen=True, slots=True)
class Plain:
    """Plain text; isolates only where the language is written from the right."""

    direction: str

    def tech(self, token: str) -> str:
        # A control character inside a hostile token could end the isolate early, or move the cursor of a terminal.
        safe = "".join(c if c.isprintable() and c not in (LRI, PDI) else "\ufffd" for c in token)
        return f"{LRI}{safe}{PDI}" if self.direction == "rtl" else safe

    def strong(self, number: str) -> str:
        return number

    def fill(self, sentence: str, *items: Any, **values: Any) -> str:
        return sentence.format(*items, **values)
