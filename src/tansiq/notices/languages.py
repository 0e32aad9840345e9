"""Which language a team is told in, when the directory does not say."""

from __future__ import annotations

ARABIC = frozenset(
    [
        "AE",
        "BH",
        "DZ",
        "EG",
        "IQ",
        "JO",
        "KW",
        "LB",
        "LY",
        "MA",
        "MR",
        "OM",
        "PS",
        "QA",
        "SA",
        "SD",
        "SO",
        "SY",
        "TN",
        "YE",
    ]
)
"""Members of the League of Arab States, whose working language is Arabic; but see FRENCH for Djibouti and Comoros."""

FRENCH = frozenset(["BF", "BJ", "CI", "CM", "DJ", "GA", "GN", "KM", "ML", "NE", "SN", "TD", "TG"])
"""African states whose administration works in French, as its official language or in fact. In Djibouti and Comoros
Arabic is official too, but computing and the law around it are written in French."""

LANGUAGE_OF_COUNTRY = dict.fromkeys(ARABIC, "ar") | dict.fromkeys(FRENCH, "fr")


def language_of(country: str) -> str:
    """The default language of a team of ``country`` (ISO 3166-1 alpha-2): ar, fr, and English for everybody else.

    English is the common working language of the federation's technical exchanges, so it is the one that a team
    with another national language (Farsi, Malay, Portuguese, Turkish, Urdu …) is most likely to read.
    """
    return LANGUAGE_OF_COUNTRY.get(country.upper(), "en")
