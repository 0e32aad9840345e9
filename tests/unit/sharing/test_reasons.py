"""Every code that sharing returns has words, and every word a code."""

from __future__ import annotations

import re
import string
from pathlib import Path

from tansiq import sharing
from tansiq.web.reasons import SHARING

SOURCE = Path(sharing.__file__).parent
CODE = re.compile(r'"(sharing\.[a-z_]+(?:\.[a-z_]+)?)"')


def said() -> set[str]:
    text = "".join(path.read_text() for path in SOURCE.glob("*.py"))
    verbs = {
        "sharing.released",
        "sharing.marked",
        "sharing.told_onward",
        "sharing.onward_withdrawn",
        "sharing.unscoped",
    }
    return {code for code in set(CODE.findall(text)) - verbs if not code.startswith("sharing.counts.")}


def test_every_code_has_words_and_every_word_a_code() -> None:
    assert said() == set(SHARING)


def test_words_name_only_values_that_the_codes_carry() -> None:
    carried = {"until", "key", "origins", "label", "team"}

    named = {name for words in SHARING.values() for _, name, _, _ in string.Formatter().parse(words) if name}

    assert named == carried
