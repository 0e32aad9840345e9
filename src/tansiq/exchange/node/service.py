"""The exchange of one node at work: what came is opened and stored, what is due is sealed and sent, for ever.

For each lane there is a thread that receives and one that sends, so that nothing on one waits for another (section 2);
one thread keeps house. Each step is a transaction of its own: what came is acknowledged to the backbone after it was
stored, what leaves was stored as attempted before. So the process may be killed at any moment.
"""

from __future__ import annotations

import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import NamedTuple, Protocol

from django import db
from django.db import InterfaceError, OperationalError, transaction

from tansiq.exchange import jetstream
from tansiq.exchange.body import Body, Lane, Placed, Receipt
from tansiq.exchange.carried import Outbound, Outcome, Received
from tansiq.exchange.node import attempts, due, hearing, inbox, receipting, sealing, ways
from tansiq.exchange.node.asking import Asking, lane_of, take_rosters
from tansiq.exchange.node.giving import Giving
from tansiq.exchange.node.here import Here
from tansiq.exchange.node.inbox import Became
from tansiq.exchange.node.leaving import Attempt
from tansiq.exchange.node.news import News
from tansiq.exchange.node.posting import Posted, Posting, grouped
from tansiq.exchange.node.precedence import Pace, Precedence
from tansiq.exchange.opener import Opener
from tansiq.exchange.receipts import LEAST_BETWEEN
from tansiq.exchange.requests import Answer, Ask, ChunkGiven, ChunksAsked, ReceiptAsked, RosterAsked
from tansiq.exchange.seal import Junk, Sealed, seal_written
from tansiq.exchange.sending import Way
from tansiq.exchange.trust import Authentic, authenticate

FETCHED = 200
FETCH_SECONDS = 20.0
LOOK_SECONDS = 0.1
"""How often is looked whether another process of this node has put something into the outbox."""
TURN = timedelta(seconds=5)
"""How often it looks at everything that no receipt covers."""
HOUSE_SECONDS = 5.0
GIVE_SECONDS = 1.0
"""How often it looks whether a peer has room again for the chunks that it asked for."""
A_TURN = 500
FOLLOWING = 50
"""Answers to what came that are made before they leave."""
REST_SECONDS = 2.0
"""After a fault, before the next try."""


SAID = (Became.TAKEN, Became.REPEAT, Became.SKIPPED)
"""What a receipt is due for."""


class Backbone(Protocol):
    """What of ``transport.Transport`` is used here."""

    def publish_many(self, messages: Sequence[Outbound], *, timeout_seconds: float = ...) -> list[Outcome]: ...
    def fetch(self, lane: Lane, most: int, timeout_seconds: float) -> list[Received]: ...
    def ack(self, received: Sequence[Received]) -> None: ...


class Post(Protocol):
    """Sends mails: sealed bodies of one lane to a peer's exchange address. Whether they were handed in."""

    def __call__(self, address: str, lane: Lane, sealed: Sequence[bytes]) -> bool: ...


class _Leaving(NamedTuple):
    """A sealed body on its way to the backbone."""

    peer: str
    lane: Lane
    data: bytes
    message_id: str

    def outbound(self, here: Here) -> Outbound:
        subject = jetstream.subject(here.realm, self.peer, self.lane, here.code)
        return Outbound(subject, self.data, self.message_id)


def _by_peer(made: Iterable[Attempt]) -> dict[str, list[Attempt]]:
    found: dict[str, list[Attempt]] = {}
    for one in made:
        found.setdefault(one.peer, []).append(one)
    return found


@contextmanager
def _timed(pace: Pace, bodies: int) -> Iterator[None]:
    began = time.monotonic()
    yield
    pace.took(bodies, time.monotonic() - began)


House = Callable[["Service", Here, datetime], Iterable[Body]]
"""What is done every few seconds besides the loops; bodies that are to leave for it."""


def utc_now() -> datetime:
    return datetime.now(UTC)


def tell_fault() -> None:
    """Where to look. What cannot be told, since the disk with the log is full, must not end who tells it."""
    with suppress(OSError, ValueError):
        traceback.print_exc(file=sys.stderr)


@dataclass
class Service:
    """See the module. ``start`` and ``stop``; ``take`` and ``turn`` are also called by whoever carries a file.

    Attributes:
        present: this node under its newest roster; None while it has none.
        epoch: number of the newest roster here, cheaply.
        keys: something that is another when keys of the node were drawn or destroyed, cheaply.
        backbone: None: this node has none, and goes by mail and file.
        post: None: it sends no mails.
        worker: name of this process, for leases.
    """

    present: Callable[[datetime], Here | None]
    epoch: Callable[[], int | None]
    asking: Asking
    backbone: Backbone | None = None
    post: Post | None = None
    house: House = lambda service, here, now: ()
    keys: Callable[[], object] = lambda: None
    clock: Callable[[], datetime] = utc_now
    worker: str = "exchange"
    ending: threading.Event = field(default_factory=threading.Event)
    threads: list[threading.Thread] = field(default_factory=list)
    _woken: dict[Lane, threading.Event] = field(default_factory=lambda: {lane: threading.Event() for lane in Lane})
    _owing: threading.Event = field(default_factory=threading.Event)
    _giving: Giving = field(default_factory=Giving)
    _posting: dict[Lane, Posting] = field(default_factory=lambda: {lane: Posting(lane) for lane in Lane})
    _precedence: Precedence = field(default_factory=Precedence)
    _arriving: dict[Lane, Pace] = field(default_factory=lambda: {lane: Pace() for lane in Lane})
    _leaving: dict[Lane, Pace] = field(default_factory=lambda: {lane: Pace() for lane in Lane})
    _owed_at: float | None = None
    _here: Here | None = None
    _known: tuple[int | None, object] = (None, None)
    _opener: Opener | None = None
    _changing: threading.Lock = field(default_factory=threading.Lock)

    # ---- the threads

    def start(self) -> None:
        loops: list[tuple[str, Callable[[Here], None]]] = [
            ("house", self._keep_house),
            ("watch", self._watch),
            ("give chunks", self._giver),
        ]
        for lane in Lane:
            loops.append((f"send {lane}", lambda here, lane=lane: self._sender(here, lane)))
            if self.post is not None:
                loops.append((f"post {lane}", lambda here, lane=lane: self._poster(lane)))
            if self.backbone is not None:
                loops.append((f"receive {lane}", lambda here, lane=lane: self._receiver(here, lane)))
        self.threads = [
            threading.Thread(target=self._again_and_again, args=(loop,), name=f"exchange {name}", daemon=True)
            for name, loop in loops
        ]
        for thread in self.threads:
            thread.start()

    def stop(self, timeout_seconds: float = 10.0) -> None:
        """The backbone is to be closed before: it ends what is being waited for."""
        self.ending.set()
        self.wake()
        for thread in self.threads:
            thread.join(timeout_seconds)
        for posting in self._posting.values():
            self._not_mailed(posting.rest())
        if self._opener is not None:
            self._opener.close()

    def wake(self) -> None:
        for event in (*self._woken.values(), self._owing):
            event.set()
        for posting in self._posting.values():
            posting.wake()

    def _again_and_again(self, loop: Callable[[Here], None]) -> None:
        """A fault of one loop ends neither it nor the others: what it was about is still stored, or still comes."""
        try:
            while not self.ending.is_set():
                try:
                    here = self.here()
                    if here is None:
                        self.ending.wait(REST_SECONDS)
                    else:
                        loop(here)
                except Exception as error:
                    if not isinstance(error, OperationalError | InterfaceError):
                        tell_fault()
                    db.close_old_connections()
                    self.ending.wait(REST_SECONDS)
        finally:
            db.connections.close_all()

    # ---- who we are

    def here(self) -> Here | None:
        """Read anew when a newer roster was accepted or keys were drawn, by whichever process of this node.

        A key is sealed to from the roster on that names it; who sent that roster did so already.
        """
        newest = (self.epoch(), self.keys())
        if self._here is None or self._known != newest:
            with self._changing:
                if self._here is None or self._known != newest:
                    self._become(self.present(self.clock()) if newest[0] is not None else None)
                    self._known = newest
        return self._here

    def _become(self, here: Here | None) -> None:
        """Other threads are at work meanwhile, and have an opener at every moment: the former one or the new."""
        before = self._opener
        self._opener = Opener(here.secrets, here.facts.believed_certificates()) if here is not None else None
        self._here = here
        if before is not None:
            before.close()

    # ---- what comes

    def _receiver(self, here: Here, lane: Lane) -> None:
        self.receive(here, lane, FETCH_SECONDS)

    def receive(self, here: Here, lane: Lane, timeout_seconds: float) -> int:
        """Take what the backbone has for this node on a lane, or wait for it. Returns: how many messages there were."""
        assert self.backbone is not None
        received = self.backbone.fetch(lane, FETCHED, timeout_seconds)
        if not received:
            return 0
        rosters = [one for one in received if one.type is jetstream.Type.ROSTER]
        if rosters:
            take_rosters([one.data for one in rosters], self.clock())
            self.backbone.ack(rosters)
        bodies = [one for one in received if one.type is not jetstream.Type.ROSTER]
        pace = self._arriving[lane]
        while bodies:
            self._precedence.give_way(lane)
            most = pace.step(lane, FETCHED)
            some, bodies = bodies[:most], bodies[most:]
            with self._precedence.work(lane), _timed(pace, len(some)):
                left = self.take(here, [one.data for one in some], Way.JETSTREAM)
            self.backbone.ack([one for number, one in enumerate(some) if number not in left])
        return len(received)

    def take(self, here: Here, messages: Sequence[bytes], way: str) -> set[int]:
        """Open what came by one way and store what becomes of it.

        Returns: numbers of those that this node does not take for now, and that are to be left where they are.
        """
        opener, now = self._opener, self.clock()
        if opener is None:  # no roster names this node any more
            return set(range(len(messages)))
        arrived: dict[int, Authentic] = {}
        for number, outcome in enumerate(opener.open_all([Sealed(data) for data in messages])):
            judged = outcome if isinstance(outcome, Junk) else authenticate(outcome, here.facts)
            if isinstance(judged, Junk):
                inbox.receive_junk(judged, Sealed(messages[number]), way, now)
            else:
                arrived[number] = judged
        outcomes = inbox.take(here, [(one, way) for one in arrived.values()], now=now)
        self._reply(here, outcomes, now, way)
        made = self._noted(here, arrived.values(), way, now)
        self._follow(here, made)
        heads = (one.body.head for one in outcomes if one.became in SAID)
        owed = {(head.sender, head.lane) for head in heads if isinstance(head, Placed)}
        if self._owed_at is None and owed - {(one.recipient, one.lane) for one in made}:
            self._owed_at = time.monotonic() + LEAST_BETWEEN.total_seconds()
        return {number for number, outcome in zip(arrived, outcomes, strict=True) if outcome.became is Became.HELD}

    @transaction.atomic
    def _noted(self, here: Here, arrived: Iterable[Authentic], way: str, now: datetime) -> list[Receipt]:
        """Who was heard; and the receipts that are due now."""
        hearing.note_heard(here, [(one, way) for one in arrived], now)
        return receipting.due_receipts(here, now=self.clock())

    def _reply(self, here: Here, outcomes: Sequence[inbox.Outcome], now: datetime, way: str = Way.JETSTREAM) -> None:
        """What follows at once from what came. What is said again by itself must not have a whole batch come again."""
        heads = [one.body.head for one in outcomes if one.became is Became.OTHER]
        receipts = [head for head in heads if isinstance(head, Receipt)]
        if receipts and not self._is_done(lambda: self._follow(here, self._believed(here, receipts, now), way)):
            for one in receipts:
                self._is_done(lambda one=one: self._follow(here, self._believed(here, [one], now), way))
        for lane in {one.lane for one in receipts}:
            self._woken[lane].set()
        replies = self._replies(here, outcomes, now, way)
        while some := list(islice(replies, FOLLOWING)):
            self._is_done(lambda some=some: self._follow(here, some, way))

    def _replies(self, here: Here, outcomes: Iterable[inbox.Outcome], now: datetime, way: str) -> Iterator[Body]:
        said: list[Body] = []
        for outcome in outcomes:
            if outcome.ask_roster or (outcome.became is Became.OTHER and not isinstance(outcome.body.head, Receipt)):
                self._is_done(lambda outcome=outcome: said.extend(self._said_to(here, outcome, now, way)))
            yield from said
            said.clear()

    def _is_done(self, work: Callable[[], None]) -> bool:
        """Whether nothing went wrong with it."""
        try:
            work()
        except (OperationalError, InterfaceError):
            db.close_old_connections()  # busy, or gone: no fault of what came, and nothing to look for
            return False
        except Exception:
            tell_fault()
            return False
        return True

    def _believed(self, here: Here, said: Sequence[Receipt], now: datetime) -> Iterable[Body]:
        """Questions for what receipts leave open."""
        for one, follow in zip(said, attempts.on_receipts(here, said, now), strict=True):
            if follow.ask_since is not None:
                asked = ReceiptAsked(lane=one.lane, incarnation=one.incarnation, since=follow.ask_since)
                yield from self._asked(here, one.sender, asked, now)

    def _said_to(self, here: Here, outcome: inbox.Outcome, now: datetime, way: str) -> Iterable[Body]:
        """What follows at once from a body that came: questions about it, and answers to what it asks."""
        head = outcome.body.head
        if outcome.ask_roster:
            yield from self._asked(here, head.sender, RosterAsked(epoch=here.epoch + 1), now)
        if outcome.became is not Became.OTHER:
            return
        match head:
            case Ask(asked=ChunksAsked()):
                self._giving.put(head, way, now)
                self._owing.set()
            case Ask():
                yield from self.asking.answers(here, head, now)
            case Answer():
                yield from self.asking.heed(here, head, now)

    def _asked(self, here: Here, peer: str, asked: RosterAsked | ReceiptAsked, now: datetime) -> Iterable[Body]:
        ask = self.asking.made(here, peer, asked, now)
        return [ask] if ask is not None else []

    # ---- what goes

    def _watch(self, here: Here) -> None:
        """Have the senders look when another process of this node has put something into the outbox; and send the
        receipts that came too soon after the ones before."""
        news = News()
        while self._here is here and not self.ending.wait(LOOK_SECONDS):
            if news.came():
                self.wake()
            if self._owed_at is not None and self._owed_at <= time.monotonic():
                self._owed_at = None
                self._follow(here, receipting.due_receipts(here, now=self.clock()))

    def _sender(self, here: Here, lane: Lane) -> None:
        """A look when something was put there or came; after a while a look at everything."""
        woken = self._woken[lane]
        last = self.clock()
        while self.here() is here and not self.ending.is_set():
            now = self.clock()
            is_whole = not timedelta(0) <= now - last < TURN
            last = now if is_whole else last
            if not self.turn(here, lane, is_whole=is_whole):
                woken.wait(TURN.total_seconds())
            woken.clear()

    def turn(self, here: Here, lane: Lane, *, is_whole: bool = True) -> int:
        """One round of sending on a lane: rows get positions, what is due leaves. Returns: bodies that left.

        Args:
            is_whole: look at every channel of which some receipt is missing, not only at those that are surely due.
        """
        waiting = due.to_seal(here, lane)
        with self._precedence.work(lane) if waiting else nullcontext():
            count = self._seal(here, waiting, lane)
            peers = due.to_attempt(here, lane, self.clock())
            if is_whole:
                peers = sorted({*peers, *due.uncovered(here, lane, self.clock())})
            return count + self._each(peers, lambda peer: self._attempt(here, peer, lane))

    def _each(self, peers: Iterable[str], work: Callable[[str], int]) -> int:
        """What goes wrong with one peer holds back no other. The sum of what was done."""
        count = 0
        for peer in peers:
            try:
                count += work(peer)
            except (OperationalError, InterfaceError):
                raise  # the database's, and so everybody's
            except Exception:
                tell_fault()
        return count

    def _seal(self, here: Here, peers: Sequence[str], lane: Lane) -> int:
        """All peers at once; where that fails for a reason of one of them, each by itself."""
        try:
            return self._seal_for(here, peers, lane)
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            return self._each(peers, lambda peer: self._seal_for(here, [peer], lane))

    def _seal_for(self, here: Here, peers: Sequence[str], lane: Lane) -> int:
        left, pace, count = set(peers), self._leaving[lane], 0
        while left and not self.ending.is_set():
            self._precedence.give_way(lane)
            began, most = time.monotonic(), pace.step(lane, A_TURN)
            made = sealing.seal(here, left, lane, worker=self.worker, now=self.clock(), most=most)
            self._send(here, lane, made.attempts)
            pace.took(made.rows, time.monotonic() - began)
            count += made.rows
            left -= set(made.waiting)
            if not made.more:
                break
        return count

    def _attempt(self, here: Here, peer: str, lane: Lane) -> int:
        count = 0
        while not self.ending.is_set():
            self._precedence.give_way(lane)
            most = self._leaving[lane].step(lane, A_TURN)
            made = attempts.due_attempts(here, peer, lane, now=self.clock(), most=most)
            self._send(here, lane, made)
            count += len(made)
            if len(made) < most:
                break
        return count

    def _send(self, here: Here, lane: Lane, made: Sequence[Attempt]) -> None:
        """The seal is made here and now, by the roster of this moment: no bytes of a former epoch leave."""
        sealed = [(attempt, data) for attempt in made if (data := self._sealed_attempt(here, attempt)) is not None]
        going = [(attempt, data) for attempt, data in sealed if Way.JETSTREAM in attempt.ways]
        outcomes = self._publish(
            here,
            [
                _Leaving(attempt.peer, lane, data, jetstream.message_id(attempt.id, attempt.number))
                for attempt, data in going
            ],
        )
        full = [going[number][0] for number, outcome in enumerate(outcomes) if outcome is Outcome.FULL]
        for peer, some in _by_peer(full).items():
            attempts.not_taken(peer, lane, some, self.clock())
        by_mail = {attempt: data for attempt, data in sealed if Way.MAIL in attempt.ways}
        for peer, some in _by_peer(by_mail).items():
            self._mail(here, peer, lane, [by_mail[one] for one in some], some)

    def _sealed_attempt(self, here: Here, attempt: Attempt) -> bytes | None:
        """None where there is no way to seal for this one: it must not hold back the others."""
        epoch = here.epoch_for(attempt.peer) if attempt.peer in here.removed else None
        try:
            return self._sealed(here, attempt.peer, attempt.body, epoch=epoch)
        except Exception:
            tell_fault()
            return None

    def _follow(self, here: Here, bodies: Iterable[Body], way: str = Way.JETSTREAM) -> None:
        """Send what has no position: receipts, asks, answers. What is lost of it is asked for or said again.

        Args:
            way: by which what they answer came.
        """
        leaving = []
        for body in bodies:
            if here.certificate_of(body.recipient) is None:
                continue
            lane, attempt = self._lane_of(body), self.asking.attempt(body) if isinstance(body, Ask) else 1
            data = self._sealed(here, body.recipient, body.written(), epoch=body.epoch)
            leaving.append(_Leaving(body.recipient, lane, data, jetstream.message_id(body.id, attempt)))
            if self._goes_by_mail(body, way):
                self._mail(here, body.recipient, lane, [data])
        self._publish(here, leaving)

    @staticmethod
    def _lane_of(body: Body) -> Lane:
        """By which bodies without a position go (section 3.6)."""
        if isinstance(body, Ask | Answer):
            return lane_of(body)
        return body.lane if isinstance(body, Receipt) else Lane.URGENT

    def _goes_by_mail(self, body: Body, way: str) -> bool:
        """Receipts to whom was heard by mail; asks that were not answered for long; answers to what came by mail."""
        if isinstance(body, Receipt):
            return ways.is_heard_by_mail(body.recipient, self.clock())
        if isinstance(body, Ask):
            return self.asking.goes_by_mail(body, self.clock())
        return way == Way.MAIL

    def _publish(self, here: Here, leaving: Sequence[_Leaving]) -> list[Outcome]:
        if not leaving or self.backbone is None:
            return []
        outcomes = self.backbone.publish_many([one.outbound(here) for one in leaving])
        ways.note_published([one.peer for one in leaving], outcomes, self.clock())
        return outcomes

    # ---- files

    def _giver(self, here: Here) -> None:
        if not self.give(here):
            self._owing.wait(GIVE_SECONDS)
            self._owing.clear()

    def give(self, here: Here) -> int:
        """A few chunks to one peer that asked for some. Returns: how many left; 0 where none is to leave now."""
        now = self.clock()
        owed = self._giving.next(now)
        if owed is None or owed.peer not in here.certificates:
            return 0
        made, leaving = [], []
        for answer in self.asking.answers(here, owed.next_ask(), now):
            assert isinstance(answer.given, ChunkGiven)
            data = self._sealed(here, owed.peer, answer.written())
            made.append(answer.given.index)
            leaving.append(_Leaving(owed.peer, Lane.BULK, data, jetstream.message_id(answer.id, 1)))
        if owed.way == Way.MAIL:
            self._mail(here, owed.peer, Lane.BULK, [one.data for one in leaving])
        outcomes = self._publish(here, leaving) or [Outcome.ACKNOWLEDGED] * len(leaving)
        gone = {index for index, outcome in zip(made, outcomes, strict=True) if outcome is Outcome.ACKNOWLEDGED}
        if Outcome.FULL in outcomes:
            self._giving.full(owed, gone, now)
        elif len(gone) == len(made) > 0:
            self._giving.left(owed, gone, now)
        return len(gone)

    def _mail(self, here: Here, peer: str, lane: Lane, sealed: Sequence[bytes], made: Sequence[Attempt] = ()) -> None:
        """By the threads of their own that hand mails in; at once where there are none."""
        address = here.address_of(peer)
        if not sealed or self.post is None or not address:
            return
        posted = Posted(peer, address, tuple(sealed), tuple(made))
        if not self.threads:
            self._hand_in(lane, [posted])
        elif not self._posting[lane].put(posted):
            self._not_mailed([posted])

    def _poster(self, lane: Lane) -> None:
        """A mail server that is slow, or does not answer, holds up nothing but mails of this lane."""
        self._hand_in(lane, self._posting[lane].taken(self.ending))

    def _hand_in(self, lane: Lane, posted: Sequence[Posted]) -> None:
        assert self.post is not None
        for peer, together in grouped(posted).items():
            sealed = [data for one in together for data in one.sealed]
            is_handed_in = self.post(together[0].address, lane, sealed)
            ways.note_mailed(peer, is_handed_in, self.clock())
            for one in together:
                if one.made and is_handed_in:
                    attempts.mailed(one.made, self.clock())
            if not is_handed_in:
                self._not_mailed(together)

    def _not_mailed(self, posted: Iterable[Posted]) -> None:
        for one in posted:
            if one.made:
                attempts.not_mailed(one.made, self.clock())

    def _sealed(self, here: Here, peer: str, body: bytes, *, epoch: int | None = None) -> bytes:
        """``epoch``: of a body that is addressed under a former roster; who has only that knows only its keys."""
        by = here.secrets[0] if epoch is None else here.secret_at(epoch)
        to = here.certificate_of(peer)
        assert to is not None
        return seal_written(body, by=by, to=to).data

    # ---- and the rest

    def _keep_house(self, here: Here) -> None:
        self.look_after(here)
        self.ending.wait(HOUSE_SECONDS)

    def look_after(self, here: Here) -> None:
        """Once: what was parked, what the house has to do, receipts."""
        now = self.clock()
        self._reply(here, inbox.unpark(here, now), now)
        self._follow(here, self.asking.again(here, now))
        self._follow(here, self.house(self, here, now))
        self._follow(here, receipting.due_receipts(here, now=now))
