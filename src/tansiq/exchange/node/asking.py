"""Asks and answers between this node and its peers: who asks what, who answers, what an answer does (section 3.6).

An ask is the same body again until it is answered; only answers to asks of this process are heeded, so that nobody can
push an answer that was not wanted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import RLock

from tansiq.core.viewer import Viewer
from tansiq.exchange import pages, program
from tansiq.exchange.blob import indices
from tansiq.exchange.body import Lane
from tansiq.exchange.node import comparing, freezing, holding, receipting, rosters
from tansiq.exchange.node.files import Files
from tansiq.exchange.node.here import Here
from tansiq.exchange.pages import Partial
from tansiq.exchange.requests import (
    About,
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
from tansiq.exchange.sending import LONGEST_PAUSE, MAIL_AFTER, mail_pause, pause
from tansiq.exchange.values import Unfit, new_id

FORGOTTEN = timedelta(days=1)
"""After its last attempt an ask is as if it had never been: by mail an answer can take hours."""
LANES = {
    About.ROSTER: Lane.URGENT,
    About.RECOVERY: Lane.NORMAL,
    About.COMPARISON: Lane.BULK,
    About.CHUNKS: Lane.BULK,
}
"""But of a receipt, which goes on its channel's."""


@dataclass
class Open:
    """An ask that waits for its answer.

    Attributes:
        attempts, next_at: by JetStream; the same body leaves again then.
        mailed, next_mail_at: by mail.
        left: of an ask for chunks those that did not come yet.
    """

    ask: Ask
    since: datetime
    attempts: int = 0
    next_at: datetime | None = None
    mailed: int = 0
    next_mail_at: datetime | None = None
    partial: Partial | None = None
    left: set[int] = field(default_factory=set)

    @property
    def peer(self) -> str:
        return self.ask.recipient

    @property
    def asked(self) -> Asked:
        return self.ask.asked

    def is_over(self, now: datetime) -> bool:
        return self.next_at is not None and not timedelta(0) <= now - self.next_at + LONGEST_PAUSE < FORGOTTEN


class Asking:
    """The asks of this process. Not stored: whatever is still missing after a restart is asked for anew.

    Safe between threads.
    """

    def __init__(self, files: Files) -> None:
        self.files = files
        self.open: dict[str, Open] = {}
        self._changing = RLock()

    def made(self, here: Here, peer: str, asked: Asked, now: datetime, *, partial: Partial | None = None) -> Ask | None:
        """The body of an ask: the same as before, where the same is open; None where it left a moment ago, or the link
        is frozen and it is not about rosters (section 11.2)."""
        if not isinstance(asked, RosterAsked) and freezing.frozen([peer]):
            return None
        with self._changing:
            self.open = {key: one for key, one in self.open.items() if not one.is_over(now)}
            opened = self._same(here, peer, asked)
            if opened is None:
                said = program.SAID if isinstance(asked, RosterAsked) else {}
                ask = Ask(**head(here, peer, now), asked=asked, extra=said)
                opened = self.open[ask.id] = Open(ask, now, partial=partial)
            elif opened.next_at is not None and now < opened.next_at:
                return None
            if isinstance(asked, ChunksAsked):
                opened.left = set(indices(asked.runs))
            opened.attempts += 1
            opened.next_at = now + pause(opened.attempts)
            return opened.ask

    def _same(self, here: Here, peer: str, asked: Asked) -> Open | None:
        """An ask of a former roster is another one: it would be answered as of then."""
        for one in self.open.values():
            if one.peer == peer and one.asked == asked and one.ask.epoch == here.epoch:
                return one
        return None

    def again(self, here: Here, now: datetime) -> list[Ask]:
        """Asks for rosters that were not answered: nobody else says them again. Others' desks ask again themselves."""
        with self._changing:
            opened = list(self.open.values())
        lacking = [
            one
            for one in opened
            if isinstance(one.asked, RosterAsked) and one.asked.epoch > here.epoch and one.peer in here.peers
        ]
        made = [self.made(here, one.peer, one.asked, now, partial=one.partial) for one in lacking]
        return [ask for ask in made if ask is not None]

    def attempt(self, ask: Ask) -> int:
        """The number of its latest attempt: each is another message to the backbone."""
        opened = self.open.get(ask.id)
        return opened.attempts if opened else 1

    def goes_by_mail(self, ask: Ask, now: datetime) -> bool:
        """Whether it is time to send it by mail as well (section 8.4). Said once: the attempt is noted."""
        with self._changing:
            opened = self.open.get(ask.id)
            if opened is None or now < (opened.next_mail_at or opened.since + MAIL_AFTER[lane_of(ask)]):
                return False
            opened.mailed += 1
            opened.next_mail_at = now + mail_pause(opened.mailed)
            return True

    # ---- what others ask

    def answers(self, here: Here, ask: Ask, now: datetime) -> Iterator[Answer]:
        """What is said to an ask, one after the other; nothing, where this node has nothing to say or may not."""
        for given in self._given(here, ask.sender, ask.asked, now):
            said = head(here, ask.sender, now)
            if isinstance(ask.asked, RosterAsked):
                said["epoch"] = min(here.epoch, ask.epoch)  # who lacks a roster could not take a body of it (5.9)
            yield Answer(**said, answers=ask.id, given=given)

    def _given(self, here: Here, peer: str, asked: Asked, now: datetime) -> Iterable[Given]:
        match asked:
            case RosterAsked():
                return [rosters_given(asked, newest=here.epoch_for(peer))]
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

    def heed(self, here: Here, answer: Answer, now: datetime) -> list[Ask]:
        """Take what was asked for; what is to be asked next."""
        opened = self._opened(answer)
        if opened is None:
            return []
        following = self._heeded(here, opened, answer.given, now)
        asks = [self.made(here, opened.peer, asked, now, partial=opened.partial) for asked in following]
        return [ask for ask in asks if ask is not None]

    def _opened(self, answer: Answer) -> Open | None:
        """The ask that it answers, of this node to its sender about the same; each is answered once, and each chunk."""
        given = answer.given
        with self._changing:
            opened = self.open.get(answer.answers)
            if opened is None or opened.peer != answer.sender or opened.asked.about is not given.about:
                return None
            if isinstance(given, ChunkGiven):
                assert isinstance(opened.asked, ChunksAsked)
                if given.digest != opened.asked.digest or given.index not in opened.left:
                    return None
            else:
                del self.open[answer.answers]
            return opened

    def _heeded(self, here: Here, opened: Open, given: Given, now: datetime) -> Iterable[Asked]:
        match given:
            case RosterGiven():
                return self._take_rosters(opened, given, now)
            case ChunkGiven():
                return self._take_chunk(here, opened, given, now)
            case RecoveryGiven():
                return holding.on_answer(here, opened.peer, given, now)
            case ComparisonGiven():
                return comparing.on_given(here, opened.peer, given, now)

    def _take_chunk(self, here: Here, opened: Open, given: ChunkGiven, now: datetime) -> Iterable[Asked]:
        """The ask stays open for what is not the chunk that it should be."""
        if self.files.take(here, given, now, peer=opened.peer):
            with self._changing:
                opened.left.discard(given.index)
                if not opened.left:
                    self.open.pop(opened.ask.id, None)
        return self.files.more(opened.peer, now)

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


def lane_of(body: Ask | Answer) -> Lane:
    """The lane on which it goes (section 3.6)."""
    about = body.asked.about if isinstance(body, Ask) else body.given.about
    if isinstance(body, Ask) and isinstance(body.asked, ReceiptAsked):
        return body.asked.lane
    return LANES[about]


def head(here: Here, peer: str, now: datetime) -> dict[str, object]:
    """What every body of this node to ``peer`` begins with (section 3.1)."""
    return {
        "id": new_id(now), "realm": here.realm, "sender": here.code, "recipient": peer, "epoch": here.epoch,
        "sent_at": now,
    }  # fmt: skip


def rosters_given(asked: RosterAsked, *, newest: int) -> RosterGiven:
    """Nothing, where the first roster of this node came after the one that is asked for.

    Args:
        newest: the last that the asking node may have: a removed one gets the roster that removed it, and no later.
    """
    if asked.epoch > newest or rosters.signed_at(asked.epoch) is None:
        return RosterGiven(newest=max(1, min(newest, asked.epoch - 1)))

    def text_of(epoch: int) -> bytes:
        signed = rosters.signed_at(epoch)
        assert signed is not None  # every roster from the first that was accepted here on is kept
        return signed.written().encode()

    return pages.roster_page(asked, newest=newest, text_of=text_of)


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
