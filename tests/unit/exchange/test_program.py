"""A peer's program, as it says: in what it says anyway, kept as it was, and never a reason to refuse a body."""

from __future__ import annotations

import json
from typing import Any

import pytest

from factories import exchange as make
from tansiq import __version__
from tansiq.exchange import program
from tansiq.exchange.reading import read_head
from tansiq.exchange.requests import RosterAsked


def test_program_is_said_in_the_form_of_the_protocol() -> None:
    assert dict(program.SAID) == {"program": f"tansiq/{__version__}"}
    assert program.FORM.fullmatch(program.SAID["program"])


def test_program_that_a_body_says_is_heard_and_written_again() -> None:
    ask = make.ask(RosterAsked(epoch=2), extra=program.SAID)

    read = read_head(json.loads(ask.written()))

    assert program.heard(read) == f"tansiq/{__version__}"
    assert read.written() == ask.written()


@pytest.mark.parametrize("said", [None, 7, "", "x" * 65, "<b>1</b>", "1\u202e0", " 1", ["1"], {"name": "1"}])
def test_program_in_another_form_is_as_if_none_was_said(said: Any) -> None:
    ask = make.ask(RosterAsked(epoch=2), extra={"program": said})

    read = read_head(json.loads(ask.written()))

    assert program.heard(read) == ""
    assert read.written() == ask.written()


def test_body_of_a_program_that_says_nothing_of_itself_is_taken() -> None:
    assert program.heard(make.ask(RosterAsked(epoch=2))) == ""
