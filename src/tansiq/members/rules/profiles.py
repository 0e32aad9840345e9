"""Who writes and publishes a team's profile."""

from __future__ import annotations

from tansiq.core.decision import YES, Decision, no
from tansiq.core.viewer import Role, Viewer


def may_keep_profile(*, team: str, by: Viewer) -> Decision:
    """The team's head or keeper: it is the team's own word, so not even the Secretariat writes in it."""
    if by.team == team and by.holds(Role.HEAD, Role.KEEPER) and not by.key:
        return YES
    return no("members.profile.not_of_team", team=team)
