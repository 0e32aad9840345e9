"""What a roster means for the register of a node: teams it has not heard of, and the claims that are verified."""

from __future__ import annotations

from datetime import datetime

from tansiq.core.text import LANGUAGES
from tansiq.exchange.directory.applying import verified_by_roster
from tansiq.exchange.roster import Roster, RosterTeam
from tansiq.members.actions.directory import state_teams
from tansiq.members.models import Team
from tansiq.members.statement import StatedTeam


def register(roster: Roster, now: datetime) -> None:
    """Take over what ``roster`` says of teams and claims; what a team says of itself comes by itself (section 15).

    In the caller's transaction. Not for the node where the roster was made from the register.
    """
    known = set(Team.objects.values_list("code", flat=True))
    state_teams([_stated(team, roster.epoch) for team in roster.teams if team.code not in known])
    verified_by_roster((one.claim for one in roster.claims), epoch=roster.epoch, now=now)


def _stated(team: RosterTeam, epoch: int) -> StatedTeam:
    names = {language: name for language, name in team.names.items() if language in LANGUAGES and name}
    return StatedTeam(team.code, names or {"en": team.code}, team.country, "national", f"roster:{epoch}")
