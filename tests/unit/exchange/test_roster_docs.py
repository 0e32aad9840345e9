"""What the documents tell people to type is what ``tansiq roster`` takes."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer.main import get_command

from tansiq.cli import exchange_roster

DOCS = Path(__file__).parents[3] / "docs"
PAGES = ("how-to/join-a-federation.md", "explanation/custody.md", "reference/exchange-protocol.md")
VERBS = get_command(exchange_roster.app()).commands  # type: ignore[attr-defined]


def typed() -> list[str]:
    found = [
        command
        for page in PAGES
        for command in re.findall(r"tansiq roster [^`\n]*", (DOCS / page).read_text(encoding="utf-8"))
    ]
    return sorted(set(found))


@pytest.mark.parametrize("command", typed())
def test_command_in_the_documents_has_options_that_there_are(command: str) -> None:
    verb, *arguments = shlex.split(command)[2:]

    known = {option for parameter in VERBS[verb].params for option in parameter.opts}
    assert {argument for argument in arguments if argument.startswith("-")} <= known


def test_reference_of_the_command_line_names_every_verb_and_option() -> None:
    text = (DOCS / "reference/command-line.md").read_text(encoding="utf-8")
    section = text.partition("## roster\n")[2].partition("\n## ")[0]

    for name, verb in VERBS.items():
        said = next(part for part in section.split("    tansiq roster ") if part.startswith(f"{name} "))
        for parameter in verb.params:
            if parameter.param_type_name == "option" and "--help" not in parameter.opts:
                assert max(parameter.opts, key=len) in said
