"""Figures for publication: counts rounded so that no single case shows, and totals made of the rounded. Pure.

A threshold alone ("fewer than 5 are not shown") leaks by subtraction from the totals. Here every number that is
published is a function of cells that were each rounded on their own, so that totals tell nothing that the cells do not
(docs/explanation/sharing.md).
"""

from __future__ import annotations

import hashlib
import hmac
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tansiq.core.errors import N_, TansiqError

BASE = 5

Cell = tuple[str, ...]
"""A value for each dimension: ``("XA", "phishing", "2026-03")``."""


class BadTable(TansiqError):
    code = "sharing.counts.bad_table"
    message = N_("The table of counts cannot be published: {cell} is no cell with {dimensions} values and a count.")
    remedy = N_("Give one value for each dimension, and a whole number that is not negative.")
    exit_code = 2


@dataclass(frozen=True, slots=True)
class Published:
    """A table fit for publication: multiples of ``base``, within ``base - 1`` of the truth, right on average.

    Attributes:
        dimensions: names of the dimensions.
        cells: the finest figures. What was never counted and what was rounded down to nothing look alike: absent.
        base: what they are multiples of.
    """

    dimensions: tuple[str, ...]
    cells: Mapping[Cell, int]
    base: int = BASE

    def by(self, *dimensions: str) -> dict[Cell, int]:
        """Totals over all other dimensions: sums of the rounded cells. ``by()`` is ``{(): grand total}``."""
        places = [self.dimensions.index(name) for name in dimensions]
        totals: dict[Cell, int] = defaultdict(int)
        for cell, count in self.cells.items():
            totals[tuple(cell[place] for place in places)] += count
        return dict(totals) if dimensions else {(): sum(self.cells.values())}


def published(
    counts: Mapping[Cell, int], dimensions: Sequence[str], *, statistic: str, key: bytes, base: int = BASE
) -> Published:
    """Round every cell of the finest table that will ever be published of this statistic.

    Publish its totals by ``Published.by`` and never a rounded total of the true counts beside it.

    Args:
        counts: after the filter by what may be counted; cells of one value for each dimension.
        dimensions: their names.
        statistic: name and period; the same cell of the same statistic with the same count rounds the same way
            however often it is asked, so that repeating a question teaches nothing.
        key: the node's secret, at least 16 bytes. Without it nobody can try counts until one rounds as published.
        base: 2 or more.

    Raises: BadTable.
    """
    if base < 2 or len(key) < 16:
        raise ValueError("a base of at least 2 and a key of at least 16 bytes")
    rounded = {}
    for cell, count in counts.items():
        if len(cell) != len(dimensions) or count < 0:
            raise BadTable(cell=cell, dimensions=len(dimensions))
        if shown := _rounded(cell, count, statistic, key, base):
            rounded[cell] = shown
    return Published(tuple(dimensions), rounded, base)


def _rounded(cell: Cell, count: int, statistic: str, key: bytes, base: int) -> int:
    """To the multiple above with probability ``rest / base``, else to the one below: the mean is the count."""
    rest = count % base
    texts = (statistic, *cell, str(count))
    said = b"".join(len(part).to_bytes(4) + part for part in (text.encode() for text in texts))
    drawn = int.from_bytes(hmac.digest(key, said, hashlib.sha256)) % base
    return count - rest + (base if drawn < rest else 0)
