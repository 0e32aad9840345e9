"""What teams answer for, and where they contend."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from django.db import connection
from django.db.models import Q

from tansiq.core import claims as core
from tansiq.core.viewer import Seat, Viewer
from tansiq.members import rules
from tansiq.members.models import Claim, ClaimEvidence
from tansiq.members.queries.directory import claims, claims_version

SHOWN = 1000
"""Claims of one team that a page shows; of more the page says how many there are."""


@dataclass(frozen=True, slots=True)
class ClaimEntry:
    """A claim as a page shows it.

    Attributes:
        state: "verified", "proposed" (no effect yet), "refused", "ended" (its time is over).
        evidence, url, note, judged_at: empty for those who may not see proposals.
    """

    id: int
    team: str
    kind: str
    value: str
    valid_from: datetime | None
    valid_until: datetime | None
    state: str
    source: str
    decision: str
    evidence: str
    url: str
    note: str
    judged_at: datetime | None


@dataclass(frozen=True, slots=True)
class OverlapEntry:
    """A claim without effect because of others. ``effect``: "tie" or "contested"; ``others``: (team, value)."""

    team: str
    kind: str
    value: str
    effect: str
    others: tuple[tuple[str, str], ...]


def claims_of(viewer: Viewer, team: str, *, now: datetime) -> list[ClaimEntry]:
    """Verified claims in force: everybody. Proposed, refused and ended ones, and evidence: the team and the seats."""
    inside = bool(rules.may_see_proposals(team=team, viewer=viewer))
    rows = Claim.objects.filter(team__code=team).select_related("team", "evidence")
    if inside:
        rows = rows.filter(Q(withdrawn_at=None) | Q(evidence__outcome="refused"))
    else:
        in_time = (Q(valid_from=None) | Q(valid_from__lte=now)) & (Q(valid_until=None) | Q(valid_until__gt=now))
        rows = rows.filter(in_time, withdrawn_at=None, verified=True)
    return [_entry(row, now, inside=inside) for row in rows.order_by("kind", "value", "pk")[:SHOWN]]


def claims_to_judge(viewer: Viewer, *, now: datetime) -> list[ClaimEntry]:
    """Proposals waiting for the federation's keeper, the oldest first: for the Secretariat."""
    if not viewer.sits(Seat.SECRETARIAT):
        return []
    in_time = Q(valid_until=None) | Q(valid_until__gt=now)
    rows = Claim.objects.filter(in_time, verified=False, withdrawn_at=None).select_related("team", "evidence")
    return [_entry(row, now, inside=True) for row in rows.order_by("stated_at", "pk")[:SHOWN]]


def overlaps_of(viewer: Viewer, team: str, *, now: datetime) -> list[OverlapEntry]:
    """Overlaps in which ``team`` has part: for both sides and the Secretariat, nobody else."""
    if not (viewer.team == team or viewer.sits(Seat.SECRETARIAT)):
        return []
    return [entry for entry in _present(now) if team in (entry.team, *(other for other, _value in entry.others))]


def all_overlaps(viewer: Viewer, *, now: datetime) -> list[OverlapEntry]:
    """All overlaps: for the Secretariat."""
    return _present(now) if viewer.sits(Seat.SECRETARIAT) else []


def _present(now: datetime) -> list[OverlapEntry]:
    """Present and coming ones; what lies wholly in the past only old events know."""
    found = []
    for overlap in _overlaps():
        others = [other for other in overlap.others if _lasting(other, now)]
        if others and _lasting(overlap.claim, now):
            claim = overlap.claim
            pairs = tuple(sorted({(other.team, other.value) for other in others}))
            found.append(OverlapEntry(claim.team, claim.kind, claim.value, overlap.effect, pairs))
    return found


def _overlaps() -> tuple[rules.Overlap, ...]:
    """Over all claims, some seconds for half a million: once for each number of the claim table and process.

    Nothing is remembered from within a transaction: it may be rolled back, and its number given to another state.
    """
    if connection.in_atomic_block:
        return tuple(rules.overlaps(claims()))
    return _remembered(str(connection.settings_dict["NAME"]), claims_version())


@lru_cache(maxsize=1)
def _remembered(_database: str, _version: int) -> tuple[rules.Overlap, ...]:
    return tuple(rules.overlaps(claims()))


def _lasting(claim: core.Claim, now: datetime) -> bool:
    return claim.valid_until is None or claim.valid_until > now


def _entry(row: Claim, now: datetime, *, inside: bool) -> ClaimEntry:
    evidence = getattr(row, "evidence", None) if inside else None
    return ClaimEntry(
        id=row.pk,
        team=row.team.code,
        kind=row.kind,
        value=row.value,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        state=_state(row, evidence, now),
        source=row.source if inside or not row.source.startswith(("P-", "key:")) else "",
        decision=row.decision,
        evidence=evidence.text if evidence else "",
        url=evidence.url if evidence else "",
        note=evidence.note if evidence else "",
        judged_at=evidence.judged_at if evidence else None,
    )


def _state(row: Claim, evidence: ClaimEvidence | None, now: datetime) -> str:
    if row.withdrawn_at is not None:
        return "refused"
    if row.valid_until is not None and row.valid_until <= now:
        return "ended"
    return "verified" if row.verified else "proposed"
