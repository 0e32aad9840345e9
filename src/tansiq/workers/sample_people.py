"""People for the demonstration: invented, reached by nobody, appointed by the rules that hold for all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from tansiq.core.viewer import Role, Seat, Viewer
from tansiq.members.actions.node import SET_UP, first_administrator
from tansiq.members.actions.people import invite, sign_in_link
from tansiq.members.models import Node, Person, Team
from tansiq.members.viewers import viewer_of

NODE, HOST = "OIC-CERT-DEMO", "MY-CSM"
DECISION = "Demonstration"


@dataclass(frozen=True, slots=True)
class Invented:
    """Somebody of the demonstration. Heads stand before the rest of their team: they appoint it."""

    name: str
    team: str
    post: Role | Seat
    language: str

    @property
    def email(self) -> str:
        return f"{self.name.split()[0].lower()}@{self.team.lower()}.example"


SECRETARY = Invented("Grace Lim", HOST, Role.HEAD, "en")
PEOPLE = (
    SECRETARY,
    Invented("Farid Hamzah", HOST, Role.DUTY_OFFICER, "en"),
    Invented("Amina Berrada", "MA-MACERT", Role.HEAD, "ar"),
    Invented("Youssef Tazi", "MA-MACERT", Role.DUTY_OFFICER, "fr"),
    Invented("Salma Idrissi", "MA-MACERT", Role.ANALYST, "ar"),
    Invented("Moussa Kouassi", "CI-CERT", Role.HEAD, "fr"),
    Invented("Awa Diomande", "CI-CERT", Role.DUTY_OFFICER, "fr"),
    Invented("Salim Harthy", "OM-OCERT", Role.HEAD, "ar"),
    Invented("Huda Balushi", "OM-OCERT", Role.KEEPER, "ar"),
    Invented("Leila Trabelsi", "TN-TUNCERT", Role.HEAD, "fr"),
    Invented("Karim Jaziri", "TN-TUNCERT", Role.OBSERVER, "ar"),
)
SEATS = (("Amina Berrada", Seat.BOARD), ("Moussa Kouassi", Seat.AUDITOR))


@dataclass(frozen=True, slots=True)
class WayIn:
    """Who, and the token of a one-time sign-in link; made anew each time, so that earlier ones stop working."""

    who: Invented
    token: str


@transaction.atomic
def people(*, language: str, now: datetime) -> list[WayIn]:
    """Bring the invented people in, unless they are here, and give each a way in."""
    if not Node.objects.exists():
        first_administrator(
            code=NODE,
            name="OIC-CERT",
            language=language,
            team_code=HOST,
            email=SECRETARY.email,
            person_name=SECRETARY.name,
            hosts_secretariat=True,
            now=now,
        )
    for one in PEOPLE:
        if not Person.objects.filter(email=one.email).exists():
            bring_in(one, now=now)
    for name, seat in SEATS:
        bring_to_seat(next(one for one in PEOPLE if one.name == name), seat, now=now)
    return [WayIn(one, sign_in_link(person_of(one), by=SET_UP, now=now)) for one in PEOPLE]


def bring_in(one: Invented, *, now: datetime) -> None:
    head = SECRETARY if one.post is Role.HEAD else next(head for head in PEOPLE if head.team == one.team)
    team = Team.objects.get(code=one.team)
    invite(one.email, post=one.post, team=team, name=one.name, language=one.language, by=acting(head, now=now), now=now)


def bring_to_seat(one: Invented, seat: Seat, *, now: datetime) -> None:
    if not person_of(one).appointments.filter(role=seat.value, until=None).exists():
        invite(one.email, post=seat, decision=DECISION, by=acting(SECRETARY, now=now), now=now)


def person_of(one: Invented) -> Person:
    return Person.objects.get(email=one.email)


def acting(one: Invented, *, now: datetime) -> Viewer:
    return viewer_of(person_of(one), team=one.team, now=now)
