"""Sightings, rejects and homes for tests of the lake."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from factories import postgres
from tansiq.core.columns import REJECTED, STORED
from tansiq.core.home import Home
from tansiq.lake import Slice
from tansiq.lake.fold import SIGHTING

START = datetime(2026, 1, 10, 8, 0, tzinfo=UTC)
BASE: dict[str, Any] = {
    "observed_at": START,
    "received_at": START + timedelta(days=1),
    "feed": "example-sinkhole",
    "rsit_class": "malicious-code",
    "rsit_type": "infected-system",
    "ip": "192.0.2.1",
    "ip_version": 4,
    "asn": 64496,
    "country": "XA",
    "team": "XA-CERT",
    "attributed_by": "country",
    "confidence_percent": 60,
    "claims_version": 1,
    "addresses_as_of": date(2026, 1, 1),
}


def home_at(folder: Path, catalogue: str | None = None) -> Home:
    return Home(folder, folder / "lake", catalogue or postgres.url_of(folder) or str(folder / "lake.catalogue.sqlite"))


def report_id(name: object) -> str:
    return hashlib.sha256(str(name).encode()).hexdigest()


def event_id(subject: object, day: date) -> bytes:
    return hashlib.sha256(f"{subject} {day}".encode()).digest()[:16]


def sighting(subject: object = "a", report: object = "r", line: int = 1, **given: Any) -> dict[str, Any]:
    """One line about a subject; the same subject on the same UTC day is the same event."""
    row = BASE | given
    return {
        **row,
        "event_id": event_id(subject, row["observed_at"].astimezone(UTC).date()),
        "report_id": report_id(report),
        "line_number": line,
    }


def sightings(rows: Iterable[dict[str, Any]] = ()) -> pl.DataFrame:
    return pl.DataFrame([{name: row.get(name) for name in SIGHTING} for row in rows], schema=SIGHTING, orient="row")


def no_rejects() -> pl.DataFrame:
    return pl.DataFrame(schema=REJECTED)


def rejected(report: object, line: int, raw: bytes, reason: str = "ip.invalid") -> dict[str, Any]:
    received = BASE["received_at"]
    return {"report_id": report_id(report), "feed": BASE["feed"], "line_number": line, "reason": reason, "raw": raw,
            "received_at": received}  # fmt: skip


def rejects(rows: Sequence[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=REJECTED, orient="row")


def part(report: object, first: int, events: int, *, bad: int = 0, blank: int = 0, complete: bool = True) -> Slice:
    lines = events + bad + blank
    return Slice(report_id(report), BASE["feed"], first, first + lines, lines, blank, events, bad, complete)


def folded(rows: Iterable[dict[str, Any]]) -> dict[bytes, dict[str, Any]]:
    """The fold, written once more in the plainest way: what the lake must show for these sightings."""
    events: dict[bytes, list[dict[str, Any]]] = {}
    for row in rows:
        events.setdefault(row["event_id"], []).append(row)
    return {id_: one_event(of_it) for id_, of_it in events.items()}


def one_event(of_it: list[dict[str, Any]]) -> dict[str, Any]:
    canonical = min(of_it, key=lambda row: (row["observed_at"], row["report_id"], row["line_number"]))
    times = [row["observed_at"] for row in of_it]
    return {name: canonical.get(name) for name in STORED} | {
        "received_at": min(row["received_at"] for row in of_it),
        "count": len(of_it),
        "first_seen": min(times),
        "last_seen": max(times),
        "schema_version": 1,
    }


def shown(events: pl.DataFrame) -> dict[bytes, dict[str, Any]]:
    """What the lake answered, in the form of ``folded``; an id that comes twice fails."""
    assert events["event_id"].n_unique() == len(events)
    return {row["event_id"]: row for row in events.iter_rows(named=True)}
