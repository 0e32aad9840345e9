"""Bodies that leave together for one peer, and messages that carry several, in one node's service."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from factories.exchange import node_secret
from factories.exchange_bodies import Stream
from factories.exchange_node import NOW, Desk, marked, payload
from factories.exchange_node import here as node
from tansiq.exchange import jetstream, reading, together
from tansiq.exchange.blobs import BlobStore
from tansiq.exchange.body import Lane
from tansiq.exchange.carried import Outbound, Outcome, Received
from tansiq.exchange.node.here import Here
from tansiq.exchange.seal import Sealed, Unsealed, seal_written, unsealed
from tansiq.exchange.values import LARGEST

pytestmark = pytest.mark.usefixtures("database")


@dataclass
class Server:
    """What a node sees of its message server: it has ``room`` for messages, and hands out what ``waits``."""

    room: int = 1_000
    taken: list[Outbound] = field(default_factory=list)
    waits: list[Received] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)

    def publish_many(self, messages: Sequence[Outbound], *, timeout_seconds: float = 5.0) -> list[Outcome]:
        fits = max(0, min(self.room - len(self.taken), len(messages)))
        self.taken += messages[:fits]
        return [Outcome.ACKNOWLEDGED] * fits + [Outcome.FULL] * (len(messages) - fits)

    def fetch(self, lane: Lane, most: int, timeout_seconds: float) -> list[Received]:
        return self.waits[:most]

    def ack(self, received: Sequence[Received]) -> None:
        self.acknowledged += [one.token for one in received]


@dataclass
class Bench:
    here: Here
    service: Any
    server: Server
    desk: Desk


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    from tansiq.exchange.node.asking import Asking
    from tansiq.exchange.node.files import Files
    from tansiq.exchange.node.service import Service

    server, desk = Server(), Desk()
    certificates = {one: node_secret(one).certificate for one in ("XA", "XF", "XE")}
    xe = replace(node("XE", desk=desk), certificates=certificates)
    files = Files(BlobStore(tmp_path / "blobs", least_free_bytes=0))
    service = Service(present=lambda now: xe, epoch=lambda: 1, asking=Asking(files), backbone=server, clock=lambda: NOW)
    assert service.here() is xe
    yield Bench(xe, service, server, desk)
    service.stop()


def publish(bench: Bench, count: int, *teams: str, size: int = 1_000) -> None:
    from tansiq.exchange.node import publishing

    for number in range(count):
        publishing.publish(
            bench.here,
            kind="case.note",
            name=f"{'-'.join(teams)}.{number}",
            payload=payload("x" * size),
            markings=marked("XE", *teams),
            team="XE",
            now=NOW,
        )


def carried(message: Outbound) -> list[int]:
    """Positions of the bodies in a message, opened by its recipient."""
    peer = message.subject.split(".")[3]
    bodies = together.read(message.data) if message.type is jetstream.Type.BODIES else [message.data]
    found = []
    for one in bodies:
        content = unsealed(Sealed(one), by=[node_secret(peer)], signers=[node_secret("XE").certificate])
        assert isinstance(content, Unsealed), content
        head: Any = reading.read_head(*reading.read_content(content.content))
        found.append(head.seq)
    return found


def sent(bench: Bench) -> list[tuple[str, list[int]]]:
    return [(one.subject.split(".")[3], carried(one)) for one in bench.server.taken]


def comes(number: int, *bodies: bytes) -> Received:
    kind = jetstream.Type.BODIES
    return Received(Lane.NORMAL, "XA", together.written(bodies), kind, {}, f"token {number}", datetime.now(UTC), 1)


def sealed(stream: Stream, name: str) -> bytes:
    written = stream.says(name, text="x").content
    return seal_written(written, by=node_secret(stream.sender), to=node_secret("XE").certificate).data


# ---- out


def test_what_is_for_one_peer_leaves_in_one_message_in_its_order(bench: Bench) -> None:
    publish(bench, 3, "XA")
    publish(bench, 1, "XF")

    count = bench.service.turn(bench.here, Lane.NORMAL)

    assert (count, sent(bench)) == (4, [("XA", [1, 2, 3]), ("XF", [1])])
    assert [one.type for one in bench.server.taken] == [jetstream.Type.BODIES, jetstream.Type.BODY]


def test_body_that_is_large_goes_alone(bench: Bench) -> None:
    publish(bench, 2, "XA")
    publish(bench, 1, "XA", "XF", size=300_000)
    publish(bench, 1, "XF")

    bench.service.turn(bench.here, Lane.NORMAL)

    assert [one.type for one in bench.server.taken] == ["bodies", "body", "body", "body"]
    assert sent(bench) == [("XA", [1, 2]), ("XF", [1]), ("XA", [3]), ("XF", [2])]


def test_all_of_a_message_that_found_no_room_is_due_as_if_for_the_first_time(bench: Bench) -> None:
    publish(bench, 3, "XA")
    bench.server.room = 0

    bench.service.turn(bench.here, Lane.NORMAL)
    bench.server.room = 1
    bench.service._room[Lane.NORMAL].heard("XA")
    bench.service.turn(bench.here, Lane.NORMAL)

    assert sent(bench) == [("XA", [1])]
    assert bench.server.taken[0].msg_id.endswith(".1")


# ---- in


def test_bodies_that_came_together_are_taken_as_if_each_had_come_alone(bench: Bench) -> None:
    stream = Stream()
    first, second, third = (sealed(stream, name) for name in "123")
    bench.server.waits = [comes(1, first, b"nobody's", second), comes(2, third)]

    bench.service.receive(bench.here, Lane.NORMAL, 0)

    assert sorted(bench.desk.texts) == ["XA:1", "XA:2", "XA:3"]
    assert bench.server.acknowledged == ["token 1", "token 2"]


def test_message_that_cannot_be_taken_apart_is_acknowledged_and_costs_only_itself(bench: Bench) -> None:
    stream = Stream()
    torn = replace(comes(1), data=b"\0\0\1\0x")
    empty = replace(comes(2), data=b"")
    bench.server.waits = [torn, empty, comes(3, sealed(stream, "1"))]

    bench.service.receive(bench.here, Lane.NORMAL, 0)

    assert sorted(bench.desk.texts) == ["XA:1"]
    assert bench.server.acknowledged == ["token 1", "token 2", "token 3"]


def test_message_is_acknowledged_after_the_step_that_takes_its_last_body(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tansiq.exchange.node.precedence import Pace

    monkeypatch.setattr(Pace, "step", lambda *_: 2)
    stream, known = Stream(), []
    take = bench.service.take
    monkeypatch.setattr(
        bench.service, "take", lambda *given: known.append(list(bench.server.acknowledged)) or take(*given)
    )
    first, second, third, fourth = (sealed(stream, name) for name in "1234")
    bench.server.waits = [comes(1, first, second, third), comes(2, fourth)]

    bench.service.receive(bench.here, Lane.NORMAL, 0)

    assert known == [[], []]
    assert bench.server.acknowledged == ["token 1", "token 2"]
    assert sorted(bench.desk.texts) == ["XA:1", "XA:2", "XA:3", "XA:4"]


def test_message_stays_where_one_of_its_bodies_is_not_taken_for_now(bench: Bench) -> None:
    from tansiq.exchange.node import holding

    holding.restore(bench.here, NOW)
    stream = Stream()
    bench.server.waits = [comes(1, sealed(stream, "1"), sealed(stream, "2")), comes(2, b"nobody's")]

    bench.service.receive(bench.here, Lane.NORMAL, 0)

    assert bench.server.acknowledged == ["token 2"]
    assert bench.desk.texts == {}


def test_receipt_that_cannot_be_written_is_told_once_and_takes_nothing_else_with_it(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    from tansiq.exchange.models import OutChannel

    OutChannel.objects.create(peer="XA", lane="normal", floor_n=LARGEST)
    streams = [Stream(), Stream(sender="XF")]
    bench.server.waits = [comes(number, sealed(stream, "1")) for number, stream in enumerate(streams)]

    bench.service.receive(bench.here, Lane.NORMAL, 0)

    assert [one.subject.split(".")[3] for one in bench.server.taken] == ["XF"]
    assert bench.server.acknowledged == ["token 0", "token 1"]
    assert capsys.readouterr().err.count("Traceback") == 1


def test_receipt_that_came_too_soon_is_put_off_from_the_last_of_what_came(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were it from the first, the receipt that leaves between would be said again too soon, and then no more."""
    from tansiq.exchange.node import arriving

    now = 100.0
    monkeypatch.setattr(arriving.time, "monotonic", lambda: now)
    stream, put_off = Stream(), []
    for number in range(3):
        now = 100.0 + number / 2
        bench.server.waits = [comes(number, sealed(stream, str(number)))]
        bench.service.receive(bench.here, Lane.NORMAL, 0)
        put_off.append(bench.service._owed_at)

    assert put_off == [None, 101.5, 102.0]
