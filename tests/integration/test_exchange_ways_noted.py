"""What is noted of attempts by each way: every change at once, and what stays the same only once a minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tansiq.exchange.carried import Outcome

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def noted() -> list[tuple[str, datetime, str]]:
    from tansiq.exchange.models import WayHeard

    return list(WayHeard.objects.order_by("peer").values_list("peer", "attempted_at", "failure"))


def publish(outcomes: dict[str, Outcome], now: datetime) -> None:
    from tansiq.exchange.node import ways

    ways.note_published(list(outcomes), list(outcomes.values()), now)


def test_attempt_that_went_as_the_last_is_noted_once_a_minute(database: None) -> None:
    publish({"XB": Outcome.ACKNOWLEDGED}, NOW)
    publish({"XB": Outcome.ACKNOWLEDGED, "XC": Outcome.ACKNOWLEDGED}, NOW + 59 * SECOND)
    first = noted()
    publish({"XB": Outcome.ACKNOWLEDGED, "XC": Outcome.ACKNOWLEDGED}, NOW + 60 * SECOND)

    assert first == [("XB", NOW, ""), ("XC", NOW + 59 * SECOND, "")]
    assert noted() == [("XB", NOW + 60 * SECOND, ""), ("XC", NOW + 59 * SECOND, "")]


def test_attempt_that_went_otherwise_is_noted_at_once(database: None) -> None:
    publish({"XB": Outcome.ACKNOWLEDGED}, NOW)
    publish({"XB": Outcome.FULL}, NOW + SECOND)
    failed = noted()
    publish({"XB": Outcome.ACKNOWLEDGED}, NOW + 2 * SECOND)

    assert failed == [("XB", NOW + SECOND, "full")]
    assert noted() == [("XB", NOW + 2 * SECOND, "")]


def test_attempt_is_noted_when_the_clock_was_put_back(database: None) -> None:
    publish({"XB": Outcome.ACKNOWLEDGED}, NOW)
    publish({"XB": Outcome.ACKNOWLEDGED}, NOW - timedelta(days=1))

    assert noted() == [("XB", NOW - timedelta(days=1), "")]
