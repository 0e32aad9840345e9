"""What a recall and a check say, and what they may not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tansiq.exchange import recall
from tansiq.exchange.body import Lane, Version
from tansiq.exchange.kinds import KNOWN, Kinds, Writer
from tansiq.exchange.own_kinds import CHECKS, register
from tansiq.exchange.receiving import NO_VERSION, Recall
from tansiq.exchange.values import LARGEST

ROUND = "01900000-0000-7000-8000-000000000001"

numbers = st.integers(0, LARGEST)
versions = st.builds(Version, numbers, numbers)
recalls = st.builds(Recall, versions, versions, st.integers(1, LARGEST)).map(
    lambda said: said if said.left != NO_VERSION else Recall(said.narrowed)
)


@given(recalls.filter(lambda said: said != Recall()))
def test_recall_that_is_written_is_read_again(said: Recall) -> None:
    assert recall.read(recall.write("XA:1", said)) == ("XA:1", said)


def test_recall_of_nothing_is_not_written() -> None:
    with pytest.raises(ValueError):
        recall.write("XA:1", Recall())


GOOD: dict[str, Any] = {"object": "XA:1", "narrowed": {"term": 1, "n": 2}, "left": None, "epoch": 0}


@pytest.mark.parametrize(
    "changes",
    [
        {"object": ""},
        {"object": 7},
        {"narrowed": None},
        {"narrowed": {"term": 0, "n": 0}},
        {"narrowed": {"term": 1}},
        {"narrowed": {"term": 1, "n": 2, "more": 3}},
        {"narrowed": {"term": -1, "n": 2}},
        {"left": {"term": 1, "n": 1}},
        {"epoch": 3},
        {"epoch": None},
        {"epoch": True},
        {"because": "words"},
    ],
)
def test_recall_of_another_form_fits_no_kind(changes: dict[str, Any]) -> None:
    assert recall.fits(GOOD)
    assert not recall.fits(GOOD | changes)


@pytest.mark.parametrize("payload", [None, [], "recall", {}, 1])
def test_what_is_no_object_is_no_recall(payload: Any) -> None:
    assert not recall.fits(payload)


def test_own_kinds_wait_for_nothing_and_all_but_answers_speak_for_a_node() -> None:
    kinds = Kinds()

    register(kinds)
    register(kinds)

    found = kinds.by_name()
    assert {name: kind.lane for name, kind in found.items()} == {
        "recall": Lane.URGENT,
        "check.urgent": Lane.URGENT,
        "check": Lane.NORMAL,
        "check.bulk": Lane.BULK,
        "check.seen": Lane.URGENT,
    }
    assert all(kind.self_contained for kind in found.values())
    assert {name for name, kind in found.items() if kind.writer is not Writer.NODE} == {"check.seen"}


@pytest.mark.parametrize(
    ("payload", "is_one"),
    [
        ({"round": ROUND, "way": "mail", "sent_at": "2026-03-01T08:00:00.000Z"}, True),
        ({"round": ROUND, "way": "jetstream", "sent_at": "2026-03-01T08:00:00.000Z"}, True),
        ({"round": ROUND, "way": "file", "sent_at": "2026-03-01T08:00:00.000Z"}, False),
        ({"round": ROUND, "way": "pigeon", "sent_at": "2026-03-01T08:00:00.000Z"}, False),
        ({"round": "7", "way": "mail", "sent_at": "2026-03-01T08:00:00.000Z"}, False),
        ({"round": ROUND, "way": "mail", "sent_at": "now"}, False),
        ({"round": ROUND, "way": "mail"}, False),
        ([], False),
    ],
)
@pytest.mark.parametrize("lane", Lane)
def test_check_says_its_round_its_way_and_when(lane: Lane, payload: Any, is_one: bool) -> None:
    kinds = Kinds()
    register(kinds)

    kind = kinds.get(CHECKS[lane])

    assert kind is not None
    assert kind.fits(payload) is is_one


def test_program_registers_them_once() -> None:
    register()
    register()

    assert {"recall", *CHECKS.values()} <= KNOWN.by_name().keys()
