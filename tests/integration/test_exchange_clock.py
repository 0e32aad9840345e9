"""A node whose clock was a day ahead goes on at once when it is right again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


def channels(ahead: timedelta) -> None:
    """One in each direction that were last used by a clock that was so far ahead."""
    from tansiq.exchange.models import InChannel, OutChannel, Sent

    at = NOW + ahead
    out = OutChannel.objects.create(peer="XB", lane="urgent", incarnation="1-a", given=1, waiting_bodies=1, heard_at=at)
    Sent.objects.create(
        channel=out,
        first=1,
        last=1,
        prev="0" * 64,
        digest="1" * 64,
        skipped="limit",
        made_at=at,
        attempts=1,
        tried_at=at,
        next_at=at + timedelta(seconds=5),
        first_sent_at=at,
    )
    InChannel.objects.create(
        peer="XB", lane="urgent", incarnation="1-b", number=1, begun_at=at, unsaid=True, receipt_at=at
    )


def test_what_was_put_off_by_a_clock_ahead_is_due_now(database: None) -> None:
    from tansiq.exchange.models import InChannel, OutChannel, Sent
    from tansiq.exchange.node import clock

    channels(DAY)

    mended = clock.mend(NOW)

    assert mended == 5
    assert Sent.objects.values_list("next_at", "tried_at", "first_sent_at").get() == (NOW, NOW, NOW)
    assert (OutChannel.objects.get().heard_at, InChannel.objects.get().receipt_at) == (NOW, NOW)


def test_what_a_right_clock_has_put_off_stays_put_off(database: None) -> None:
    from tansiq.exchange.node import clock

    channels(timedelta(0))

    assert clock.mend(NOW) == 0


def test_clock_that_goes_on_was_not_put_back() -> None:
    from tansiq.exchange.node import clock

    assert [clock.was_put_back(last, NOW) for last in (None, NOW - DAY, NOW + MINUTE, NOW + DAY)] == [
        True,
        False,
        False,
        True,
    ]
