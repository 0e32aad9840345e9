"""``tansiq geo`` as a user runs it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Run = Callable[..., "CompletedProcess[str]"]


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    folder = tmp_path / "tables-20260301"
    folder.mkdir()
    (folder / "routes.csv").write_text("prefix,asn,cc\n192.0.2.0/24,64496,MA\n2001:db8::/32,64497,TN\n")
    (folder / "README").write_text("Tables of March.\n")
    return folder


def test_geo_update_from_a_folder_gives_the_object_scripts_rely_on(run: Run, tables: Path) -> None:
    done = run("geo", "update", "--from", tables, "--json")

    assert done.returncode == 0
    assert json.loads(done.stdout) == {
        "prefixes4": 1,
        "prefixes6": 1,
        "asns": 2,
        "countries": 2,
        "as_of": "2026-03-01",
        "sources": [{"file": "routes.csv", "format": "route-csv", "rows": 2, "date": "2026-03-01"}],
        "skipped": [{"file": "README", "reason": "It is in none of the formats known as address tables."}],
    }


def test_geo_update_in_words_says_what_was_made_and_what_left_aside(run: Run, tables: Path) -> None:
    done = run("geo", "update", "--from", tables)

    assert done.returncode == 0
    assert "Address table as of 2026-03-01" in done.stdout
    assert "1 IPv4 and 1 IPv6 prefixes, 2 AS numbers, 2 countries." in done.stdout
    assert "README" in done.stderr


def test_geo_update_makes_whois_answer_from_the_new_table(run: Run, tables: Path) -> None:
    run("geo", "update", "--from", tables)

    answer = json.loads(run("members", "whois", "192.0.2.7", "--json").stdout)

    assert (answer["prefix"], answer["asn"], answer["country"]) == ("192.0.2.0/24", 64496, "MA")


def test_geo_update_with_nothing_usable_keeps_the_table_in_use(run: Run, tables: Path, tmp_path: Path) -> None:
    run("geo", "update", "--from", tables)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "cut.csv").write_text("prefix,asn\n192.0.2.0/24,6")

    done = run("geo", "update", "--from", tmp_path / "other", "--json")

    said = json.loads(done.stdout)
    assert done.returncode == 3
    assert said["error"]["code"] == "addresses.nothing_usable"
    assert [skipped["file"] for skipped in said["skipped"]] == ["cut.csv"]
    assert json.loads(run("geo", "status", "--json").stdout)["as_of"] == "2026-03-01"


@pytest.mark.parametrize(
    ("arguments", "code", "exit_code"),
    [
        (["--from", "/nowhere/at/all"], "geo.from.missing", 3),
        (["--from", "/nowhere/at/all", "--bundled"], "geo.update.two_sources", 2),
    ],
)
def test_geo_update_asked_for_what_cannot_be_is_refused(
    run: Run, arguments: list[str], code: str, exit_code: int
) -> None:
    done = run("geo", "update", *arguments, "--json")

    assert (done.returncode, json.loads(done.stdout)["error"]["code"]) == (exit_code, code)


def test_geo_status_before_the_first_table_says_what_to_do(run: Run) -> None:
    done = run("geo", "status")

    assert done.returncode == 0
    assert "tansiq geo update" in done.stdout


def test_geo_update_bundled_knows_every_country_and_says_how_old_it_is(run: Run) -> None:
    facts = json.loads(run("geo", "update", "--bundled", "--json").stdout)

    assert facts["as_of"] == "2024-06-18"
    assert facts["countries"] > 240
    assert "days old" in run("geo", "status").stdout


def test_geo_status_of_a_broken_table_says_how_to_mend_it(run: Run, home: Path, tables: Path) -> None:
    run("geo", "update", "--from", tables)
    next((home / "tables").glob("addresses-*/v4.asn.npy")).write_bytes(b"")

    done = run("geo", "status")

    assert done.returncode == 3
    assert "tansiq geo update" in done.stderr
