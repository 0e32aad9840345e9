"""Several threads work on one node's tables on PostgreSQL, as a web process, a command and the service's own do.

Each test has one wait for another's transaction at a point where the other has already decided something.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from factories import node_databases
from factories import postgres as servers
from factories.exchange_bodies import Stream
from factories.exchange_node import NOW, Desk, here, kinds, marked, payload
from tansiq.core.marking import Audience, Marking, Tlp
from tansiq.core.viewer import Role, Viewer
from tansiq.exchange import recall
from tansiq.exchange.body import BlobReference, Lane, Version
from tansiq.exchange.kinds import Kinds
from tansiq.exchange.trust import Authentic

if TYPE_CHECKING:
    from tansiq.exchange.node.here import Here

WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
AMINA = Viewer(person="AMINA", team="XE", roles=frozenset({Role.ANALYST}), community=True)


@dataclass
class AtOnce:
    """One database of PostgreSQL. What ``begun`` is given works on a connection of its own."""

    connection: Any
    errors: list[BaseException] = field(default_factory=list)

    def begun(self, work: Callable[[], object]) -> threading.Thread:
        """Returns: the thread, once it waits for somebody's transaction or is over."""
        thread = self.started(work)
        until(lambda: not thread.is_alive() or self._somebody_waits())
        return thread

    def started(self, work: Callable[[], object]) -> threading.Thread:
        thread = threading.Thread(target=self._work, args=(work,))
        thread.start()
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
            cursor.execute("SELECT pg_stat_clear_snapshot()")  # else a transaction sees what it saw at first
            cursor.execute(WAITING)
            return bool(cursor.fetchone()[0])


def until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.01)


@pytest.fixture
def at_once(cluster: servers.Cluster, monkeypatch: pytest.MonkeyPatch, _connected: None) -> Iterator[AtOnce]:
    monkeypatch.setattr(servers, "running", cluster)
    connection = node_databases.new()
    with node_databases.on(connection):
        one = AtOnce(connection)
        yield one
        assert one.errors == []
    node_databases.leave(connection)


def publish(*names: str, teams: tuple[str, ...] = ("XE", "XF"), code: str = "XA", roster: Here | None = None) -> None:
    from tansiq.exchange.node.publishing import Change, publish_all

    changes = [
        Change(kind="case.note", name=name, payload=payload("words"), markings=marked(code, *teams), team=code)
        for name in names
    ]
    publish_all(roster or here(code), changes, NOW)


def accept(epoch: int) -> None:
    """As another process of the node has, which read it and did what follows."""
    from tansiq.exchange.models import RosterRecord

    RosterRecord.objects.create(
        realm="live", epoch=epoch, digest="0" * 64, text="", signatures=[], issued_at=NOW, accepted_at=NOW
    )


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


# ---- a publication and what decides by what is published


def test_roster_waits_for_what_is_being_published_and_sends_it_on(at_once: AtOnce) -> None:
    from tansiq.exchange.models import Life, OutboxRow
    from tansiq.exchange.node import recalls

    Life.objects.create(pk=1, began_at=NOW)
    before, after = here("XA", members=("XA", "XE")), here("XA", epoch=2)

    with transaction():
        publish("1", roster=before)
        other = at_once.begun(lambda: recalls.on_roster(before, after, NOW))
    other.join()

    assert list(OutboxRow.objects.order_by("pk").values_list("peer", flat=True)) == ["XE", "XF"]


def test_what_is_published_under_a_former_roster_is_compared(at_once: AtOnce) -> None:
    from tansiq.exchange.models import Link

    accept(2)

    publish("1", roster=here("XA", members=("XA", "XE")))

    assert list(Link.objects.values_list("peer", "incomplete_since")) == [("XE", NOW)]


def test_restore_waits_for_what_is_being_published(at_once: AtOnce) -> None:
    from tansiq.exchange.models import Life, OutboxRow, SharedObject
    from tansiq.exchange.node import holding

    Life.objects.create(pk=1, began_at=NOW)

    with transaction():
        publish("1")
        other = at_once.begun(lambda: holding.restore(here("XA"), NOW))
    other.join()

    assert (OutboxRow.objects.count(), Life.objects.get().number, SharedObject.objects.get().life) == (0, 1, 0)


# ---- a narrowing and what is on its way


def sealed(name: str) -> None:
    from tansiq.exchange.node import sealing

    publish(name)
    assert sealing.seal_channel(here("XA"), "XE", Lane.NORMAL, worker="a", now=NOW) == 1


def attempted() -> list[int]:
    from tansiq.exchange.node.attempts import due_attempts

    return [one.first for one in due_attempts(here("XA"), "XE", Lane.NORMAL, now=NOW) if not one.is_skip]


def test_nothing_is_attempted_by_who_knows_a_former_roster_only(at_once: AtOnce) -> None:
    sealed("1")

    accept(2)

    assert attempted() == []


def recalled_from() -> list[str]:
    from tansiq.exchange.models import RecallOrder

    return list(RecallOrder.objects.values_list("peer", flat=True))


def test_narrowing_recalls_what_is_being_attempted(at_once: AtOnce) -> None:
    sealed("1")

    with transaction():
        assert attempted() == [1]
        other = at_once.begun(lambda: publish("1", teams=("XF",)))
    other.join()

    assert recalled_from() == ["XE"]


def test_attempt_waits_for_a_narrowing_and_is_none(at_once: AtOnce) -> None:
    sealed("1")
    found: list[list[int]] = []

    with transaction():
        publish("1", teams=("XF",))
        other = at_once.begun(lambda: found.append(attempted()))
    other.join()

    assert (found, recalled_from()) == ([[]], [])


def test_removal_recalls_what_is_being_attempted(at_once: AtOnce) -> None:
    from tansiq.exchange.node import recalls

    sealed("1")
    after = here("XA", epoch=2, members=("XA", "XF"), former=("XE",))

    with transaction():
        assert attempted() == [1]
        other = at_once.begun(lambda: recalls.on_roster(here("XA"), after, NOW))
    other.join()

    assert recalled_from() == ["XE"]


def test_sealing_waits_for_a_removal_and_seals_nothing_by_the_roster_before(at_once: AtOnce) -> None:
    from tansiq.exchange.models import OutChannel, Sent
    from tansiq.exchange.node import recalls, sealing

    sealed("1")
    publish("2")
    after = here("XA", epoch=2, members=("XA", "XF"), former=("XE",))

    with transaction():
        accept(2)
        recalls.on_roster(here("XA"), after, NOW)
        other = at_once.begun(lambda: sealing.seal(here("XA"), ["XE"], Lane.NORMAL, worker="a", now=NOW))
    other.join()

    assert (Sent.objects.count(), OutChannel.objects.get(peer="XE", lane="normal").given) == (1, 1)


# ---- what waits for something, and that coming


def received(node: Here, *bodies: Authentic) -> None:
    from tansiq.exchange.node import inbox

    inbox.receive(node, [(body, "jetstream") for body in bodies], now=NOW)


def open_ones() -> list[tuple[str, str]]:
    from tansiq.exchange.models import Waiting

    return list(Waiting.objects.order_by("object").values_list("object", "reason"))


def test_reference_to_what_is_being_published_is_satisfied(at_once: AtOnce) -> None:
    from tansiq.exchange.node import settling

    desk = Desk()
    xe = here("XE", desk=desk)

    with transaction():
        publish("1", code="XE")
        at_once.begun(lambda: received(xe, Stream().says("1", needs="XE:1"))).join()
    parked = open_ones()
    woken = settling.on_known(xe, NOW)
    settling.settle_ready(xe, NOW)

    assert (parked, woken) == ([("XA:1", "reference")], 1)
    assert (list(desk.texts), open_ones(), settling.on_known(xe, NOW)) == (["XA:1"], [], 0)


def test_file_that_comes_while_its_object_is_parked_wakes_it(at_once: AtOnce) -> None:
    from tansiq.exchange.node import settling

    desk = Desk()
    kind = replace(kinds(desk).by_name()["case.note"], blobs_needed=True)
    xe = replace(here("XE", known=Kinds([kind])), has_blob=lambda digest: False)
    blob = BlobReference(digest="ef" * 32, key=bytes(32), size_bytes=1, media_type="text/plain", name="a.txt")

    with transaction():
        received(xe, Stream().says("1", blobs=[blob]))
        other = at_once.begun(lambda: settling.on_blob(xe, blob.digest, NOW))
    other.join()
    settling.settle_ready(replace(xe, has_blob=lambda digest: True), NOW)

    assert list(desk.texts) == ["XA:1"]


def test_version_that_is_being_applied_goes_to_whom_its_object_is_forwarded_meanwhile(at_once: AtOnce) -> None:
    from tansiq.exchange.models import OutboxRow
    from tansiq.exchange.node import publishing

    xe, stream = here("XE"), Stream()
    received(xe, stream.says("1", marking=marked("XA", "XE", "XF")))

    with transaction():
        received(xe, stream.says("1", 2, marking=marked("XA", "XE", "XF")))
        other = at_once.begun(lambda: publishing.forward(xe, "XA:1", "XF", NOW))
    other.join()

    assert list(OutboxRow.objects.values_list("peer", "statement__n")) == [("XF", 2)]


def test_what_a_person_keeps_while_it_is_recalled_is_told_to_who_recalls_it(at_once: AtOnce) -> None:
    from tansiq.exchange.models import ObjectChange, SharedObject
    from tansiq.exchange.node import recalls
    from tansiq.exchange.reasons import Reason
    from tansiq.exchange.receiving import Recall

    desk, stream = Desk(), Stream()
    xe = here("XE", desk=desk)
    received(xe, stream.says("1"))

    with transaction():
        recalls.keep(xe, "XA:1", Reason.EVIDENCE, by=AMINA, now=NOW)
        said = recall.write("XA:1", Recall(narrowed=Version(1, 2)))
        other = at_once.begun(lambda: received(xe, stream.says("recall.1", kind=recall.KIND, payload=said)))
    other.join()

    assert SharedObject.objects.get(pk="XA:1").statement is not None
    assert list(ObjectChange.objects.order_by("number").values_list("state", "reason")) == [
        ("stored", ""),
        ("recalled", "evidence"),
    ]


def test_what_a_receipt_says_is_open_meanwhile_is_asked_for_later(at_once: AtOnce) -> None:
    from tansiq.exchange.models import OutChannel
    from tansiq.exchange.node import untold

    long_ago = NOW - untold.STATE_AFTER
    OutChannel.objects.create(
        peer="XE", lane="normal", incarnation="1-aaaaaaaaaaaaaaaa", heard_at=long_ago, unsettled=True
    )

    with transaction():
        OutChannel.objects.update(heard_at=NOW)
        other = at_once.begun(lambda: list(untold.due_asks(here("XA"), NOW)))
    other.join()

    assert OutChannel.objects.get().unsettled


# ---- who waits for whom


def test_receipts_of_other_channels_wait_for_no_settlement(at_once: AtOnce) -> None:
    from tansiq.exchange.node import receipting

    xe, stream = here("XE"), Stream()
    received(xe, stream.says("1"), Stream(sender="XF").says("1"))
    made: list[str] = []

    def say() -> None:
        made.extend(one.recipient for one in receipting.due_receipts(xe, now=NOW))

    with transaction():
        received(xe, stream.says("2"))
        at_once.begun(say).join()
        between = list(made)
    say()

    assert (between, made) == (["XF"], ["XF", "XA"])


def test_transaction_that_was_ended_for_another_is_done_again(at_once: AtOnce) -> None:
    from tansiq.exchange.models import Link
    from tansiq.exchange.node import settling

    Link.objects.bulk_create([Link(peer=peer) for peer in ("XE", "XF")])
    both = threading.Barrier(2, timeout=60)
    tries: list[str] = []

    def crossing(*peers: str) -> None:
        def work(careful: bool) -> None:
            tries.append(peers[0])
            for number, peer in enumerate(peers):
                Link.objects.filter(pk=peer).update(heard_version=peers[0])
                if number == 0 and tries.count(peers[0]) == 1:
                    both.wait()

        settling.in_one_transaction(work)

    threads = [at_once.started(lambda peers=peers: crossing(*peers)) for peers in (("XE", "XF"), ("XF", "XE"))]
    for thread in threads:
        thread.join()

    assert len(tries) > 2


# ---- two who mark one item


def test_marking_that_adds_does_not_undo_what_its_origin_narrows_meanwhile(at_once: AtOnce) -> None:
    from django.core.management import call_command

    from factories.sharing import notebook, written
    from tansiq.core.decision import NotAllowed
    from tansiq.sharing import actions

    wide, narrow = (Marking(Tlp.AMBER, "XA", Audience.of(teams=teams)) for teams in (["XE", "XF"], ["XE"]))
    added = Marking(Tlp.AMBER, "XE", Audience.of(teams=["XA"]))
    origin = Viewer(person="P", team="XA", roles=frozenset({Role.ANALYST}), community=True)
    refused: list[object] = []

    def add() -> None:
        try:
            actions.mark(note, [wide, added], by=AMINA, now=NOW)
        except NotAllowed as error:
            refused.append(error.values["reason"])

    call_command("migrate", "sharing", verbosity=0, interactive=False)
    with notebook() as notes:
        note = written(notes, [wide])
        with transaction():
            actions.mark(note, [narrow], by=origin, now=NOW)
            other = at_once.begun(add)
        other.join()

        assert note.marked() == {narrow}
    assert refused == ["sharing.mark.not_origin"]
