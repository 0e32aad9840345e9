"""What one node's service does about files and other asks: on which lane, how often, by which key, with what room."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from factories.exchange import node_secret, platform_secret
from factories.exchange_bodies import Stream
from factories.exchange_node import Desk, kinds, marked, payload
from factories.exchange_node import here as node
from tansiq import __version__
from tansiq.exchange import program, reading
from tansiq.exchange.blob import indices
from tansiq.exchange.blobs import BlobStore
from tansiq.exchange.body import BlobReference, Lane
from tansiq.exchange.carried import Outbound, Outcome, Received
from tansiq.exchange.facts import NodeKey
from tansiq.exchange.kinds import Kinds
from tansiq.exchange.requests import (
    Answer,
    Ask,
    Asked,
    ChunkGiven,
    ChunksAsked,
    ComparisonAsked,
    ReceiptAsked,
    RecoveryAsked,
    RosterAsked,
)
from tansiq.exchange.seal import Sealed, Unsealed, seal, unsealed
from tansiq.exchange.sending import Way
from tansiq.exchange.values import new_id, new_incarnation
from tansiq.openpgp.sealing import Secret, generate

if TYPE_CHECKING:
    from tansiq.exchange.node.here import Here
    from tansiq.exchange.node.service import Service

pytestmark = pytest.mark.usefixtures("database")

CHUNK = 512 * 1024
DATA = bytes(range(256)) * (11 * CHUNK // 256) + b"the end"
SECOND = timedelta(seconds=1)


@dataclass
class Server:
    """What of a message server a sender sees: it takes ``room`` messages, until somebody fetches."""

    room: int = 1_000
    taken: list[Outbound] = field(default_factory=list)
    refused: int = 0

    def publish_many(self, messages: Sequence[Outbound], *, timeout_seconds: float = 5.0) -> list[Outcome]:
        outcomes = []
        for message in messages:
            has_room = len(self.taken) < self.room
            self.refused += not has_room
            self.taken += [message] if has_room else []
            outcomes.append(Outcome.ACKNOWLEDGED if has_room else Outcome.FULL)
        return outcomes

    def fetch(self, lane: Lane, most: int, timeout_seconds: float) -> list[Received]:
        return []

    def ack(self, received: Sequence[Received]) -> None:
        return None


@dataclass
class Bench:
    """The service of XA, whose clock a test moves; what leaves it."""

    here: Here
    service: Service
    server: Server
    mailed: list[tuple[str, Lane, int]]
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def asks(self, asked: Asked, way: str = Way.JETSTREAM, *, sender: str = "XE", epoch: int = 1) -> None:
        """A peer asks this node."""
        at = datetime.now(UTC)
        head = {"id": new_id(at), "realm": "live", "sender": sender, "recipient": "XA", "epoch": epoch, "sent_at": at}
        sealed = seal(Ask(**head, asked=asked), by=node_secret(sender), to=node_secret("XA").certificate)
        self.service.take(self.here, [sealed.data], way)

    def given(self) -> list[int]:
        """Numbers of the chunks that the server took, in order."""
        bodies = [opened(one) for one in self.server.taken]
        return [one.given.index for one in bodies if isinstance(one, Answer) and isinstance(one.given, ChunkGiven)]


def opened(message: Outbound, by: str = "XE", signers: Sequence[bytes] = ()) -> Any:
    content = unsealed(Sealed(message.data), by=[node_secret(by)], signers=signers or [node_secret("XA").certificate])
    assert isinstance(content, Unsealed), content
    return reading.read_head(*reading.read_content(content.content))


def needing_files(desk: Desk) -> Kinds:
    return Kinds([replace(kind, blobs_needed=True) for kind in kinds(desk).by_name().values()])


def as_node(code: str, store: BlobStore, desk: Desk | None = None) -> Here:
    certificates = {one: node_secret(one).certificate for one in ("XA", "XE", "XF")}
    made = node(code, known=needing_files(desk or Desk()), mail=("XE",))
    return replace(made, certificates=certificates, has_blob=store.has)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    from tansiq.exchange.node.asking import Asking
    from tansiq.exchange.node.files import Files
    from tansiq.exchange.node.service import Service

    store, server = BlobStore(tmp_path / "blobs", least_free_bytes=0), Server()
    xa = as_node("XA", store)
    mailed: list[tuple[str, Lane, int]] = []

    def post(address: str, lane: Lane, sealed: Sequence[bytes]) -> bool:
        mailed.append((address, lane, len(sealed)))
        return True

    service = Service(present=lambda now: xa, epoch=lambda: 1, asking=Asking(Files(store)), backbone=server, post=post)
    assert service.here() is xa
    made = Bench(xa, service, server, mailed)
    service.clock = lambda: made.now
    yield made
    service.stop()


def share(bench: Bench, *, audience: str = "XE") -> BlobReference:
    from tansiq.exchange.node import publishing

    store = bench.service.asking.files.store
    reference = store.keep(io.BytesIO(DATA), size_bytes=len(DATA), media_type="text/plain", name="a.txt")
    publishing.publish(
        bench.here,
        kind="case.note",
        name="1",
        payload=payload(),
        markings=marked("XA", *audience.split()),
        team="XA",
        blobs=[reference],
        now=bench.now,
    )
    return reference


def all_of(reference: BlobReference) -> ChunksAsked:
    return ChunksAsked(digest=reference.digest, runs=((0, 11),))


# ---- chunks that are asked for


def test_chunks_leave_a_few_at_a_time_each_peer_in_its_turn(bench: Bench) -> None:
    reference = share(bench, audience="XE XF")
    bench.asks(all_of(reference))
    bench.asks(all_of(reference), sender="XF")

    counts = [bench.service.give(bench.here) for _ in range(5)]

    recipients = [one.subject.split(".")[3] for one in bench.server.taken]
    assert counts == [8, 8, 4, 4, 0]
    assert recipients == ["XE"] * 8 + ["XF"] * 8 + ["XE"] * 4 + ["XF"] * 4
    assert {one.subject.split(".")[4] for one in bench.server.taken} == {"bulk"}
    assert len({one.msg_id for one in bench.server.taken}) == 24


def test_chunks_wait_while_the_peers_part_of_the_server_is_full(bench: Bench) -> None:
    reference = share(bench)
    bench.server.room = 3
    bench.asks(all_of(reference))

    counts = [bench.service.give(bench.here), bench.service.give(bench.here)]
    bench.now += SECOND
    counts.append(bench.service.give(bench.here))
    bench.now += SECOND
    counts.append(bench.service.give(bench.here))
    bench.server.room = 1_000
    bench.now += SECOND
    counts += [bench.service.give(bench.here), bench.service.give(bench.here)]

    assert counts == [3, 0, 0, 0, 8, 1]
    assert bench.given() == list(range(12))
    assert bench.server.refused == 5 + 8


def test_who_is_full_for_long_has_to_ask_again(bench: Bench) -> None:
    reference = share(bench)
    bench.server.room = 0
    bench.asks(all_of(reference))
    bench.service.give(bench.here)

    bench.server.room = 1_000
    bench.now += timedelta(minutes=2)

    assert bench.service.give(bench.here) == 0


def test_ask_that_comes_twice_before_its_answer_is_answered_once(bench: Bench) -> None:
    reference = share(bench)
    at = datetime.now(UTC)
    head = {"id": new_id(at), "realm": "live", "sender": "XE", "recipient": "XA", "epoch": 1, "sent_at": at}
    ask = Ask(**head, asked=ChunksAsked(digest=reference.digest, runs=((0, 0),)))

    for _ in range(2):
        sealed = seal(ask, by=node_secret("XE"), to=node_secret("XA").certificate)
        bench.service.take(bench.here, [sealed.data], Way.JETSTREAM)
    counts = [bench.service.give(bench.here), bench.service.give(bench.here)]

    assert counts == [1, 0]


def test_flood_of_asks_is_left_unanswered(bench: Bench) -> None:
    from tansiq.exchange.node.giving import MOST_ASKS

    reference = share(bench)
    for _ in range(MOST_ASKS + 5):
        bench.asks(ChunksAsked(digest=reference.digest, runs=((0, 0),)))

    left = 0
    while count := bench.service.give(bench.here):
        left += count

    assert left == MOST_ASKS


def test_what_was_asked_by_mail_is_answered_by_mail(bench: Bench) -> None:
    reference = share(bench)

    bench.asks(ChunksAsked(digest=reference.digest, runs=((0, 1),)), Way.MAIL)
    bench.service.give(bench.here)
    bench.asks(ChunksAsked(digest=reference.digest, runs=((2, 2),)))
    bench.service.give(bench.here)

    assert bench.mailed == [("exchange@xe.example", Lane.BULK, 2)]


def test_entitlement_is_decided_when_chunks_leave(bench: Bench) -> None:
    from tansiq.exchange.node import publishing

    reference = share(bench)
    bench.asks(all_of(reference))
    first = bench.service.give(bench.here)

    publishing.publish(
        bench.here,
        kind="case.note",
        name="1",
        payload=payload("narrowed"),
        markings=marked("XA", "XF"),
        team="XA",
        blobs=[reference],
        now=bench.now,
    )

    assert (first, bench.service.give(bench.here)) == (8, 0)


# ---- asks of this node


def test_peer_that_gives_back_a_forged_version_keeps_nobody_from_the_file_of_the_genuine_one(bench: Bench) -> None:
    from tansiq.exchange.models import SharedObject
    from tansiq.exchange.node.recovering import recover
    from tansiq.exchange.node.uses import may_get

    reference = share(bench)
    name = SharedObject.objects.get().object
    forged = Stream(sender="XA", recipient="XF").says(name.partition(":")[2], n=9, forged=True)

    is_news = recover(bench.here, "XF", name, forged.content, bench.now)

    assert (is_news, SharedObject.objects.get().narrowed_n) == (False, 10)
    assert [blob.digest for blob in may_get(bench.here, "XE", reference.digest, bench.now)] == [reference.digest]


def test_asks_go_on_their_lanes(bench: Bench) -> None:
    asked: list[Asked] = [
        RosterAsked(epoch=2),
        ReceiptAsked(lane=Lane.NORMAL, incarnation=new_incarnation(1), since=0),
        ReceiptAsked(lane=Lane.BULK, incarnation=new_incarnation(1), since=0),
        ChunksAsked(digest="ab" * 32, runs=((0, 0),)),
        RecoveryAsked(held=False, since=bench.now),
        ComparisonAsked(comparison=new_id(bench.now), of="XA", turn=1, cut=(), ranges=(), outcome=None),
    ]

    asks = [bench.service.asking.made(bench.here, "XE", one, bench.now) for one in asked]
    bench.service._follow(bench.here, [one for one in asks if one])

    lanes = [one.subject.split(".")[4] for one in bench.server.taken]
    assert lanes == ["urgent", "normal", "bulk", "bulk", "normal", "bulk"]


def test_ask_that_is_repeated_is_the_same_body_in_another_message(bench: Bench) -> None:
    asking = bench.service.asking
    seconds = []
    for second in range(40):
        ask = asking.made(bench.here, "XE", RosterAsked(epoch=2), bench.now + second * SECOND)
        if ask is not None:
            seconds.append(second)
            bench.service._follow(bench.here, [ask])

    bodies = [opened(one) for one in bench.server.taken]
    assert seconds == [0, 5, 15, 35]
    assert len({body.id for body in bodies}) == 1
    assert [one.msg_id.rpartition(".")[2] for one in bench.server.taken] == ["1", "2", "3", "4"]


def test_ask_for_a_roster_alone_says_which_program_asks(bench: Bench) -> None:
    asking = bench.service.asking

    roster = asking.made(bench.here, "XE", RosterAsked(epoch=2), bench.now)
    recovery = asking.made(bench.here, "XE", RecoveryAsked(held=False, since=bench.now), bench.now)

    assert roster and recovery
    assert (program.heard(roster), recovery.extra) == (f"tansiq/{__version__}", {})


def test_ask_under_another_roster_is_another_ask(bench: Bench) -> None:
    asking = bench.service.asking
    later = replace(bench.here, facts=replace(bench.here.facts, epoch=2))

    first = asking.made(bench.here, "XE", RecoveryAsked(held=False, since=bench.now), bench.now)
    second = asking.made(later, "XE", RecoveryAsked(held=False, since=bench.now), bench.now)

    assert first and second and (first.id != second.id, second.epoch) == (True, 2)


def test_ask_for_a_roster_is_repeated_by_itself_until_it_came(bench: Bench) -> None:
    asking = bench.service.asking
    asking.made(bench.here, "XE", RosterAsked(epoch=2), bench.now)
    later = replace(bench.here, facts=replace(bench.here.facts, epoch=2))

    asked = [len(asking.again(bench.here, bench.now + second * SECOND)) for second in (1, 5, 6, 15)]

    assert asked == [0, 1, 0, 1]
    assert asking.again(later, bench.now + 60 * SECOND) == []


def test_ask_goes_by_mail_too_when_its_lane_would(bench: Bench) -> None:
    asking = bench.service.asking
    ask = asking.made(bench.here, "XE", RosterAsked(epoch=2), bench.now)
    assert ask is not None

    said = [
        asking.goes_by_mail(ask, bench.now + minutes * timedelta(minutes=1))
        for minutes in (0, 0.9, 1, 2, 60, 61, 180, 181)
    ]

    assert said == [False, False, True, False, False, True, False, True]


# ---- rosters


def test_answer_about_a_roster_is_of_the_asks_epoch_and_by_the_key_of_then(bench: Bench) -> None:
    new = generate("node XA", version=6)
    old = node_secret("XA")
    here = rotated(bench.here, old, new)

    answers = list(bench.service.asking.answers(here, roster_ask(epoch=1), bench.now))
    bench.service._follow(here, answers)
    asked_now = list(bench.service.asking.answers(here, roster_ask(epoch=2), bench.now))
    bench.service._follow(here, asked_now)

    by_old, by_new = bench.server.taken
    assert [answer.epoch for answer in (*answers, *asked_now)] == [1, 2]
    assert opened(by_old, signers=[old.certificate]).epoch == 1
    assert opened(by_new, signers=[new.certificate]).epoch == 2


def test_answer_about_a_roster_is_by_the_present_key_where_that_of_then_is_destroyed(bench: Bench) -> None:
    new = generate("node XA", version=6)
    here = replace(rotated(bench.here, node_secret("XA"), new), secrets=(new,))

    bench.service._follow(here, bench.service.asking.answers(here, roster_ask(epoch=1), bench.now))

    (message,) = bench.server.taken
    assert opened(message, signers=[new.certificate]).epoch == 1


def rotated(here: Here, old: Secret, new: Secret) -> Here:
    keys = dict(here.facts.node_keys)
    keys[old.fingerprint] = replace(keys[old.fingerprint], until_epoch=2)
    keys[new.fingerprint] = NodeKey("XA", new.fingerprint, new.certificate, from_epoch=2)
    return replace(here, facts=replace(here.facts, epoch=2, node_keys=keys), secrets=(new, old))


def roster_ask(*, epoch: int) -> Ask:
    at = datetime.now(UTC)
    return Ask(
        id=new_id(at), realm="live", sender="XE", recipient="XA", epoch=epoch, sent_at=at,
        asked=RosterAsked(epoch=epoch + 1),
    )  # fmt: skip


# ---- files that this node wants, on both databases


@dataclass
class Wanting:
    """XE, to which XA's stream comes, and a store that has what XA has."""

    here: Here
    files: Any
    desk: Desk
    owner: BlobStore

    def got(self, *bodies: Any) -> None:
        from tansiq.exchange.node import inbox

        inbox.receive(self.here, [(body, "jetstream") for body in bodies], now=self.now)

    now: datetime = field(default_factory=lambda: datetime(2026, 3, 1, 8, 0, tzinfo=UTC))

    def keep(self, data: bytes) -> BlobReference:
        return self.owner.keep(io.BytesIO(data), size_bytes=len(data), media_type="text/plain", name="a.txt")

    def fetch(self, *, most: int = 1_000) -> list[int]:
        """Be given what is asked for, until nothing is, or ``most`` chunks came; their numbers."""
        came: list[int] = []
        asks = self.files.wanted(self.here, self.now)
        while asks and len(came) < most:
            peer, asked = asks.pop(0)
            for index in indices(asked.runs):
                given = ChunkGiven(digest=asked.digest, index=index, data=self.owner.chunk(asked.digest, index))
                assert self.files.take(self.here, given, self.now, peer=peer)
                came.append(index)
                asks += [(peer, one) for one in self.files.more(peer, self.now)]
        return came


@pytest.fixture
def wanting(tmp_path: Path) -> Wanting:
    from tansiq.exchange.node.files import Files

    desk, store = Desk(), BlobStore(tmp_path / "XE", least_free_bytes=0)
    platform_secret("XA")
    return Wanting(as_node("XE", store, desk), Files(store), desk, BlobStore(tmp_path / "XA", least_free_bytes=0))


def test_version_waits_for_its_file_and_is_applied_when_that_is_whole(wanting: Wanting) -> None:
    reference = wanting.keep(DATA)
    wanting.got(Stream().says("1", blobs=[reference]))
    before = dict(wanting.desk.texts)

    came = wanting.fetch()

    assert (before, sorted(came), wanting.desk.texts) == ({}, list(range(12)), {"XA:1": "1 1"})


def test_file_goes_on_in_another_process_where_it_was(wanting: Wanting) -> None:
    from tansiq.exchange.node.files import Files

    reference = wanting.keep(DATA)
    wanting.got(Stream().says("1", blobs=[reference]))
    first = wanting.fetch(most=5)

    wanting.files = Files(wanting.files.store)
    rest = wanting.fetch()

    assert sorted(first + rest) == list(range(12))
    assert wanting.desk.texts == {"XA:1": "1 1"}


def test_chunks_before_their_version_are_not_wanted(wanting: Wanting) -> None:
    reference = wanting.keep(DATA)
    chunk = ChunkGiven(digest=reference.digest, index=0, data=wanting.owner.chunk(reference.digest, 0))

    before = wanting.files.take(wanting.here, chunk, wanting.now, peer="XA")
    wanting.got(Stream().says("1", blobs=[reference]))
    after = wanting.files.take(wanting.here, chunk, wanting.now, peer="XA")

    assert (before, after) == (False, True)


def test_one_file_named_by_two_versions_is_fetched_once_and_goes_with_the_last(wanting: Wanting) -> None:
    from tansiq.exchange.models import Blob, BlobUse
    from tansiq.exchange.node import uses

    reference, stream = wanting.keep(DATA), Stream()
    wanting.got(stream.says("1", blobs=[reference]), stream.says("2", blobs=[reference]))
    came = wanting.fetch()
    wanting.got(stream.says("1", 2))
    uses.drop_superseded(wanting.here)
    kept = wanting.files.tidy(wanting.now), wanting.files.store.has(reference.digest)
    wanting.got(stream.says("2", 2))
    uses.drop_superseded(wanting.here)

    deleted = wanting.files.tidy(wanting.now)

    assert (len(came), kept, deleted) == (12, (0, True), 1)
    assert wanting.files.store.has(reference.digest) is False
    assert (Blob.objects.count(), BlobUse.objects.count()) == (0, 0)


def test_two_references_to_one_digest_by_different_keys_are_two_files(wanting: Wanting) -> None:
    from tansiq.exchange.models import Blob

    reference, stream = wanting.keep(DATA), Stream()
    lie = replace(reference, key=bytes(32))

    wanting.got(stream.says("1", blobs=[lie]), stream.says("2", blobs=[reference]))
    asked = {(peer, one.digest) for peer, one in wanting.files.wanted(wanting.here, wanting.now)}

    assert Blob.objects.filter(digest=reference.digest).count() == 2
    assert asked == {("XA", reference.digest)}


@pytest.mark.sqlite(why="what counts is the number of statements, the same on both")
def test_versions_without_files_take_no_more_statements(wanting: Wanting) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        wanting.got(*(stream.says(str(number)) for stream in [Stream()] for number in range(50)))

    assert [one["sql"] for one in captured if "exchange_blob" in one["sql"]] == []
