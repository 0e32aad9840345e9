"""``Federation("XA", "XE", "XF")``: nodes in memory, a network between them, and one clock that a test moves.

The network holds letters until the test delivers, drops or repeats one; ``run`` lets the honest world go on for a
while. A node's state is a value: it can be kept and put back, which is what a crash and an old backup are.
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from federation_node import Letter, Node, Roster
from tansiq.exchange import compare
from tansiq.exchange.body import Lane
from tansiq.exchange.channel import LIMITS, Limit
from tansiq.exchange.reasons import Reason
from tansiq.exchange.sending import WINDOW, Way

BEGINNING = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


@dataclass
class Traffic:
    """What the network carried since the beginning."""

    letters: int = 0
    size_bytes: int = 0
    repeats: int = 0


class Federation:
    """Nodes by code, one backbone of letters, rosters numbered from 1. ``make_node``: what they are made of."""

    make_node: Any = Node

    def __init__(self, *codes: str, limits: dict[Lane, Limit] | None = None, window: int = WINDOW) -> None:
        self.now = BEGINNING
        self.roster = Roster(1, frozenset(codes))
        self.nodes: dict[str, Any] = {
            code: self.make_node(code, self.roster, dict(limits or LIMITS), window) for code in codes
        }
        self.offsets = dict.fromkeys(codes, timedelta(0))
        self.letters: list[Letter] = []
        self.cut: set[tuple[str, str, Way]] = set()
        self.off: set[str] = set()
        self.traffic = Traffic()
        self.emitted: list[tuple[int, Letter]] = []
        self.machines = 1

    def clock(self, code: str) -> datetime:
        return self.now + self.offsets[code]

    def __getitem__(self, code: str) -> Any:
        return self.nodes[code]

    # ---- the network

    def post(self, letters: list[Letter]) -> None:
        """Give letters to the network. Where a way is cut they are lost, as they are for one who is off."""
        for letter in letters:
            self.traffic.letters += 1
            self.traffic.size_bytes += letter.size_bytes
            self.emitted.append((self.nodes[letter.sender].roster.epoch, letter))
            if (letter.sender, letter.recipient, letter.way) not in self.cut and letter.recipient in self.nodes:
                self.letters.append(letter)

    def deliver(self, index: int = 0, *, keep: bool = False) -> None:
        """Hand over one letter; ``keep`` leaves a copy that will come again."""
        letter = self.letters[index] if keep else self.letters.pop(index)
        if letter.recipient not in self.off:
            self.post(self.nodes[letter.recipient].receive(letter, self.clock(letter.recipient)))

    def tick(self, code: str) -> None:
        if code not in self.off:
            self.post(self.nodes[code].unpark(self.clock(code)) + self.nodes[code].tick(self.clock(code)))

    def pass_time(self, span: timedelta) -> None:
        self.now += span

    # ---- what befalls a node

    def backup(self, code: str) -> bytes:
        return pickle.dumps(self.nodes[code])

    def crash(self, code: str, before: bytes) -> None:
        """The machine died before its transaction was stored: as if the step had not been."""
        self.nodes[code] = pickle.loads(before)

    def restore(self, code: str, backup: bytes) -> None:
        self.machines += 1
        self.nodes[code] = pickle.loads(backup)
        self.nodes[code].restore(self.clock(code), self.machines)

    def set_roster(self, members: frozenset[str]) -> None:
        former = (self.roster.former | self.roster.members) - members
        self.roster = Roster(self.roster.epoch + 1, members, former)

    def announce(self, code: str) -> None:
        """A node gets the roster of now, from whomever."""
        self.post(self.nodes[code].on_roster(self.roster, self.clock(code)))

    # ---- the honest world

    def run(self, *, rounds: int = 60, step: timedelta = timedelta(seconds=1)) -> None:
        """Let everybody work and deliver everything, ``rounds`` times, time passing by ``step``."""
        for _ in range(rounds):
            for code in self.nodes:
                self.tick(code)
            while self.letters:
                self.deliver()
            self.pass_time(step)

    def is_quiet(self) -> bool:
        return not self.letters and all(self.nodes[code].is_quiet() for code in self.roster.members)

    def heal(self, *, most: int = 400) -> int:
        """Everything works again and people do what falls to them; the rounds it took until nothing was left to do.

        Raises: AssertionError: it never ended.
        """
        self.cut.clear()
        self.off.clear()
        self.offsets = dict.fromkeys(self.offsets, timedelta(0))
        for code in self.nodes:
            self.announce(code)
            self.nodes[code].learn_kinds(self.now)
        for round_number in range(most):
            self.run(rounds=4, step=timedelta(seconds=31) * (1 + round_number % 23))
            was_quiet = self.is_quiet()
            for node in self.nodes.values():
                node.refuse(self.now, also=frozenset({Reason.REFERENCE}) if was_quiet else frozenset())
            if was_quiet and self.is_quiet() and not self._compare_all() and not self._has_news():
                return round_number
        raise AssertionError(f"the federation did not come to rest: {self._unrest()}")

    def _unrest(self) -> dict[str, object]:
        """By node: what it waits for, with whom it is not equal."""
        return {
            code: (
                node.unrest(),
                {peer: self.compare(code, peer) for peer in node.incomplete & self.roster.members - {code}},
            )
            for code, node in self.nodes.items()
            if code in self.roster.members
        }

    def _has_news(self) -> bool:
        """Whether a member has a receipt to make."""
        return any(self.nodes[code].has_news() for code in self.roster.members)

    def _compare_all(self) -> bool:
        """Repair what is not known to be equal; whether anything was."""
        repaired = False
        for code in sorted(self.roster.members):
            node = self.nodes[code]
            for peer in sorted(node.incomplete & self.roster.members - {code}):
                differing = self.compare(code, peer)
                for identifier in differing:
                    node.repair(peer, identifier)
                if differing:
                    repaired = True
                    node.ask_back(peer, self.now)
                else:
                    node.note_equal(peer)
        return repaired

    def compare(self, code: str, peer: str) -> list[str]:
        """Objects of ``code`` that ``peer`` has otherwise, by a whole comparison (section 13)."""
        mine, theirs = self.nodes[code].shared_out(peer), self.nodes[peer].shared_in(code)
        names = {key: name for key, (_leaf, name) in [*theirs.items(), *mine.items()]}
        sides = [compare.Items((key, leaf) for key, (leaf, _name) in side.items()) for side in (mine, theirs)]
        message, found, turn = compare.opening(sides[0]), compare.Differences(), 1
        while message.ranges:
            message, seen = compare.answer(sides[turn % 2], message)
            found |= seen
            turn += 1
        return sorted(names[key] for key in found.missing | found.extra | found.different)
