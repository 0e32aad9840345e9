"""Reads: which markings a viewer is allowed, and who will be able to see something."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from tansiq.core.marking import Marking
from tansiq.core.viewer import Viewer
from tansiq.sharing import rules
from tansiq.sharing.directory import directory
from tansiq.sharing.models import StoredMarking
from tansiq.sharing.preview import Audiences, audience_of
from tansiq.sharing.rendering import allowed_q
from tansiq.sharing.rules import Onward

__all__ = ["allowed_q", "marking_ids_allowed", "stored", "who_can_see"]


def stored(ids: Iterable[str] | None = None) -> dict[str, Marking]:
    """The distinct markings of this node by id, or those of ``ids``; three queries. For the node's own reckoning:
    handling notes are content."""
    rows = StoredMarking.objects.prefetch_related("teams", "persons")
    if ids is not None:
        rows = rows.filter(pk__in=list(ids))
    return {row.marking_id: row.value() for row in rows}


def marking_ids_allowed(viewer: Viewer, now: datetime) -> list[str]:
    """What the lake is asked by: ids of the markings under which ``viewer`` may see an item, in order.

    By the database's rendering of the decision, one query: some milliseconds for thousands of markings. Onward releases
    are an item's and do not count here.
    """
    return list(StoredMarking.objects.filter(allowed_q(viewer, now)).order_by("pk").values_list("pk", flat=True))


def who_can_see(
    markings: Collection[Marking], *, viewer: Viewer, now: datetime, onward: Collection[Onward] = ()
) -> Audiences:
    """Who will be able to see what ``viewer`` is about to mark so, or sees marked so.

    The same decision as the enforcement, over everybody of this node's directory; six queries whatever their number.

    Raises: NotAllowed, for what the viewer may neither see nor, being of every origin, mark: who may see something
    says something about it.
    """
    answer = rules.decide_all(markings, viewer, now, onward=onward)
    if not (rules.may_preview(by=viewer) and {marking.origin for marking in markings} == {viewer.team}):
        answer.require()
    everybody = directory(now=now)
    return audience_of(
        markings,
        everybody.people,
        now,
        teams=everybody.teams,
        onward=onward,
        hosts=everybody.hosts,
        home=everybody.home,
    )
