"""What a restored node asks of its peers and what they answer, a page at a time (section 11.1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from tansiq.exchange.body import Version
from tansiq.exchange.held import Stand
from tansiq.exchange.receiving import Recall

PAGE = 3
"""Objects and recalls of one answer: few, so that there are many pages."""


@dataclass(frozen=True, slots=True)
class Held:
    """Why a node does not speak yet.

    Attributes:
        since: when it was restored or found that it was; requests of before do not count.
        waiting_for: peers whose answer is not complete.
        after: peer -> last object id of the pages that it has answered so far.
    """

    since: datetime
    waiting_for: frozenset[str]
    after: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_released(self) -> bool:
        return not self.waiting_for


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
) -> Answer:
    """The answer to a request: what comes after ``request.after`` in the order of object ids."""
    ids = sorted(identifier for identifier in {*objects, *recalls} if identifier > request.after)
    chosen = ids[:PAGE]
    return Answer(
        since=request.since,
        after=request.after,
        objects=tuple(objects[identifier] for identifier in chosen if identifier in objects),
        recalls={identifier: recalls[identifier] for identifier in chosen if identifier in recalls},
        stands=tuple(stands),
        complete=len(ids) <= PAGE,
    )


def on_answer(held: Held, peer: str, answer: Answer) -> tuple[Held, Request | None]:
    """Note a page; the next request, or None when the peer has answered. Pages out of turn are not counted."""
    if peer not in held.waiting_for or answer.since != held.since or answer.after != held.after.get(peer, ""):
        return held, None
    if answer.complete:
        return replace(held, waiting_for=held.waiting_for - {peer}), None
    last = max([*(item.object for item in answer.objects), *answer.recalls], default=answer.after)
    return replace(held, after={**held.after, peer: last}), Request(held.since, last)
