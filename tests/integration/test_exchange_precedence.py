"""Alerts before everything else, and nothing stopped by them."""

from __future__ import annotations

import threading

from tansiq.exchange.body import Lane

SECONDS = 20.0


def test_other_lane_makes_its_next_step_when_the_urgent_one_has_ended(_connected: None) -> None:
    from tansiq.exchange.node.precedence import Precedence

    precedence, waited = Precedence(), []
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
    from tansiq.exchange.node.precedence import Precedence, step

    precedence = Precedence()

    with precedence.work(Lane.BULK), precedence.work(Lane.NORMAL):
        ways = [precedence.give_way(lane) for lane in Lane]

    assert ways == [True, True, True]
    assert [step(lane, 200) for lane in Lane] == [200, 50, 50]
