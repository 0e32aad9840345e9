"""Positions of a channel on the database: ``channel.Positions``, read where a batch of bodies needs them (6)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db.models import F, Max, RowRange, Value, Window
from django.db.models.functions import Coalesce

from tansiq.exchange.channel import KEPT, Cursor, Span
from tansiq.exchange.models import InChannel, Position

CHUNK = 500
"""Rows that are read at once from a position on."""
_NO_END = 2**63
_COLUMNS = ("first", "last", "prev", "digest")


class StoredPositions:
    """What is known of one channel, for one transaction. Reads runs of ``CHUNK`` rows where it is asked, and the few
    spans of several positions that could reach there."""

    def __init__(self, channel: InChannel, wanted: Sequence[Span]) -> None:
        """``wanted``: what is going to be taken."""
        self.added: list[Span] = []
        self._rows = Position.objects.filter(channel=channel.pk) if channel.pk else None
        self._begins: dict[int, dict[int, Span]] = {}
        self._long: dict[tuple[int, int], Span] = {}
        self._loaded: list[tuple[int, int]] = [] if channel.pk else [(0, _NO_END)]
        if self._rows is not None and channel.highest and wanted:
            self._load_long(channel, wanted)

    def add(self, span: Span) -> None:
        self.added.append(span)
        self._keep(span)

    def digest_at(self, position: int) -> str | None:
        ending = self._begin(position).get(position)
        if ending is not None:
            return ending.digest
        return next((span.digest for span in self._long.values() if span.last == position), None)

    def prevs_at(self, position: int) -> Iterable[str]:
        return [span.prev for span in self._begin(position).values()]

    def reach(self, position: int) -> Span | None:
        covering = list(self._begin(position).values())
        covering += [span for span in self._long.values() if span.first < position <= span.last]
        return max(covering, key=lambda span: span.last, default=None)

    def _keep(self, span: Span) -> None:
        self._begins.setdefault(span.first, {})[span.last] = span
        if span.last > span.first:
            self._long[span.first, span.last] = span

    def _load_long(self, channel: InChannel, wanted: Sequence[Span]) -> None:
        """Spans of several positions that touch what is wanted, and, if anything may move, all above ``through``."""
        low = min(channel.through + 1, *(span.first - 1 for span in wanted))
        high = max(span.last for span in wanted) + 1
        assert self._rows is not None
        rows = self._rows.filter(last__gt=F("first"), last__gte=low)
        if high <= channel.through:
            rows = rows.filter(first__lte=high)
        for row in rows.values_list(*_COLUMNS):
            self._keep(Span(*row))

    def _begin(self, position: int) -> dict[int, Span]:
        """The spans that begin at ``position``, by their ends."""
        if not any(low <= position <= high for low, high in self._loaded):
            self._load(position)
        return self._begins.get(position, {})

    def _load(self, position: int) -> None:
        assert self._rows is not None
        found = [
            Span(*row)
            for row in self._rows.filter(first__gte=position).order_by("first").values_list(*_COLUMNS)[:CHUNK]
        ]
        high = _NO_END if len(found) < CHUNK else found[-1].first - 1  # of the last some may be missing
        if high < position:
            found = [Span(*row) for row in self._rows.filter(first=position).values_list(*_COLUMNS)]
            high = position
        for span in found:
            self._keep(span)
        self._loaded.append((position, high))


def cursor_of(channel: InChannel) -> Cursor:
    return Cursor(channel.through, channel.hash, channel.highest, channel.frozen, channel.closed)


def gaps(channel: InChannel, *, most: int) -> tuple[tuple[int, int], ...]:
    """The lowest ``most`` runs between ``through`` and ``highest`` that nothing covers; found by the database."""
    if channel.highest <= channel.through:
        return ()
    reached = Window(Max("last"), order_by=[F("first"), F("last")], frame=RowRange(start=None, end=-1))
    beginnings = (
        Position.objects.filter(channel=channel, last__gt=channel.through)
        .annotate(missing=Coalesce(reached, Value(channel.through)) + 1)
        .filter(first__gt=F("missing"))
        .order_by("first")
    )
    return tuple((missing, first - 1) for missing, first in beginnings.values_list("missing", "first")[:most])


def prune(now: datetime, *, most: int = 10_000) -> int:
    """Forget digests of positions below ``through`` whose retention is over (section 6); how many there were."""
    old = Position.objects.filter(taken_at__lt=now - KEPT, last__lte=F("channel__through")).values_list("pk", flat=True)
    found = list(old[:most])
    Position.objects.filter(pk__in=found).delete()
    return len(found)
