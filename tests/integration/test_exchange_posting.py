"""Bodies that wait for the mail server: one mail for a moment's, and never more than there is room for."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from tansiq.exchange.body import Lane

if TYPE_CHECKING:
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

    monkeypatch.setitem(posting.GATHERED_SECONDS, Lane.URGENT, 0.2)
    waiting = posting.Posting(Lane.URGENT)
    one, two, other = posted("XB", b"1"), posted("XB", b"2"), posted("XC", b"3")
    later = threading.Timer(0.05, lambda: [waiting.put(two), waiting.put(other)])
    waiting.put(one)
    later.start()

    taken = waiting.taken(threading.Event())

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


def test_mail_server_that_hangs_holds_up_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the service's own threads: what is mailed is handed to them, and the caller goes on."""
    from factories.exchange_node import here
    from tansiq.exchange.node import posting, service, ways
    from tansiq.exchange.node.asking import Asking

    answers, posts = threading.Event(), threading.Event()
    noted: list[tuple[str, bool]] = []

    def post(_address: str, _lane: Lane, _sealed: Any) -> bool:
        posts.set()
        return answers.wait(20)

    monkeypatch.setitem(posting.GATHERED_SECONDS, Lane.URGENT, 0.01)
    monkeypatch.setattr(ways, "note_mailed", lambda peer, handed_in, now: noted.append((peer, handed_in)))
    at_work = service.Service(present=lambda now: None, epoch=lambda: None, asking=Asking.__new__(Asking), post=post)
    node = here("XA", members=("XA", "XB"), mail=("XB",))
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
