"""Alerts before everything else, and nothing stopped by them."""

from __future__ import annotations

import threading

import pytest

from tansiq.exchange.body import Lane

SECONDS = 60.0


def test_other_lane_makes_its_next_step_when_the_urgent_one_has_ended(
    _connected: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tansiq.exchange.node import precedence as node_precedence

    monkeypatch.setattr(node_precedence, "LONGEST_SECONDS", 2 * SECONDS)
    precedence, waited = node_precedence.Precedence(), []
    began = threading.Event()

    def other() -> None:
        began.set()
        waited.append(precedence.give_way(Lane.BULK))

    with precedence.work(Lane.URGENT):
        thread = threading.Thread(target=other)
        thread.start()
        began.wait(SECONDS)
    thread.join(SECONDS)

    assert waited == [True]


def test_other_lane_goes_on_though_alerts_do_not_end(_connected: None) -> None:
    from tansiq.exchange.node.precedence import Precedence

    precedence = Precedence()

    with precedence.work(Lane.URGENT):
        assert precedence.give_way(Lane.BULK) is False


def test_nothing_waits_for_lanes_that_are_not_urgent(_connected: None) -> None:
    from tansiq.exchange.node.precedence import Precedence

    precedence = Precedence()

    with precedence.work(Lane.BULK), precedence.work(Lane.NORMAL):
        ways = [precedence.give_way(lane) for lane in Lane]

    assert ways == [True, True, True]


def test_steps_follow_what_they_take_and_alerts_have_none(_connected: None) -> None:
    from tansiq.exchange.node.precedence import FIRST, LEAST, MOST, STEP_SECONDS, Pace

    pace, steps = Pace(), []
    for seconds_a_body in (1.0, 1.0, *[0.0001] * 20):
        steps.append(pace.step(Lane.BULK, 500))
        pace.took(steps[-1], steps[-1] * seconds_a_body)

    assert steps[:3] == [FIRST, LEAST, LEAST]
    assert steps == [FIRST, *sorted(steps[1:])]
    assert steps[-1] == MOST < STEP_SECONDS / 0.0001
    assert (pace.step(Lane.URGENT, 500), pace.step(Lane.BULK, 7)) == (500, 7)


def test_step_that_was_not_whole_says_nothing_of_the_next(_connected: None) -> None:
    from tansiq.exchange.node.precedence import FIRST, Pace

    pace = Pace()
    pace.took(1, 10.0)

    assert pace.step(Lane.NORMAL, 500) == FIRST
