"""What comes to a node, by whichever way: opened, stored, answered; and the receipts that follow.

What came is acknowledged to the backbone after it was stored.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from django import db
from django.db import InterfaceError, OperationalError, transaction

from tansiq.exchange import jetstream
from tansiq.exchange.body import Body, Lane, Placed, Receipt
from tansiq.exchange.carried import Received
from tansiq.exchange.node import attempts, hearing, inbox, receipting
from tansiq.exchange.node.asking import take_rosters
from tansiq.exchange.node.departing import Departing, tell_fault
from tansiq.exchange.node.here import Here
from tansiq.exchange.node.inbox import Became
from tansiq.exchange.node.precedence import Pace
from tansiq.exchange.opener import Opener
from tansiq.exchange.receipts import LEAST_BETWEEN
from tansiq.exchange.requests import Answer, Ask, ChunksAsked, ReceiptAsked, RosterAsked
from tansiq.exchange.seal import Junk, Sealed
from tansiq.exchange.sending import Way
from tansiq.exchange.trust import Authentic, authenticate

FETCHED = 200
FOLLOWING = 50
"""Answers to what came that are made before they leave."""
SAID = (Became.TAKEN, Became.REPEAT, Became.SKIPPED)
"""What a receipt is due for."""


@contextmanager
def _timed(pace: Pace, bodies: int) -> Iterator[None]:
    began = time.monotonic()
    yield
    pace.took(bodies, time.monotonic() - began)


@dataclass(kw_only=True)
class Arriving(Departing):
    """One node's links, inward as well; what follows leaves at once."""

    _woken: dict[Lane, threading.Event] = field(default_factory=lambda: {lane: threading.Event() for lane in Lane})
    _owing: threading.Event = field(default_factory=threading.Event)
    _arriving: dict[Lane, Pace] = field(default_factory=lambda: {lane: Pace() for lane in Lane})
    _owed_at: float | None = None
    _opener: Opener | None = None

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
        self._receive(here, lane, [one for one in received if one.type is not jetstream.Type.ROSTER])
        return len(received)

    def _receive(self, here: Here, lane: Lane, messages: Sequence[Received]) -> None:
        """Step by step. A message is acknowledged when all that it carries was taken."""
        assert self.backbone is not None
        pace = self._arriving[lane]
        waiting = deque((number, body) for number, one in enumerate(messages) for body in one.bodies())
        left: set[int] = set()
        while waiting:
            self._precedence.give_way(lane)
            some = [waiting.popleft() for _ in range(min(len(waiting), pace.step(lane, FETCHED)))]
            with self._precedence.work(lane), _timed(pace, len(some)):
                held = self.take(here, [body for _number, body in some], Way.JETSTREAM)
            left |= {some[at][0] for at in held}
            not_yet = waiting[0][0] if waiting else len(messages)
            done = sorted({number for number, _body in some if number < not_yet} - left)
            self.backbone.ack([messages[number] for number in done])

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
        if owed - {(one.recipient, one.lane) for one in made}:  # each time: one that left meanwhile delays this one
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
        for one in receipts:
            self._room[one.lane].heard(one.sender)
            self._woken[one.lane].set()
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
