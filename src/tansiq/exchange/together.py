"""Several sealed bodies of one sender, recipient and lane in one message of the backbone (section 16).

A message costs the servers a writing to disk and both sides a question and an answer, whatever its size.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

from tansiq.exchange.values import Unfit

MOST_BODIES, MOST_BYTES = 200, 256 << 10
"""Of one message; a body that is larger goes alone."""
_LENGTH = struct.Struct(">I")


def portions(sizes: Sequence[int]) -> Iterator[slice]:
    """Which of bodies of these sizes, in bytes, go together: in their order, none left out."""
    start, filled = 0, 0
    for end, size in enumerate(sizes):
        if end > start and (end - start == MOST_BODIES or filled + _LENGTH.size + size > MOST_BYTES):
            yield slice(start, end)
            start, filled = end, 0
        filled += _LENGTH.size + size
    if start < len(sizes):
        yield slice(start, len(sizes))


def written(bodies: Sequence[bytes]) -> bytes:
    """Each behind its length, four bytes big-endian."""
    return b"".join(_LENGTH.pack(len(body)) + body for body in bodies)


def read(data: bytes) -> list[bytes]:
    """Raises: Unfit: it is nothing of the kind, or has none, or more than a message may."""
    found: list[bytes] = []
    at = 0
    while at < len(data) or not found:
        start = at + _LENGTH.size
        if start > len(data) or len(found) == MOST_BODIES:
            raise Unfit(field="bodies", expected=f"1 to {MOST_BODIES}, each behind its length")
        at = start + _LENGTH.unpack_from(data, start - _LENGTH.size)[0]
        if at > len(data):
            raise Unfit(field="bodies", expected="whole")
        found.append(data[start:at])
    return found
