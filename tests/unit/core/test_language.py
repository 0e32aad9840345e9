"""What is done to translations when they are compiled."""

from __future__ import annotations

import pytest

from tansiq.core.language import typeset


@pytest.mark.parametrize(
    ("written", "set_in_type"),
    [
        ("Qui répond ?", "Qui répond\N{NO-BREAK SPACE}?"),
        (" :", " :"),
        ("XE : « non » ; oui !", "XE\u00a0: «\u00a0non\u00a0»\u00a0; oui\u00a0!"),
        ("à 10:42, {count} : rien", "à 10:42, {count}\u00a0: rien"),
        ("tansiq x :y ?z", "tansiq x :y ?z"),
    ],
)
def test_french_signs_do_not_begin_a_line(written: str, set_in_type: str) -> None:
    assert typeset(written, "fr") == set_in_type


@pytest.mark.parametrize("language", ["ar", "en"])
def test_other_languages_are_left_as_they_are_written(language: str) -> None:
    assert typeset("من ؟ : a ;", language) == "من ؟ : a ;"
