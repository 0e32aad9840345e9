"""Reads of the record, each for a viewer."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from tansiq.audit import form, rules
from tansiq.audit.models import Entry, Head
from tansiq.core.viewer import Role, Seat, Viewer

LIMIT, LIMIT_MOST = 100, 1000


@dataclass(frozen=True, slots=True)
class Row:
    """One row as its reader may have it.

    Attributes:
        why: the reason, where the reader may have it and it was not erased.
        reason: ``none`` was given, ``given`` (in ``why``), ``withheld`` from this reader, or ``erased``.
    """

    number: int
    at: datetime
    who: str
    team: str
    verb: str
    item_kind: str
    item_id: str
    values: dict[str, Any]
    why: str
    reason: str
    hash: str


@dataclass(frozen=True, slots=True)
class Last:
    """Number and hash of the last row: what operators note elsewhere; 0 and zeros before the first."""

    number: int
    hash: str


def entries(
    viewer: Viewer,
    *,
    now: datetime,
    item: object | tuple[str, str | int] | None = None,
    by: str | None = None,
    verb: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    before: int | None = None,
    limit: int = LIMIT,
) -> list[Row]:
    """Rows that the viewer may see, the newest first.

    Args:
        item: as ``actions.record`` takes it; ``("team", "")`` for all items of a kind.
        by: a viewer's name as rows write it (a person's code, ``system:digest``).
        verb: the whole verb, or with a dot at its end (``membership.``) all that begin so.
        since, until: half-open.
        before: rows of lower numbers only: how a page goes on after its last row.
        limit: at most 1,000.
    """
    asked = Q() if item is None else _of(item)
    for name, value in {"who": by, "at__gte": since, "at__lt": until, "number__lt": before}.items():
        if value is not None:
            asked &= Q(**{name: value})
    if verb is not None:
        asked &= Q(verb__startswith=verb) if verb.endswith(".") else Q(verb=verb)
    found = Entry.objects.filter(visible(viewer), asked).select_related("reason").order_by("-number")
    return [_row(entry, viewer) for entry in found[: max(0, min(limit, LIMIT_MOST))]]


def visible(viewer: Viewer) -> Q:
    """``rules.may_see`` as a condition of the database; a test holds the two equal."""
    if viewer.nobody:
        return Q(pk__in=[])
    if viewer.sits(Seat.AUDITOR):
        return Q()
    seen, change = Q(who=viewer.name), ~Q(verb=rules.READ)
    if viewer.holds(Role.HEAD) and viewer.team:
        seen |= Q(team=viewer.team) | (change & Q(item_kind=rules.TEAM_KIND, item_id=viewer.team))
    if viewer.sits(Seat.SECRETARIAT):
        seen |= change & Q(item_kind__in=rules.REGISTER_KINDS)
    return seen


def head() -> Last:
    """It tells nothing about any row, so it asks for no viewer."""
    return Last(*Head.objects.values_list("number", "hash").get(pk=1))


def facts(entry: Entry) -> rules.Facts:
    return rules.Facts(entry.who, entry.team, entry.verb, entry.item_kind, entry.item_id)


def _of(item: object) -> Q:
    if isinstance(item, tuple) and item[1] == "":
        return Q(item_kind=item[0])
    kind, identity = form.item(item)
    return Q(item_kind=kind, item_id=identity)


def _row(entry: Entry, viewer: Viewer) -> Row:
    why, reason = _why(entry, viewer)
    return Row(
        number=entry.number,
        at=entry.at,
        who=entry.who,
        team=entry.team,
        verb=entry.verb,
        item_kind=entry.item_kind,
        item_id=entry.item_id,
        values=json.loads(entry.facts),
        why=why,
        reason=reason,
        hash=entry.hash,
    )


def _why(entry: Entry, viewer: Viewer) -> tuple[str, str]:
    if not entry.reason_digest:
        return "", "none"
    reason = getattr(entry, "reason", None)
    if reason is None or reason.erased_by_id is not None:
        return "", "erased"
    if not rules.may_see_reason(facts(entry), viewer):
        return "", "withheld"
    return reason.text, "given"
