"""The set of markings of an object as one canonical text, and whether one set is as strict as another (section 1.5)."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache

from tansiq.core.marking import BadMarking, Marking
from tansiq.exchange import canonical
from tansiq.exchange.values import Unfit

MOST_MARKINGS = 100
_CACHED_LENGTH = 2000
"""Of a text that is remembered. A node sees few different sets, but anybody can write long ones."""


def write(markings: Collection[Marking]) -> str:
    """A list in the order of their ids, each marking once.

    Raises: ValueError, for none or more than a hundred: what has no marking is marked by its own node first.
    """
    unique = {marking.marking_id: marking for marking in markings}
    if not 1 <= len(unique) <= MOST_MARKINGS:
        raise ValueError(f"{len(unique)} markings")
    return f"[{','.join(unique[marking_id].canonical() for marking_id in sorted(unique))}]"


def read(text: str) -> tuple[Marking, ...]:
    """The markings, if ``text`` is exactly what ``write`` makes of them. Raises: Unfit."""
    return _remembered(text) if len(text) <= _CACHED_LENGTH else _read(text)


def is_as_strict(marking: Collection[Marking], authors: Collection[Marking]) -> bool:
    """Whatever the author's set forbids, the other forbids too: markings can be added, none taken away."""
    return {one.marking_id for one in authors} <= {one.marking_id for one in marking}


def _read(text: str) -> tuple[Marking, ...]:
    said = canonical.read(text.encode("utf-8", "surrogatepass"))
    if type(said) is not list or not 1 <= len(said) <= MOST_MARKINGS:
        raise Unfit(field="marking", expected=f"a list of 1 to {MOST_MARKINGS}")
    try:
        markings = tuple(Marking.read(canonical.write(one)) for one in said)
    except BadMarking:
        raise Unfit(field="marking", expected="a marking that can be obeyed") from None
    if write(markings) != text:
        raise Unfit(field="marking", expected="canonical")
    return markings


_remembered = lru_cache(maxsize=4096)(_read)
