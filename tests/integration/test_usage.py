"""What is typed wrongly: refused in our own sentences, to scripts as an object."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]

MISTAKES = [
    ("events query --feeed x", "usage.option.unknown", "Did you mean --feed?"),
    ("events query -z", "usage.option.unknown", "-z"),
    ("event query", "usage.command.unknown", "Did you mean events?"),
    ("feeds ingest auto", "usage.argument.missing", "files"),
    ("geo status more", "usage.argument.unexpected", "more"),
    ("events query --limit 0", "usage.value.bad", "from 1 to 1099511627776"),
    ("events query --limit many", "usage.value.bad", "many is no value for --limit"),
    ("events query --csv=3", "usage.option.value_unexpected", "--csv"),
]


@pytest.mark.parametrize(("typed", "code", "said"), MISTAKES)
def test_mistyped_command_is_refused_with_its_code_and_what_to_do(run: Run, typed: str, code: str, said: str) -> None:
    for_people = run(*typed.split())
    for_scripts = run(*typed.split(), "--json")

    error = json.loads(for_scripts.stdout)["error"]
    assert (for_people.returncode, for_people.stdout) == (2, "")
    assert for_people.stderr.splitlines() == [f"{error['message']} {error['remedy']}"]
    assert said in for_people.stderr
    assert (for_scripts.returncode, for_scripts.stderr, error["code"]) == (2, "", code)
    assert set(error) == {"code", "message", "remedy"}


def test_option_without_its_value_is_refused(run: Run) -> None:
    done = run("events", "count", "--json", "--by")

    assert (done.returncode, done.stderr) == (2, "")
    assert json.loads(done.stdout)["error"]["code"] == "usage.option.value_missing"


@pytest.mark.parametrize("typed", [(), ("feeds",)])
def test_desk_without_a_verb_shows_its_page(run: Run, typed: tuple[str, ...]) -> None:
    done = run(*typed)

    assert (done.returncode, done.stderr) == (2, "")
    assert "ingest" in done.stdout or "feeds" in done.stdout


DRESSED = """
from tansiq.core import language
import sys
told = {told!r}
language.catalogue = lambda spoken: type("Told", (), {{"gettext": staticmethod(lambda text: told.get(text, text))}})
from tansiq.cli import main
sys.argv = ["tansiq", "feeds", "ingest", "--help"]
main()
"""


def test_help_page_says_the_framework_s_words_in_the_reader_s_language(run_python: Run) -> None:
    words = ("Arguments", "Options", "required", "Usage:", "[OPTIONS]", "Show this page and end.")
    told = {word: f"~{number}~" for number, word in enumerate(words)}

    done = run_python(DRESSED.format(told=told))

    assert (done.returncode, done.stderr) == (0, "")
    assert [word for word in words if word in done.stdout] == []
    assert [spoken for spoken in told.values() if spoken not in done.stdout] == []
