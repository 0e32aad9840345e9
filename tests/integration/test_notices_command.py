"""``tansiq notices digest`` as scripts run it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Run = Callable[..., CompletedProcess[str]]


def test_digest_of_an_empty_node_writes_the_triage_digest_alone(run: Run, home: Path) -> None:
    done = run("notices", "digest", "--since", "2026-11-22", "--until", "2026-11-23", "--json")

    assert (done.returncode, done.stderr) == (0, "")
    folder = home / "digests" / "2026-11-22" / "_triage"
    assert json.loads(done.stdout) == {
        "team": None,
        "language": "en",
        "since": "2026-11-22T00:00:00Z",
        "until": "2026-11-23T00:00:00Z",
        "folder": str(folder),
        "files": ["digest.txt", "digest.html", "events.csv", "events.json"],
        "events": 0,
        "sightings": 0,
        "addresses": 0,
        "triage": 0,
        "unattributed": 0,
    }
    assert sorted(path.name for path in folder.iterdir()) == ["digest.html", "digest.txt", "events.csv", "events.json"]


def test_digest_for_people_names_the_folder(run: Run, home: Path, tmp_path: Path) -> None:
    done = run("notices", "digest", "--into", tmp_path / "out", "--since", "2026-11-22", "--until", "2026-11-23")

    assert done.returncode == 0
    assert "_triage" in done.stdout
    assert str(tmp_path / "out" / "2026-11-22") in done.stderr
    assert not (home / "digests").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--team", "XZ-CERT"], "XZ-CERT"),
        (["--since", "yesterday"], "yesterday"),
        (["--since", "2026-11-22", "--until", "2026-11-22"], "2026-11-22"),
    ],
)
def test_digest_with_bad_arguments_says_which_and_exits_2(
    run: Run, home: Path, arguments: list[str], words: str
) -> None:
    done = run("notices", "digest", *arguments)

    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not (home / "digests").exists()


def test_digest_into_a_place_that_cannot_be_written_exits_4(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    done = run("notices", "digest", "--into", tmp_path / "file" / "digests")

    assert done.returncode == 4
    assert str(tmp_path / "file") in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("language", ["ar", "en", "fr"])
def test_help_of_digest_has_an_example_in_every_language(run: Run, language: str) -> None:
    done = run("notices", "digest", "--help", TANSIQ_LANGUAGE=language, COLUMNS="200")

    assert done.returncode == 0
    assert "tansiq notices digest --since" in done.stdout
