"""The exchange of this node as its settings say: with which servers, mailboxes and keys ``node.service`` works."""

from __future__ import annotations

import secrets
import shutil
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django import db
from django.db import InterfaceError, OperationalError
from django.db.models import Max

from tansiq.core.errors import TansiqError
from tansiq.core.home import Home
from tansiq.exchange import custody, mail
from tansiq.exchange.account import Account
from tansiq.exchange.blobs import BlobStore
from tansiq.exchange.body import Body, Lane
from tansiq.exchange.carried import Outbound, Outcome, Received, Trouble
from tansiq.exchange.directory.publishing import publish_changes
from tansiq.exchange.imap import Letter, Mailbox, MailboxRefused, MailboxUnusable
from tansiq.exchange.models import RosterRecord
from tansiq.exchange.node import (
    alarms,
    attempts,
    checking,
    clock,
    comparing,
    entitlements,
    holding,
    positions,
    recalls,
    rosters,
    sealing,
    settling,
    untold,
    uses,
)
from tansiq.exchange.node import serving as lease
from tansiq.exchange.node.asking import Asking
from tansiq.exchange.node.departing import Post, tell_fault, utc_now
from tansiq.exchange.node.files import Files
from tansiq.exchange.node.here import Here
from tansiq.exchange.node.service import Service
from tansiq.exchange.requests import Asked, RosterAsked
from tansiq.exchange.sending import Way
from tansiq.exchange.transport import Transport
from tansiq.notices.submission import NotSent, Refused, Server, Submission, Unknown
from tansiq.workers.waiting import Signals

MAILBOX_SECONDS = 30.0
LOOK_SECONDS = 60.0
SIGNED, SIGNING_ROUNDS = 500, 10
LEAST_FREE_BYTES = 256 << 20
"""Of the disk: less, and rows that have no position yet are dropped (section 8.5)."""
LETTERS = 50
"""Mails that are opened and stored at once, before they are taken out of the mailbox."""
ROSTERS_ASKED = 10
"""Peers that are asked for rosters in one round: a new roster has all nodes ask all others."""
DAILY, HOURLY = timedelta(days=1), timedelta(hours=1)
LEAD = timedelta(seconds=10)
"""The servers that did not follow a roster are told so again."""


def service_of(
    home: Home,
    *,
    backbone: object | None,
    post: Post | None,
    clock: Callable[[], datetime] = utc_now,
    worker: str = "",
    apply: Callable[[], object] | None = None,
) -> Service:
    """The service on this process's database and the keys of ``home``."""
    return Service(
        present=lambda now: rosters.here(home, now=now),
        epoch=epoch,
        asking=Asking(Files(BlobStore(home.blobs))),
        backbone=backbone,  # type: ignore[arg-type]
        post=post,
        house=House(home, apply),
        keys=lambda: custody.stamp(home),
        clock=clock,
        worker=worker or f"exchange {secrets.token_hex(4)}",
    )


def epoch() -> int | None:
    """Number of the newest roster here."""
    newest: int | None = RosterRecord.objects.aggregate(newest=Max("epoch"))["newest"]
    return newest


class Line:
    """The backbone as this node reaches it: connected once its keys are drawn and an address is known."""

    def __init__(self, home: Home, servers: Servers) -> None:
        self.home = home
        self.servers = servers
        self._transport: Transport | None = None
        self._making = threading.Lock()
        self._closed = threading.Event()

    def publish_many(self, messages: Sequence[Outbound], *, timeout_seconds: float = 5.0) -> list[Outcome]:
        transport = self._opened()
        if transport is None:
            return [Outcome.FAILED] * len(messages)
        return transport.publish_many(messages, timeout_seconds=timeout_seconds)

    def fetch(self, lane: Lane, most: int, timeout_seconds: float) -> list[Received]:
        transport = self._opened()
        if transport is None:
            self._closed.wait(timeout_seconds)
            return []
        return transport.fetch(lane, most, timeout_seconds)

    def ack(self, received: Sequence[Received]) -> None:
        if received and (transport := self._opened()) is not None:
            transport.ack(received)

    def reached(self, timeout_seconds: float) -> str:
        """``connected``; or, after so long, why there is no connection."""
        transport = self._opened()
        if transport is None or transport.wait(timeout_seconds):
            return "connected" if transport else Trouble.AWAY
        return transport.trouble or Trouble.AWAY

    def close(self) -> None:
        self._closed.set()
        if self._transport is not None:
            self._transport.close()

    def _opened(self) -> Transport | None:
        with self._making:
            if self._transport is None and not self._closed.is_set():
                here = rosters.here(self.home, now=utc_now())
                if here is not None:
                    seed = custody.load(self.home, realm=here.realm).seed
                    urls, authority = self.servers.urls, self.servers.authority
                    self._transport = Transport(urls, seed, here.code, here.realm, authority=authority)
            return self._transport


class House:
    """What the exchange does besides sending and receiving, each at its time."""

    def __init__(self, home: Home, apply: Callable[[], object] | None) -> None:
        self.home = home
        self.apply = apply
        self._applied = -1
        self._last: dict[str, datetime] = {}
        self._to_ask: list[str] = []
        self._now: datetime | None = None

    def __call__(self, service: Service, here: Here, now: datetime) -> Iterable[Body]:
        if clock.was_put_back(self._now, now):
            clock.mend(now)
        self._now = now
        lease.hold(service.worker, now)
        checking.follow(now)
        if self._is_time("kinds", DAILY, now):  # another program may run since the last start
            settling.on_kinds_changed(here, now)
        settling.on_known(here, now)
        settling.settle_ready(here, now)
        for _round in range(SIGNING_ROUNDS):  # of a million, when a member leaves; the rest has its turn, too
            if recalls.sign_recalls(here, now=now, most=SIGNED) < SIGNED:
                break
        self._make_room(now)
        self._lead(here, now)
        self._tell_directory(here, now)
        if self._is_time("embargoes", timedelta(minutes=1), now):
            entitlements.follow_embargoes(here, now)
        if self._is_time("prune", HOURLY, now):
            attempts.prune(now)
            positions.prune(now)
        self._keep_files(service.asking.files, here, now)
        for peer, asked in self._wanted(service, here, now):
            ask = service.asking.made(here, peer, asked, now)
            if ask is not None:
                yield ask

    def _tell_directory(self, here: Here, now: datetime) -> None:
        """What changed while the node was held is said as soon as it speaks again."""
        what = f"directory {here.epoch}"
        if holding.is_held():
            self._last.pop(what, None)
        elif self._is_time(what, DAILY, now):
            publish_changes(here, None, now)

    def _keep_files(self, files: Files, here: Here, now: datetime) -> None:
        files.tidy(now)
        if self._is_time("superseded files", timedelta(minutes=5), now):
            uses.drop_superseded(here)
        if self._is_time("files", DAILY, now):
            files.look_over(here, now)

    def _make_room(self, now: datetime) -> None:
        """Before the disk is full what has no position yet goes, the lowest lane first; comparisons bring it back."""
        short = LEAST_FREE_BYTES - shutil.disk_usage(self.home.path).free
        if short > 0 and sealing.shed(excess_bytes=short, now=now):
            alarms.raise_alarm("exchange.disk", "", {"free_bytes": LEAST_FREE_BYTES - short}, now)
        elif short <= 0:
            alarms.end_alarm("exchange.disk", "", now)

    def _lead(self, here: Here, now: datetime) -> None:
        """Where this node is the backbone: a removed member is out from the moment of the new epoch."""
        if self.apply is None or self._applied == here.epoch or not self._is_time(f"lead {here.epoch}", LEAD, now):
            return
        try:
            self.apply()
        except TansiqError as error:
            alarms.raise_alarm("exchange.backbone", "", {"code": error.code}, now)
        else:
            self._applied = here.epoch
            alarms.end_alarm("exchange.backbone", "", now)

    def _wanted(self, service: Service, here: Here, now: datetime) -> Iterator[tuple[str, Asked]]:
        if self._is_time(f"roster {here.epoch}", HOURLY, now):
            self._to_ask = sorted(here.peers, reverse=True)
        # Whoever has a later roster answers; whoever has an earlier one sees by the ask's epoch that there is one.
        for _ in range(min(ROSTERS_ASKED, len(self._to_ask))):
            yield self._to_ask.pop(), RosterAsked(epoch=here.epoch + 1)
        yield from holding.due_requests(here, now)
        yield from untold.due_asks(here, now)
        yield from service.asking.files.wanted(here, now)
        for peer in comparing.due_comparisons(here, now):
            if (opening := comparing.begin(here, peer, now)) is not None:
                yield peer, opening
        yield from comparing.due_asks(here, now)
        yield from comparing.due_wishes(here, now)

    def _is_time(self, what: str, every: timedelta, now: datetime) -> bool:
        last = self._last.get(what)
        if last is not None and timedelta(0) <= now - last < every:
            return False
        self._last[what] = now
        return True


def post_by(server: Server, sender: str) -> Post:
    """Mails by the submission server. What it does not take now is attempted again when it is due (section 8.4)."""

    def post(address: str, lane: Lane, sealed: Sequence[bytes]) -> bool:
        try:
            connection = Submission(server)
        except NotSent:
            return False
        try:
            for batch in mail.batches(sealed, most_bytes=connection.most_bytes or mail.MAIL_LIMIT_BYTES):
                letter = mail.build(
                    batch,
                    sender=sender,
                    recipient=address,
                    lane=lane,
                    message_id=secrets.token_hex(16),
                    written_at=datetime.now(UTC),
                )
                connection.hand_over(letter, sender=sender, to=address)
        except (NotSent, Refused, Unknown):
            return False
        finally:
            connection.close()
        return True

    return post


class MailReader:
    """Fetches the node's exchange mails again and again; a mail is taken out after its content was stored."""

    def __init__(self, service: Service, account: Account) -> None:
        self.service = service
        self.mailbox = Mailbox(account)
        self.trouble = ""

    def loop(self) -> None:
        ending = self.service.ending
        try:
            while not ending.is_set():
                self._try()
                ending.wait(MAILBOX_SECONDS)
        finally:
            db.connections.close_all()

    def _try(self) -> None:
        """Whatever goes wrong, the mails stay where they are and are looked at again."""
        try:
            self.look()
            self.trouble = ""
        except (MailboxUnusable, MailboxRefused) as error:
            if self.trouble != error.code:
                with suppress(OSError, ValueError):
                    sys.stderr.write(f"{error}\n")
            self.trouble = error.code
        except Exception as error:
            if not isinstance(error, OperationalError | InterfaceError):
                tell_fault()
            db.close_old_connections()

    def look(self) -> int:
        """Mails whose content was stored."""
        here = self.service.here()
        if here is None:
            return 0
        count = 0
        with self.mailbox.session() as session:
            session.look()
            batch: list[tuple[Letter, list[bytes]]] = []
            for letter in session.letters():
                contents = mail.read(letter.raw)
                if contents.sealed:
                    batch.append((letter, list(contents.sealed)))
                else:
                    session.leave(letter)
                if len(batch) == LETTERS:
                    count += self._store(here, session.stored, batch)
                    batch = []
            count += self._store(here, session.stored, batch)
        return count

    def _store(
        self, here: Here, stored: Callable[[Sequence[Letter]], None], batch: Sequence[tuple[Letter, list[bytes]]]
    ) -> int:
        messages = [data for _letter, sealed in batch for data in sealed]
        if not messages:
            return 0
        left = self.service.take(here, messages, Way.MAIL)
        number, done = 0, []
        for letter, sealed in batch:
            if left.isdisjoint(range(number, number + len(sealed))):
                done.append(letter)
            number += len(sealed)
        stored(done)
        return len(done)


@contextmanager
def running(service: Service, *, account: Account | None, close: Callable[[], None] = lambda: None) -> Iterator[None]:
    """The service's threads, and the one that reads mails, while inside. ``close`` ends the backbone."""
    service.start()
    if account is not None:
        reader = threading.Thread(target=MailReader(service, account).loop, name="exchange mailbox", daemon=True)
        reader.start()
    try:
        yield
    finally:
        service.ending.set()
        close()
        service.stop()


@dataclass(frozen=True)
class Servers:
    """How this node reaches the backbone.

    Attributes:
        urls: empty: it has none, and goes by mail and file.
        authority: who signed the servers' certificates, if not one of the system's.
        apply: where this node runs the backbone: have the servers follow the roster of now. Raises: TansiqError.
    """

    urls: Sequence[str] = ()
    authority: Path | None = None
    apply: Callable[[], object] | None = None


def serving(
    home: Home, servers: Servers, *, smtp: Server | None, sender: str, account: Account | None, until: Signals
) -> None:
    """Work until a signal says to end. While the node has no roster, or none that names it, it waits for one."""
    line = Line(home, servers) if servers.urls else None
    post = post_by(smtp, sender) if smtp and sender else None
    service = service_of(home, backbone=line, post=post, apply=servers.apply)
    with running(service, account=account, close=line.close if line else lambda: None):
        while not until.wait(LOOK_SECONDS):
            continue
    lease.let_go(service.worker)
