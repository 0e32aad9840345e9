"""Who proposes what a team answers for, and who confirms it."""

from __future__ import annotations

from tansiq.core.decision import YES, Decision, no
from tansiq.core.viewer import Role, Scope, Seat, Viewer


def may_propose_claim(*, team: str, by: Viewer) -> Decision:
    """The team's own keeper of constituencies, its head, or a key that may write in the directory.

    A proposal has no effect before a person of the federation has judged it, so a program may make one.
    """
    if by.key and not by.allows(Scope.DIRECTORY_WRITE):
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
    """A person alone: an ended claim takes the team's events away at once."""
    if by.key:
        return no("members.claim.by_key")
    if by.sits(Seat.SECRETARIAT):
        return YES
    return may_propose_claim(team=team, by=by)


def may_see_proposals(*, team: str, viewer: Viewer) -> Decision:
    """What is proposed, refused or contested: the team's own people, and the federation's seats."""
    return YES if viewer.team == team or viewer.seats else no("members.claim.not_of_team", team=team)
