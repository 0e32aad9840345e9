"""Asks and answers between this node and its peers: who asks what, who answers, what an answer does (section 3.6).

An ask is made anew until it is answered; only answers to asks of this process are heeded, so that nobody can push an
answer that was not wanted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from tansiq.core.viewer import Viewer
from tansiq.exchange import pages
from tansiq.exchange.body import Body
from tansiq.exchange.node import comparing, holding, receipting, rosters
from tansiq.exchange.node.here import Here
from tansiq.exchange.pages import Partial
from tansiq.exchange.requests import (
    Answer,
    Ask,
    Asked,
    ChunkGiven,
    ChunksAsked,
    ComparisonAsked,
    ComparisonGiven,
    Given,
    ReceiptAsked,
    RecoveryAsked,
    RecoveryGiven,
    RosterAsked,
    RosterGiven,
)
from tansiq.exchange.roster_signing import SignedRoster
from tansiq.exchange.values import Unfit, new_id

AGAIN = timedelta(seconds=30)
"""After which an ask that was not answered is made once more."""
FORGOTTEN = timedelta(minutes=10)


class Files(Protocol):
    """The blobs of this node (section 9)."""

    def given(self, here: Here, peer: str, asked: ChunksAsked, now: datetime) -> Iterable[ChunkGiven]: ...
    def take(self, here: Here, given: ChunkGiven, now: datetime) -> None: ...


@dataclass
class Open:
    """An ask that waits for its answer."""

    peer: str
    asked: Asked
    at: datetime
    partial: Partial | None = None


@dataclass
class Asking:
    """The asks of this process. Not stored: whatever is still missing after a restart is asked for anew."""

    files: Files
    open: dict[str, Open] = field(default_factory=dict)

    def made(self, here: Here, peer: str, asked: Asked, now: datetime, *, partial: Partial | None = None) -> Ask | None:
        """The body of an ask; None where the same was asked a moment ago."""
        self.open = {key: one for key, one in self.open.items() if now - one.at < FORGOTTEN}
        for one in self.open.values():
            if one.peer == peer and one.asked == asked and now - one.at < AGAIN:
                return None
        ask = Ask(**head(here, peer, now), asked=asked)
        if not isinstance(asked, ReceiptAsked):
            self.open[ask.id] = Open(peer, asked, now, partial)
        return ask

    # ---- what others ask

    def answers(self, here: Here, ask: Ask, now: datetime) -> list[Body]:
        """What is said to an ask; nothing, where this node has nothing to say or may not."""
        said = head(here, ask.sender, now)
        if isinstance(ask.asked, RosterAsked):
            said["epoch"] = min(here.epoch, ask.epoch)  # who lacks a roster could not take a body of it (5.9)
        given = self._given(here, ask.sender, ask.asked, now)
        return [Answer(**said, answers=ask.id, given=one) for one in given]

    def _given(self, here: Here, peer: str, asked: Asked, now: datetime) -> Iterable[Given]:
        match asked:
            case RosterAsked():
                return [rosters_given(here, asked)]
            case ReceiptAsked(lane=lane, incarnation=incarnation, since=since):
                receipting.on_asked(here, peer, lane, incarnation, since)
                return []
            case ChunksAsked():
                return self.files.given(here, peer, asked, now)
            case RecoveryAsked():
                return holding.on_request(here, peer, asked, now)
            case ComparisonAsked():
                return comparing.on_ask(here, peer, asked, now)

    # ---- what others answer

    def heed(self, here: Here, answer: Answer, now: datetime) -> list[Body]:
        """Take what was asked for; what is to be asked next."""
        opened = self.open.get(answer.answers)
        if opened is None or opened.peer != answer.sender or opened.asked.about is not answer.given.about:
            return []
        if not isinstance(answer.given, ChunkGiven):
            del self.open[answer.answers]
        following = self._heeded(here, opened, answer.given, now)
        asks = [self.made(here, opened.peer, asked, now, partial=opened.partial) for asked in following]
        return [ask for ask in asks if ask is not None]

    def _heeded(self, here: Here, opened: Open, given: Given, now: datetime) -> Iterable[Asked]:
        match given:
            case RosterGiven():
                return self._take_rosters(opened, given, now)
            case ChunkGiven():
                self.files.take(here, given, now)
                return []
            case RecoveryGiven():
                return holding.on_answer(here, opened.peer, given, now)
            case ComparisonGiven():
                return comparing.on_given(here, opened.peer, given, now)

    def _take_rosters(self, opened: Open, given: RosterGiven, now: datetime) -> Iterable[Asked]:
        assert isinstance(opened.asked, RosterAsked)
        try:
            found = pages.joined(opened.partial, given.pieces)
        except Unfit:
            return []
        opened.partial = found.partial
        take_rosters((text for _name, text in found.whole), now)
        following = pages.next_roster(opened.asked, given, found)
        return [following] if following is not None else []


def head(here: Here, peer: str, now: datetime) -> dict[str, object]:
    """What every body of this node to ``peer`` begins with (section 3.1)."""
    return {
        "id": new_id(now), "realm": here.realm, "sender": here.code, "recipient": peer, "epoch": here.epoch,
        "sent_at": now,
    }  # fmt: skip


def rosters_given(here: Here, asked: RosterAsked) -> RosterGiven:
    """Nothing, where the first roster of this node came after the one that is asked for."""
    if rosters.signed_at(asked.epoch) is None:
        return RosterGiven(newest=max(1, min(here.epoch, asked.epoch - 1)))

    def text_of(epoch: int) -> bytes:
        signed = rosters.signed_at(epoch)
        assert signed is not None  # every roster from the first that was accepted here on is kept
        return signed.written().encode()

    return pages.roster_page(asked, newest=here.epoch, text_of=text_of)


def take_rosters(texts: Iterable[bytes], now: datetime) -> bool:
    """Rosters from whoever bore them; their signatures count. Whether a newer one was accepted."""
    chain = []
    for text in texts:
        try:
            chain.append(SignedRoster.read(text))
        except Unfit:
            continue
    before = rosters.current()
    rosters.accept_signed(chain, by=Viewer.system(because="exchange"), now=now)
    after = rosters.current()
    return after is not before
