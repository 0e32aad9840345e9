"""One language's words: the catalogue bound to the reader's language rather than to the process's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tansiq.core.language import catalogue
from tansiq.notices.kinds import CLASSES, SEVERITIES, TYPES, WAYS

THOUSANDS = {"en": ",", "fr": "\u202f", "ar": ","}
"""Between groups of three digits; digits are Latin in all three, as the glossary asks of technical text."""


@dataclass(frozen=True, slots=True)
class Words:
    """``_`` and ``ngettext`` of one language (ar, en, fr), and how it writes numbers, times and kinds."""

    language: str

    def _(self, message: str) -> str:
        return catalogue(self.language).gettext(message)

    def ngettext(self, one: str, many: str, n: int) -> str:
        return catalogue(self.language).ngettext(one, many, n)

    @property
    def direction(self) -> str:
        return "rtl" if self.language == "ar" else "ltr"

    def number(self, n: int) -> str:
        return f"{n:,}".replace(",", THOUSANDS[self.language])

    def time(self, time: datetime) -> str:
        """The same in every language, so that it can be compared with a log: ``2026-11-22 06:00 UTC``."""
        return time.strftime("%Y-%m-%d %H:%M UTC")

    def kind(self, rsit_class: str, rsit_type: str) -> tuple[str, str]:
        """Class and type in words; an id that the taxonomy does not know is shown as it is."""
        class_, type_ = CLASSES.get(rsit_class, ""), TYPES.get(rsit_type, "")
        return self._(class_) if class_ else rsit_class, self._(type_) if type_ else rsit_type

    def severity(self, severity: str) -> str:
        return self._(SEVERITIES[severity]) if severity in SEVERITIES else severity

    def way(self, attributed_by: str) -> str:
        return self._(WAYS[attributed_by]) if attributed_by in WAYS else attributed_by

    def events(self, n: int) -> str:
        return self.ngettext("{number} event", "{number} events", n).format(number=self.number(n))

    def sightings(self, n: int) -> str:
        return self.ngettext("{number} sighting", "{number} sightings", n).format(number=self.number(n))

    def addresses(self, n: int) -> str:
        return self.ngettext("{number} distinct address", "{number} distinct addresses", n).format(
            number=self.number(n)
        )
