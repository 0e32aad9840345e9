"""Which process works on a node's links, and who is told so."""

from __future__ import annotations

from datetime import timedelta

import pytest

from factories import signin

pytestmark = pytest.mark.usefixtures("database", "forgotten")


def test_process_that_speaks_after_the_asker_looked_at_the_clock_is_at_work() -> None:
    from tansiq.exchange.node import serving

    asked_at = signin.now()
    assert serving.hold("one", asked_at + timedelta(seconds=3))

    found = serving.served(asked_at)

    assert found is not None and found.worker == "one"
    with pytest.raises(serving.AlreadyServed):
        serving.must_be_free(asked_at)
    assert not serving.hold("another", asked_at)


def test_process_that_is_silent_for_a_minute_is_not_at_work() -> None:
    from tansiq.exchange.node import serving

    now = signin.now()
    assert serving.hold("one", now)

    assert serving.served(now + serving.LEASE - timedelta(seconds=1)) is not None
    assert serving.served(now + serving.LEASE) is None


def test_clock_that_was_set_back_does_not_keep_a_process_at_work() -> None:
    from tansiq.exchange.node import serving

    now = signin.now()
    assert serving.hold("one", now + timedelta(hours=1))

    assert serving.served(now) is None
    assert serving.hold("another", now)
