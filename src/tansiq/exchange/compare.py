"""Comparison of what two nodes share: exact differences at a cost proportional to them (section 13).

Range-based set reconciliation over items (key, leaf), both 32 bytes. The items of one side are a sorted array with the
running sums of their leaves, so that the fingerprint of any range is two look-ups.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import overload

from tansiq.exchange.body import Version
from tansiq.exchange.values import Unfit, length_prefixed

PARTS = 16
LISTED = 32
"""Items that a range may hold to be answered by its list."""
TOP = 1 << 256
_CHUNK = 64
_HALF, _ROW = 32, 64
_FEW = 1 << 14
"""Rows."""


def key_of(kind: str, object_id: str) -> bytes:
    """The 32 bytes by which an object is found in ranges (section 13), whatever its version."""
    return hashlib.sha256(length_prefixed("tansiq.item.v1", kind, object_id)).digest()


def item_of(object_id: str, kind: str, version: Version, said: str) -> tuple[bytes, bytes]:
    """Key and leaf (section 13) of a live version; quick, for millions of objects of few kinds.

    ``said``: digest of what its author signed (``author.Statement.leaf``).
    """
    key_begins, leaf_begins, live = _of_kind(kind)
    named = _part(object_id)
    leaf = b"".join((leaf_begins, named, _of_version(version), _part(said), live))
    return hashlib.sha256(key_begins + named).digest(), hashlib.sha256(leaf).digest()


@lru_cache(maxsize=256)
def _of_kind(kind: str) -> tuple[bytes, bytes, bytes]:
    """What keys and leaves of a kind begin with, and what leaves end with."""
    return length_prefixed("tansiq.item.v1", kind), length_prefixed("tansiq.leaf.v1", kind), _part("live")


@lru_cache(maxsize=4096)
def _of_version(version: Version) -> bytes:
    return _part(str(version.term)) + _part(str(version.n))


def _part(text: str) -> bytes:
    data = text.encode()
    return len(data).to_bytes(8) + data


@dataclass(frozen=True, slots=True)
class Range:
    """``low`` ≤ key < ``high``, over 256-bit numbers, and what the side that says so has in it.

    Attributes:
        fingerprint: sum of the leaves modulo 2^256, of ``count`` items.
        items: (key, leaf) in order, where the range is listed; None where only its fingerprint is given.
        reply: whether the other side's list of this range is wanted.
    """

    low: int
    high: int
    fingerprint: int
    count: int
    items: tuple[tuple[bytes, bytes], ...] | None = None
    reply: bool = True


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a comparison: ranges in order. A message without ranges ends it."""

    ranges: tuple[Range, ...]

    @property
    def size_bytes(self) -> int:
        """Of its plain binary form: 32 bytes for each bound, fingerprint, key and leaf, 8 for a count."""
        return sum(104 + 64 * len(part.items or ()) for part in self.ranges)


@dataclass(frozen=True, slots=True)
class Differences:
    """Keys that only the other side has, that only this side has, and whose leaves differ."""

    missing: frozenset[bytes] = frozenset()
    extra: frozenset[bytes] = frozenset()
    different: frozenset[bytes] = frozenset()

    def __or__(self, other: Differences) -> Differences:
        return Differences(self.missing | other.missing, self.extra | other.extra, self.different | other.different)

    def __len__(self) -> int:
        return len(self.missing) + len(self.extra) + len(self.different)


class Column(Sequence[bytes]):
    """One half of each item, 32 bytes: the keys or the leaves, in the order of the keys."""

    def __init__(self, rows: memoryview, offset: int) -> None:
        self._rows, self._offset = rows, offset

    def __len__(self) -> int:
        return len(self._rows) // _ROW

    @overload
    def __getitem__(self, where: int) -> bytes: ...
    @overload
    def __getitem__(self, where: slice) -> list[bytes]: ...

    def __getitem__(self, where: int | slice) -> bytes | list[bytes]:
        if isinstance(where, slice):
            return [self[number] for number in range(*where.indices(len(self)))]
        if not 0 <= where < len(self):
            raise IndexError(where)
        start = where * _ROW + self._offset
        return bytes(self._rows[start : start + _HALF])


class Items:
    """One side's items at the cut, 64 bytes each: a million take some 70 MB, and no more while they are sorted.

    Sums are kept for every 64th item: a fingerprint adds up at most 126 leaves.
    """

    def __init__(self, items: Iterable[tuple[bytes, bytes]]) -> None:
        data = bytearray()
        for key, leaf in items:
            if len(key) != _HALF or len(leaf) != _HALF:
                raise ValueError("no 32 bytes")
            data += key + leaf
        rows = memoryview(_sorted(data))
        self.keys, self.leaves = Column(rows, 0), Column(rows, _HALF)
        self._sums = [0]
        before = b""
        for start in range(0, len(rows), _ROW * _CHUNK):
            total = self._sums[-1]
            for row in range(start, min(start + _ROW * _CHUNK, len(rows)), _ROW):
                key = bytes(rows[row : row + _HALF])
                if key == before:
                    raise ValueError("a key twice")
                before = key
                total += int.from_bytes(rows[row + _HALF : row + _ROW])
            self._sums.append(total % TOP)

    def __len__(self) -> int:
        return len(self.keys)

    def bounds(self, low: int, high: int) -> tuple[int, int]:
        """Indices of the range's first item and of the one after its last."""
        return self._index(low), self._index(high)

    def fingerprint(self, start: int, end: int) -> int:
        """Sum modulo 2^256 of the leaves with indices from ``start`` to before ``end``."""
        return (self._sum_to(end) - self._sum_to(start)) % TOP

    def _index(self, bound: int) -> int:
        return len(self.keys) if bound >= TOP else bisect_left(self.keys, bound.to_bytes(_HALF))

    def _sum_to(self, index: int) -> int:
        whole = index // _CHUNK
        rest = self.leaves[whole * _CHUNK : index]
        return self._sums[whole] + sum(int.from_bytes(leaf) for leaf in rest)


def _sorted(rows: bytearray) -> bytearray:
    """Rows of 64 bytes in order. What sorts many of them without more memory is loaded only where there are many."""
    if len(rows) <= _FEW * _ROW:
        return bytearray().join(sorted(bytes(rows[row : row + _ROW]) for row in range(0, len(rows), _ROW)))
    import numpy as np

    np.frombuffer(rows, dtype=f"S{_ROW}").sort()
    return rows


def check(message: Message) -> None:
    """What another node says in a comparison is judged before it costs anything.

    Raises: Unfit: ranges that overlap or are out of order, lists that are too long, out of order or out of range.
    """
    reached = 0
    for part in message.ranges:
        if not reached <= part.low < part.high <= TOP:
            raise Unfit(field="range", expected="above the one before, and not empty")
        reached = part.high
        keys = [int.from_bytes(key) for key, _leaf in part.items or ()]
        if len(keys) > LISTED or any(not part.low <= key < part.high for key in keys):
            raise Unfit(field="list", expected=f"at most {LISTED} items of its range")
        if any(first >= second for first, second in pairwise(keys)):
            raise Unfit(field="list", expected="in ascending order")


def opening(items: Items) -> Message:
    """The first message: the fingerprint of everything."""
    return Message((Range(0, TOP, items.fingerprint(0, len(items)), len(items)),))


def answer(items: Items, message: Message) -> tuple[Message, Differences]:
    """What to say to the other side's message, and what it showed. Without ranges: the comparison is over.

    Raises: Unfit, see ``check``.
    """
    check(message)
    ranges: list[Range] = []
    found = Differences()
    for part in message.ranges:
        ranges += reply(items, part)
        found |= shown(items, part)
    return Message(tuple(ranges)), found


def reply(items: Items, part: Range) -> Iterator[Range]:
    """What is said to one range of the other side's, one by one: it may be all that there is here."""
    start, end = items.bounds(part.low, part.high)
    if part.items is None:
        if end - start != part.count or items.fingerprint(start, end) != part.fingerprint:
            yield from _split(items, start, end, part)
    elif part.reply:
        yield from _lists(items, start, end, part, reply=False)


def shown(items: Items, part: Range) -> Differences:
    """The differences that one range of the other side's shows."""
    start, end = items.bounds(part.low, part.high)
    if part.items is not None:
        return _differing(items, start, end, part)
    return Differences(extra=frozenset(items.keys[start:end])) if part.count == 0 else Differences()


def _split(items: Items, start: int, end: int, part: Range) -> Iterator[Range]:
    """The range as a list, or as up to 16 parts of equal count at this side."""
    if end - start <= LISTED or part.count == 0:
        yield from _lists(items, start, end, part, reply=part.count > 0)
        return
    cuts = [start + (end - start) * number // PARTS for number in range(PARTS + 1)]
    bounds = [part.low, *(int.from_bytes(items.keys[cut]) for cut in cuts[1:-1]), part.high]
    for number in range(PARTS):
        first, after = cuts[number], cuts[number + 1]
        yield Range(bounds[number], bounds[number + 1], items.fingerprint(first, after), after - first)


def _lists(items: Items, start: int, end: int, part: Range, *, reply: bool) -> Iterator[Range]:
    """All of the range, in lists of at most ``LISTED`` items each. No reply from a side that has nothing there."""
    low = part.low
    for first in range(start, max(end, start + 1), LISTED):
        after = min(first + LISTED, end)
        high = part.high if after == end else int.from_bytes(items.keys[after])
        yield _listed(items, first, after, low, high, reply=reply)
        low = high


def _listed(items: Items, start: int, end: int, low: int, high: int, *, reply: bool) -> Range:
    pairs = tuple(zip(items.keys[start:end], items.leaves[start:end], strict=True))
    return Range(low, high, items.fingerprint(start, end), end - start, pairs, reply)


def _differing(items: Items, start: int, end: int, part: Range) -> Differences:
    mine = dict(zip(items.keys[start:end], items.leaves[start:end], strict=True))
    theirs = dict(part.items or ())
    return Differences(
        missing=frozenset(theirs.keys() - mine.keys()),
        extra=frozenset(mine.keys() - theirs.keys()),
        different=frozenset(key for key in mine.keys() & theirs.keys() if mine[key] != theirs[key]),
    )
