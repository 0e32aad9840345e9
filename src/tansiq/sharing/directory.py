"""Everybody of this node as viewers, in a few queries whatever their number: what previews decide over."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime

from tansiq.core.viewer import Role, Seat, Viewer
from tansiq.members import rules as members
from tansiq.members.models import Appointment, Node, Person, Team
from tansiq.members.queries.periods import all_facts
from tansiq.members.viewers import current


@dataclass(frozen=True, slots=True)
class Directory:
    """Who there is.

    Attributes:
        people: everyone who may sign in, once for each team they may act for; built as the front door builds them.
        teams: all teams known here, each as a viewer of its own: what goes to a whole team is judged by it.
        hosts: team -> code of the node its people sign in at; only of those who sign in here.
        home: the team whose node this is; every other team that signs in here is its guest.
    """

    people: tuple[Viewer, ...]
    teams: tuple[Viewer, ...]
    hosts: dict[str, str]
    home: str


def directory(*, now: datetime) -> Directory:
    """Six queries."""
    memberships = _memberships(now.date())
    nobody = frozenset[str](), False
    codes = Team.objects.order_by("code").values_list("code", flat=True)
    teams = tuple(
        Viewer(team=c, memberships=memberships.get(c, nobody)[0], community=_green(memberships, c)) for c in codes
    )
    people = tuple(_people(memberships, now))
    node, home = Node.objects.values_list("code", "team__code").first() or ("", None)
    return Directory(people, teams, {viewer.team: node for viewer in people if viewer.team}, home or "")


def _green(memberships: dict[str, tuple[frozenset[str], bool]], team: str) -> bool:
    return team in memberships and memberships[team][1]


def _memberships(day: date) -> dict[str, tuple[frozenset[str], bool]]:
    by_team: dict[str, list[members.PeriodFacts]] = defaultdict(list)
    for period in all_facts():
        by_team[period.team].append(period)
    return {
        team: (
            frozenset(period.category for period in periods if members.in_force(period, day)),
            members.in_community(periods, day),
        )
        for team, periods in by_team.items()
    }


def _people(memberships: dict[str, tuple[frozenset[str], bool]], now: datetime) -> list[Viewer]:
    roles: dict[str, dict[str, set[Role]]] = defaultdict(lambda: defaultdict(set))
    seats: dict[str, set[Seat]] = defaultdict(set)
    held = Appointment.objects.filter(current(now), person__is_active=True)
    for person, team, role in held.values_list("person__code", "team__code", "role"):
        if team is None:
            seats[person].add(Seat(role))
        else:
            roles[person][team].add(Role(role))
    codes = Person.objects.filter(is_active=True).order_by("code").values_list("code", flat=True)
    return [
        Viewer(
            person=person,
            team=team,
            roles=frozenset(roles[person][team]) if team else frozenset(),
            seats=frozenset(seats[person]),
            memberships=memberships.get(team, (frozenset(), False))[0],
            community=_green(memberships, team),
        )
        for person in codes
        for team in (sorted(roles[person]) or [""])
    ]
