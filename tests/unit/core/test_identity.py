from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import polars as pl

from tansiq.core.columns import TIME
from tansiq.core.identity import event_ids


def observation(**changes: object) -> pl.DataFrame:
    row = {
        "feed": "shadowserver",
        "rsit_type": "infected-system",
        "ip": "192.0.2.1",
        "port": 80,
        "protocol": "tcp",
        "hostname": None,
        "url": None,
        "dst_ip": None,
        "dst_port": None,
        "malware": "mirai",
        "tag": None,
        "observed_at": datetime(2026, 3, 1, 12, tzinfo=UTC),
    } | changes
    types = {"port": pl.UInt16, "dst_port": pl.UInt16, "observed_at": TIME}
    return pl.DataFrame([row], schema_overrides=types).with_columns(pl.col(pl.Null).cast(pl.String))


def test_event_id_is_recomputable_by_anyone() -> None:
    text = "\x1f".join(
        ["shadowserver", "infected-system", "192.0.2.1", "80", "tcp", "", "", "", "", "mirai", "", "2026-03-01"]
    )

    assert event_ids(observation()).to_list() == [hashlib.sha256(text.encode()).digest()[:16]]


def test_event_id_is_the_same_all_day_and_another_the_next() -> None:
    morning = event_ids(observation(observed_at=datetime(2026, 3, 1, 0, 0, tzinfo=UTC))).item()
    night = event_ids(observation(observed_at=datetime(2026, 3, 1, 23, 59, 59, tzinfo=UTC))).item()
    next_day = event_ids(observation(observed_at=datetime(2026, 3, 2, tzinfo=UTC))).item()

    assert morning == night != next_day


def test_event_id_tells_neighbouring_columns_apart() -> None:
    first = event_ids(observation(hostname="a.example", url=None)).item()
    second = event_ids(observation(hostname=None, url="a.example")).item()

    assert first != second


def test_event_id_leaves_out_what_differs_between_sightings() -> None:
    plain = event_ids(observation()).item()

    assert event_ids(observation().with_columns(severity=pl.lit("high"), extra=pl.lit("{}"))).item() == plain
