"""A comparison in turns, each of which a body holds (section 13).

The opening side asks, the other answers from what it has and keeps nothing between two turns. What an answer did not
come to, and what an ask had no room for, is asked again; so a turn that is lost or comes twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from tansiq.exchange import canonical, compare
from tansiq.exchange.compare import TOP, Differences, Items, Message, Range
from tansiq.exchange.requests import (
    MOST_RANGES,
    MOST_TURNS,
    ComparisonAsked,
    ComparisonGiven,
    CutAt,
    Outcome,
    range_said,
)
from tansiq.exchange.values import Unfit

ROOM_BYTES = 480 * 1024
"""Of the ranges of a turn; the rest of its body has 32 kB."""


@dataclass(frozen=True, slots=True)
class Comparing:
    """The opening side between two turns. It is not worth storing: a comparison that was broken off is begun again.

    Attributes:
        asked: the ranges of this turn; none: nothing is left to ask.
        later: ranges that the turn has no room for, in order and apart from these.
    """

    comparison: str
    of: str
    cut: tuple[CutAt, ...]
    turn: int
    asked: tuple[Range, ...]
    later: tuple[Range, ...] = ()
    found: Differences = field(default_factory=Differences)

    @property
    def is_over(self) -> bool:
        """Nothing is left to ask."""
        return not self.asked

    def ask(self) -> ComparisonAsked:
        """The same however often it is asked. Raises: ValueError, when it is over: see ``last``."""
        if self.is_over:
            raise ValueError("nothing is left to ask")
        return ComparisonAsked(comparison=self.comparison, of=self.of, turn=self.turn, cut=self.cut, ranges=self.asked)

    def last(self, *, differences: int, in_flight: int) -> ComparisonAsked:
        """The turn that tells the other side how it ended."""
        outcome = Outcome(differences=differences, in_flight=in_flight)
        return ComparisonAsked(comparison=self.comparison, of=self.of, turn=self.turn, cut=self.cut, outcome=outcome)


def opened(items: Items, *, comparison: str, of: str, cut: Iterable[CutAt]) -> Comparing:
    """The first turn: the fingerprint of everything."""
    return Comparing(comparison, of, tuple(cut), 1, compare.opening(items).ranges)


def answered(
    items: Items, asked: ComparisonAsked, *, cut: Iterable[CutAt], room_bytes: int = ROOM_BYTES
) -> ComparisonGiven:
    """What the other side says to a turn, as far as there is room.

    Raises: Unfit, see ``compare.check``: the comparison ends.
    """
    compare.check(Message(asked.ranges))
    ranges: list[Range] = []
    until = TOP
    for part in (one for said in asked.ranges for one in compare.reply(items, said)):
        part = _final(part)
        size_bytes = _size(part)
        if ranges and (size_bytes > room_bytes or len(ranges) == MOST_RANGES):
            until = part.low
            break
        ranges.append(part)
        room_bytes -= size_bytes
    return ComparisonGiven(
        comparison=asked.comparison, turn=asked.turn, cut=tuple(cut), ranges=tuple(ranges), until=until
    )


def heard(comparing: Comparing, items: Items, given: ComparisonGiven, *, room_bytes: int = ROOM_BYTES) -> Comparing:
    """The next turn after an answer to this one. An answer to another turn changes nothing.

    Raises: Unfit, for what is no answer to what was asked, or one turn too many: the comparison ends.
    """
    if (given.comparison, given.turn) != (comparing.comparison, comparing.turn) or comparing.is_over:
        return comparing
    _check(comparing, given)
    message, found = compare.answer(items, Message(given.ranges))
    left = [_above(items, part, given.until) for part in comparing.asked if part.high > given.until]
    queue = sorted([*message.ranges, *left, *comparing.later], key=lambda part: part.low)
    asked = _fitting(queue, room_bytes)
    if queue and comparing.turn == MOST_TURNS:
        raise Unfit(field="comparison.turn", expected=f"at most {MOST_TURNS}")
    return replace(
        comparing,
        turn=min(comparing.turn + 1, MOST_TURNS),
        asked=tuple(queue[:asked]),
        later=tuple(queue[asked:]),
        found=comparing.found | found,
    )


def _check(comparing: Comparing, given: ComparisonGiven) -> None:
    """An answer is about what was asked and comes further."""
    compare.check(Message(given.ranges))
    if given.until <= comparing.asked[0].low:
        raise Unfit(field="comparison.until", expected="above where the ask begins")
    remaining = iter(comparing.asked)
    part = next(remaining)
    for said in given.ranges:
        while part.high <= said.low:
            following = next(remaining, None)
            if following is None:
                raise Unfit(field="comparison.ranges", expected="within those that were asked")
            part = following
        if said.low < part.low or said.high > min(part.high, given.until):
            raise Unfit(field="comparison.ranges", expected="within those that were asked")
        if part.items is not None and said.items is None:
            raise Unfit(field="comparison.ranges", expected="lists, where a list was asked")
        if said.items is not None and said.reply:
            raise Unfit(field="comparison.ranges", expected="lists that want no reply")


def _final(part: Range) -> Range:
    """No list of this side wants a reply: who reads it has seen both, and this side keeps nothing."""
    return replace(part, reply=False) if part.items is not None else part


def _above(items: Items, part: Range, until: int) -> Range:
    """What of a range that was asked lies from ``until`` on."""
    low = max(part.low, until)
    if low == part.low:
        return part
    start, end = items.bounds(low, part.high)
    pairs = None
    if part.items is not None:
        pairs = tuple(pair for pair in part.items if int.from_bytes(pair[0]) >= low)
    return Range(low, part.high, items.fingerprint(start, end), end - start, pairs, part.reply)


def _fitting(queue: list[Range], room_bytes: int) -> int:
    """How many of the first ranges one turn holds: one at least, if there is one."""
    for number, part in enumerate(queue[:MOST_RANGES]):
        room_bytes -= _size(part)
        if room_bytes < 0 and number:
            return number
    return min(len(queue), MOST_RANGES)


def _size(part: Range) -> int:
    return len(canonical.write(range_said(part))) + 1
