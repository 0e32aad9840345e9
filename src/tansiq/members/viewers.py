"""From a person, a key or the node itself to a ``Viewer``: what they are appointed to at this moment."""

from __future__ import annotations

from datetime import datetime

from tansiq.core.viewer import Role, Seat, Viewer
from tansiq.members.in_force import current
from tansiq.members.models import Appointment, Node, Person
from tansiq.members.queries.periods import memberships_of


def teams_of(person: Person, *, now: datetime) -> list[str]:
    """Codes of the teams that the person may act for, in order."""
    held = Appointment.objects.filter(current(now), person=person, team__isnull=False)
    return list(held.order_by("team__code").values_list("team__code", flat=True).distinct())


def viewer_of(person: Person, *, team: str = "", now: datetime) -> Viewer:
    """The person acting for ``team``; for the first of theirs if it is not (or no longer) one of theirs."""
    if not person.is_active:
        return Viewer()
    held = list(Appointment.objects.filter(current(now), person=person).values_list("team__code", "role"))
    teams = sorted({code for code, _role in held if code})
    acting = team if team in teams else (teams[0] if teams else "")
    memberships, community = memberships_of(acting, day=now.date()) if acting else (frozenset(), False)
    return Viewer(
        person=person.code,
        team=acting,
        roles=frozenset(Role(role) for code, role in held if code and code == acting),
        seats=frozenset(Seat(role) for code, role in held if code is None),
        memberships=memberships,
        community=community,
    )


def operator(*, now: datetime | None = None) -> Viewer:
    """Whoever types commands on the node's own machine: acts as its home team, never as a guest.

    Without ``now`` nothing is said of that team's membership.
    """
    node = Node.objects.select_related("team").first()
    team = node.team.code if node and node.team else ""
    memberships, community = memberships_of(team, day=now.date()) if team and now else (frozenset(), False)
    return Viewer(
        person="operator",
        team=team,
        roles=frozenset(Role) if team else frozenset(),
        memberships=memberships,
        community=community,
    )
