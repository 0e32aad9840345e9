"""What a roster means for the register of a node: teams it has not heard of, memberships, and the claims that are
verified. What the roster says no otherwise than the one before is left: the register may know more by now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

from tansiq.core.claims import Claim
from tansiq.core.text import LANGUAGES
from tansiq.core.viewer import Viewer
from tansiq.exchange.directory.applying import verified_by_roster
from tansiq.exchange.node import alarms
from tansiq.exchange.roster import Roster, RosterTeam, Standing
from tansiq.members.actions.directory import state_teams
from tansiq.members.actions.memberships import StatedMembership, state_memberships
from tansiq.members.models import Team
from tansiq.members.statement import StatedTeam

GAVE_WAY = "exchange.register"
"""Alarm: what was recorded here, and not by a roster, holds no more."""


def register(before: Roster | None, roster: Roster, *, by: Viewer, now: datetime) -> None:
    """Take over what ``roster`` says of teams, their memberships and claims otherwise than ``before``; what a team says
    of itself comes by itself (section 15). In the caller's transaction.

    Args:
        before: the roster that the register here follows already, or was made of; None: none yet.
    """
    known = set(Team.objects.values_list("code", flat=True))
    state_teams([_stated(team, roster.epoch) for team in roster.teams if team.code not in known])
    was, said = _claims(before), _claims(roster)
    moved = {code for code in was.keys() | said.keys() if was.get(code) != said.get(code)}
    gave_way = verified_by_roster({code: said.get(code, []) for code in moved}, epoch=roster.epoch, now=now)
    held = _memberships(before)
    changed = {code: word for code, word in _memberships(roster).items() if held.get(code) != word}
    gave_way |= state_memberships(changed, source=f"roster:{roster.epoch}", by=by, now=now)
    if gave_way:
        alarms.raise_alarm(GAVE_WAY, "", {"epoch": roster.epoch, "teams": ", ".join(sorted(gave_way))}, now)


def _stated(team: RosterTeam, epoch: int) -> StatedTeam:
    names = {language: name for language, name in team.names.items() if language in LANGUAGES and name}
    return StatedTeam(team.code, names or {"en": team.code}, team.country, "national", f"roster:{epoch}")


def _claims(roster: Roster | None) -> Mapping[str, list[Claim]]:
    found: dict[str, list[Claim]] = defaultdict(list)
    for one in roster.claims if roster else ():
        found[one.claim.team].append(one.claim)
    return found


def _memberships(roster: Roster | None) -> Mapping[str, StatedMembership]:
    """Of a team that was removed: none."""
    if roster is None:
        return {}
    found = {one.code: StatedMembership() for one in roster.former if one.what == "team"}
    for team in roster.teams:
        is_suspended = team.state is Standing.SUSPENDED
        found[team.code] = StatedMembership(frozenset(team.categories), is_suspended, team.community)
    return found
