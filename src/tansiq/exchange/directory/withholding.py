"""What a held node shows of the directory: of teams of other nodes what everybody may have, and no more (11.1)."""

from __future__ import annotations

from tansiq.members.models import Node


def teams_elsewhere() -> frozenset[str]:
    """Codes of the teams that live on other nodes, while this one is held; else none."""
    from tansiq.exchange.node import life

    if not life.is_held():
        return frozenset()
    from tansiq.exchange.node import rosters

    roster, node = rosters.current(), Node.objects.first()
    if roster is None or node is None:
        return frozenset()
    return frozenset(team.code for team in roster.teams if team.node and team.node != node.code)
