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
from tansiq.exchange.connection import NO_RESPONDERS, STATUS_HEADER, Connection, Refused, is_status

if TYPE_CHECKING:
    from nats.aio.msg import Msg

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.1, 15.0
UNDER_WAY, UNDER_WAY_BYTES = 512, 8 << 20
"""Of one call to publish: what may be without its answer at once."""
FETCHED_BYTES = 4 << 20
"""After which a fetch takes no more: what is not worked off in a minute is given out again."""
AT_ONCE = 32
"""Questions for one message each that are put without waiting for an answer."""
ANSWER_SECONDS = 5.0
GRACE_SECONDS = 2.0
"""How much later than asked for the server may say that nothing came, before we ask again."""
ENDED = ("404", "408")
"""Statuses of a question that went as it should: nothing there, or nothing in time."""
REST_SECONDS = 0.5
"""Between two questions where the server said that it cannot."""
FIRST_PATIENCE_SECONDS, LONGEST_PATIENCE_SECONDS = 10.0, 600.0
"""How long a server of several may say that nobody is there, and nothing else, before another is tried."""
NO_ROOM = ("maximum messages per subject exceeded", "resource limits exceeded", "insufficient storage resources")


@dataclass(slots=True)
class _Shelf:
    """What came of one lane and nobody took yet, and the questions for more that are open.

    Each question is for one message. The server takes an empty message for the last answer to a question that crosses
    accounts; were a question for many, a member's empty message would take those behind it along, until ``REST``.

    Attributes:
        open: subject of the answer -> when we no longer believe in one; the oldest first, as the server serves them.
        lasting: the one question that may wait at the server.
        bare: whether the server said that there is nothing more.
    """

    waiting: deque[Received] = field(default_factory=deque)
    open: dict[str, float] = field(default_factory=dict)
    lasting: str = ""
    bare: bool = False
    not_before: float = 0.0
    inbox: str = ""
    asked: int = 0


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
        self._nobody_since: float | None = None
        self._patience_seconds = FIRST_PATIENCE_SECONDS
        self._leaving: asyncio.Task[None] | None = None

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
                self.connection, self.trouble, self._nobody_since = connection, None, None
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

    def _heard(self, how: Outcome) -> None:
        """A server that came back may have lost sight of the others' streams, and say for good that nobody is there,
        where another of the cluster knows them. Where it may be right the others are asked ever less often."""
        if how is not Outcome.NOWHERE:
            self._nobody_since, self._patience_seconds = None, FIRST_PATIENCE_SECONDS
            return
        now, connection = self._now(), self.connection
        if self._nobody_since is None:
            self._nobody_since = now
        elif len(self._urls) > 1 and connection is not None and now - self._nobody_since >= self._patience_seconds:
            self._nobody_since = None
            self._patience_seconds = min(2 * self._patience_seconds, LONGEST_PATIENCE_SECONDS)
            self._leaving = asyncio.get_running_loop().create_task(connection.close())

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

        connection.answers[key] = lambda answer: self._answered(outcome, _said(answer))
        self._publishing[reply] = (message.subject, outcome)
        outcome.add_done_callback(settled)
        try:
            await connection.send(message.subject, message.data, reply, message.all_headers)
        except OSError:
            _settle(outcome, Outcome.FAILED)
        return outcome

    def _answered(self, outcome: asyncio.Future[Outcome], how: Outcome) -> None:
        self._heard(how)
        _settle(outcome, how)

    def _forbidden(self, subject: str) -> None:
        for asked, outcome in list(self._publishing.values()):
            if asked.lower() == subject:
                _settle(outcome, Outcome.NOWHERE)

    # Fetching

    async def fetch(self, lane: Lane, most: int, timeout_seconds: float) -> list[Received]:
        """What is there of a lane; else what comes first in so long."""
        most = max(1, min(most, jetstream.MOST_FETCHED))
        until = self._now() + timeout_seconds
        if timeout_seconds <= 0:
            await self._burst(lane, 1)
        while not self._shelves[lane].waiting:
            left = until - self._now()
            if left <= 0:
                return []
            await self._linger(lane, left)
            await self._watch(min(left, REST_SECONDS))
        return await self._taken(lane, most)

    async def _taken(self, lane: Lane, most: int) -> list[Received]:
        """What came of a lane and what else is there: asked for one by one, ever more of them at once."""
        shelf, at_once = self._shelves[lane], 1
        while len(shelf.waiting) < most and sum(len(one.data) for one in shelf.waiting) < FETCHED_BYTES:
            if not await self._burst(lane, min(at_once, most - len(shelf.waiting))):
                break
            at_once = min(2 * at_once, AT_ONCE)
        return [shelf.waiting.popleft() for _ in range(min(most, len(shelf.waiting)))]

    async def _burst(self, lane: Lane, count: int) -> bool:
        """Ask for messages that are there, and hear the answers. Returns whether there may be more."""
        shelf = self._shelves[lane]
        shelf.bare = False
        until = self._now() + ANSWER_SECONDS
        asked = {await self._ask(lane, {"batch": 1, "no_wait": True}, until) for _ in range(count)} - {""}
        while asked & shelf.open.keys() and self._now() < until:
            await self._watch(until - self._now())
        return bool(asked) and not shelf.bare

    async def _linger(self, lane: Lane, seconds: float) -> None:
        """Have a question lie at the server for what comes next; one is enough."""
        shelf, now = self._shelves[lane], self._now()
        for reply in [reply for reply, until in shelf.open.items() if until < now]:
            del shelf.open[reply]
        if shelf.lasting not in shelf.open:
            expires = max(1, int(seconds * 1000)) * 1_000_000
            shelf.lasting = await self._ask(lane, {"batch": 1, "expires": expires}, now + seconds + GRACE_SECONDS)

    async def _ask(self, lane: Lane, question: Mapping[str, object], until: float) -> str:
        """Returns: the subject of the answer; empty if the question could not be put."""
        shelf, connection = self._shelves[lane], self.connection
        if connection is None or self._now() < shelf.not_before:
            return ""
        shelf.asked += 1
        reply = f"{shelf.inbox}{shelf.asked}"
        shelf.open[reply] = until
        try:
            subject = jetstream.next_subject(self._realm, self._code, lane)
            await connection.send(subject, json.dumps(question).encode(), reply)
        except OSError:
            shelf.open.pop(reply, None)
            return ""
        return reply

    def _arrived(self, lane: Lane, heard: Msg) -> None:
        """A message from the stream; or the server's word that a question gets none."""
        shelf = self._shelves[lane]
        if heard.reply.startswith(jetstream.ack_prefix(self._realm, self._code, lane)):
            self._heard(Outcome.ACKNOWLEDGED)
            shelf.waiting.append(received(lane, heard.subject, heard.data, heard.headers or {}, heard.reply))
            shelf.open.pop(next(iter(shelf.open), ""), None)
        elif is_status(heard) and shelf.open.pop(heard.subject, None) is not None:
            said = (heard.headers or {}).get(STATUS_HEADER)
            shelf.bare = shelf.bare or heard.subject != shelf.lasting
            if said not in ENDED:
                shelf.not_before = self._now() + REST_SECONDS
            if said == NO_RESPONDERS:
                self._heard(Outcome.NOWHERE)
        self._tell()

    async def ack(self, tokens: Sequence[str]) -> None:
        """What does not leave comes again, as a repeat."""
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
            shelf.open.clear()
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
