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


def test_what_was_noted_by_a_clock_ahead_of_a_link_is_of_now(database: None) -> None:
    """What a comparison waits for, how a link stands, and rounds of checks are judged by these."""
    from tansiq.exchange.models import CheckRound, Comparison, Link, OutChannel, Sent, WayHeard
    from tansiq.exchange.node import clock

    at = NOW + DAY
    out = OutChannel.objects.create(peer="XB", lane="urgent")
    digests = {"prev": "0" * 64, "digest": "1" * 64}
    Sent.objects.create(channel=out, first=1, last=1, skipped="limit", made_at=NOW, covered_at=at, **digests)
    Link.objects.create(peer="XB", incomplete_since=at, compared_at=at, equal_at=at, heard_at=at)
    WayHeard.objects.create(peer="XB", way="mail", heard_at=at)
    Comparison.objects.create(id="1", peer="XB", outward=True, began_at=at, last_at=at, ended_at=at)
    CheckRound.objects.create(id="1", begun_at=at, by="AMINA", people=False)

    clock.mend(NOW)

    assert Sent.objects.get().covered_at == NOW
    assert Link.objects.values_list("incomplete_since", "compared_at", "equal_at", "heard_at").get() == (NOW,) * 4
    assert WayHeard.objects.get().heard_at == NOW
    assert Comparison.objects.values_list("began_at", "ended_at").get() == (NOW, NOW)
    assert CheckRound.objects.get().begun_at == NOW


def test_chunks_that_a_clock_ahead_put_off_leave_now(database: None) -> None:
    from factories.exchange_node import here
    from tansiq.exchange.node.asking import head
    from tansiq.exchange.node.giving import Giving
    from tansiq.exchange.requests import Ask, ChunksAsked

    asked = ChunksAsked(digest="0" * 64, runs=((0, 1),))
    asks = [Ask(**head(here("XE"), "XA", at), asked=asked) for at in (NOW + DAY, NOW)]  # type: ignore[arg-type]
    giving = Giving()
    giving.put(asks[0], "jetstream", NOW + DAY)
    owed = giving.next(NOW + DAY)
    assert owed is not None
    giving.full(owed, (), NOW + DAY)
    giving.put(asks[1], "jetstream", NOW)

    again = giving.next(NOW)

    assert again is not None
    assert again.ask == asks[1]


def test_clock_that_goes_on_was_not_put_back() -> None:
    from tansiq.exchange.node import clock

    assert [clock.was_put_back(last, NOW) for last in (None, NOW - DAY, NOW + MINUTE, NOW + DAY)] == [
        True,
        False,
        False,
        True,
    ]
