"""Words of the program's own source language, found where another language is spoken."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from tansiq.core.language import LOCALES

GAP = re.compile(r"%\(\w+\)[sd]|\{[^}]*\}|<[^>]*>|&\w+;")
LATIN = re.compile(r"\b[A-Za-z][a-z]+(?: [a-z]+){2,}\b")
WORDS_AT_LEAST = 3


@dataclass(frozen=True)
class Known:
    """whole: sentences that have a translation; parts: what stands between placeholders of others, three words at the
    least; translations: what is right in this language, whatever it looks like."""

    whole: frozenset[str]
    parts: tuple[str, ...]
    translations: frozenset[str]


@cache
def known(language: str) -> Known:
    with (LOCALES / language / "LC_MESSAGES" / "django.po").open("rb") as file:
        catalogue = read_po(file, locale=language)
    pairs = list(_pairs(catalogue))
    right = frozenset(_even(said) for _source, said in pairs)
    sources = {_even(source) for source, said in pairs if _even(source) != _even(said)} - right
    parts = {
        part for source in sources for part in map(_even, GAP.split(source)) if part.count(" ") + 1 >= WORDS_AT_LEAST
    }
    return Known(frozenset(sources), tuple(sorted(parts)), right)


def left_over(said: Iterable[str], language: str) -> list[str]:
    """What of a page's own words is still English; in Arabic also any three Latin words in a row."""
    if language == "en":
        return []
    catalogue = known(language)
    found = []
    for words in said:
        if words in catalogue.translations:
            continue
        english = words in catalogue.whole or any(part in words for part in catalogue.parts)
        if english or (language == "ar" and LATIN.search(words)):
            found.append(words)
    return found


def _pairs(catalogue: Catalog) -> Iterable[tuple[str, str]]:
    for message in catalogue:
        if not message.id:
            continue
        sources = message.id if isinstance(message.id, (tuple, list)) else (message.id,)
        translations = message.string if isinstance(message.string, (tuple, list)) else (message.string,)
        for source in sources:
            for said in translations:
                yield source, said or ""


def _even(words: str) -> str:
    return " ".join(words.split())
