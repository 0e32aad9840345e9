"""Who may give and take roles and seats."""

from __future__ import annotations

from tansiq.core.decision import YES, Decision, no
from tansiq.core.viewer import Role, Seat, Viewer


def may_appoint(post: Role | Seat, *, team: str, by: Viewer, decision: str = "") -> Decision:
    """A team's head appoints in the team acted for, the Secretariat appoints heads and, by a decision, to seats.

    ``team`` is empty for a seat. API keys appoint nobody.
    """
    if by.key:
        return no("members.appointment.by_key")
    if isinstance(post, Seat):
        if not by.sits(Seat.SECRETARIAT):
            return no("members.appointment.seat_not_secretariat")
        return YES if decision.strip() else no("members.appointment.seat_without_decision")
    if by.sits(Seat.SECRETARIAT) and post is Role.HEAD:
        return YES
    if by.team == team and by.holds(Role.HEAD):
        return YES
    return no("members.appointment.not_head", team=team)


def may_end(post: Role | Seat, *, team: str, by: Viewer, own: bool, other_heads: int, decision: str = "") -> Decision:
    """Whoever may appoint may end, and everybody may step down; but a team's last head goes only by the Secretariat.

    Args:
        own: the appointment is that of whoever acts.
        other_heads: how many other people head the team at this moment.
    """
    if by.key:
        return no("members.appointment.by_key")
    if post is Role.HEAD and not other_heads and not by.sits(Seat.SECRETARIAT):
        return no("members.appointment.last_head", team=team)
    return YES if own else may_appoint(post, team=team, by=by, decision=decision)


def may_transfer(*, by: Viewer) -> Decision:
    """From team to team in one act: the Secretariat, who is of neither. Heads each do their half."""
    if by.key or not by.sits(Seat.SECRETARIAT):
        return no("members.person.not_secretariat")
    return YES


def may_see_off(*, teams: frozenset[str], by: Viewer, own: bool) -> Decision:
    """Deactivate somebody for good: the Secretariat, themselves, or the head of the only team that they are of."""
    if by.key:
        return no("members.appointment.by_key")
    if own or by.sits(Seat.SECRETARIAT):
        return YES
    if by.holds(Role.HEAD) and teams == {by.team}:
        return YES
    return no("members.person.other_teams")


def may_erase(*, active: bool, erased: bool, last_teams: frozenset[str], by: Viewer) -> Decision:
    """Blank name and address of somebody who has left. ``last_teams``: all that they were ever appointed in."""
    if by.key:
        return no("members.appointment.by_key")
    if active:
        return no("members.person.still_active")
    if erased:
        return no("members.person.erased_already")
    if by.sits(Seat.SECRETARIAT) or (by.holds(Role.HEAD) and by.team in last_teams):
        return YES
    return no("members.person.not_head")


def may_make_sign_in_link(*, by: Viewer, active: bool) -> Decision:
    """It signs in as somebody else, so nobody gets one from a page: the operator at the machine, or set-up itself."""
    if not active:
        return no("members.person.left")
    if by.reason or by.person == "operator":
        return YES
    return no("members.sign_in_link.not_operator")


def may_keep_duty(*, team: str, by: Viewer) -> Decision:
    if by.team == team and by.holds(Role.HEAD, Role.DUTY_OFFICER) and not by.key:
        return YES
    return no("members.duty.not_of_team", team=team)
