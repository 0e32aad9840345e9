"""What a kind of object declares, and which kinds this program knows (section 15). Pure: desks register theirs.

A kind that is not registered is parked, whole, until a program comes that knows it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from tansiq.exchange.body import BlobReference, Lane, Version


class Writer(StrEnum):
    """Who may write an object of a kind (check 5.17)."""

    OWNER = "owner"
    """The team whose code the object's id begins with."""
    NODE = "node"
    """The same, and the team must be the operator of the node that sends: recalls and checks speak for a node."""


@dataclass(frozen=True, slots=True)
class Said:
    """One version of an object as its author signed it, verified, for the desk that keeps such objects.

    Attributes:
        payload: JSON as Python has it; it fits the kind.
        marking: canonical text of the set of markings under which it is here.
    """

    kind: str
    schema: int
    object: str
    version: Version
    team: str
    person: str
    marking: str
    payload: Any
    blobs: tuple[BlobReference, ...] = ()


def _no_reference(_payload: Any) -> Collection[str]:
    return ()


@dataclass(frozen=True, slots=True)
class Kind:
    """A row of section 15.

    Attributes:
        fits: is the payload what the schema says (check 5.19)? Gets JSON as Python has it.
        apply: keep what was said, in the caller's transaction. Called once for each version, in the owner's order.
        withdraw: delete what was kept of an object, in the caller's transaction: it was recalled.
        references: ids of the objects that have to be here first (check 5.20).
        blobs_needed: whether its blobs have to be here before it is applied (check 5.21).
    """

    name: str
    schema: int
    lane: Lane
    fits: Callable[[Any], bool]
    apply: Callable[[Said, datetime], None]
    withdraw: Callable[[str, datetime], None]
    writer: Writer = Writer.OWNER
    self_contained: bool = False
    references: Callable[[Any], Collection[str]] = _no_reference
    blobs_needed: bool = False


class Kinds:
    """The kinds that a program knows, by name."""

    def __init__(self, kinds: Collection[Kind] = ()) -> None:
        self._kinds = {kind.name: kind for kind in kinds}

    def register(self, kind: Kind) -> None:
        """Raises: ValueError: two desks want one name."""
        if kind.name in self._kinds:
            raise ValueError(kind.name)
        self._kinds[kind.name] = kind

    def get(self, name: str) -> Kind | None:
        """None: nobody registered it."""
        return self._kinds.get(name)

    def knows(self, name: str, schema: int) -> bool:
        """Check 5.18: the kind is known, and this schema of it."""
        kind = self._kinds.get(name)
        return kind is not None and kind.schema == schema

    def by_name(self) -> Mapping[str, Kind]:
        """All of them as they are now; what is registered later is not in it."""
        return dict(self._kinds)


KNOWN = Kinds()
"""Those of this program. Desks register theirs when the program starts."""


def owner_of(object_id: str) -> str:
    """The team that owns an object: what its id begins with (section 1.1); empty where it begins with none."""
    team, separator, _name = object_id.partition(":")
    return team if separator else ""
