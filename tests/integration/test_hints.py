"""A question that cannot find what is asked for says why."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]
NO_TABLE = "tansiq geo update"


@pytest.fixture
def report(tmp_path: Path) -> Path:
    file = tmp_path / "report.txt"
    file.write_text("192.0.2.7\n192.0.2.8\n", encoding="ascii")
    return file


@pytest.mark.parametrize("verb", ["query", "count"])
@pytest.mark.parametrize(
    ("option", "typed", "near"),
    [
        ("--feed", "shadowservr", "shadowserver"),
        ("--rsit", "phising", "phishing"),
        ("--country", "Marocco", "MA"),
        ("--country", "UK", "GB"),
    ],
)
def test_condition_that_nothing_is_known_by_is_refused_with_the_nearest_name(
    run: Run, report: Path, verb: str, option: str, typed: str, near: str
) -> None:
    run("feeds", "ingest", "plain", report)

    done = run("events", verb, option, typed, "--json")

    error = json.loads(done.stdout)["error"]
    assert (done.returncode, error["code"]) == (2, "events.filter.unknown")
    assert f"Did you mean {near}?" in error["remedy"]


def test_team_that_is_not_in_the_directory_is_asked_for_with_a_warning(run: Run, report: Path) -> None:
    run("feeds", "ingest", "plain", report)
    code = json.loads(run("members", "list", "--json").stdout.splitlines()[0])["code"]

    done = run("events", "count", "--team", code + "X", "--json")
    known = run("events", "count", "--team", code, "--json")

    assert (done.returncode, json.loads(done.stdout)) == (0, {"events": 0, "sightings": 0})
    assert f"Did you mean {code}?" in done.stderr
    assert "Did you mean" not in known.stderr
