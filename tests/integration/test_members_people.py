"""Who comes, who goes, and who may say so."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from people import AMINA, GRACE, MOUSSA
from tansiq.core.decision import NotAllowed
from tansiq.core.viewer import Role, Seat, Viewer

if TYPE_CHECKING:
    from tansiq.members.actions import FirstAdministrator
    from tansiq.members.models import Person, Team

pytestmark = pytest.mark.usefixtures("database")

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
SALMA = Viewer(person="P-SALMA", team="XA-CERT", roles=frozenset({Role.HEAD}))
OPERATOR = Viewer(person="operator", team="XA-CERT", roles=frozenset(Role))


@pytest.fixture
def xa() -> Team:
    from tansiq.members.models import Team

    return Team.objects.create(code="XA-CERT", name_en="CERT of XA", country="XA")


@pytest.fixture
def xf() -> Team:
    from tansiq.members.models import Team

    return Team.objects.create(code="XF-CERT", name_en="CERT of XF", country="XF")


def invited(team: Team | None, post: Role | Seat = Role.ANALYST, *, by: Viewer = SALMA, to: str = "a@cert.example"):
    from tansiq.members import actions

    return actions.invite(to, post=post, team=team, by=by, now=NOW, name="Amal", decision="GM 10")


def viewer(person: Person, team: str = "", now: datetime = NOW) -> Viewer:
    from tansiq.members.viewers import viewer_of

    return viewer_of(person, team=team, now=now)


def verbs() -> list[str]:
    from tansiq.audit.models import Entry

    return [entry.verb for entry in Entry.objects.order_by("number")]


def set_up(**more: object) -> FirstAdministrator:
    from tansiq.members import actions

    return actions.first_administrator(code="XA-CERT", name="CERT of XA", language="fr", now=NOW, **more)  # type: ignore[arg-type]


def test_first_administrator_sets_up_node_team_head_and_seat() -> None:
    from tansiq.members.models import Node

    first = set_up(email="Head@Cert.Example", hosts_secretariat=True)

    node = Node.objects.get()
    assert (node.code, node.team.code, node.team.name_fr, node.language) == ("XA-CERT", "XA-CERT", "CERT of XA", "fr")
    assert (first.person.email, first.person.language) == ("head@cert.example", "fr")
    assert viewer(first.person) == Viewer(
        person=first.person.code, team="XA-CERT", roles=frozenset({Role.HEAD}), seats=frozenset({Seat.SECRETARIAT})
    )
    assert verbs() == ["node.set_up", "person.appointed"]


def test_first_administrator_takes_the_team_that_the_directory_has() -> None:
    first = set_up(team_code="MA-MACERT")

    assert (first.team.code, first.team.shipped, viewer(first.person).memberships) == (
        "MA-MACERT", True, viewer(first.person).memberships,
    )  # fmt: skip
    assert viewer(first.person).team == "MA-MACERT"


def test_first_administrator_twice_is_refused() -> None:
    from tansiq.members.actions.node import SetUpAlready

    set_up()

    with pytest.raises(SetUpAlready, match="set up already, as XA-CERT"):
        set_up(email="other@cert.example")


def test_sign_in_link_of_set_up_signs_in_once() -> None:
    from tansiq.members import actions

    first = set_up()

    assert actions.use_sign_in_link(first.token, now=NOW + timedelta(hours=23)) == first.person
    with pytest.raises(actions.LinkNotValid):
        actions.use_sign_in_link(first.token, now=NOW + timedelta(hours=23))


def test_sign_in_link_after_a_day_is_not_valid() -> None:
    from tansiq.members import actions

    first = set_up()

    with pytest.raises(actions.LinkNotValid):
        actions.use_sign_in_link(first.token, now=NOW + timedelta(hours=24))


def test_sign_in_link_made_anew_ends_the_earlier_one() -> None:
    from tansiq.members import actions

    first = set_up()

    token = actions.sign_in_link(first.person, by=OPERATOR, now=LATER)

    with pytest.raises(actions.LinkNotValid):
        actions.use_sign_in_link(first.token, now=LATER)
    assert actions.use_sign_in_link(token, now=LATER) == first.person


@pytest.mark.parametrize("by", [SALMA, GRACE, AMINA])
def test_sign_in_link_asked_for_by_anybody_but_the_operator_is_refused(xa: Team, by: Viewer) -> None:
    from tansiq.members import actions

    person = invited(xa).person

    with pytest.raises(NotAllowed, match=r"members\.sign_in_link\.not_operator"):
        actions.sign_in_link(person, by=by, now=NOW)


def test_token_is_stored_as_a_hash_alone(xa: Team) -> None:
    from tansiq.members.models import Invitation

    token = invited(xa).token

    (row,) = Invitation.objects.values_list("token_hash", flat=True)
    assert len(token) == 43 and len(row) == 64 and token not in row


def test_invite_by_the_teams_head_makes_a_person_with_a_drawn_code(xa: Team) -> None:
    from tansiq.members import actions

    done = invited(xa, to=" Amal@Cert.Example ")

    assert (done.person.email, done.person.name, done.person.has_usable_password()) == (
        "amal@cert.example", "Amal", False,
    )  # fmt: skip
    assert done.person.code.startswith("P-") and len(done.person.code) == 8
    assert actions.accept_invitation(done.token, now=NOW + timedelta(days=6)) == done.person
    assert viewer(done.person).roles == {Role.ANALYST}
    assert verbs() == ["person.invited", "person.accepted"]


def test_invitation_after_seven_days_is_not_valid(xa: Team) -> None:
    from tansiq.members import actions

    token = invited(xa).token

    with pytest.raises(actions.LinkNotValid):
        actions.accept_invitation(token, now=NOW + timedelta(days=7))


def test_invite_of_somebody_here_appoints_them_without_a_link(xa: Team, xf: Team) -> None:
    from tansiq.members import actions
    from tansiq.members.models import Person

    first = invited(xa)
    Person.objects.update(joined_at=NOW)
    head_of_xf = replace(SALMA, team="XF-CERT")

    again = actions.invite("A@cert.example", post=Role.OBSERVER, team=xf, by=head_of_xf, now=LATER)

    assert (again.person, again.token) == (first.person, "")
    assert viewer(first.person, "XF-CERT", LATER).roles == {Role.OBSERVER}


@pytest.mark.parametrize(
    ("by", "post", "reason"),
    [
        (AMINA, Role.ANALYST, "members.appointment.not_head"),
        (MOUSSA, Role.ANALYST, "members.appointment.not_head"),
        (replace(SALMA, team="XF-CERT"), Role.ANALYST, "members.appointment.not_head"),
        (GRACE, Role.ANALYST, "members.appointment.not_head"),
        (SALMA, Seat.SECRETARIAT, "members.appointment.seat_not_secretariat"),
        (replace(SALMA, person="", key="sync"), Role.ANALYST, "members.appointment.by_key"),
    ],
)
def test_invite_by_whoever_may_not_is_refused(xa: Team, by: Viewer, post: Role | Seat, reason: str) -> None:
    from tansiq.members.models import Person

    with pytest.raises(NotAllowed) as refused:
        invited(None if isinstance(post, Seat) else xa, post, by=by)

    assert (refused.value.values["reason"], Person.objects.count(), verbs()) == (reason, 0, [])


def test_seat_needs_the_secretariat_and_a_decision() -> None:
    from tansiq.members import actions

    with pytest.raises(NotAllowed, match="seat_without_decision"):
        actions.invite("b@cert.example", post=Seat.AUDITOR, by=GRACE, now=NOW)

    done = actions.invite("b@cert.example", post=Seat.AUDITOR, by=GRACE, now=NOW, decision="Board 3/2026")

    assert viewer(done.person).seats == {Seat.AUDITOR}


@pytest.mark.parametrize("address", ["", "amal", "amal@", "a b@cert.example", "x" * 250 + "@cert.example"])
def test_invite_to_what_is_no_address_is_refused(xa: Team, address: str) -> None:
    from tansiq.members.actions.people import BadAddress

    with pytest.raises(BadAddress):
        invited(xa, to=address)


def test_last_head_cannot_leave_the_team_headless_but_the_secretariat_can(xa: Team) -> None:
    from tansiq.members import actions

    head = invited(xa, Role.HEAD, by=GRACE)
    own = viewer(head.person)

    with pytest.raises(NotAllowed, match="last_head"):
        actions.end_appointment(head.appointment, by=own, now=LATER)
    with pytest.raises(NotAllowed, match="last_head"):
        actions.leave(head.person, by=own, now=LATER)
    actions.end_appointment(head.appointment, by=GRACE, now=LATER)

    assert viewer(head.person, now=LATER).nobody is False
    assert viewer(head.person, now=LATER).roles == frozenset()


def test_head_who_is_not_the_last_may_step_down(xa: Team) -> None:
    from tansiq.members import actions

    head = invited(xa, Role.HEAD, by=GRACE)
    invited(xa, Role.HEAD, by=GRACE, to="b@cert.example")

    actions.end_appointment(head.appointment, by=viewer(head.person), now=LATER, why="end of service")

    head.appointment.refresh_from_db()
    assert head.appointment.until == LATER


def test_leave_ends_appointments_links_and_sessions(xa: Team) -> None:
    from allauth.usersessions.models import UserSession
    from django.contrib.sessions.backends.db import SessionStore

    from tansiq.members import actions

    done = invited(xa)
    session = SessionStore()
    session.create()
    UserSession.objects.create(
        user=done.person, ip="192.0.2.7", session_key=session.session_key, last_seen_at=NOW, user_agent=""
    )

    person = actions.leave(done.person, by=SALMA, now=LATER, why="moved on")

    assert (person.is_active, person.left_at, viewer(person, now=LATER)) == (False, LATER, Viewer())
    assert UserSession.objects.count() == 0 and not SessionStore().exists(session.session_key)
    with pytest.raises(actions.LinkNotValid):
        actions.accept_invitation(done.token, now=LATER)


def test_leave_of_somebody_of_two_teams_is_not_for_one_head(xa: Team, xf: Team) -> None:
    from tansiq.members import actions

    done = invited(xa)
    actions.appoint(done.person, Role.ANALYST, team=xf, by=replace(SALMA, team="XF-CERT"), now=NOW)

    with pytest.raises(NotAllowed, match="other_teams"):
        actions.leave(done.person, by=SALMA, now=LATER)


def test_erase_blanks_name_and_address_and_keeps_the_record(xa: Team) -> None:
    from allauth.account.models import EmailAddress

    from tansiq.audit.models import Entry
    from tansiq.members import actions
    from tansiq.members.models import Appointment

    done = invited(xa)
    EmailAddress.objects.create(user=done.person, email="a@cert.example")
    with pytest.raises(NotAllowed, match="still_active"):
        actions.erase(done.person, by=SALMA, now=LATER)
    actions.leave(done.person, by=SALMA, now=LATER)

    person = actions.erase(done.person, by=SALMA, now=LATER, why="request of 2 March")

    assert (person.name, person.email) == ("", f"{person.code.lower()}@erased.invalid")
    assert EmailAddress.objects.count() == 0
    assert Appointment.objects.filter(person=person).count() == 1
    assert [e.item_id for e in Entry.objects.filter(verb="person.erased")] == [person.code]
    assert "cert.example" not in "".join(str(row) for row in Entry.objects.values_list())


def test_transfer_is_for_the_secretariat_and_moves_every_role(xa: Team, xf: Team) -> None:
    from tansiq.members import actions

    done = invited(xa)
    actions.appoint(done.person, Role.KEEPER, team=xa, by=SALMA, now=NOW)
    with pytest.raises(NotAllowed, match="not_secretariat"):
        actions.transfer(done.person, origin=xa, to=xf, role=Role.ANALYST, by=SALMA, now=LATER)

    actions.transfer(done.person, origin=xa, to=xf, role=Role.ANALYST, by=GRACE, now=LATER)

    assert viewer(done.person, now=LATER).team == "XF-CERT"
    assert viewer(done.person, "XA-CERT", LATER).team == "XF-CERT"


def test_roles_by_provider_follow_its_groups_and_leave_others(xa: Team) -> None:
    from tansiq.members import actions

    done = invited(xa, Role.OBSERVER)
    person = done.person

    given = actions.grant_by_provider(
        person, team=xa, roles={Role.ANALYST, Role.OBSERVER}, provider="corporate", now=NOW
    )
    taken = actions.grant_by_provider(person, team=xa, roles=set(), provider="corporate", now=LATER)

    assert (given, taken) == ({Role.ANALYST}, {Role.ANALYST})
    assert viewer(person, now=LATER + timedelta(days=1)).roles == {Role.OBSERVER}


def test_on_duty_names_who_answers_now_to_the_signed_in(xa: Team) -> None:
    from tansiq.members import actions
    from tansiq.members.queries.people import on_duty

    done = invited(xa, Role.DUTY_OFFICER)
    actions.put_on_duty(
        done.person, team=xa, since=NOW, until=NOW + timedelta(hours=8), by=viewer(done.person), now=NOW
    )

    seen = [(shift.name, shift.until) for shift in on_duty(MOUSSA, "XA-CERT", now=NOW)]

    assert seen == [("Amal", NOW + timedelta(hours=8))]
    assert on_duty(MOUSSA, "XA-CERT", now=NOW + timedelta(hours=8)) == []
    assert on_duty(Viewer(), "XA-CERT", now=NOW) == []


def test_put_on_duty_somebody_of_another_team_is_refused(xa: Team, xf: Team) -> None:
    from tansiq.members import actions
    from tansiq.members.actions.duty import BadShift, NotOfTeam

    person = invited(xf, by=replace(SALMA, team="XF-CERT")).person

    with pytest.raises(NotOfTeam):
        actions.put_on_duty(person, team=xa, since=NOW, until=LATER, by=SALMA, now=NOW)
    with pytest.raises(BadShift):
        actions.put_on_duty(person, team=xa, since=LATER, until=NOW, by=SALMA, now=NOW)


def test_team_people_are_shown_to_the_team_and_the_secretariat_heads_first(xa: Team) -> None:
    from tansiq.members.queries.people import team_people

    invited(xa)
    invited(xa, Role.HEAD, by=GRACE, to="z@cert.example")

    seen = [(member.email, [held.post for held in member.held]) for member in team_people(AMINA, "XA-CERT", now=NOW)]

    assert seen == [("z@cert.example", ["head"]), ("a@cert.example", ["analyst"])]
    assert team_people(GRACE, "XA-CERT", now=NOW) == team_people(AMINA, "XA-CERT", now=NOW)
    assert team_people(MOUSSA, "XA-CERT", now=NOW) == []
