"""Finding names as people type them: without vowel marks, accents or case, whichever alef, and in either digits."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

_SAME = str.maketrans(
    {
        "ٱ": "ا",  # alef wasla; the other alefs lose their hamza or madda with the marks
        "ى": "ي",
        "ی": "ي",  # Persian and Urdu yeh
        "ے": "ي",
        "ک": "ك",
        "ة": "ه",
        "ہ": "ه",
        "ھ": "ه",
        "ۀ": "ه",
        "ء": None,
        "ـ": None,  # tatweel
        "ı": "i",
        "ø": "o",
        "đ": "d",
        "ð": "d",
        "ł": "l",
        "æ": "ae",
        "œ": "oe",
        "þ": "th",
        "ə": "e",  # Azerbaijani, often typed as e
        **dict.fromkeys("'’‘ʼʻ`´", None),  # Côte d'Ivoire, Oʻzbekiston
    }
)


@lru_cache(maxsize=50_000)
def folded(text: str) -> str:
    """``text`` as it is compared: words of letters and digits, a single space between them.

    Decomposed (NFKD), so that accents, vowel marks, hamzas on their carriers and presentation forms come apart; marks
    and characters without a shape of their own dropped; letters that are typed for each other made one; digits Latin.
    Folding what is folded changes nothing.
    """
    parts = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    kept = "".join(_plain(character) for character in parts.translate(_SAME))
    return " ".join(kept.split())


def _plain(character: str) -> str:
    category = unicodedata.category(character)
    if category in ("Mn", "Me", "Cf"):
        return ""
    if category == "Nd":
        return str(unicodedata.digit(character))
    return character if category[0] in "LN" else " "
