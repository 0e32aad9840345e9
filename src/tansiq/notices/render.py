"""The templates, and the engine that fills them: autoescaped HTML, and plain text."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tansiq.notices.form import Html, Plain
from tansiq.notices.page import Contents, Page
from tansiq.notices.words import Words

if TYPE_CHECKING:
    from django.template import Engine

TEMPLATES = Path(__file__).parent / "templates"


@cache
def _engine(*, autoescape: bool) -> Engine:
    from django.template import Engine

    return Engine(dirs=[str(TEMPLATES)], autoescape=autoescape)


def html(told: Contents, words: Words) -> str:
    """One self-contained document: styles inside, nothing fetched from anywhere, no script."""
    return _fill("digest.html", Page(words, Html()), told, autoescape=True)


def text(told: Contents, words: Words) -> str:
    return _fill("digest.txt", Page(words, Plain(words.direction)), told, autoescape=False)


def _fill(template: str, page: Page, told: Contents, *, autoescape: bool) -> str:
    from django.template import Context

    context = Context(page.context(told), autoescape=autoescape, use_l10n=False, use_tz=False)
    return _engine(autoescape=autoescape).get_template(template).render(context)
