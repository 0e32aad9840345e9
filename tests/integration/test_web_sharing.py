"""Who will be able to see this? The page says what the enforcement says, to those who may ask."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from factories import desk, signin
from tansiq.core.marking import Audience, Marking, Pap, Tlp
from tansiq.core.viewer import Role, Viewer
from tansiq.sharing.preview import Audiences

pytestmark = pytest.mark.usefixtures("database", "contexts")

PAGE = "/sharing/preview/"
TOKEN = re.compile(r'<bdi dir="ltr" class="tech">([^<]+)</bdi>')
RED = Tlp.RED.label


@pytest.fixture(autouse=True)
def federation(database: None) -> None:
    """XA-CERT, whose node this is; XF-CERT, a member and its guest; XE-CERT, of which nobody signs in here."""
    from tansiq.members.models import MembershipPeriod, Node

    home = signin.team_of("XA-CERT")
    named = {"code": "XA-NODE", "name": "XA", "language": "en", "team": home, "set_up_at": signin.now()}
    Node.objects.update_or_create(pk=1, defaults=named)
    for team in (home, signin.team_of("XF-CERT")):
        MembershipPeriod.objects.create(team=team, category="full", recorded_by="node", recorded_at=signin.now())
    signin.team_of("XE-CERT")


@pytest.fixture
def amina(federation: None) -> Any:
    """Her browser; Moussa of XF-CERT and Grace sign in at the same node."""
    for other in ("moussa", "grace"):
        desk.at_door(other)
    return desk.at_door("amina")


def code_of(name: str) -> str:
    from tansiq.members.models import Person

    return str(Person.objects.get(email=f"{name}@cert.example").code)


def ask(client: Any, *, alone: bool = False, **said: Any) -> Any:
    """The page's answer; ``alone``: the part that HTMX takes."""
    more = {"HTTP_HX_REQUEST": "true"} if alone else {}
    return client.post(PAGE, {f"marking-{name}": value for name, value in said.items()}, **more)


def enforced(marking: Marking) -> Audiences:
    """What the function says to Amina."""
    from tansiq.sharing.queries import who_can_see

    by = Viewer(person=code_of("amina"), team="XA-CERT", roles=frozenset({Role.ANALYST}))
    return who_can_see([marking], viewer=by, now=signin.now())


def codes_of(audiences: Audiences) -> set[str]:
    """Of everybody and every host that it names."""
    people = {seer.person for seer in (*audiences.persons, *audiences.constituents)}
    hosts = {host for host in audiences.hosts.values() if host}
    return {*audiences.teams, *(seer.team for seer in audiences.persons if seer.team)} | people | hosts


def named(tlp: Tlp, *, teams: tuple[str, ...] = (), persons: tuple[str, ...] = ()) -> Marking:
    return Marking(tlp, "XA-CERT", Audience.of(teams=teams, persons=[code_of(name) for name in persons]))


@pytest.mark.parametrize(
    ("tlp", "teams", "persons"),
    [
        *((tlp, (), ()) for tlp in Tlp),
        *((tlp, ("XF-CERT",), ()) for tlp in Tlp if tlp is not Tlp.RED),
        *((tlp, (), ("moussa",)) for tlp in Tlp),
        (Tlp.RED, (), ("moussa", "amina", "grace")),
        (Tlp.AMBER, ("XE-CERT", "XF-CERT"), ("grace",)),
    ],
)
def test_page_names_exactly_those_whom_the_enforcement_lets_see(
    amina: Any, tlp: Tlp, teams: tuple[str, ...], persons: tuple[str, ...]
) -> None:
    expected = enforced(named(tlp, teams=teams, persons=persons))

    answer = ask(amina, alone=True, tlp=tlp.label, teams=teams, others=" ".join(code_of(name) for name in persons))

    assert answer.status_code == 200
    assert set(TOKEN.findall(answer.content.decode())) == codes_of(expected)
    assert answer.context["seen"].answer == expected


def test_labels_differ_in_whom_they_show(amina: Any) -> None:
    shown = {tlp: ask(amina, tlp=tlp.label).context["seen"].answer.teams for tlp in Tlp}

    from tansiq.members.models import Team

    green = shown.pop(Tlp.GREEN)
    everybody = tuple(Team.objects.order_by("code").values_list("code", flat=True))
    assert shown == {
        Tlp.RED: (),
        Tlp.AMBER_STRICT: ("XA-CERT",),
        Tlp.AMBER: ("XA-CERT",),
        Tlp.CLEAR: everybody,
    }
    assert [team in green for team in ("XA-CERT", "XF-CERT", "XE-CERT")] == [True, True, False]


def test_rows_say_host_reason_and_programs(amina: Any) -> None:
    rows = ask(amina, tlp="TLP:AMBER", teams=["XE-CERT", "XF-CERT"], others=code_of("grace")).context["seen"].rows

    named_team = "Their team is named in the marking."
    assert [(row.code, row.why, row.host, row.programs) for row in rows] == [
        ("XA-CERT", "It is their own team's.", "XA-NODE", True),
        ("XE-CERT", named_team, "", True),
        ("XF-CERT", named_team, "XA-NODE", True),
        ("", "", "", False),
    ]
    assert [[(one.name, one.why) for one in row.people] for row in rows] == [
        [("Amina", "")],
        [],
        [("Moussa", "")],
        [("Grace", "They are named in the marking.")],
    ]


def test_red_to_a_guest_of_the_node_is_shown_and_said_not_to_be_sent(amina: Any) -> None:
    answer = ask(amina, tlp=RED, persons=[code_of("amina")], others=code_of("moussa"))

    seen = answer.context["seen"]
    assert [[one.name for one in people] for _why, people in seen.not_sent] == [["Moussa"]]
    assert "Their team is hosted on another team&#x27;s node, whose operators could read it." in answer.content.decode()
    assert seen.elsewhere is None


def test_amber_strict_says_how_formats_without_it_label_it(amina: Any) -> None:
    assert ask(amina, tlp="TLP:AMBER+STRICT").context["seen"].elsewhere is Tlp.RED


def test_red_that_shuts_its_own_team_out_is_warned_of(amina: Any) -> None:
    answer = ask(amina, tlp=RED, others=code_of("moussa"))

    assert answer.context["seen"].warnings == (
        "Nobody of a team that this comes from will be able to see it. Name one of its people if they should.",
    )


def test_whole_marking_reaches_the_function(amina: Any) -> None:
    said = {"tlp": "TLP:GREEN", "teams": ["XF-CERT"], "pap": "PAP:AMBER", "note": "لا تُرسل", "others": "p-none"}

    form = ask(amina, **said, embargo_until="2099-03-01T08:00").context["form"]

    assert form.marking() == Marking(
        Tlp.GREEN,
        "XA-CERT",
        Audience.of(teams=["XF-CERT"], persons=["P-NONE"]),
        embargo_until=datetime(2099, 3, 1, 8, tzinfo=UTC),
        pap=Pap.AMBER,
        note="لا تُرسل",
    )


def test_embargo_narrows_the_answer_and_says_when_it_ends(amina: Any) -> None:
    answer = ask(amina, tlp="TLP:CLEAR", embargo_until="2099-03-01T08:00").context["seen"].answer

    assert (answer.teams, answer.changes_at) == (("XA-CERT",), datetime(2099, 3, 1, 8, tzinfo=UTC))


def test_named_person_who_is_not_known_here_is_said(amina: Any) -> None:
    answer = ask(amina, tlp="TLP:AMBER", others="P-ELSEWHERE")

    assert answer.context["seen"].answer.named_unknown == ("P-ELSEWHERE",)


def test_origin_is_always_the_own_team(amina: Any) -> None:
    answer = amina.post(PAGE, {"marking-tlp": "TLP:AMBER", "marking-origin": "XF-CERT", "origin": "XF-CERT"})

    assert answer.context["form"].marking().origin == "XA-CERT"
    assert answer.context["seen"].answer.teams == ("XA-CERT",)


@pytest.mark.parametrize(
    ("said", "field", "sentence"),
    [
        ({}, "tlp", "This field is required."),
        ({"tlp": "TLP:WHITE"}, "tlp", "Select a valid choice. TLP:WHITE is not one of the available choices."),
        (
            {"tlp": RED, "teams": ["XF-CERT"]},
            "teams",
            "TLP:RED names persons, but this marking names the teams XF-CERT. "
            "Name the persons, or use TLP:AMBER+STRICT for whole teams.",
        ),
        (
            {"tlp": RED, "teams": ["XQ-CERT"]},
            "teams",
            "Select a valid choice. XQ-CERT is not one of the available choices.",
        ),
        ({"tlp": RED, "others": "P-OK P/NO"}, "others", "P/NO is not a code of a person."),
        (
            {"tlp": RED, "embargo_until": "2001-01-01T00:00"},
            "embargo_until",
            "This moment is past: an embargo ends in the future.",
        ),
        ({"tlp": RED, "embargo_until": "soon"}, "embargo_until", "Enter a valid date/time."),
        ({"tlp": RED, "note": "a\u202eb"}, "note", "A note stands on one line, without control characters."),
        (
            {"tlp": RED, "note": "x" * 1001},
            "note",
            "Ensure this value has at most 1000 characters (it has 1001).",
        ),
    ],
)
@pytest.mark.parametrize("alone", [False, True])
def test_bad_marking_is_refused_at_its_field_and_nobody_is_named(
    amina: Any, said: dict[str, Any], field: str, sentence: str, alone: bool
) -> None:
    answer = ask(amina, alone=alone, **said)

    assert answer.status_code == 422
    assert answer.context["form"].errors == {field: [sentence]}
    assert "seen" not in answer.context
    assert "This marking cannot be tried yet." in answer.content.decode()


def test_more_names_than_a_marking_may_have_are_refused(amina: Any) -> None:
    answer = ask(amina, tlp=RED, others=" ".join(["P1"] * 1000))

    assert answer.status_code == 422


def test_guest_is_sent_to_sign_in() -> None:
    answer = desk.at_door("nobody").post(PAGE, {"marking-tlp": RED})

    assert (answer.status_code, answer.headers["Location"]) == (302, "/account/login/")


@pytest.mark.parametrize("method", ["get", "post"])
def test_somebody_without_a_team_is_refused_in_words(method: str) -> None:
    grace = desk.at_door("grace")

    answer = getattr(grace, method)(PAGE, {"marking-tlp": RED})

    assert answer.status_code == 403
    assert "Only people who act for a team mark what is that team" in answer.content.decode()
    assert PAGE not in grace.get("/").content.decode()


def test_observer_is_refused(amina: Any) -> None:
    omar = signin.signed_in(signin.with_app(signin.person("omar@cert.example", Role.OBSERVER)), "192.0.2.77")

    assert omar.get(PAGE).status_code == 403


def test_page_is_in_the_navigation_and_costs_the_same_whatever_the_number_of_people(amina: Any) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    amina.get(PAGE)  # the first page of a session does more
    taken = []
    for more in (0, 12):
        for number in range(more):
            signin.person(f"more{number}@cert.example", team="XF-CERT")
        with CaptureQueriesContext(connection) as captured:
            ask(amina, tlp="TLP:GREEN")
        taken.append(len(captured))

    assert PAGE in amina.get("/").content.decode()
    assert taken[0] == taken[1]


def test_long_answers_are_cut_until_the_reader_asks_for_all_of_them(amina: Any) -> None:
    from tansiq.members.models import Team
    from tansiq.web.sharing.views import LISTED

    Team.objects.bulk_create(Team(code=f"XZ-{number:03}", name_en="Team") for number in range(LISTED))

    cut = ask(amina, alone=True, tlp="TLP:CLEAR").content.decode()
    whole = ask(amina, alone=True, tlp="TLP:CLEAR", all="on").content.decode()

    last = f"XZ-{LISTED - 1:03}"
    assert (last in cut, f"Only the first {LISTED} rows are listed." in cut) == (False, True)
    assert (last in whole, "rows are listed" in whole) == (True, False)
