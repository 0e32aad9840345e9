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


ASKING = ["members whois 192.0.2.7 MA --json", "events query --json", "events count --by country --json"]


@pytest.mark.parametrize("typed", [*ASKING, "feeds ingest plain REPORT --json"])
def test_answer_without_an_address_table_points_to_its_command_once(run: Run, report: Path, typed: str) -> None:
    if "REPORT" not in typed:
        run("feeds", "ingest", "plain", report)

    done = run(*typed.replace("REPORT", str(report)).split())

    assert done.returncode == 0
    assert [json.loads(line) for line in done.stdout.splitlines()] != []
    assert (done.stderr.count(NO_TABLE), len(done.stderr.splitlines())) == (1, 1)


@pytest.mark.parametrize("typed", [*ASKING, "feeds ingest plain REPORT --json"])
def test_answer_with_an_address_table_says_nothing_besides(run: Run, report: Path, tmp_path: Path, typed: str) -> None:
    table = tmp_path / "routes.csv"
    table.write_text("prefix,asn\n192.0.2.0/24,64496\n", encoding="ascii")
    assert run("geo", "update", "--from", table).returncode == 0
    run("feeds", "ingest", "plain", report)

    done = run(*typed.replace("REPORT", str(report)).split())

    assert (done.returncode, done.stderr) == (0, "")


def test_answer_that_needs_no_address_table_says_nothing_besides(run: Run) -> None:
    done = run("members", "whois", "MA", "--json")

    assert (done.returncode, done.stderr) == (0, "")
