"""Chunks that others asked for, on their way out: a few at a time, each peer in its turn (section 3.6)."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import Lock

from tansiq.exchange.blob import indices
from tansiq.exchange.node.files import runs_of
from tansiq.exchange.requests import Ask, ChunksAsked

AT_ONCE = 8
"""Chunks that are in memory together."""
MOST_ASKS = 8
"""Of one peer; beyond that an ask stays unanswered, and comes again."""
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=1), timedelta(seconds=30)
"""Where the peer's part of the backbone is full."""
GIVEN_UP = timedelta(minutes=1)


@dataclass
class Owed:
    """An ask of which some chunks did not leave yet. ``left``: their numbers; ``way``: by which it came."""

    ask: Ask
    way: str
    since: datetime
    left: list[int]

    @property
    def peer(self) -> str:
        return self.ask.sender

    @property
    def digest(self) -> str:
        asked = self.ask.asked
        assert isinstance(asked, ChunksAsked)
        return asked.digest

    def next_ask(self) -> Ask:
        """The ask as it would be if it were only for the next few."""
        asked = self.ask.asked
        assert isinstance(asked, ChunksAsked)
        return replace(self.ask, asked=replace(asked, runs=runs_of(self.left[:AT_ONCE])))


@dataclass
class _Line:
    owed: deque[Owed] = field(default_factory=deque)
    not_before: datetime | None = None
    pause: timedelta = FIRST_PAUSE

    def may(self, now: datetime) -> bool:
        """A pause that is longer than any was made by a clock that was put back (section 14)."""
        return self.not_before is None or not now < self.not_before <= now + LONGEST_PAUSE


class Giving:
    """What is owed to whom. Not stored: who does not get it asks again. Safe between threads."""

    def __init__(self) -> None:
        self._lines: dict[str, _Line] = {}
        self._changing = Lock()

    @property
    def is_empty(self) -> bool:
        with self._changing:
            return not any(line.owed for line in self._lines.values())

    def put(self, ask: Ask, way: str, now: datetime) -> bool:
        """Whether it will be answered: it is one of few of its peer."""
        asked = ask.asked
        assert isinstance(asked, ChunksAsked)
        with self._changing:
            line = self._lines.setdefault(ask.sender, _Line())
            if len(line.owed) >= MOST_ASKS or any(one.ask.id == ask.id for one in line.owed):
                return False
            line.owed.append(Owed(ask, way, now, list(indices(asked.runs))))
            return True

    def next(self, now: datetime) -> Owed | None:
        """What is to leave now, of the peer that waits longest for its turn; it is taken out."""
        with self._changing:
            for peer, line in list(self._lines.items()):
                while line.owed and not timedelta(0) <= now - line.owed[0].since < GIVEN_UP:
                    line.owed.popleft()
                if line.owed and line.may(now):
                    self._lines[peer] = self._lines.pop(peer)  # it is the last now
                    return line.owed.popleft()
        return None

    def left(self, owed: Owed, gone: Collection[int], now: datetime) -> None:
        """Its next chunks left: the rest comes in its turn."""
        with self._changing:
            line = self._lines.setdefault(owed.peer, _Line())
            line.not_before, line.pause = None, FIRST_PAUSE
            self._keep(line, owed, gone)

    def full(self, owed: Owed, gone: Collection[int], now: datetime) -> None:
        """There was room for ``gone`` only: the rest waits, ever longer."""
        with self._changing:
            line = self._lines.setdefault(owed.peer, _Line())
            line.not_before, line.pause = now + line.pause, min(2 * line.pause, LONGEST_PAUSE)
            self._keep(line, owed, gone)

    @staticmethod
    def _keep(line: _Line, owed: Owed, gone: Collection[int]) -> None:
        owed.left = [index for index in owed.left if index not in gone]
        if owed.left:
            line.owed.appendleft(owed)
