"""What goes wrong in one of the exchange's threads does not end it, even where it cannot be told."""

from __future__ import annotations

import sys
import threading
from types import SimpleNamespace
from typing import Any, cast

import pytest
from django import db

SECONDS = 20.0


class FullDisk:
    """What standard error is when the disk of the log is full."""

    def write(self, _text: str) -> int:
        raise OSError(28, "No space left on device")

    def flush(self) -> None:
        raise OSError(28, "No space left on device")


@pytest.fixture
def _nowhere_to_tell(monkeypatch: pytest.MonkeyPatch, _connected: None) -> None:
    from tansiq.exchange.node import service
    from tansiq.workers import exchange

    monkeypatch.setattr(service, "REST_SECONDS", 0.01)
    monkeypatch.setattr(exchange, "MAILBOX_SECONDS", 0.01)
    monkeypatch.setattr(sys, "stderr", FullDisk())


class Failing:
    """Fails each time, and says when it was tried the second time."""

    def __init__(self) -> None:
        self.count = 0
        self.tried_again = threading.Event()

    def __call__(self, *_arguments: object, **_more: object) -> None:
        self.count += 1
        if self.count > 1:
            self.tried_again.set()
        raise RuntimeError("a fault")


def test_loop_goes_on_when_its_fault_cannot_be_told(_nowhere_to_tell: None) -> None:
    from tansiq.exchange.node.asking import Asking
    from tansiq.exchange.node.service import Service

    failing = Failing()
    service = Service(present=lambda now: None, epoch=failing, asking=Asking.__new__(Asking))

    service.start()
    tried_again = failing.tried_again.wait(SECONDS)
    service.stop()

    assert tried_again


def test_mails_are_fetched_again_after_a_fault_that_is_not_the_mailbox(_nowhere_to_tell: None) -> None:
    from tansiq.exchange.account import Account, Encryption
    from tansiq.exchange.node.asking import Asking
    from tansiq.exchange.node.service import Service
    from tansiq.workers.exchange import MailReader

    failing = Failing()
    service = Service(present=lambda now: None, epoch=failing, asking=Asking.__new__(Asking))
    reader = MailReader(service, Account("127.0.0.1", 1, Encryption.NONE, "nobody", "", "INBOX", ""))
    thread = threading.Thread(target=reader.loop, daemon=True)

    thread.start()
    tried_again = failing.tried_again.wait(SECONDS)
    service.ending.set()
    thread.join(SECONDS)

    assert tried_again


def test_node_reads_itself_anew_when_a_key_was_drawn(_connected: None) -> None:
    from tansiq.exchange.node.asking import Asking
    from tansiq.exchange.node.service import Service

    looked: list[str] = []
    stamp = "one key"
    service = Service(
        present=lambda now: looked.append(stamp),
        epoch=lambda: 3,
        keys=lambda: stamp,
        asking=Asking.__new__(Asking),
    )
    service._here = Present()
    service._known = (3, stamp)

    service.here()
    stamp = "two keys"
    service.here()

    assert looked == ["two keys"]


def test_fault_with_one_peer_holds_back_no_other(_nowhere_to_tell: None) -> None:
    from tansiq.exchange.node.asking import Asking
    from tansiq.exchange.node.service import Service

    service = Service(present=lambda now: None, epoch=lambda: None, asking=Asking.__new__(Asking))
    reached: list[str] = []

    def work(peer: str) -> int:
        if peer == "XB":
            raise KeyError(peer)
        reached.append(peer)
        return 2

    count = service._each(["XA", "XB", "XC"], work)

    assert (reached, count) == (["XA", "XC"], 4)


@pytest.mark.parametrize("fault", ["OperationalError", "InterfaceError"])
def test_busy_database_after_what_came_is_not_told_as_a_fault(
    fault: str, _connected: None, capsys: pytest.CaptureFixture[str]
) -> None:
    said = _replied(getattr(db, fault)("database is locked"))

    assert (said, capsys.readouterr().err) == (["first", "second"], "")


def test_fault_in_what_follows_from_a_body_is_told_and_holds_back_no_other(
    _connected: None, capsys: pytest.CaptureFixture[str]
) -> None:
    said = _replied(KeyError("XB"))

    assert said == ["first", "second"]
    assert capsys.readouterr().err.count("KeyError: 'XB'") == 2


def _replied(fault: Exception) -> list[str]:
    """Bodies of which it was tried to follow them, where each one fails."""
    from tansiq.exchange.node.asking import Asking
    from tansiq.exchange.node.service import Service

    said: list[Any] = []

    class Failing(Service):
        def _said_to(self, here: Any, outcome: Any, now: Any, way: str) -> Any:
            said.append(outcome)
            raise fault

    service = Failing(present=lambda now: None, epoch=lambda: None, asking=Asking.__new__(Asking))
    asked = [
        cast(Any, SimpleNamespace(ask_roster=True, became=None, body=SimpleNamespace(head=None), name=name))
        for name in ("first", "second")
    ]
    service._reply(cast(Any, Present()), asked, service.clock())
    return [one.name for one in said]


class Present:
    """A node under a roster, as far as it is compared."""

    epoch = 3


def test_thread_that_receives_while_the_node_reads_itself_anew_has_an_opener(
    _connected: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Making the next one takes a while; what came in that moment was a fault, and had to come again."""
    from factories.exchange_node import here
    from tansiq.exchange.node import service as module
    from tansiq.exchange.node.asking import Asking
    from tansiq.exchange.node.service import Service

    seen: list[bool] = []

    class Slow(module.Opener):
        def __init__(self, *said: Any) -> None:
            seen.append(service._opener is not None)
            super().__init__(*said)

    service = Service(present=lambda now: here("XA"), epoch=lambda: 1, asking=Asking.__new__(Asking))
    monkeypatch.setattr(module, "Opener", Slow)
    for keys in (1, 2):
        service.keys = lambda keys=keys: keys
        service.here()

    assert seen == [False, True]


def test_node_that_no_roster_names_leaves_what_comes_where_it_is() -> None:
    from tansiq.exchange.node.asking import Asking
    from tansiq.exchange.node.service import Service

    service = Service(present=lambda now: None, epoch=lambda: None, asking=Asking.__new__(Asking))

    assert service.take(None, [b"one", b"two"], "jetstream") == {0, 1}  # type: ignore[arg-type]
