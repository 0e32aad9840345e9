"""What is asked and given in a comparison (sections 3.6 and 13)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from tansiq.exchange import values
from tansiq.exchange.body import Lane
from tansiq.exchange.compare import TOP, Range
from tansiq.exchange.requests_parts import About, Said

MOST_RANGES = 4_096
MOST_TURNS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CutAt(Said):
    """Where a side stands on one lane of the channels that carry what is compared.

    Attributes:
        position: the highest given, where the objects' own side says it; received without a gap, where the other does.
    """

    lane: Lane
    incarnation: str
    position: int

    def fields(self) -> dict[str, Any]:
        return {
            **self.extra,
            "lane": self.lane.value,
            "incarnation": self.incarnation,
            "position": self.position,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome(Said):
    """How a comparison ended.

    Attributes:
        differences: objects that differ; 0: equal.
        in_flight: objects that differed and were left out, since they were under way.
    """

    differences: int
    in_flight: int = 0

    def fields(self) -> dict[str, Any]:
        return {**self.extra, "differences": self.differences, "in_flight": self.in_flight}


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonAsked(Said):
    """A turn of the side that opened a comparison: the node that ``of`` names, whose objects are compared.

    Attributes:
        comparison: id of all of its turns, minted by the opening side.
        turn: from 1. 0: the other side is asked to open one, of its own objects.
        outcome: in the last turn, which has no ranges.
    """

    about: ClassVar[About] = About.COMPARISON
    comparison: str
    of: str
    turn: int
    cut: tuple[CutAt, ...] = ()
    ranges: tuple[Range, ...] = ()
    outcome: Outcome | None = None

    def fields(self) -> dict[str, Any]:
        return {
            **self.extra,
            "comparison": self.comparison,
            "of": self.of,
            "turn": self.turn,
            "cut": [place.fields() for place in self.cut],
            "ranges": [range_said(part) for part in self.ranges],
            "outcome": self.outcome.fields() if self.outcome else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonGiven(Said):
    """What the other side says to the ranges of a turn.

    Attributes:
        comparison, turn: of the ask.
        until: keys below it were dealt with; what the ask says of others is to be asked again.
    """

    about: ClassVar[About] = About.COMPARISON
    comparison: str
    turn: int
    cut: tuple[CutAt, ...] = ()
    ranges: tuple[Range, ...] = ()
    until: int = TOP

    def fields(self) -> dict[str, Any]:
        return {
            **self.extra,
            "comparison": self.comparison,
            "turn": self.turn,
            "cut": [place.fields() for place in self.cut],
            "ranges": [range_said(part) for part in self.ranges],
            "until": bound_said(self.until),
        }


def bound_said(bound: int) -> str:
    """A bound of a range of keys: ``bytes``; the empty text is 2^256."""
    return "" if bound == TOP else values.write_bytes(bound.to_bytes(32))


def range_said(part: Range) -> list[Any]:
    """A range with its fingerprint, or with its list."""
    bounds = [bound_said(part.low), bound_said(part.high)]
    if part.items is None:
        return [*bounds, values.write_bytes(part.fingerprint.to_bytes(32)), part.count]
    pairs = [[values.write_bytes(key), values.write_bytes(leaf)] for key, leaf in part.items]
    return [*bounds, pairs, part.reply]
