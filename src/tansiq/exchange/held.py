"""Nodes that were restored from a backup, and what they ask of their peers before they speak again (section 11.1).

A restored node has forgotten what happened since the backup; its peers have not. Held, it sends nothing but requests,
mints nothing and shows nothing of others. Each peer answers with the node's own objects as it holds them, the recalls
that it knows, and where the channels between the two stand.

A former life's bodies may come to a peer after it has answered. So a node that is not held asks the same of a peer with
which a comparison differed, and of one that a roster adds (sections 12 and 13), and takes the objects and recalls only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from tansiq.exchange.body import Lane, Version
from tansiq.exchange.receipts import Ledger
from tansiq.exchange.receiving import Recall
from tansiq.exchange.values import incarnation_number

PAGE = 1_000
"""Objects and recalls of one answer at most; an answer is never longer than a body (section 16)."""


@dataclass(frozen=True, slots=True)
class Waiver:
    """A person's recorded reason not to wait for a peer."""

    person: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Held:
    """Why a node does not speak yet.

    Attributes:
        since: when it was restored or found that it was; requests of before do not count.
        waiting_for: peers whose answer is not complete.
        after: peer -> last object id of the pages that it has answered so far.
        waived: peer -> why not to wait for it.
    """

    since: datetime
    waiting_for: frozenset[str]
    after: Mapping[str, str] = field(default_factory=dict)
    waived: Mapping[str, Waiver] = field(default_factory=dict)

    @property
    def is_released(self) -> bool:
        return not self.waiting_for


@dataclass(frozen=True, slots=True)
class Stand:
    """Where the two channels of a lane stand, as the peer that answers sees it.

    Attributes:
        incarnation: the highest that the peer knows of the asking node's; empty if it knows none.
        n, changes: of the last receipt that it believed from the asking node, and the highest change it knows.
    """

    lane: Lane
    incarnation: str = ""
    n: int = 0
    changes: int = 0


@dataclass(frozen=True, slots=True)
class Returned:
    """An object that the asking node's team wrote, as a peer holds it: verified by its author's signature as always."""

    object: str
    version: Version
    leaf: str
    envelope: bytes


@dataclass(frozen=True, slots=True)
class Request:
    """``recover``: asked until the answer is complete."""

    since: datetime
    after: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A page of what a peer holds that concerns the asking node, in the order of object ids.

    Attributes:
        since: of the request, so that an answer to an earlier restore is not taken for one to this.
        recalls: object -> recall, of objects that the asking node may still have in its backup.
        complete: whether this is the last page.
    """

    since: datetime
    after: str
    objects: tuple[Returned, ...]
    recalls: Mapping[str, Recall]
    stands: tuple[Stand, ...]
    complete: bool


def page(
    objects: Mapping[str, Returned],
    recalls: Mapping[str, Recall],
    stands: Iterable[Stand],
    request: Request,
    *,
    size: int = PAGE,
) -> Answer:
    """The answer to a request: what comes after ``request.after`` in the order of object ids."""
    ids = sorted(identifier for identifier in {*objects, *recalls} if identifier > request.after)
    chosen = ids[:size]
    return Answer(
        since=request.since,
        after=request.after,
        objects=tuple(objects[identifier] for identifier in chosen if identifier in objects),
        recalls={identifier: recalls[identifier] for identifier in chosen if identifier in recalls},
        stands=tuple(stands),
        complete=len(ids) <= size,
    )


def on_answer(held: Held, peer: str, answer: Answer) -> tuple[Held, Request | None]:
    """Note a page; the next request, or None when the peer has answered. Pages out of turn are not counted."""
    if peer not in held.waiting_for or answer.since != held.since or answer.after != held.after.get(peer, ""):
        return held, None
    if answer.complete:
        return replace(held, waiting_for=held.waiting_for - {peer}), None
    last = max([*(item.object for item in answer.objects), *answer.recalls], default=answer.after)
    return replace(held, after={**held.after, peer: last}), Request(held.since, last)


def waive(held: Held, peer: str, waiver: Waiver) -> Held:
    """Do not wait for this peer; its answer is taken all the same if it comes."""
    return replace(held, waiting_for=held.waiting_for - {peer}, waived={**held.waived, peer: waiver})


def next_number(known: Iterable[str], *, now: datetime) -> int:
    """Number of a new incarnation: the seconds since 1970, or one above whatever either side knows (section 2.1).

    The seconds are what keeps a node that was restored twice from giving one number twice to a peer that never answers.
    """
    highest = max((incarnation_number(text) for text in known if text), default=0)
    return max(highest + 1, int(now.timestamp()))


def renumbered(ledger: Ledger, stand: Stand) -> Ledger:
    """Receipts go on above what the peer has seen, so that the newest wins again."""
    return ledger.above(n=stand.n, changes=stand.changes)


def raised(known: Version) -> Version:
    """The version of the first change to an own object after a restore: a new term (section 11.1).

    What the node said between the backup and the restore, and nobody has answered with, is then older than it.
    """
    return Version(known.term + 1, 1)
