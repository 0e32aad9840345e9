"""What a transport does on its event loop: keep a connection, publish on it, pull from the node's own streams."""

from __future__ import annotations

import asyncio
import json
import random
import ssl
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from tansiq.exchange import jetstream
from tansiq.exchange.body import Lane
from tansiq.exchange.carried import Outbound, Outcome, Received, Trouble, received
from tansiq.exchange.connection import STATUS_HEADER, Connection, Refused, is_status

if TYPE_CHECKING:
    from nats.aio.msg import Msg

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.1, 15.0
UNDER_WAY, UNDER_WAY_BYTES = 512, 8 << 20
"""Of one call to publish: what may be without its answer at once."""
PULLED_BYTES = 16 << 20
QUIET_SECONDS = 0.005
"""A burst is over when nothing more came for so long."""
ANSWER_SECONDS = 5.0
GRACE_SECONDS = 2.0
"""How much later than asked for the end of a pull may be said, before we ask again."""
ENDED = ("404", "408")
"""Statuses of a pull that went as it should: nothing there, or nothing more in time."""
REST_SECONDS = 0.5
"""Between two pulls where the server said that it cannot."""
NO_ROOM = ("maximum messages per subject exceeded", "resource limits exceeded", "insufficient storage resources")


@dataclass(slots=True)
class _Pull:
    """A question for messages that the server may still answer."""

    reply: str
    left: int
    until: float


@dataclass(slots=True)
class _Shelf:
    """What came of one lane and nobody took yet; at most what was asked for at once."""

    waiting: deque[Received] = field(default_factory=deque)
    pull: _Pull | None = None
    not_before: float = 0.0
    inbox: str = ""
    pulls: int = 0


class Traffic:
    """Everything here runs on one event loop.

    Attributes:
        connection: the one that is up; None without.
        trouble: why there is none.
    """

    def __init__(self, urls: Sequence[str], seed: str, code: str, realm: str, trusted: ssl.SSLContext | None) -> None:
        self.connection: Connection | None = None
        self.trouble: Trouble | None = Trouble.AWAY
        self._urls, self._seed, self._code, self._realm, self._trusted = list(urls), seed, code, realm, trusted
        self._shelves = {lane: _Shelf() for lane in Lane}
        self._publishing: dict[str, tuple[str, asyncio.Future[Outcome]]] = {}
        self._watching: set[asyncio.Future[None]] = set()

    async def keep(self, up: Callable[[bool], None]) -> None:
        """Hold a connection until cancelled, each time with the next server. ``up`` is told of each change."""
        pause = FIRST_PAUSE_SECONDS
        turn = random.randrange(len(self._urls))
        while True:
            connection = Connection(forbidden=self._forbidden)
            try:
                url = self._urls[turn % len(self._urls)]
                trusted = self._trusted if url.startswith("tls:") else None
                inbox = jetstream.inbox(self._realm, self._code)
                await connection.open(url, seed=self._seed, inbox=inbox, trusted=trusted)
                for lane, shelf in self._shelves.items():
                    shelf.inbox = await connection.hear(lane, partial(self._arrived, lane))
                pause = FIRST_PAUSE_SECONDS
                self.connection, self.trouble = connection, None
                up(True)
                self._tell()
                await connection.ended.wait()
                self.trouble = Trouble.AWAY
            except Refused:
                self.trouble = Trouble.REFUSED
            except OSError:
                self.trouble = Trouble.AWAY
            finally:
                self.connection = None
                up(False)
                self._forget()
                await connection.close()
            turn += 1
            await asyncio.sleep(pause * random.uniform(0.5, 1))
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    # Publishing

    async def publish(self, messages: Sequence[Outbound], timeout_seconds: float) -> list[Outcome]:
        """One outcome for each, in order. The order of sending is that of the list."""
        attempts: list[asyncio.Future[Outcome]] = []
        under_way: dict[asyncio.Future[Outcome], int] = {}
        for message in messages:
            while under_way and (len(under_way) >= UNDER_WAY or sum(under_way.values()) >= UNDER_WAY_BYTES):
                done, _ = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
                for one in done:
                    del under_way[one]
            attempt = await self._attempt(message, timeout_seconds)
            attempts.append(attempt)
            under_way[attempt] = len(message.data)
        return list(await asyncio.gather(*attempts))

    async def _attempt(self, message: Outbound, timeout_seconds: float) -> asyncio.Future[Outcome]:
        """Send one message; the future has its outcome, at the latest after the time given."""
        loop, connection = asyncio.get_running_loop(), self.connection
        outcome: asyncio.Future[Outcome] = loop.create_future()
        if connection is None:
            outcome.set_result(Outcome.FAILED)
            return outcome
        reply, key = connection.reply()
        timer = loop.call_later(timeout_seconds, _settle, outcome, Outcome.FAILED)

        def settled(_: object) -> None:
            timer.cancel()
            connection.answers.pop(key, None)
            self._publishing.pop(reply, None)

        connection.answers[key] = lambda answer: _settle(outcome, _said(answer))
        self._publishing[reply] = (message.subject, outcome)
        outcome.add_done_callback(settled)
        try:
            await connection.send(message.subject, message.data, reply, message.all_headers)
        except OSError:
            _settle(outcome, Outcome.FAILED)
        return outcome

    def _forbidden(self, subject: str) -> None:
        for asked, outcome in list(self._publishing.values()):
            if asked.lower() == subject:
                _settle(outcome, Outcome.NOWHERE)

    # Fetching

    async def fetch(self, lanes: Sequence[Lane], most: int, timeout_seconds: float) -> list[Received]:
        """What is there of the first of ``lanes`` that has something; else what comes first in so long."""
        most = max(1, min(most, jetstream.MOST_FETCHED))
        until = self._now() + timeout_seconds
        while not (there := [lane for lane in lanes if self._shelves[lane].waiting]):
            left = until - self._now()
            if left <= 0 and timeout_seconds > 0:
                return []
            for lane in lanes:
                await self._pull(lane, most, left)
            if timeout_seconds > 0:
                await self._watch(min(left, REST_SECONDS))
            elif not await self._glance(lanes):
                return []
        return await self._taken(there[0], most)

    async def _glance(self, lanes: Sequence[Lane]) -> bool:
        """Wait until the server has said of each lane that this is all. Returns whether something came."""
        shelves = [self._shelves[lane] for lane in lanes]
        end = self._now() + ANSWER_SECONDS
        while self.connection is not None and self._now() < end and any(shelf.pull for shelf in shelves):
            await self._watch(end - self._now())
        return any(shelf.waiting for shelf in shelves)

    async def _taken(self, lane: Lane, most: int) -> list[Received]:
        """What came of a lane, and what still comes of the same burst."""
        shelf = self._shelves[lane]
        seen = 0
        while seen < len(shelf.waiting) < most and shelf.pull is not None:
            seen = len(shelf.waiting)
            await asyncio.sleep(QUIET_SECONDS)
        return [shelf.waiting.popleft() for _ in range(min(most, len(shelf.waiting)))]

    async def _pull(self, lane: Lane, most: int, seconds: float) -> None:
        """Ask the lane's consumer, unless a question is still open; what does not wait is always asked."""
        shelf, connection, now = self._shelves[lane], self.connection, self._now()
        if connection is None or now < shelf.not_before:
            return
        if seconds > 0 and shelf.pull is not None and now < shelf.pull.until:
            return
        asked: dict[str, Any] = {"batch": most, "max_bytes": PULLED_BYTES}
        asked |= {"expires": max(1, int(seconds * 1000)) * 1_000_000} if seconds > 0 else {"no_wait": True}
        shelf.pulls += 1
        reply = f"{shelf.inbox}{shelf.pulls}"
        shelf.pull = _Pull(reply, most, now + max(seconds, 0) + GRACE_SECONDS)
        subject = jetstream.next_subject(self._realm, self._code, lane)
        try:
            await connection.send(subject, json.dumps(asked).encode(), reply)
        except OSError:
            shelf.pull = None

    def _arrived(self, lane: Lane, heard: Msg) -> None:
        """A message from the stream; or the server's word that of this question nothing more will come."""
        shelf = self._shelves[lane]
        if heard.reply.startswith(jetstream.ack_prefix(self._realm, self._code, lane)):
            shelf.waiting.append(received(lane, heard.subject, heard.data, heard.headers or {}, heard.reply))
            if shelf.pull is not None:
                shelf.pull.left -= 1
        elif shelf.pull is not None and heard.subject == shelf.pull.reply and is_status(heard):
            shelf.pull.left = 0
            if heard.headers and heard.headers.get(STATUS_HEADER) not in ENDED:
                shelf.not_before = self._now() + REST_SECONDS
        if shelf.pull is not None and shelf.pull.left <= 0:
            shelf.pull = None
        self._tell()

    async def ack(self, tokens: Sequence[str]) -> None:
        connection = self.connection
        for token in tokens:
            if connection is None or not token.startswith("$JS.ACK."):
                return
            try:
                await connection.send(token, b"+ACK", "")
            except OSError:
                return

    # Waiting

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _tell(self) -> None:
        for watching in self._watching:
            if not watching.done():
                watching.set_result(None)

    async def _watch(self, seconds: float) -> None:
        """Until something came, or so long."""
        news: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._watching.add(news)
        try:
            await asyncio.wait([news], timeout=max(0.0, seconds))
        finally:
            self._watching.discard(news)

    def _forget(self) -> None:
        """What was under way on a connection that ended has failed; what came of it stays."""
        for _, outcome in list(self._publishing.values()):
            _settle(outcome, Outcome.FAILED)
        for shelf in self._shelves.values():
            shelf.pull = None
        self._tell()


def _settle(outcome: asyncio.Future[Outcome], how: Outcome) -> None:
    if not outcome.done():
        outcome.set_result(how)


def _said(answer: Msg) -> Outcome:
    """What a stream answered to a publication; no stream: nobody is there."""
    if is_status(answer):
        return Outcome.NOWHERE
    try:
        said: Mapping[str, Any] = json.loads(answer.data)
        error = said.get("error")
        if error is None:
            return Outcome.ACKNOWLEDGED if said.get("stream") else Outcome.FAILED
        return Outcome.FULL if any(words in str(error) for words in NO_ROOM) else Outcome.FAILED
    except (ValueError, AttributeError):
        return Outcome.FAILED
