"""The exchange of one node at work: what came is opened and stored, what is due is sealed and sent, for ever.

For each lane there is a thread that receives and one that sends, so that nothing on one waits for another (section 2);
one thread keeps house. Each step is a transaction of its own: what came is acknowledged to the backbone after it was
stored, what leaves was stored as attempted before. So the process may be killed at any moment.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django import db
from django.db import InterfaceError, OperationalError

from tansiq.exchange.body import Body, Lane
from tansiq.exchange.node import due, inbox, receipting
from tansiq.exchange.node.arriving import Arriving
from tansiq.exchange.node.departing import tell_fault
from tansiq.exchange.node.here import Here
from tansiq.exchange.node.news import News, Written
from tansiq.exchange.opener import Opener

FETCH_SECONDS = 20.0
LOOK_SECONDS = 0.1
"""How often is looked whether another process of this node has put something into the outbox."""
TURN = timedelta(seconds=5)
"""How often it looks at everything that no receipt covers."""
HOUSE_SECONDS, IDLE_ROUNDS = 5.0, 4
GIVE_SECONDS = 1.0
"""How often it looks whether a peer has room again for the chunks that it asked for."""
IDLE_SECONDS = 60.0
"""How long is waited for what wakes whoever has nothing to look after."""
REST_SECONDS = 2.0
"""After a fault, before the next try."""


House = Callable[["Service", Here, datetime], Iterable[Body]]
"""What is done every few seconds besides the loops; bodies that are to leave for it."""


@dataclass(kw_only=True)
class Service(Arriving):
    """See the module. ``start`` and ``stop``; ``take`` and ``turn`` are also called by whoever carries a file.

    Attributes:
        present: this node under its newest roster; None while it has none.
        epoch: number of the newest roster here, cheaply.
        keys: something that is another when keys of the node were drawn or destroyed, cheaply.
    """

    present: Callable[[datetime], Here | None]
    epoch: Callable[[], int | None]
    house: House = lambda service, here, now: ()
    keys: Callable[[], object] = lambda: None
    threads: list[threading.Thread] = field(default_factory=list)
    _here: Here | None = None
    _known: tuple[int | None, object] = (None, None)
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
        self.is_threaded = True
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

    # ---- the loops

    def _receiver(self, here: Here, lane: Lane) -> None:
        self.receive(here, lane, FETCH_SECONDS)

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
        self.wake()  # whoever waits has another node before it now

    def _sender(self, here: Here, lane: Lane) -> None:
        """A look when something was put there or came; after a while a look at everything."""
        woken = self._woken[lane]
        last = self.clock()
        while self.here() is here and not self.ending.is_set():
            now = self.clock()
            is_whole = not timedelta(0) <= now - last < TURN
            last = now if is_whole else last
            if not self.turn(here, lane, is_whole=is_whole):
                seconds = TURN.total_seconds() if due.is_under_way(here, lane) else IDLE_SECONDS
                again_in = self._room[lane].again_in()
                woken.wait(seconds if again_in is None else min(seconds, again_in))
            woken.clear()

    def _giver(self, here: Here) -> None:
        if not self.give(here):
            self._owing.wait(IDLE_SECONDS if self._giving.is_empty else GIVE_SECONDS)
            self._owing.clear()

    def _poster(self, lane: Lane) -> None:
        """A mail server that is slow, or does not answer, holds up nothing but mails of this lane."""
        self._hand_in(lane, self._posting[lane].taken(self.ending), self.here)

    def _keep_house(self, here: Here) -> None:
        """Every few seconds, while something is written; else now and then."""
        written = Written()
        written.again()
        self.look_after(here)
        for _ in range(IDLE_ROUNDS):
            if self.ending.wait(HOUSE_SECONDS) or written.again():
                return

    def look_after(self, here: Here) -> None:
        """Once: what was parked, what the house has to do, receipts."""
        now = self.clock()
        self._reply(here, inbox.unpark(here, now), now)
        self._follow(here, self.asking.again(here, now))
        self._follow(here, self.house(self, here, now))
        self._follow(here, receipting.due_receipts(here, now=now))
