"""What a peer's part of the backbone takes, learnt from refusals."""

from __future__ import annotations

import pytest

from tansiq.exchange.node.backbone_room import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, BackboneRoom

ENOUGH = 500


class Clock:
    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


def room() -> tuple[BackboneRoom, Clock]:
    clock = Clock()
    return BackboneRoom(ENOUGH, clock), clock


def test_part_of_which_nothing_was_refused_is_free() -> None:
    ours, _clock = room()

    ours.took("XB", 400, 0)

    assert (ours.free("XB"), ours.again_in()) == (ENOUGH, None)


def test_after_a_refusal_as_many_are_offered_as_fitted_and_not_at_once() -> None:
    ours, clock = room()

    ours.took("XB", 500, 471)
    at_once = ours.free("XB")
    clock.seconds += FIRST_PAUSE_SECONDS

    assert (at_once, ours.free("XB"), ours.free("XC")) == (0, 29, ENOUGH)


def test_part_that_takes_everything_grows_until_it_is_free() -> None:
    ours, clock = room()
    ours.took("XB", 500, 500)
    clock.seconds += FIRST_PAUSE_SECONDS

    offered = []
    while (most := ours.free("XB")) < ENOUGH:
        offered.append(most)
        ours.took("XB", most, 0)

    assert offered == [1, 2, 4, 7, 11, 17, 26, 40, 61, 92, 139, 209, 314, 472]
    assert ours.again_in() is None


def test_part_of_a_node_that_is_away_is_tried_ever_later_with_one() -> None:
    ours, clock = room()

    pauses = []
    for _ in range(13):
        ours.took("XB", max(1, ours.free("XB")), max(1, ours.free("XB")))
        pauses.append(ours.again_in())
        clock.seconds += pauses[-1] or 0

    assert ours.free("XB") == 1
    assert pauses[:3] == pytest.approx([FIRST_PAUSE_SECONDS, 2 * FIRST_PAUSE_SECONDS, 4 * FIRST_PAUSE_SECONDS])
    assert pauses[-1] == pytest.approx(LONGEST_PAUSE_SECONDS)


def test_peer_that_is_heard_is_tried_at_once() -> None:
    ours, _clock = room()
    ours.took("XB", 10, 8)

    ours.heard("XB")
    ours.heard("XC")

    assert (ours.free("XB"), ours.again_in()) == (2, None)
