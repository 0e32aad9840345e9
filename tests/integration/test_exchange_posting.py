"""Bodies that wait for the mail server: one mail for a moment's, and never more than there is room for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from factories.exchange_node import NOW, here, marked, payload
from tansiq.exchange.body import Lane

if TYPE_CHECKING:
    from tansiq.exchange.node.departing import Departing
    from tansiq.exchange.node.here import Here
    from tansiq.exchange.node.leaving import Attempt
    from tansiq.exchange.node.posting import Posted


@pytest.fixture(autouse=True)
def _django(_connected: None) -> None:
    """Attempts are of a database."""


def posted(peer: str, *sealed: bytes) -> Posted:
    from tansiq.exchange.node.posting import Posted

    return Posted(peer, f"exchange@{peer.lower()}.example", sealed)


def test_bodies_of_a_moment_are_taken_together_and_by_peer(monkeypatch: pytest.MonkeyPatch) -> None:
    from tansiq.exchange.node import posting

    waiting = posting.Posting(Lane.URGENT)
    one, two, other = posted("XB", b"1"), posted("XB", b"2"), posted("XC", b"3")
    ending, moments = threading.Event(), []

    def while_it_gathers(seconds: float) -> bool:
        moments.append(seconds)
        return waiting.put(two) and waiting.put(other)

    monkeypatch.setattr(ending, "wait", while_it_gathers)
    waiting.put(one)

    taken = waiting.taken(ending)

    assert moments == [posting.GATHERED_SECONDS[Lane.URGENT]]
    assert posting.grouped(taken) == {"XB": [one, two], "XC": [other]}
    assert waiting.rest() == []


def test_body_that_waits_already_is_not_put_again() -> None:
    from tansiq.exchange.node import posting

    waiting = posting.Posting(Lane.URGENT)
    again = [attempt("XB", 2), attempt("XB", 3)]

    took = [
        waiting.put(posting.Posted("XB", "b@xb.example", (b"1", b"2"), (attempt("XB", 1), attempt("XB", 2)))),
        waiting.put(posting.Posted("XB", "b@xb.example", (b"2 anew", b"3"), tuple(again))),
        waiting.put(posting.Posted("XB", "b@xb.example", (b"3 anew",), (again[1],))),
        waiting.put(posting.Posted("XC", "b@xc.example", (b"2",), (attempt("XC", 2),))),
        waiting.put(posted("XB", b"a receipt")),
        waiting.put(posted("XB", b"a receipt")),
    ]
    first = [one.sealed for one in waiting.rest()]
    took.append(waiting.put(posting.Posted("XB", "b@xb.example", (b"2 anew",), (again[0],))))

    assert took == [True] * 7
    assert first == [(b"1", b"2"), (b"3",), (b"2",), (b"a receipt",), (b"a receipt",)]
    assert [one.sealed for one in waiting.rest()] == [(b"2 anew",)]


def attempt(peer: str, first: int) -> Attempt:
    from tansiq.exchange.node.leaving import Attempt
    from tansiq.exchange.sending import Way

    mailed = frozenset({Way.MAIL})
    return Attempt(peer, Lane.URGENT, "1-abcdefghijklmnop", first, first, b"{}", str(first), 1, mailed, is_skip=False)


def test_more_than_there_is_room_for_is_not_taken_and_one_body_always_is(monkeypatch: pytest.MonkeyPatch) -> None:
    from tansiq.exchange.node import posting

    monkeypatch.setattr(posting, "ROOM_BYTES", 10)
    waiting = posting.Posting(Lane.BULK)

    took = [waiting.put(posted("XB", b"x" * size)) for size in (20, 1)]
    waiting.rest()
    took += [waiting.put(posted("XB", b"x" * size)) for size in (6, 4, 1)]

    assert took == [True, False, True, True, False]


def test_mail_server_that_hangs_holds_up_nobody_else(monkeypatch: pytest.MonkeyPatch, database: None) -> None:
    """With the service's own threads: what is mailed is handed to them, and the caller goes on."""
    from tansiq.exchange.node import posting, service, ways
    from tansiq.exchange.node.asking import Asking

    answers, posts = threading.Event(), threading.Event()
    noted: list[tuple[str, bool]] = []

    def post(_address: str, _lane: Lane, _sealed: Any) -> bool:
        posts.set()
        return answers.wait(20)

    monkeypatch.setitem(posting.GATHERED_SECONDS, Lane.URGENT, 0.01)
    monkeypatch.setattr(ways, "note_mailed", lambda peer, handed_in, now: noted.append((peer, handed_in)))
    node = here("XA", members=("XA", "XB"), mail=("XB",))
    at_work = service.Service(present=lambda now: node, epoch=lambda: 1, asking=Asking.__new__(Asking), post=post)
    poster = threading.Thread(target=lambda: at_work._poster(Lane.URGENT), daemon=True)
    at_work.is_threaded = True
    poster.start()

    at_work._mail(node, "XB", Lane.URGENT, [b"sealed"])
    hangs = posts.wait(20)
    at_work._mail(node, "XB", Lane.URGENT, [b"sealed too"])
    before = list(noted)
    answers.set()
    poster.join(20)

    assert hangs
    assert before == []
    assert noted == [("XB", True)]
    assert [one.sealed for one in at_work._posting[Lane.URGENT].rest()] == [(b"sealed too",)]


def test_mails_are_no_longer_than_the_server_takes() -> None:
    from factories.mail_node import post_office
    from tansiq.notices.submission import Encryption, Server
    from tansiq.workers.exchange import post_by

    with post_office({}, most_bytes=300_000) as office:
        post = post_by(Server("127.0.0.1", office.port, Encryption.NONE), "exchange@xa.example")

        took = post("exchange@xb.example", Lane.BULK, [b"\x85" + bytes(50_000)] * 10)

    assert took
    assert [one.bodies for one in office.posted] == [4, 4, 2]


# ---- what waited is decided again (section 8.3)


LATER = NOW + timedelta(minutes=2)


def at_epoch(epoch: int, *members: str) -> Here:
    from factories.exchange import node_secret

    node = here("XA", epoch=epoch, members=("XA", "XF", *members), mail=("XE", "XF"))
    return replace(node, certificates={code: node_secret(code).certificate for code in node.members})


def xa() -> Here:
    return at_epoch(1, "XE")


def publish(name: str, *teams: str) -> None:
    from tansiq.exchange.node import publishing

    said = marked("XA", *teams)
    publishing.publish(xa(), kind="alert", name=name, payload=payload(), markings=said, team="XA", now=NOW)


def mailing(taken: list[int]) -> Departing:
    """Who notes how many bodies were handed in at once."""
    from tansiq.exchange.node.asking import Asking
    from tansiq.exchange.node.departing import Departing

    def post(_address: str, _lane: Lane, sealed: Any) -> bool:
        taken.append(len(sealed))
        return True

    return Departing(asking=Asking.__new__(Asking), post=post, clock=lambda: LATER, is_threaded=True)


def two_alerts_wait(departing: Departing) -> None:
    """In memory, for a mail server that is slow: they were attempted a minute ago by another way, now by mail."""
    from tansiq.exchange.node import attempts, sealing

    publish("1", "XE")
    publish("2", "XE")
    sealing.seal(xa(), ["XE"], Lane.URGENT, worker="w", now=NOW)
    made = attempts.due_attempts(xa(), "XE", Lane.URGENT, now=LATER)
    assert [sorted(one.ways) for one in made] == [["jetstream", "mail"], ["mail"]]
    departing._send(xa(), Lane.URGENT, made)


def roster_came() -> None:
    from tansiq.exchange.models import RosterRecord

    said = {"realm": "live", "digest": "0" * 64, "text": "", "signatures": [], "issued_at": NOW, "accepted_at": NOW}
    RosterRecord.objects.create(epoch=2, **said)


def held() -> None:
    from tansiq.exchange.models import Life

    Life.objects.update_or_create(pk=1, defaults={"began_at": NOW, "held_since": NOW})


def frozen() -> None:
    from tansiq.exchange.models import Link

    Link.objects.update_or_create(peer="XE", defaults={"frozen_at": NOW})


def begun_anew() -> None:
    from tansiq.exchange.models import OutChannel
    from tansiq.exchange.node import keeping

    keeping.renumber(OutChannel.objects.get(peer="XE", lane="urgent"), LATER, requeue=True)


@pytest.mark.parametrize(
    ("meanwhile", "present", "left"),
    [
        (lambda: None, xa, [2]),
        (lambda: publish("1", "XF"), xa, [1]),
        (held, xa, []),
        (frozen, xa, []),
        (begun_anew, xa, []),
        (roster_came, xa, []),
        (lambda: None, lambda: at_epoch(2, "XE"), []),
        (lambda: None, lambda: at_epoch(2), []),
        (lambda: None, lambda: None, []),
    ],
    ids=["nothing", "narrowed", "held", "frozen", "begun_anew", "roster_came", "epoch", "removed", "no_roster"],
)
def test_body_that_waited_is_handed_in_only_if_it_may_leave_still(
    database: None, meanwhile: Callable[[], None], present: Callable[[], Here | None], left: list[int]
) -> None:
    taken: list[int] = []
    departing = mailing(taken)
    two_alerts_wait(departing)
    meanwhile()

    departing._hand_in(Lane.URGENT, departing._posting[Lane.URGENT].rest(), present)

    assert taken == left


def test_body_that_waited_and_did_not_leave_counts_as_not_mailed(database: None) -> None:
    from tansiq.exchange.models import Sent

    departing = mailing([])
    two_alerts_wait(departing)
    publish("1", "XF")

    departing._hand_in(Lane.URGENT, departing._posting[Lane.URGENT].rest(), xa)

    rows = Sent.objects.filter(channel__peer="XE").order_by("first")
    assert [(row.skipped, row.body is None, row.mailed, row.next_mail_at) for row in rows] == [
        ("entitlement", True, 0, LATER + timedelta(minutes=5)),
        ("", False, 1, LATER + timedelta(hours=1)),
    ]


def test_each_mail_is_decided_by_itself(database: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first takes a server minutes; the object of the second is narrowed meanwhile."""
    from tansiq.exchange.node import posting

    monkeypatch.setattr(posting, "PORTION_BYTES", 1)
    taken: list[int] = []
    departing = mailing(taken)
    two_alerts_wait(departing)

    def slow(_address: str, _lane: Lane, sealed: Any) -> bool:
        taken.append(len(sealed))
        publish("2", "XF")
        return True

    departing.post = slow

    departing._hand_in(Lane.URGENT, departing._posting[Lane.URGENT].rest(), xa)

    assert taken == [1]


@pytest.mark.parametrize(("meanwhile", "left"), [(lambda: None, [2]), (held, [1]), (frozen, [1])])
def test_receipt_that_waited_leaves_only_while_the_node_speaks(
    database: None, meanwhile: Callable[[], None], left: list[int]
) -> None:
    taken: list[int] = []
    departing = mailing(taken)
    departing._mail(xa(), "XE", Lane.URGENT, [b"a receipt"], is_receipt=True)
    departing._mail(xa(), "XE", Lane.URGENT, [b"an ask"])
    meanwhile()

    departing._hand_in(Lane.URGENT, departing._posting[Lane.URGENT].rest(), xa)

    assert taken == left


def test_chunk_that_waited_leaves_only_if_the_file_may_go_still(database: None) -> None:
    taken: list[int] = []
    departing = mailing(taken)
    may_give = {"a" * 64: True, "b" * 64: False}
    files: Any = SimpleNamespace(may_give=lambda here, peer, digest, now: may_give[digest])
    departing.asking.files = files
    for digest in may_give:
        departing._mail(xa(), "XE", Lane.BULK, [b"a chunk"], digest=digest)

    departing._hand_in(Lane.BULK, departing._posting[Lane.BULK].rest(), xa)

    assert taken == [1]
