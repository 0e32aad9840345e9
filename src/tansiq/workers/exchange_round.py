"""One whole round of the exchange by every way, without the threads: for whoever runs no worker, and for commands."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Sum

from tansiq.core.home import Home
from tansiq.exchange.account import Account
from tansiq.exchange.body import Lane
from tansiq.exchange.imap import MailboxRefused, MailboxUnusable
from tansiq.exchange.models import InChannel, OutboxRow, OutChannel
from tansiq.exchange.node import comparing
from tansiq.exchange.node import serving as lease
from tansiq.exchange.node.departing import utc_now
from tansiq.exchange.node.here import Here
from tansiq.exchange.node.service import Service
from tansiq.notices.submission import Server
from tansiq.workers.exchange import Line, MailReader, Servers, post_by, service_of

GLANCE_SECONDS = 0.2
"""How long one lane's stream is looked at when nothing is in it."""
BACKBONE_SECONDS = 10.0
HOUSE_SECONDS = 1.0
MAIL_SECONDS = 5.0


def under_way() -> int:
    """Rows without a position, and bodies that no receipt covers."""
    sealed: int | None = OutChannel.objects.aggregate(bodies=Sum("waiting_bodies"))["bodies"]
    return (sealed or 0) + OutboxRow.objects.count()


def is_quiet(here: Here) -> bool:
    """Nothing is on its way, no receipt is owed, and no comparison waits for an answer."""
    owed = InChannel.objects.filter(unsaid=True, peer__in=here.peers).exists()
    return not owed and not comparing.is_open(here) and not under_way()


@dataclass(slots=True)
class Done:
    """What a round came to.

    Attributes:
        received: messages taken from the backbone. ``mails``: mails whose content was stored.
        sent: attempts that left.
        waiting: what no receipt covers in the end.
        backbone: ``connected``, ``none`` (none is set), or why there is no connection.
        mailbox: the same of the mailbox: ``read``, ``none``, or the code of what is wrong with it.
    """

    received: int = 0
    mails: int = 0
    sent: int = 0
    waiting: int = 0
    backbone: str = "none"
    mailbox: str = "none"


class Rounds:
    """This node's links, worked on by the caller: ``turn`` again and again, while ``opened`` holds."""

    def __init__(self, service: Service, line: Line | None, account: Account | None) -> None:
        self.service, self.line = service, line
        self.reader = MailReader(service, account) if account is not None else None
        self.done = Done()
        self._kept_house_at = self._mailed_at = float("-inf")

    def turn(self) -> int:
        """Take what is there by every way, then send what is due; how much that was."""
        here = self.service.here()
        if here is None:
            return 0
        lease.hold(self.service.worker, utc_now())
        count = self._received(here) + self._fetched_mails()
        here = self.service.here() or here
        if time.monotonic() - self._kept_house_at >= HOUSE_SECONDS:
            self.service.look_after(here)
            self._kept_house_at = time.monotonic()
        sent = sum(self.service.turn(here, lane) for lane in Lane) + self.service.give(here)
        self.done.sent += sent
        return count + sent

    def until(self, is_over: Callable[[], bool], *, within: timedelta, told: Callable[[Done], None]) -> bool:
        """Turn after turn until ``is_over``; whether it came to that in time. ``told`` hears of every turn."""
        ends = time.monotonic() + within.total_seconds()
        while True:
            moved = self.turn()
            self.done.waiting = under_way()
            told(self.done)
            if is_over() and not moved:
                return True
            if time.monotonic() >= ends:
                return False
            if not moved and self.line is None:
                time.sleep(GLANCE_SECONDS)

    def _received(self, here: Here) -> int:
        count = 0
        if self.line is not None:
            for lane in Lane:
                while found := self.service.receive(here, lane, GLANCE_SECONDS):
                    count += found
        self.done.received += count
        return count

    def _fetched_mails(self) -> int:
        if self.reader is None or time.monotonic() - self._mailed_at < MAIL_SECONDS:
            return 0
        self._mailed_at = time.monotonic()
        try:
            count = self.reader.look()
        except (MailboxUnusable, MailboxRefused) as error:
            self.done.mailbox = error.code
            return 0
        self.done.mailbox = "read"
        self.done.mails += count
        return count


@contextmanager
def opened(
    home: Home, servers: Servers, *, smtp: Server | None, sender: str, account: Account | None
) -> Iterator[Rounds]:
    """This node's links, for the caller alone.

    Raises: AlreadyServed, where a service works on them.
    """
    line = Line(home, servers) if servers.urls else None
    service = service_of(home, backbone=line, post=post_by(smtp, sender) if smtp and sender else None)
    lease.must_hold(service.worker, utc_now())
    rounds = Rounds(service, line, account)
    try:
        if line is not None:
            rounds.done.backbone = line.reached(BACKBONE_SECONDS)
        yield rounds
    finally:
        lease.let_go(service.worker)
        service.ending.set()
        if line is not None:
            line.close()
        service.stop()
