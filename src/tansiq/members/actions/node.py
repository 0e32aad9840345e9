"""Setting a node up: its row, its home team, and the first person who may sign in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from tansiq.audit.actions import record
from tansiq.core.errors import N_, TansiqError
from tansiq.core.viewer import Role, Seat, Viewer
from tansiq.members import values
from tansiq.members.actions import people, tokens
from tansiq.members.actions.appointments import grant
from tansiq.members.models import Node, Person, SignInLink, Team

SET_UP = Viewer.system(because="set-up")
GRANTED_BY = "node"


class SetUpAlready(TansiqError):
    code = "members.node.set_up_already"
    message = N_("This node is set up already, as {node}.")
    remedy = N_("Use it as it is, or set another up in a folder of its own (TANSIQ_HOME).")
    exit_code = 5


@dataclass(frozen=True, slots=True)
class FirstAdministrator:
    node: Node
    team: Team
    person: Person
    token: str  # of a sign-in link, shown this once


@transaction.atomic
def first_administrator(
    *,
    code: str,
    name: str,
    language: str,
    now: datetime,
    email: str = "",
    person_name: str = "",
    team_code: str = "",
    hosts_secretariat: bool = False,
) -> FirstAdministrator:
    """Set the node up: its row, its home team (taken from the directory if it is there), and the head of that team.

    Args:
        code: of the node, ``[A-Z0-9-]{2,32}``; also of the home team, unless ``team_code`` names one.
        name: of the node, in ``language``.
        email: of the first person; without one an address that reaches nobody, to be changed on the page.
        hosts_secretariat: the home team hosts the federation's Secretariat, so its first head sits there.

    Raises: SetUpAlready; values.BadTeamCode; people.BadAddress, people.UnknownLanguage.
    """
    if node := Node.objects.first():
        raise SetUpAlready(node=node.code)
    code, team_code = values.team_code(code), values.team_code(team_code or code)
    email = people.address(email or f"administrator@{code.lower()}.invalid")
    person = people.create_person(email, name=person_name or name, language=language)
    team = Team.objects.filter(code=team_code).first() or Team.objects.create(
        code=team_code, source=GRANTED_BY, **{f"name_{language}": name}
    )
    node = Node.objects.create(pk=1, code=code, name=name, language=language, team=team, set_up_at=now)
    grant(person, Role.HEAD, team=team, granted_by=GRANTED_BY, decision="", now=now)
    if hosts_secretariat:
        grant(person, Seat.SECRETARIAT, team=None, granted_by=GRANTED_BY, decision="", now=now)
    token = tokens.drawn(SignInLink, person, by=SET_UP, now=now)
    record("node.set_up", node, by=SET_UP, now=now, home=team.code, secretariat=hosts_secretariat)
    record("person.appointed", person, by=SET_UP, now=now, role=Role.HEAD.value, team_code=team.code)
    return FirstAdministrator(node, team, person, token)
