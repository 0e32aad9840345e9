"""The catalogues: complete, current, and with the same placeholders in every language."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

from tansiq.core.language import DOMAIN, LOCALES
from tansiq.core.text import LANGUAGES

SOURCE = LOCALES.parent
TRANSLATED = tuple(language for language in LANGUAGES if language != "en")
PLURALS = {"ar": 6, "en": 2, "fr": 2}
RUN = "run `make messages`"

Key = tuple[str, str | tuple[str, ...]]  # context, and the message with its plural


@cache
def extracted() -> frozenset[Key]:
    """Everything that the program marks as words: the same extraction as ``make messages``."""
    lazy = {"gettext_lazy": None, "ngettext_lazy": (1, 2), "pgettext_lazy": ((1, "c"), 2)}
    keywords: dict[str, Any] = DEFAULT_KEYWORDS | {"N_": None} | lazy
    with (SOURCE.parent.parent / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)
    found = extract_from_dir(str(SOURCE), method_map=methods, options_map=options, keywords=keywords)
    return frozenset((context or "", key if isinstance(key, str) else tuple(key)) for _, _, key, _, context in found)


@cache
def catalogue(language: str) -> Catalog:
    with (LOCALES / language / "LC_MESSAGES" / f"{DOMAIN}.po").open("rb") as file:
        return read_po(file, locale=language)


def keys(language: str) -> set[Key]:
    return {
        (m.context or "", tuple(m.id) if isinstance(m.id, list | tuple) else m.id) for m in catalogue(language) if m.id
    }


def texts(value: Any) -> tuple[str, ...]:
    return tuple(value) if isinstance(value, (list, tuple)) else (value,)


def placeholders(text: str) -> set[str]:
    """Names, with conversion and format: ``{rate:,.0f}`` must stay as it is; and the ``%(name)s`` of templates."""
    return set(re.findall(r"%\(\w+\)s", text)) | {
        f"{name}!{conversion or ''}:{form}"
        for _, name, form, conversion in string.Formatter().parse(text)
        if name is not None
    }


def translations(language: str) -> Iterator[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    for message in catalogue(language):
        if message.id:
            originals = texts(message.id)
            yield originals[0], originals, texts(message.string)


@pytest.mark.parametrize("language", LANGUAGES)
def test_catalogue_has_what_the_program_says_and_nothing_else(language: str) -> None:
    missing, left_over = extracted() - keys(language), keys(language) - extracted()

    assert not missing, f"not in {language}: {sorted(map(str, missing))}; {RUN}"
    assert not left_over, f"no longer said, in {language}: {sorted(map(str, left_over))}; {RUN}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_catalogue_has_nothing_fuzzy_or_obsolete(language: str) -> None:
    assert [message.id for message in catalogue(language) if message.id and message.fuzzy] == []
    assert list(catalogue(language).obsolete) == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_catalogue_translates_every_message(language: str) -> None:
    untranslated = [first for first, _, translated in translations(language) if not all(map(str.strip, translated))]

    assert untranslated == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_catalogue_has_the_plural_forms_of_its_language(language: str) -> None:
    assert catalogue(language).num_plurals == PLURALS[language]
    assert {
        first: len(translated)
        for first, originals, translated in translations(language)
        if len(originals) > 1 and len(translated) != PLURALS[language]
    } == {}


def spelled_out(language: str, originals: tuple[str, ...], form: int) -> bool:
    """Arabic says none, one and two in words, without the number."""
    return language == "ar" and len(originals) > 1 and form < 3


@pytest.mark.parametrize("language", TRANSLATED)
def test_catalogue_keeps_the_placeholders_of_every_message(language: str) -> None:
    different = {
        first: translated
        for first, originals, translated in translations(language)
        for form, text in enumerate(translated)
        if not placeholders(text) <= placeholders(originals[-1])
        or (placeholders(text) != placeholders(originals[-1]) and not spelled_out(language, originals, form))
    }

    assert different == {}


@pytest.mark.parametrize("language", TRANSLATED)
def test_catalogue_keeps_labels_and_commands_in_latin_letters(language: str) -> None:
    tokens = ("TLP:", "`tansiq", "TANSIQ_", "--json", "--from", "--into", "IPv4", "IPv6", "JSON", "TOML")
    lost = {
        (first, token)
        for first, originals, translated in translations(language)
        for token in tokens
        for text in translated
        if token in originals[-1] and token not in text
    }

    assert lost == set()


@pytest.mark.parametrize(
    ("number", "form"), [(0, 0), (1, 1), (2, 2), (3, 3), (10, 3), (11, 4), (99, 4), (100, 5), (102, 5), (103, 3)]
)
def test_arabic_plural_rule_is_the_one_of_the_language(number: int, form: int) -> None:
    from tansiq.core.language import catalogue as spoken

    events = next(m for m in catalogue("ar") if m.id == ("{number} event", "{number} events"))

    assert spoken("ar").ngettext("{number} event", "{number} events", number) == events.string[form]


def test_catalogues_lie_where_the_program_looks() -> None:
    assert sorted(path.name for path in LOCALES.iterdir()) == sorted(LANGUAGES)
    assert Path(LOCALES / "ar" / "LC_MESSAGES" / f"{DOMAIN}.po").is_file()
