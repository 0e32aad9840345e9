"""Who takes files of the register in, and out."""

from __future__ import annotations

from tansiq.core.decision import YES, Decision, no
from tansiq.core.viewer import Role, Seat, Viewer


def may_import(*, by: Viewer, people: bool) -> Decision:
    """The operator; and the Secretariat, unless the file speaks of people: it would appoint in teams of others."""
    if by.person == "operator":
        return YES
    if by.key or not by.sits(Seat.SECRETARIAT):
        return no("members.import.not_secretariat")
    return no("members.import.people") if people else YES


def may_export(*, team: str, by: Viewer) -> Decision:
    """Everything there is: the operator and the Secretariat. One team: its head too."""
    if by.person == "operator" or (by.sits(Seat.SECRETARIAT) and not by.key):
        return YES
    if team and by.team == team and by.holds(Role.HEAD) and not by.key:
        return YES
    return no("members.export.not_head", team=team)
