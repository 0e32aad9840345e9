from __future__ import annotations

import random
from datetime import timedelta

import numpy as np
import polars as pl

from factories.lake import START, event_id, folded, shown, sighting, sightings
from tansiq.core.columns import STORED
from tansiq.lake.fold import fold
from tansiq.lake.known import within


def test_fold_of_sightings_once_each_keeps_every_row() -> None:
    rows = [sighting(subject, line=line) for line, subject in enumerate("abc", 1)]

    events = fold(sightings(rows))

    assert events.schema == pl.Schema(STORED)
    assert shown(events) == folded(rows)


def test_fold_of_repeats_keeps_the_canonical_sighting_and_counts() -> None:
    rows = [
        sighting("a", "late", 1, observed_at=START + timedelta(hours=2), port=3),
        sighting("a", "early", 9, observed_at=START, port=1),
        sighting("a", "early", 2, observed_at=START, port=2),
        sighting("b", "early", 3),
    ]

    events = shown(fold(sightings(rows)))

    event = events[event_id("a", START.date())]
    assert (event["count"], event["first_seen"], event["last_seen"]) == (3, START, START + timedelta(hours=2))
    assert event["port"] == 2
    assert events == folded(rows)


def test_fold_received_at_says_when_the_event_was_first_heard_of() -> None:
    sooner, later = START + timedelta(days=1), START + timedelta(days=3)
    rows = [
        sighting("a", "first", received_at=sooner, observed_at=START + timedelta(hours=1)),
        sighting("a", "second", received_at=later, observed_at=START),
    ]

    event = shown(fold(sightings(rows)))[event_id("a", START.date())]

    assert (event["received_at"], event["observed_at"]) == (sooner, START)


def test_fold_of_nothing_has_the_columns() -> None:
    events = fold(sightings())

    assert events.schema == pl.Schema(STORED)
    assert events.is_empty()


def test_fold_of_ids_that_share_their_upper_half_keeps_them_apart() -> None:
    rows = [sighting("a", line=line) for line in (1, 2, 3)]
    for row, low in zip(rows, (1, 2, 1), strict=True):
        row["event_id"] = b"12345678" + low.to_bytes(8)

    events = shown(fold(sightings(rows)))

    assert sorted(event["count"] for event in events.values()) == [1, 2]


def test_fold_of_shuffled_rows_is_the_same() -> None:
    draw = random.Random(5)
    rows = [
        sighting(
            draw.randrange(40), draw.randrange(4), line, observed_at=START + timedelta(minutes=draw.randrange(900))
        )
        for line in range(300)
    ]
    shuffled = draw.sample(rows, len(rows))

    assert shown(fold(sightings(rows))) == shown(fold(sightings(shuffled))) == folded(rows)


def test_within_ids_that_share_their_upper_half_compares_both_halves() -> None:
    run = (np.array([1, 5, 5, 5, 9], np.uint64), np.array([0, 7, 3, 8, 0], np.uint64))
    hi, lo = np.array([1, 5, 5, 5, 9, 10], np.uint64), np.array([0, 8, 4, 7, 1, 0], np.uint64)

    found = within(hi, lo, run)

    assert found.tolist() == [True, True, False, True, False, False]
