"""Sentences that name commands, as pages show them."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.usefixtures("_connected")


@pytest.mark.parametrize(
    ("sentence", "shown"),
    [
        ("Run `tansiq doctor`.", 'Run <bdi dir="ltr" class="tech">tansiq doctor</bdi>.'),
        ("`a --b` & <i>", '<bdi dir="ltr" class="tech">a --b</bdi> &amp; &lt;i&gt;'),
        ("`<b>`", '<bdi dir="ltr" class="tech">&lt;b&gt;</bdi>'),
        ("a ` alone", "a ` alone"),
    ],
)
def test_commands_are_kept_in_one_piece_and_nothing_else_is_markup(sentence: str, shown: str) -> None:
    from tansiq.web.templatetags.tansiq import commands

    assert commands(sentence) == shown
