"""Who may read which row of the record, and who may have a reason erased."""

from __future__ import annotations

from dataclasses import dataclass

from tansiq.core.decision import YES, Decision, no
from tansiq.core.viewer import Role, Seat, Viewer

READ = "item.read"
"""The verb of readings. They say what somebody looked at, and so are shown to fewer than changes are."""

TEAM_KIND = "team"
REGISTER_KINDS = frozenset(
    {TEAM_KIND, "membership", "period", "contact", "post", "claim", "certificate", "profile", "country", "appointment"}
)
"""Kinds of item that make up the federation's register, which the Secretariat keeps."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rules look at in a row: codes as it holds them."""

    who: str
    team: str
    verb: str
    item_kind: str
    item_id: str


def may_see(row: Facts, viewer: Viewer) -> Decision:
    """Auditors see every row; everybody sees their own. A head sees what their team did and what was changed in their
    team's own record; the Secretariat sees changes of the register. Readings are for the reader, the reader's head and
    auditors."""
    if viewer.nobody:
        return no("audit.entry.guest")
    if viewer.sits(Seat.AUDITOR) or _own_or_own_teams(row, viewer):
        return YES
    if row.verb == READ:
        return no("audit.entry.reading")
    if viewer.holds(Role.HEAD) and (row.item_kind, row.item_id) == (TEAM_KIND, viewer.team):
        return YES
    if viewer.sits(Seat.SECRETARIAT) and row.item_kind in REGISTER_KINDS:
        return YES
    return no("audit.entry.not_yours")


def may_see_reason(row: Facts, viewer: Viewer) -> Decision:
    """A reason is content: auditors see that there is one, not what it says."""
    if viewer.nobody:
        return no("audit.entry.guest")
    if _own_or_own_teams(row, viewer):
        return YES
    if viewer.sits(Seat.SECRETARIAT) and row.item_kind in REGISTER_KINDS and row.verb != READ:
        return YES
    return no("audit.reason.not_yours")


def may_erase_reason(row: Facts, viewer: Viewer) -> Decision:
    """The head of the team that gave it; the Secretariat where no team did. Never somebody's own without that."""
    if viewer.holds(Role.HEAD) and row.team and row.team == viewer.team:
        return YES
    if viewer.sits(Seat.SECRETARIAT) and not row.team:
        return YES
    return no("audit.reason.erase.not_yours")


def may_verify(viewer: Viewer) -> Decision:
    """The answer holds no more than numbers and hashes, but takes the node some work."""
    if viewer.sits(Seat.AUDITOR, Seat.SECRETARIAT) or viewer.holds(Role.HEAD):
        return YES
    return no("audit.verify.not_yours")


def _own_or_own_teams(row: Facts, viewer: Viewer) -> bool:
    return row.who == viewer.name or (viewer.holds(Role.HEAD) and bool(row.team) and row.team == viewer.team)
