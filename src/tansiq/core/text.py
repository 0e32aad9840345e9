"""Written content in the working languages of the federation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

LANGUAGES = ("ar", "en", "fr")


@dataclass(frozen=True, slots=True)
class Text:
    """The same words in Arabic, English and French; an absent language is an empty string."""

    ar: str = ""
    en: str = ""
    fr: str = ""

    @classmethod
    def of(cls, words: Mapping[str, str]) -> Text:
        return cls(**{language: words.get(language, "") for language in LANGUAGES})

    def within(self, language: str) -> tuple[str, str]:
        """The words in ``language`` and the language they are really in, so that a fallback can be shown as one."""
        for candidate in (language, "en", "fr", "ar"):
            if words := getattr(self, candidate, ""):
                return words, candidate
        return "", language
