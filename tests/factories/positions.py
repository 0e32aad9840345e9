"""The positions of a channel in memory: what a database answers from its tables."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from tansiq.exchange.channel import Cursor, Span


@dataclass(slots=True)
class Kept:
    """``channel.Positions``, from memory."""

    spans: dict[tuple[int, int], Span] = field(default_factory=dict)
    _ends: dict[int, str] = field(default_factory=dict)
    _begins: dict[int, list[Span]] = field(default_factory=dict)
    _long: list[Span] = field(default_factory=list)

    def add(self, span: Span) -> None:
        if (span.first, span.last) in self.spans:
            return
        self.spans[span.first, span.last] = span
        self._ends[span.last] = span.digest
        self._begins.setdefault(span.first, []).append(span)
        if span.last > span.first:
            self._long.append(span)

    def digest_at(self, position: int) -> str | None:
        return self._ends.get(position)

    def prevs_at(self, position: int) -> Iterable[str]:
        return [span.prev for span in self._begins.get(position, ())]

    def reach(self, position: int) -> Span | None:
        covering = [span for span in self._long if span.first <= position <= span.last]
        covering += self._begins.get(position, ())
        return max(covering, key=lambda span: span.last, default=None)

    def gaps(self, cursor: Cursor, *, most: int) -> tuple[tuple[int, int], ...]:
        """The lowest ``most`` runs of positions between ``through`` and ``highest`` that nothing covers."""
        found: list[tuple[int, int]] = []
        missing_from = cursor.through + 1
        for span in sorted(self.spans.values(), key=lambda span: span.first):
            if len(found) == most:
                break
            if span.last <= cursor.through:
                continue
            if span.first > missing_from:
                found.append((missing_from, span.first - 1))
            missing_from = max(missing_from, span.last + 1)
        return tuple(found)

    def since(self, through: int) -> Kept:
        """Without what ends at or below ``through``: its retention is over."""
        kept = Kept()
        for span in self.spans.values():
            if span.last > through:
                kept.add(span)
        return kept
