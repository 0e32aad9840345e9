"""Whether somebody else wrote: what wakes the senders of a node that is at rest."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tansiq.exchange.node.news import News

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)


def put_a_row() -> None:
    from tansiq.exchange.models import MarkingSet, OutboxRow, Statement

    marking, _is_new = MarkingSet.objects.get_or_create(key="0" * 64, text="[]")
    said = Statement.objects.create(
        object="XA:news",
        term=1,
        n=1,
        leaf="1" * 64,
        kind="check",
        team="XA",
        marking=marking,
        content=b"{}",
        made_at=NOW,
    )
    OutboxRow.objects.create(peer="XB", lane="normal", statement=said, size_bytes=2, put_at=NOW)


def elsewhere(work: Callable[[], None]) -> None:
    """On a connection of its own, as another process has."""
    from django.db import connection

    def done() -> None:
        work()
        connection.close()

    thread = threading.Thread(target=done)
    thread.start()
    thread.join()


@pytest.fixture
def news(_connected: None) -> Iterator[News]:
    from tansiq.exchange.models import MarkingSet, OutboxRow, Statement
    from tansiq.exchange.node.news import News

    yield News()
    OutboxRow.objects.all().delete()
    Statement.objects.all().delete()
    MarkingSet.objects.all().delete()


def test_news_come_when_another_connection_has_put_a_row(news: News) -> None:
    news.came()

    before = news.came()
    elsewhere(put_a_row)

    assert (before, news.came()) == (False, True)


@pytest.mark.sqlite(why="elsewhere a row that waits is news for as long as it waits")
def test_news_are_old_once_they_were_heard(news: News) -> None:
    elsewhere(put_a_row)
    news.came()

    assert news.came() is False
