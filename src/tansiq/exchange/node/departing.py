"""What leaves a node, and how: positions and first attempts, later attempts, receipts and answers, files, mails.

Each step is a transaction of its own: what leaves was stored as attempted before. So the process may be killed at any
moment.
"""

from __future__ import annotations

import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import zip_longest
from typing import NamedTuple, Protocol

from django.db import InterfaceError, OperationalError

from tansiq.exchange import jetstream, together
from tansiq.exchange.body import Body, Lane, Receipt
from tansiq.exchange.carried import Outbound, Outcome, Received
from tansiq.exchange.node import attempts, due, keeping, sealing, ways
from tansiq.exchange.node.asking import Asking, lane_of
from tansiq.exchange.node.backbone_room import BackboneRoom
from tansiq.exchange.node.giving import Giving
from tansiq.exchange.node.here import Here
from tansiq.exchange.node.leaving import Attempt
from tansiq.exchange.node.posting import Posted, Posting, grouped, portions
from tansiq.exchange.node.precedence import Pace, Precedence
from tansiq.exchange.requests import Answer, Ask, ChunkGiven
from tansiq.exchange.seal import seal_written
from tansiq.exchange.sending import Way

A_TURN = 500


class Backbone(Protocol):
    """What of ``transport.Transport`` is used here."""

    def publish_many(self, messages: Sequence[Outbound], *, timeout_seconds: float = ...) -> list[Outcome]: ...
    def fetch(self, lane: Lane, most: int, timeout_seconds: float) -> list[Received]: ...
    def ack(self, received: Sequence[Received]) -> None: ...


class Post(Protocol):
    """Sends mails: sealed bodies of one lane to a peer's exchange address. Whether they were handed in."""

    def __call__(self, address: str, lane: Lane, sealed: Sequence[bytes]) -> bool: ...


class Leaving(NamedTuple):
    """A message on its way to the backbone."""

    peer: str
    lane: Lane
    data: bytes
    message_id: str
    type: jetstream.Type = jetstream.Type.BODY

    def outbound(self, here: Here) -> Outbound:
        subject = jetstream.subject(here.realm, self.peer, self.lane, here.code)
        return Outbound(subject, self.data, self.message_id, self.type)


_Sealed = tuple[Attempt, bytes]


def _messages(sealed: Iterable[_Sealed]) -> Iterator[list[_Sealed]]:
    """What goes together, each peer's in its order; the first of each peer before the second of any."""
    by_peer: dict[str, list[_Sealed]] = {}
    for one in sealed:
        by_peer.setdefault(one[0].peer, []).append(one)
    each = ([some[part] for part in together.portions([len(data) for _, data in some])] for some in by_peer.values())
    for nth in zip_longest(*each):
        yield from (message for message in nth if message is not None)


def _leaving(lane: Lane, message: Sequence[_Sealed]) -> Leaving:
    first, data = message[0]
    identifier = jetstream.message_id(first.id, first.number)
    if len(message) == 1:
        return Leaving(first.peer, lane, data, identifier)
    written = together.written([data for _, data in message])
    return Leaving(first.peer, lane, written, identifier, jetstream.Type.BODIES)


def _by_peer(made: Iterable[Attempt]) -> dict[str, list[Attempt]]:
    found: dict[str, list[Attempt]] = {}
    for one in made:
        found.setdefault(one.peer, []).append(one)
    return found


def utc_now() -> datetime:
    return datetime.now(UTC)


def tell_fault() -> None:
    """Where to look. What cannot be told, since the disk with the log is full, must not end who tells it."""
    with suppress(OSError, ValueError):
        traceback.print_exc(file=sys.stderr)


@dataclass(kw_only=True)
class Departing:
    """One node's links, outward.

    Attributes:
        asking: the asks that are open, and what is said to those of others.
        backbone: None: this node has none, and goes by mail and file.
        post: None: it sends no mails.
        worker: name of this process, for leases.
        is_threaded: mails are handed in by threads of their own.
    """

    asking: Asking
    backbone: Backbone | None = None
    post: Post | None = None
    clock: Callable[[], datetime] = utc_now
    worker: str = "exchange"
    ending: threading.Event = field(default_factory=threading.Event)
    is_threaded: bool = False
    _giving: Giving = field(default_factory=Giving)
    _posting: dict[Lane, Posting] = field(default_factory=lambda: {lane: Posting(lane) for lane in Lane})
    _precedence: Precedence = field(default_factory=Precedence)
    _leaving: dict[Lane, Pace] = field(default_factory=lambda: {lane: Pace() for lane in Lane})
    _room: dict[Lane, BackboneRoom] = field(default_factory=lambda: {lane: BackboneRoom(A_TURN) for lane in Lane})

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
        """What is urgent leaves in the order in which it was said. Of other lanes, where there is more than one step
        takes, each peer's leaves together: what comes to it one by one costs it much more."""
        left = set(peers)
        count, stuck, more = self._step(here, left, lane)
        if lane is not Lane.URGENT:
            return count + sum(self._seal_one(here, peer, lane) for peer in sorted(left - stuck) if more)
        while more and (left := left - stuck):
            done, stuck, more = self._step(here, left, lane)
            count += done
        return count

    def _seal_one(self, here: Here, peer: str, lane: Lane) -> int:
        """No more than lets the others have their turn soon."""
        count = 0
        while count < A_TURN:
            done, stuck, more = self._step(here, [peer], lane)
            count += done
            if stuck or not more:
                break
        return count

    def _step(self, here: Here, peers: Collection[str], lane: Lane) -> tuple[int, set[str], bool]:
        """Returns: rows that left the outbox, peers whose rows stay, whether there may be more of the others."""
        if self.ending.is_set():
            return 0, set(), False
        self._precedence.give_way(lane)
        pace, began = self._leaving[lane], time.monotonic()
        made = sealing.seal(here, peers, lane, worker=self.worker, now=self.clock(), most=pace.step(lane, A_TURN))
        self._send(here, lane, made.attempts)
        pace.took(made.rows, time.monotonic() - began)
        return made.rows, set(made.waiting), made.more

    def _attempt(self, here: Here, peer: str, lane: Lane) -> int:
        count = 0
        while not self.ending.is_set():
            free, has_mail = self._room[lane].free(peer), bool(here.address_of(peer))
            if not free and not has_mail:
                break
            self._precedence.give_way(lane)
            step = self._leaving[lane].step(lane, A_TURN)
            most = step if has_mail else min(step, free)
            made = attempts.due_attempts(here, peer, lane, now=self.clock(), most=most, room=free)
            self._send(here, lane, made)
            count += len(made)
            if len(made) < most:
                break
        return count

    def _send(self, here: Here, lane: Lane, made: Sequence[Attempt]) -> None:
        """The seal is made here and now, by the roster of this moment: no bytes of a former epoch leave."""
        sealed = [(attempt, data) for attempt in made if (data := self._sealed_attempt(here, attempt)) is not None]
        going = list(_messages(one for one in sealed if Way.JETSTREAM in one[0].ways))
        outcomes = self._publish(here, [_leaving(lane, message) for message in going])
        refused = (message for message, outcome in zip(going, outcomes, strict=False) if outcome is Outcome.FULL)
        full = _by_peer(attempt for message in refused for attempt, _data in message)
        for peer, some in full.items():
            attempts.not_taken(peer, lane, some)
        for peer, count in Counter(attempt.peer for message in going for attempt, _data in message).items():
            self._room[lane].took(peer, count, len(full.get(peer, ())))
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
            data = self._sealed_following(here, body)
            if data is None:
                continue
            leaving.append(Leaving(body.recipient, lane, data, jetstream.message_id(body.id, attempt)))
            if self._goes_by_mail(body, way):
                self._mail(here, body.recipient, lane, [data], is_receipt=isinstance(body, Receipt))
        self._publish(here, leaving)

    def _sealed_following(self, here: Here, body: Body) -> bytes | None:
        """None where there is no way to write or to seal this one: it must not take the others with it."""
        try:
            return self._sealed(here, body.recipient, body.written(), epoch=body.epoch)
        except Exception:
            tell_fault()
            return None

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

    def _publish(self, here: Here, leaving: Sequence[Leaving]) -> list[Outcome]:
        if not leaving or self.backbone is None:
            return []
        outcomes = self.backbone.publish_many([one.outbound(here) for one in leaving])
        ways.note_published([one.peer for one in leaving], outcomes, self.clock())
        return outcomes

    # ---- files

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
            leaving.append(Leaving(owed.peer, Lane.BULK, data, jetstream.message_id(answer.id, 1)))
        if owed.way == Way.MAIL:
            self._mail(here, owed.peer, Lane.BULK, [one.data for one in leaving], digest=owed.digest)
        outcomes = self._publish(here, leaving) or [Outcome.ACKNOWLEDGED] * len(leaving)
        gone = {index for index, outcome in zip(made, outcomes, strict=True) if outcome is Outcome.ACKNOWLEDGED}
        if Outcome.FULL in outcomes:
            self._giving.full(owed, gone, now)
        elif len(gone) == len(made) > 0:
            self._giving.left(owed, gone, now)
        return len(gone)

    # ---- mails

    def _mail(
        self,
        here: Here,
        peer: str,
        lane: Lane,
        sealed: Sequence[bytes],
        made: Sequence[Attempt] = (),
        *,
        is_receipt: bool = False,
        digest: str = "",
    ) -> None:
        """By the threads of their own that hand mails in; at once where there are none. For more see ``Posted``."""
        address = here.address_of(peer)
        if not sealed or self.post is None or not address:
            return
        posted = Posted(peer, address, tuple(sealed), tuple(made), here.epoch, is_receipt, digest)
        if not self.is_threaded:
            self._hand_in(lane, [posted], lambda: here)
        elif not self._posting[lane].put(posted):
            self._not_mailed([posted])

    def _hand_in(self, lane: Lane, posted: Sequence[Posted], present: Callable[[], Here | None]) -> None:
        """Each peer's in its turn. Decided again before each mail: the one before may have taken minutes."""
        for mails in grouped(posted).values():
            is_taken = True
            for portion in portions(mails):
                going = self._going(present(), portion) if is_taken else []
                if going:
                    is_taken = self._is_handed_in(lane, going)
                self._not_mailed(set(portion).difference(going if is_taken else ()))

    def _going(self, here: Here | None, portion: Sequence[Posted]) -> list[Posted]:
        """Of what waited what may leave now (section 8.3): no bytes of a former epoch, nothing that was narrowed."""
        waited = [one for one in portion if here is not None and one.epoch == here.epoch]
        if here is None or not waited:
            return []
        peer, now = waited[0].peer, self.clock()
        is_silent = keeping.is_silent(peer)
        made = [attempt for one in waited for attempt in one.made]
        may_leave = attempts.may_leave(here, made, now) if made else set()
        no_chunks = {one.digest for one in waited} - {""}
        no_chunks = {digest for digest in no_chunks if not self.asking.files.may_give(here, peer, digest, now)}
        return [
            one
            for one in waited
            if may_leave.issuperset(one.made) and one.digest not in no_chunks and not (one.is_receipt and is_silent)
        ]

    def _is_handed_in(self, lane: Lane, going: Sequence[Posted]) -> bool:
        assert self.post is not None
        is_taken = self.post(going[0].address, lane, [data for one in going for data in one.sealed])
        ways.note_mailed(going[0].peer, is_taken, self.clock())
        made = [attempt for one in going for attempt in one.made]
        if made and is_taken:
            attempts.mailed(made, self.clock())
        return is_taken

    def _not_mailed(self, posted: Iterable[Posted]) -> None:
        for made in _by_peer(attempt for one in posted for attempt in one.made).values():
            attempts.not_mailed(made, self.clock())

    def _sealed(self, here: Here, peer: str, body: bytes, *, epoch: int | None = None) -> bytes:
        """``epoch``: of a body that is addressed under a former roster; who has only that knows only its keys."""
        by = here.secrets[0] if epoch is None else here.secret_at(epoch)
        to = here.certificate_of(peer)
        assert to is not None
        return seal_written(body, by=by, to=to).data
