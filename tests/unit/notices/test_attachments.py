from __future__ import annotations

import csv
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl

from tansiq.core.columns import STORED
from tansiq.notices.attachments import write_csv, write_json

EVENT: dict[str, Any] = dict.fromkeys(STORED) | {
    "event_id": bytes(range(16)),
    "observed_at": datetime(2026, 11, 22, 12, 0, 0, 250, tzinfo=UTC),
    "feed": 'a "quoted", feed',
    "url": "http://www.gov.example/=1+1\nتنسيق",
    "port": 443,
    "addresses_as_of": date(2026, 11, 1),
    "extra": '{"naics":"517311","note":"a\\nb \\u00e9"}',
}
BARE: dict[str, Any] = dict.fromkeys(STORED) | {"event_id": bytes(16)}


def frame(*rows: dict[str, Any]) -> pl.LazyFrame:
    return pl.LazyFrame(list(rows), schema=STORED, orient="row")


def test_csv_of_awkward_events_reads_back_the_same(tmp_path: Path) -> None:
    write_csv(frame(EVENT, BARE), tmp_path / "events.csv")

    with (tmp_path / "events.csv").open(encoding="utf-8", newline="") as file:
        first, bare = csv.DictReader(file)
    assert list(first) == list(STORED)
    assert first["event_id"] == bytes(range(16)).hex()
    assert first["observed_at"] == "2026-11-22T12:00:00.000250Z"
    assert (first["feed"], first["url"], first["port"]) == (EVENT["feed"], EVENT["url"], "443")
    assert first["addresses_as_of"] == "2026-11-01"
    assert json.loads(first["extra"]) == {"naics": "517311", "note": "a\nb é"}
    assert {value for name, value in bare.items() if name != "event_id"} == {""}


def test_json_of_awkward_events_is_one_object_a_line_with_extra_as_an_object(tmp_path: Path) -> None:
    write_json(frame(EVENT, BARE), tmp_path / "events.json")

    first, bare = [json.loads(line) for line in (tmp_path / "events.json").read_text("utf-8").splitlines()]
    assert set(first) == set(STORED)
    assert first["event_id"] == bytes(range(16)).hex()
    assert first["observed_at"] == "2026-11-22T12:00:00.000250Z"
    assert (first["feed"], first["url"], first["port"]) == (EVENT["feed"], EVENT["url"], 443)
    assert first["extra"] == {"naics": "517311", "note": "a\nb é"}
    assert {value for name, value in bare.items() if name != "event_id"} == {None}


def test_attachments_of_no_events_are_a_header_and_nothing(tmp_path: Path) -> None:
    write_csv(frame(), tmp_path / "events.csv")
    write_json(frame(), tmp_path / "events.json")

    assert (tmp_path / "events.csv").read_text() == ",".join(STORED) + "\n"
    assert (tmp_path / "events.json").read_text() == ""
