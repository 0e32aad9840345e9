"""Who looks at this node's links, and how far: the node under its roster, without any key, and the rule (section 7)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tansiq.core.decision import Decision
from tansiq.core.viewer import Viewer
from tansiq.exchange import rules
from tansiq.exchange.node import rosters
from tansiq.exchange.node.here import Here
from tansiq.exchange.node.under import under
from tansiq.members.models import Node


@dataclass(frozen=True, slots=True)
class Look:
    """One person, or one key, at the links of this node.

    Attributes:
        here: None while the node has no roster.
        operator: the team that runs the node, as the roster says; before there is one, as it was set up. Or empty.
        may: by ``rules.may_see_links``.
    """

    viewer: Viewer
    now: datetime
    here: Here | None
    operator: str
    may: Decision

    @property
    def is_whole(self) -> bool:
        """They operate the node; else they see what concerns objects of ``team`` and no more."""
        return self.may.reason == rules.WHOLE

    @property
    def team(self) -> str:
        """The team whose objects alone they see; empty: all."""
        return "" if self.is_whole else self.viewer.team


def look(viewer: Viewer, *, now: datetime) -> Look:
    """Not refused yet: ``look(…).may.require()``."""
    node = Node.objects.select_related("team").first()
    roster = rosters.current() if node else None
    here = under(roster, code=node.code, now=now) if node and roster else None
    if here is not None:
        operator, teams = here.team, here.teams_of.get(here.code, frozenset())
    else:
        operator, teams = (node.team.code if node and node.team else ""), frozenset()
    return Look(viewer, now, here, operator, rules.may_see_links(operator=operator, teams=teams, by=viewer))
