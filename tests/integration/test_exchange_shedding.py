"""Rows dropped while others work on the same channels: no two wait for each other, and nothing is counted twice."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from factories import node_databases
from factories import postgres as servers
from factories.exchange_node import NOW, here, marked, payload
from tansiq.exchange.body import Lane

pytestmark = pytest.mark.usefixtures("_connected")
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@pytest.fixture
def connections(cluster: servers.Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, Any, Any]]:
    """Three to one database of PostgreSQL."""
    monkeypatch.setattr(servers, "running", cluster)
    first = node_databases.new()
    others = [node_databases.another(first) for _other in range(2)]
    others[0].inc_thread_sharing()
    yield first, *others
    for one in others:
        one.connection.close()
    node_databases.leave(first)


def wait_until_somebody_waits(connection: Any) -> None:
    end = time.monotonic() + 60
    while not connection.connection.execute(WAITING).fetchone()[0]:
        assert time.monotonic() < end, "nobody waits"
        time.sleep(0.02)


def published(kind: str, name: str, peer: str) -> None:
    from tansiq.exchange.node.publishing import publish

    said = {"payload": payload(), "markings": marked("XA", peer), "team": "XA", "now": NOW}
    publish(here("XA"), kind=kind, name=name, **said)


def begun(work: Callable[[], int], connection: Any, done: list[Any]) -> threading.Thread:
    def working() -> None:
        with node_databases.on(connection):
            try:
                done.append(work())
            except Exception as error:
                done.append(error)

    thread = threading.Thread(target=working)
    thread.start()
    return thread


def shedding(connection: Any, done: list[Any]) -> threading.Thread:
    from tansiq.exchange.node import sealing

    return begun(lambda: sealing.shed(excess_bytes=10**9, now=NOW), connection, done)


def sealing_bulk(connection: Any, done: list[Any]) -> threading.Thread:
    from tansiq.exchange.node import sealing

    return begun(
        lambda: sealing.seal(here("XA"), ["XE", "XF"], Lane.BULK, worker="sealer", now=NOW).rows, connection, done
    )


def test_rows_are_dropped_in_the_order_in_which_everybody_locks_channels(connections: tuple[Any, Any, Any]) -> None:
    from django.db import transaction

    from tansiq.exchange.models import OutboxRow
    from tansiq.exchange.node import keeping

    first, second, third = connections
    done: list[Any] = []
    with node_databases.on(first):
        published("case.note", "1", "XE")
        published("event", "2", "XF")
        with transaction.atomic():
            keeping.opened(["XE"], Lane.NORMAL)
            keeping.opened(["XF"], Lane.BULK)
        with transaction.atomic():
            keeping.locked("XE", Lane.NORMAL)
            thread = shedding(second, done)
            wait_until_somebody_waits(third)
            keeping.locked("XF", Lane.BULK)  # as it is done when a marking is narrowed: by peer, then by lane
        thread.join()

        assert done == [2]
        assert not OutboxRow.objects.exists()


def test_channel_that_another_is_making_is_waited_for_without_a_lock(connections: tuple[Any, Any, Any]) -> None:
    from django.db import transaction

    from tansiq.exchange.node import keeping

    first, second, third = connections
    done: list[Any] = []
    with node_databases.on(first):
        with transaction.atomic():
            keeping.opened(["XF"], Lane.BULK)
        published("event", "1", "XE")
        published("event", "2", "XF")
        with transaction.atomic():
            keeping.opened(["XE"], Lane.BULK)
            thread = sealing_bulk(second, done)
            wait_until_somebody_waits(third)
            keeping.opened(["XF"], Lane.BULK)
        thread.join()

    assert done == [2]


def test_row_that_was_sealed_meanwhile_is_not_dropped(connections: tuple[Any, Any, Any]) -> None:
    from django.db import transaction

    from tansiq.exchange.models import OutChannel
    from tansiq.exchange.node import keeping, sealing

    first, second, third = connections
    done: list[Any] = []
    with node_databases.on(first):
        published("event", "1", "XE")
        with transaction.atomic():
            keeping.opened(["XE"], Lane.BULK)
            thread = shedding(second, done)
            wait_until_somebody_waits(third)
            assert sealing.seal_channel(here("XA"), "XE", Lane.BULK, worker="sealer", now=NOW) == 1
        thread.join()

        assert done == [0]
        assert OutChannel.objects.values_list("given", "dropped").get() == (1, 0)
