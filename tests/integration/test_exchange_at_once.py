"""Several threads work on one node's tables on PostgreSQL, as a web process, a command and the service's own do.

Each test has one wait for another's transaction at a point where the other has already decided something.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from factories import node_databases
from factories import postgres as servers
from factories.exchange_node import NOW, here, marked, payload


@dataclass
class AtOnce:
    """One database of PostgreSQL. What ``begun`` is given works on a connection of its own."""

    connection: Any
    errors: list[BaseException] = field(default_factory=list)

    def begun(self, work: Callable[[], object]) -> threading.Thread:
        """Returns: the thread, once it waits for somebody's transaction or is over."""
        thread = threading.Thread(target=self._work, args=(work,))
        thread.start()
        until(lambda: not thread.is_alive() or self._somebody_waits())
        return thread

    def _work(self, work: Callable[[], object]) -> None:
        connection = node_databases.another(self.connection)
        try:
            with node_databases.on(connection):
                work()
        except BaseException as error:
            self.errors.append(error)
        finally:
            connection.connection.close()

    def _somebody_waits(self) -> bool:
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            return bool(cursor.fetchone()[0])


def until(is_so: Callable[[], bool]) -> None:
    for _ in range(500):
        if is_so():
            return
        time.sleep(0.01)
    raise AssertionError("it never came to that")


@pytest.fixture
def at_once(cluster: servers.Cluster, monkeypatch: pytest.MonkeyPatch, _connected: None) -> Iterator[AtOnce]:
    monkeypatch.setattr(servers, "running", cluster)
    connection = node_databases.new()
    with node_databases.on(connection):
        one = AtOnce(connection)
        yield one
        assert one.errors == []
    node_databases.leave(connection)


def publish(*names: str, teams: tuple[str, ...] = ("XE", "XF"), code: str = "XA") -> None:
    from tansiq.exchange.node.publishing import Change, publish_all

    changes = [
        Change(kind="case.note", name=name, payload=payload("words"), markings=marked(code, *teams), team=code)
        for name in names
    ]
    publish_all(here(code), changes, NOW)


@contextmanager
def transaction() -> Iterator[None]:
    from django.db import transaction

    with transaction.atomic():
        yield


def test_two_publications_of_one_object_are_two_versions(at_once: AtOnce) -> None:
    from tansiq.exchange.models import Statement

    publish("1")

    with transaction():
        publish("1")
        other = at_once.begun(lambda: publish("1"))
    other.join()

    versions = Statement.objects.filter(object="XA:1").order_by("pk").values_list("term", "n")
    assert list(versions) == [(1, 1), (1, 2), (1, 3)]
