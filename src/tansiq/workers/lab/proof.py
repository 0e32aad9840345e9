"""That a federation has come to one state: pure, from what every node said of itself."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

CHUNK_BYTES = 1 << 22
LAB = ":lab."

Holdings = Mapping[str, Mapping[str, Any]]
"""Node -> ``standing.holdings``."""


def differences(holdings: Holdings) -> Iterator[str]:
    """Every way in which some node has something else than the owners say that it is to have.

    A removed member's objects, whose owner says nothing any more, may be anywhere they were.
    """
    for node, has in holdings.items():
        due = {
            identifier: version
            for owner, of in holdings.items()
            if owner != node
            for identifier, (*version, peers) in of["own"].items()
            if node in peers
        }
        others = {one: version for one, version in has["others"].items() if one.partition(":")[0] in holdings}
        for identifier in sorted(due.keys() - others.keys()):
            yield f"{node} lacks {identifier}"
        for identifier in sorted(others.keys() - due.keys()):
            yield f"{node} has {identifier}, which it may not have"
        for identifier in sorted(due.keys() & others.keys()):
            if due[identifier] != others[identifier]:
                yield f"{node} has {others[identifier][:2]} of {identifier} instead of {due[identifier][:2]}"
        yield from _desk(node, has)


def _desk(node: str, has: Mapping[str, Any]) -> Iterator[str]:
    """The desk's table and the exchange's are written in one transaction, so they say the same."""
    applied = {identifier: version[:2] for identifier, version in has["others"].items() if LAB in identifier}
    for identifier in sorted(applied.keys() ^ has["notes"].keys()):
        yield f"{node}: desk and exchange do not agree about {identifier}"
    for identifier in sorted(applied.keys() & has["notes"].keys()):
        if applied[identifier] != has["notes"][identifier]:
            yield f"{node}: the desk has another version of {identifier}"


def disorder(node: str, deeds: Sequence[Sequence[Any]]) -> Iterator[str]:
    """Versions of one object rise, and none is applied twice, but for what was deleted in between."""
    last: dict[str, tuple[int, int]] = {}
    for identifier, term, n in deeds:
        if term is None:
            last.pop(identifier, None)
            continue
        if last.get(identifier, (0, 0)) >= (term, n):
            yield f"{node} applied {term}.{n} of {identifier} after {last[identifier]}"
        last[identifier] = (term, n)


def finding(markers: Collection[bytes], files: Iterator[Path]) -> Iterator[tuple[bytes, Path]]:
    """Where planted markers are: marker and file, of each file every marker once."""
    longest = max(map(len, markers), default=1)
    for file in files:
        found: set[bytes] = set()
        with file.open("rb") as data:
            rest = b""
            while piece := data.read(CHUNK_BYTES):
                seen = rest + piece
                found |= {marker for marker in markers if marker in seen}
                rest = seen[-longest:]
        for marker in sorted(found):
            yield marker, file
