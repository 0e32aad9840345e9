"""Many objects in parts: databases count the parameters of a query, and a node may have a million objects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

AT_ONCE = 500

Item = TypeVar("Item")


def in_parts(items: Iterable[Item], size: int = AT_ONCE) -> Iterator[list[Item]]:
    """Lists of at most ``size``."""
    remaining = iter(items)
    while some := list(islice(remaining, size)):
        yield some
