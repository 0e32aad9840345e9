"""``tansiq events`` as scripts and people call it."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from conftest import environment
from factories import postgres
from factories.lake import START, home_at, no_rejects, part, rejected, rejects, report_id, sighting, sightings
from tansiq.cli import events as desk
from tansiq.cli.speech import worded
from tansiq.core.columns import STORED
from tansiq.core.errors import TansiqError
from tansiq.lake import Lake

PROGRAM = """
import os, sys
from tansiq.cli import events
from tansiq.cli.speech import complain
from tansiq.core.errors import TansiqError
sys.argv[1:] = {arguments!r}
try:
    events.app()()
except TansiqError as error:
    complain(error)
    sys.exit(error.exit_code)
except BrokenPipeError:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(141)
"""
Events = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def filled_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A node whose lake holds five events of two days, one of them seen twice, and three rejected lines."""
    rows = [
        sighting("a", line=1),
        sighting("a", line=2, observed_at=START + timedelta(hours=1)),
        sighting("b", line=3, team="XE-CERT", country="XE", asn=64500, ip="2001:db8::1", malware="example"),
        sighting("c", line=4, url="http://bad.example/x?a=1", hostname="bad.example", ip=None, rsit_class="fraud",
                 rsit_type="phishing", extra='{"note": "é"}'),
        sighting("d", line=5, observed_at=START + timedelta(days=1)),
        sighting("e", line=6, team=None, attributed_by="none"),
    ]  # fmt: skip
    bad = [rejected("r", 7, b"good text"), rejected("r", 8, b"\xff\x00"), rejected("r", 9, b"\x1b[2Jgone")]
    home = tmp_path_factory.mktemp("events") / "home"
    with Lake.open(home_at(home)) as lake:
        lake.commit(lake.stage(sightings(rows), rejects(bad), [part("r", 1, 6, bad=3)]))
        lake.commit(lake.stage(sightings([sighting("a", "s")]), no_rejects(), [part("s", 1, 1)]))
    if postgres.running:
        postgres.running.settle(home)
    return home


@pytest.fixture
def filled(filled_once: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(filled_once, tmp_path / "home"))


@pytest.fixture
def events(filled: Path, monkeypatch: pytest.MonkeyPatch) -> Events:
    """The desk's commands in this process: what is said, and the exit code the program would have."""
    monkeypatch.setenv("TANSIQ_HOME", str(filled))
    for name in ("TANSIQ_LAKE", "TANSIQ_LAKE_CATALOGUE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TANSIQ_DATABASE_URL", postgres.url_of(filled))

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        result = CliRunner().invoke(desk.app(), list(arguments))
        if isinstance(result.exception, TansiqError):
            said = " ".join(worded(result.exception).values())
            return subprocess.CompletedProcess(arguments, result.exception.exit_code, result.stdout, said)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return subprocess.CompletedProcess(arguments, result.exit_code, result.stdout, result.stderr)

    return call


def rows_of(done: subprocess.CompletedProcess[str]) -> list[dict]:
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_query_json_has_every_column_of_an_event(events: Events) -> None:
    found = rows_of(events("query", "--json"))

    assert len(found) == 5
    assert all(list(event) == list(STORED) for event in found)
    by_url = {event["url"]: event for event in found}
    assert by_url["http://bad.example/x?a=1"]["extra"] == {"note": "é"}
    assert {len(event["event_id"]) for event in found} == {32}
    assert max(event["count"] for event in found) == 3


@pytest.mark.parametrize(
    ("conditions", "number"),
    [
        (["--team", "xe-cert"], 1),
        (["--team", "none"], 1),
        (["--rsit", "fraud"], 1),
        (["--rsit", "phishing"], 1),
        (["--country", "xe"], 1),
        (["--asn", "AS64500"], 1),
        (["--malware", "example"], 1),
        (["--ip", "2001:DB8:0::1"], 1),
        (["--since", "2026-01-11"], 1),
        (["--until", "2026-01-11T00:00:00Z"], 4),
        (["--since", "2026-01-10T08:30:00+00:00", "--until", "2026-01-11"], 1),
        (["--since", "24h"], 0),
        (["--feed", "example-sinkhole", "--limit", "2"], 2),
    ],
)
def test_query_with_conditions_finds_the_events_that_meet_them(
    events: Events, conditions: list[str], number: int
) -> None:
    assert len(rows_of(events("query", "--json", *conditions))) == number


def test_query_with_limit_in_json_is_newest_first(events: Events) -> None:
    seen = [event["last_seen"] for event in rows_of(events("query", "--json", "--limit", "3"))]

    assert seen == sorted(seen, reverse=True)
    assert seen[0] == "2026-01-11T08:00:00Z"


def test_query_csv_has_a_header_and_all_rows(events: Events) -> None:
    done = events("query", "--csv")

    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert list(rows[0]) == list(STORED)
    assert len(rows) == 5


def test_query_parquet_writes_typed_columns(events: Events, tmp_path: Path) -> None:
    file = tmp_path / "out.parquet"

    done = events("query", "--parquet", str(file))

    assert (done.returncode, done.stdout) == (0, "")
    assert pl.read_parquet(file).schema["observed_at"] == STORED["observed_at"]


def test_query_parquet_into_a_folder_that_is_not_there_says_so(events: Events, tmp_path: Path) -> None:
    done = events("query", "--parquet", str(tmp_path / "absent" / "out.parquet"))

    assert done.returncode == 4
    assert "cannot be written" in done.stderr


def test_query_for_people_defangs_and_says_how_many_more(events: Events) -> None:
    whole = events("query")
    short = events("query", "--limit", "1")

    assert "hxxp://bad[.]example" in whole.stdout
    assert "http://" not in whole.stdout
    assert "4 more" in short.stderr


def test_query_of_a_reader_that_leaves_ends_quietly(filled: Path) -> None:
    with Lake.open(home_at(filled)) as lake:
        rows = [sighting(f"n{n}", "t", n + 1) for n in range(20_000)]
        lake.commit(lake.stage(sightings(rows), no_rejects(), [part("t", 1, 20_000)]))
    program = PROGRAM.format(arguments=["query", "--json"])

    process = subprocess.Popen(
        ["sh", "-c", '"$0" -c "$1" | head -n 1', sys.executable, program],
        env=environment(filled),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    said, complained = process.communicate(timeout=120)

    assert said.count("\n") == 1
    assert complained == ""


def test_count_by_columns_adds_up(events: Events) -> None:
    counted = rows_of(events("count", "--by", "day,team", "--json"))

    assert {(row["day"], row["team"]): (row["events"], row["sightings"]) for row in counted} == {
        ("2026-01-10", "XA-CERT"): (2, 4),
        ("2026-01-10", "XE-CERT"): (1, 1),
        ("2026-01-10", None): (1, 1),
        ("2026-01-11", "XA-CERT"): (1, 1),
    }


def test_count_by_a_time_spells_it(events: Events) -> None:
    (counted,) = rows_of(events("count", "--by", "last_seen", "--team", "XE-CERT", "--json"))

    assert datetime.fromisoformat(counted["last_seen"]) == START.astimezone(UTC)


def test_rejects_json_shows_text_or_base64(events: Events) -> None:
    lines = rows_of(events("rejects", report_id("r")[:8], "--json"))

    assert [(row["line_number"], row["raw"], row["raw_base64"]) for row in lines] == [
        (7, "good text", None),
        (8, None, "/wA="),
        (9, "\x1b[2Jgone", None),
    ]


def test_rejects_for_people_shows_no_control_sequence(events: Events) -> None:
    done = events("rejects")

    assert "\x1b" not in done.stdout
    assert "\\x1b[2Jgone" in done.stdout


def test_compact_says_what_it_did(events: Events) -> None:
    (done,) = rows_of(events("compact", "2026-01-10", "--json"))

    assert (done["day"], done["rows_after"]) == ("2026-01-10", 5)
    assert len(rows_of(events("query", "--json"))) == 5


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["query", "--since", "yesterday"], "yesterday"),
        (["query", "--since", "2026-02-30"], "2026-02-30"),
        (["query", "--since", "2026-01-02", "--until", "2026-01-01"], "not before"),
        (["query", "--rsit", "malware"], "malware-distribution"),
        (["query", "--asn", "4294967296"], "4294967296"),
        (["query", "--ip", "192.0.2.256"], "192.0.2.256"),
        (["query", "--country", "XAA"], "XAA"),
        (["query", "--json", "--csv"], "Only one"),
        (["count", "--by", "colour"], "colour"),
        (["rejects", "ffff"], "ffff"),
        (["compact", "soon"], "soon"),
    ],
)
def test_bad_arguments_are_named_and_exit_2(events: Events, arguments: list[str], said: str) -> None:
    done = events(*arguments)

    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
