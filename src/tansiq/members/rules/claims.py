"""Who proposes what a team answers for, and who confirms it."""

from __future__ import annotations

from tansiq.core.decision import YES, Decision, no
from tansiq.core.viewer import Role, Seat, Viewer


def may_propose_claim(*, team: str, by: Viewer) -> Decision:
    """The team's own keeper of constituencies, or its head."""
    if by.key:
        return no("members.claim.by_key")
    if by.team == team and by.holds(Role.KEEPER, Role.HEAD):
        return YES
    return no("members.claim.not_keeper", team=team)


def may_judge_claim(*, team: str, by: Viewer, judged: bool) -> Decision:
    """The federation's keeper, which is the Secretariat; not for the team that its officer acts for (R-SE-04)."""
    if by.key or not by.sits(Seat.SECRETARIAT):
        return no("members.claim.not_secretariat")
    if by.team == team:
        return no("members.claim.own_team", team=team)
    return no("members.claim.judged_already") if judged else YES


def may_end_claim(*, team: str, by: Viewer) -> Decision:
    if by.sits(Seat.SECRETARIAT) and not by.key:
        return YES
    return may_propose_claim(team=team, by=by)


def may_see_proposals(*, team: str, viewer: Viewer) -> Decision:
    """What is proposed, refused or contested: the team's own people, and the federation's seats."""
    return YES if viewer.team == team or viewer.seats else no("members.claim.not_of_team", team=team)
