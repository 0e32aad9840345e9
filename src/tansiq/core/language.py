"""The reader's language: catalogues of the program's own words (gettext), compiled at installation.

Front doors call ``speak`` once and use ``_`` and ``ngettext``. Desks never choose words.
"""

from __future__ import annotations

import gettext as _gettext
import os
import re
from functools import cache
from pathlib import Path

from tansiq.core.text import LANGUAGES

LOCALES = Path(__file__).resolve().parent.parent / "locale"
DOMAIN = "django"  # the one catalogue, under the name that the pages' framework expects

BEFORE_A_SIGN, AFTER_A_QUOTE = re.compile(r"(?<=\S) (?=[;:!?»](?!\w))"), re.compile("(?<=«) ")
UNBROKEN = "\N{NO-BREAK SPACE}"

_current = "en"


def from_environment(environ: dict[str, str] | os._Environ[str]) -> str:
    """The language that ``TANSIQ_LANGUAGE``, else the usual POSIX variables, ask for; English if none is ours."""
    for name in ("TANSIQ_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        if (wish := environ.get(name, "")[:2].lower()) in LANGUAGES:
            return wish
    return "en"


def speak(language: str) -> None:
    """Use ``language`` (ar, en, fr) for everything said from now on in this process."""
    global _current
    _current = language


def spoken() -> str:
    return _current


@cache
def catalogue(language: str) -> _gettext.NullTranslations:
    return _gettext.translation(DOMAIN, LOCALES, languages=[language], fallback=True)


def _(message: str) -> str:
    return catalogue(_current).gettext(message)


def ngettext(one: str, many: str, n: int) -> str:
    return catalogue(_current).ngettext(one, many, n)


def compile_catalogues() -> None:
    """Write the .mo beside every .po. Run by ``make install``; the compiled files are not kept in the repository."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    for po in sorted(LOCALES.glob(f"*/LC_MESSAGES/{DOMAIN}.po")):
        with po.open("rb") as source, po.with_suffix(".mo").open("wb") as target:
            written = read_po(source)
            for message in written:
                if isinstance(message.string, str):
                    message.string = typeset(message.string, po.parts[-3])
                else:
                    message.string = [typeset(str(text), po.parts[-3]) for text in message.string or ()]
            write_mo(target, written)


def typeset(text: str, language: str) -> str:
    """French has a space before its double signs, at which no line may begin. Translators write a plain one."""
    if language != "fr":
        return text
    return AFTER_A_QUOTE.sub(UNBROKEN, BEFORE_A_SIGN.sub(UNBROKEN, text))


if __name__ == "__main__":
    compile_catalogues()
