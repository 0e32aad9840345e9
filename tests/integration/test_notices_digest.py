"""Digests out of a real lake: who is told what, once, and what lies in the folder."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tansiq.core.claims import TeamCard
from tansiq.core.columns import REJECTED, STORED
from tansiq.core.home import Home
from tansiq.lake import Filter, Lake, Slice
from tansiq.lake.fold import SIGHTING
from tansiq.notices.digest import Digester, UnknownTeam, Written
from tansiq.notices.period import Period

DAY = datetime(2026, 11, 22, tzinfo=UTC)
NOON = DAY + timedelta(hours=12)
YESTERDAY = NOON - timedelta(days=1)
TEAMS = {
    "XA-CERT": TeamCard("XA-CERT", {"en": "CERT of XA", "ar": "فريق XA"}, "MA"),
    "XE-CERT": TeamCard("XE-CERT", {"en": "CERT of XE"}, "MY"),
    "XF-CERT": TeamCard("XF-CERT", {"fr": "CERT de XF"}, "SN"),
}
TIE = "tie country XA: XA-CERT XF-CERT"
CONTESTED = "contested cidr 2001:db8::/48: XF-CERT inside XE-CERT"


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    home = Home(tmp_path / "home", tmp_path / "home" / "lake", str(tmp_path / "home" / "lake.catalogue.sqlite"))
    home.path.mkdir()
    with Lake.open(home) as opened:
        yield opened


def sighting(ip: str = "192.0.2.7", *, team: str | None = "XA-CERT", **more: Any) -> dict[str, Any]:
    observed = more.get("observed_at", NOON - timedelta(hours=6))
    return {
        "event_id": hashlib.sha256(f"{ip}{observed:%Y%m%d}".encode()).digest()[:16],
        "observed_at": observed,
        "received_at": NOON,
        "feed": "sinkhole",
        "rsit_class": "malicious-code",
        "rsit_type": "infected-system",
        "ip": ip,
        "ip_version": 4,
        "severity": "high",
        "team": team,
        "attributed_by": "cidr" if team else "none",
        "reason": "cidr 192.0.2.0/24" if team else "",
        "confidence_percent": 95 if team else 0,
        "claims_version": 1,
        "extra": '{"naics":"517311"}',
    } | more


def store(lake: Lake, name: str, rows: Sequence[dict[str, Any]]) -> None:
    """One report of these sightings, a line each."""
    report = hashlib.sha256(name.encode()).hexdigest()
    lines = [row | {"report_id": report, "line_number": number} for number, row in enumerate(rows, 1)]
    frame = pl.DataFrame([{column: line.get(column) for column in SIGHTING} for line in lines], schema=SIGHTING)
    one = Slice(report, "sinkhole", 1, len(rows) + 1, len(rows), 0, len(rows), 0, True)
    lake.commit(lake.stage(frame, pl.DataFrame(schema=REJECTED), [one]))


def digests(lake: Lake, into: Path, *only: str, period: Period | None = None, language: str = "en") -> list[Written]:
    digester = Digester(lake, period or Period.day_of(NOON), TEAMS, into, language, NOON)
    return list(digester.write(only))


def test_digest_of_a_day_tells_each_team_its_own_events_in_its_language(lake: Lake, tmp_path: Path) -> None:
    store(lake, "one", [sighting("192.0.2.7"), sighting("192.0.2.8"), sighting("203.0.113.9", team="XF-CERT")])

    told = digests(lake, tmp_path)

    assert [(one.team, one.language, one.events) for one in told] == [
        ("XA-CERT", "ar", 2),
        ("XF-CERT", "fr", 1),
        (None, "en", 0),
    ]
    arabic = (tmp_path / "2026-11-22" / "XA-CERT" / "digest.txt").read_text()
    french = (tmp_path / "2026-11-22" / "XF-CERT" / "digest.txt").read_text()
    assert "نظام مصاب" in arabic
    assert "فريق XA" in arabic
    assert "203[.]0" not in arabic
    assert "Système infecté" in french
    assert "192[.]0" not in french


def test_digest_folder_holds_the_files_it_says_and_nothing_else(lake: Lake, tmp_path: Path) -> None:
    store(lake, "one", [sighting()])

    told = digests(lake, tmp_path, "XA-CERT")[0]

    assert told.folder == tmp_path / "2026-11-22" / "XA-CERT"
    assert sorted(path.name for path in told.folder.iterdir()) == sorted(told.files)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    assert [path.name for path in (tmp_path / "2026-11-22").iterdir()] == ["XA-CERT"]


def test_attachments_hold_the_events_as_the_lake_prints_them(lake: Lake, tmp_path: Path) -> None:
    store(lake, "one", [sighting(), sighting("192.0.2.8", url="http://www.gov.example/a?b=1,2", observed_at=NOON)])

    folder = digests(lake, tmp_path, "XA-CERT")[0].folder

    lake.export(Filter(team="XA-CERT"), str(tmp_path / "printed.json"), "json")
    attached, printed = (
        sorted((json.loads(line) for line in path.read_text().splitlines()), key=lambda row: str(row["ip"]))
        for path in (folder / "events.json", tmp_path / "printed.json")
    )
    assert attached == printed
    with (folder / "events.csv").open(newline="") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: row["ip"])
    assert [(row["ip"], row["url"]) for row in rows] == [
        ("192.0.2.7", ""),
        ("192.0.2.8", "http://www.gov.example/a?b=1,2"),
    ]
    assert list(rows[0]) == list(STORED)


def test_event_seen_again_is_told_in_the_period_in_which_it_was_first_received(lake: Lake, tmp_path: Path) -> None:
    seen = {"observed_at": YESTERDAY - timedelta(hours=1)}
    store(lake, "yesterday", [sighting(received_at=YESTERDAY, **seen)])
    store(lake, "today", [sighting(received_at=NOON, **seen), sighting("192.0.2.8", received_at=NOON)])

    before = digests(lake, tmp_path, "XA-CERT", period=Period.day_of(YESTERDAY))[0]
    now = digests(lake, tmp_path, "XA-CERT")[0]

    assert (before.events, before.sightings) == (1, 2)
    assert (now.events, now.sightings) == (1, 1)
    assert "192.0.2.8" in (now.folder / "events.csv").read_text()


def test_tie_is_told_to_both_teams_and_to_the_operator(lake: Lake, tmp_path: Path) -> None:
    tie = {"team": None, "attributed_by": "tie", "reason": TIE}
    contested = {"team": None, "attributed_by": "contested", "reason": CONTESTED}
    store(lake, "one", [sighting("192.0.2.7", **tie), sighting("192.0.2.8", **tie), sighting("192.0.2.9", **contested)])

    told = {one.team: one for one in digests(lake, tmp_path)}

    assert {team: one.triage for team, one in told.items()} == {"XA-CERT": 2, "XE-CERT": 1, "XF-CERT": 3, None: 3}
    assert {team: one.events for team, one in told.items()} == {"XA-CERT": 0, "XE-CERT": 0, "XF-CERT": 0, None: 3}
    mine = (told["XA-CERT"].folder / "triage.csv").read_text()
    assert mine.count(TIE) == 2
    assert CONTESTED not in mine
    assert "triage.csv" not in told[None].files
    assert "claimed alike by XA-CERT, XF-CERT" in (told[None].folder / "digest.txt").read_text()


def test_tie_is_told_to_one_team_asked_for_alone(lake: Lake, tmp_path: Path) -> None:
    store(lake, "one", [sighting(team=None, attributed_by="tie", reason=TIE), sighting("192.0.2.8", team=None)])

    told = digests(lake, tmp_path, "XF-CERT")

    assert [(one.team, one.events, one.triage) for one in told] == [("XF-CERT", 0, 1)]
    assert (told[0].folder / "triage.csv").read_text().count(TIE) == 1


def test_unattributed_events_are_counted_for_the_operator_only(lake: Lake, tmp_path: Path) -> None:
    store(lake, "one", [sighting(), sighting("192.0.2.8", team=None), sighting("192.0.2.9", team=None)])

    told = {one.team: one for one in digests(lake, tmp_path)}

    assert told[None].unattributed == 2
    assert told[None].events == 0
    assert "2 events are attributed to nobody" in (told[None].folder / "digest.txt").read_text()


def test_digest_for_a_team_without_events_says_that_nothing_came(lake: Lake, tmp_path: Path) -> None:
    told = digests(lake, tmp_path, "XE-CERT")[0]

    assert told.events == 0
    assert "Nothing was received" in (told.folder / "digest.txt").read_text()
    assert (told.folder / "events.json").read_text() == ""


def test_digest_written_again_replaces_the_folder(lake: Lake, tmp_path: Path) -> None:
    store(lake, "one", [sighting()])
    first = digests(lake, tmp_path, "XA-CERT")[0]
    (first.folder / "left-behind").write_text("")
    store(lake, "two", [sighting("192.0.2.8")])

    again = digests(lake, tmp_path, "XA-CERT")[0]

    assert (first.events, again.events) == (1, 2)
    assert sorted(path.name for path in again.folder.iterdir()) == sorted(again.files)


def test_digest_for_a_team_nobody_knows_is_refused_before_anything_is_written(lake: Lake, tmp_path: Path) -> None:
    into = tmp_path / "digests"

    with pytest.raises(UnknownTeam) as refused:
        digests(lake, into, "XA-CERT", "XZ-CERT")

    assert refused.value.exit_code == 2
    assert not into.exists()


def test_events_of_a_team_that_left_the_directory_are_still_told(lake: Lake, tmp_path: Path) -> None:
    store(lake, "one", [sighting(team="XZ-CERT")])

    told = digests(lake, tmp_path)[0]

    assert (told.team, told.language, told.events) == ("XZ-CERT", "en", 1)
