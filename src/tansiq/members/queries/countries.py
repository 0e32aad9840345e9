"""Names of countries: of the federation's states as the register has them, of others as the locale data does."""

from __future__ import annotations

from functools import cache

from tansiq.core.text import LANGUAGES, Text
from tansiq.members.models import Country


def country_names() -> dict[str, Text]:
    """The states of the federation, by ISO 3166-1 alpha-2 code. One query."""
    rows = Country.objects.order_by("alpha2").values_list("alpha2", "name_ar", "name_en", "name_fr")
    return {alpha2: Text(ar, en, fr) for alpha2, ar, en, fr in rows}


@cache
def other_country(alpha2: str) -> Text:
    """A country outside the federation; without a name if the code is user-assigned."""
    from babel import Locale

    return Text.of({language: Locale(language).territories.get(alpha2, "") for language in LANGUAGES})
