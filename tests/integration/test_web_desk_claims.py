"""What a team answers for, from the proposal to the decision; and the register that the Secretariat keeps."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from factories import desk, signin

pytestmark = pytest.mark.usefixtures("database", "contexts")

PREFIX = {"kind": "cidr", "value": "192.0.2.0/24", "evidence": "Allocated to us by the registry."}


@pytest.fixture(autouse=True)
def teams(database: None) -> None:
    signin.team_of("XA-CERT")
    signin.team_of("XF-CERT")


def queries_of(read: Callable[[], Any]) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        assert read().status_code == 200
    return len(captured)


def claims(team: str = "XA-CERT") -> list[tuple[str, bool]]:
    from tansiq.members.models import Claim

    return list(Claim.objects.filter(team__code=team).order_by("pk").values_list("value", "verified"))


def number_of(value: str) -> int:
    from tansiq.members.models import Claim

    return Claim.objects.get(value=value).pk


def propose(name: str, team: str, **said: str) -> Any:
    return desk.at_door(name).post(f"/teams/{team}/claims/", PREFIX | said)


@pytest.mark.parametrize("name", ["karim", "hanan"])
def test_keeper_and_head_propose_a_claim_without_effect(name: str) -> None:
    answer = propose(name, "XA-CERT")

    assert answer.status_code == 303
    assert claims() == [("192.0.2.0/24", False)]


@pytest.mark.parametrize("name", ["amina", "grace"])
def test_analyst_and_secretariat_do_not_propose_for_a_team(name: str) -> None:
    answer = propose(name, "XA-CERT")

    assert answer.status_code == 403
    assert "What XA-CERT answers for is claimed by its head or its constituency keeper." in answer.content.decode()
    assert claims() == []


@pytest.mark.parametrize(
    ("said", "field", "sentence"),
    [
        ({"value": "192.0.2.7/24"}, "value", "192.0.2.7/24 has bits set beyond its length."),
        ({"kind": "asn", "value": "0"}, "value", "AS0 belongs to nobody (RFC 7607)."),
        ({"kind": "domain", "value": "https://x"}, "value", "https://x is not a domain name."),
        ({"kind": "country", "value": "UK"}, "value", "UK is not a country code."),
        ({"evidence": ""}, "evidence", "Nothing says why the team answers for 192.0.2.0/24."),
        ({"url": "javascript:alert(1)"}, "url", "javascript:alert(1) is no address of a document"),
        ({"valid_from": "2030-01-02T00:00", "valid_until": "2030-01-01T00:00"}, "valid_until", "It ends ("),
    ],
)
def test_claim_with_a_mistake_is_refused_at_its_field(said: dict[str, str], field: str, sentence: str) -> None:
    answer = propose("karim", "XA-CERT", **said)

    assert answer.status_code == 422
    [error] = answer.context["form"].errors[field]
    assert error.startswith(sentence)
    assert claims() == []


def test_grace_verifies_a_claim_with_a_note_and_is_led_back_to_the_register() -> None:
    propose("karim", "XA-CERT")
    grace = desk.at_door("grace")
    waiting = [claim.value for claim in grace.get("/register/").context["waiting"]]

    said = {"outcome": "verify", "note": "Seen in the registry.", "next": "/register/"}
    answer = grace.post(f"/teams/XA-CERT/claims/{number_of('192.0.2.0/24')}/judge/", said)

    assert waiting == ["192.0.2.0/24"]
    assert answer.headers["Location"] == "/register/"
    assert claims() == [("192.0.2.0/24", True)]
    assert grace.get("/register/").context["waiting"] == []


def test_grace_refuses_a_claim_and_the_team_reads_why() -> None:
    propose("karim", "XA-CERT")
    number = number_of("192.0.2.0/24")

    desk.at_door("grace").post(
        f"/teams/XA-CERT/claims/{number}/judge/",
        {"outcome": "refuse", "note": "It is XF's.", "next": "//evil.example/"},
    )

    shown = desk.at_door("amina").get("/teams/XA-CERT/claims/")
    assert [(claim.state, claim.note) for claim, _effect in shown.context["rows"]] == [("refused", "It is XF's.")]


def test_judging_without_a_note_changes_nothing_and_says_so() -> None:
    propose("karim", "XA-CERT")

    grace = desk.at_door("grace")
    number = number_of("192.0.2.0/24")
    answer = grace.post(f"/teams/XA-CERT/claims/{number}/judge/", {"outcome": "verify"}, follow=True)

    assert "Nothing says why the team answers for 192.0.2.0/24." in answer.content.decode()
    assert claims() == [("192.0.2.0/24", False)]


@pytest.mark.parametrize(("name", "status"), [("hanan", 403), ("karim", 403), ("fatou", 404)])
def test_nobody_but_the_secretariat_judges(name: str, status: int) -> None:
    propose("karim" if name != "karim" else "hanan", "XA-CERT")
    number = number_of("192.0.2.0/24")

    answer = desk.at_door(name).post(f"/teams/XA-CERT/claims/{number}/judge/", {"outcome": "verify", "note": "x"})

    assert answer.status_code == status
    assert claims() == [("192.0.2.0/24", False)]


def test_overlap_is_shown_to_both_sides_and_stands_after_a_decision() -> None:
    propose("karim", "XA-CERT")
    propose("fatou", "XF-CERT", value="192.0.2.128/25")
    grace = desk.at_door("grace")
    inner = number_of("192.0.2.128/25")
    for team, number in (("XA-CERT", number_of("192.0.2.0/24")), ("XF-CERT", inner)):
        grace.post(f"/teams/{team}/claims/{number}/judge/", {"outcome": "verify", "note": "Seen."})
    sides = [
        desk.at_door(name).get(f"/teams/{team}/claims/") for name, team in (("amina", "XA-CERT"), ("moussa", "XF-CERT"))
    ]

    grace.post(f"/teams/XF-CERT/claims/{inner}/decide/", {"decision": "Agreed on 14 April"})

    assert [[overlap.value for overlap in side.context["overlaps"]] for side in sides] == [["192.0.2.128/25"]] * 2
    assert b"Record the decision" not in sides[0].content + sides[1].content
    assert grace.get("/register/").context["overlaps"] == []


def test_head_ends_a_claim_and_the_other_team_cannot() -> None:
    propose("karim", "XA-CERT")
    number = number_of("192.0.2.0/24")

    strange = desk.at_door("fatou").post(f"/teams/XA-CERT/claims/{number}/end/")
    done = desk.at_door("hanan").post(f"/teams/XA-CERT/claims/{number}/end/")

    assert (strange.status_code, done.status_code) == (404, 303)
    assert desk.at_door("amina").get("/teams/XA-CERT/claims/").context["rows"] == []


def test_claims_page_and_register_cost_the_same_with_one_and_with_three() -> None:
    propose("karim", "XA-CERT")
    grace = desk.at_door("grace")
    grace.get("/register/")
    before = [queries_of(lambda: grace.get("/register/")), queries_of(lambda: grace.get("/teams/XA-CERT/claims/"))]
    for value in ("198.51.100.0/24", "203.0.113.0/24"):
        propose_again(value)

    after = [queries_of(lambda: grace.get("/register/")), queries_of(lambda: grace.get("/teams/XA-CERT/claims/"))]

    assert after == before


def propose_again(value: str) -> None:
    from people import person
    from tansiq.core.viewer import Role
    from tansiq.members import actions
    from tansiq.members.models import Team

    by = person("karim", Role.KEEPER, team="XA-CERT")
    team = Team.objects.get(code="XA-CERT")
    actions.propose_claim(team, "cidr", value, evidence="Ours.", by=by, now=signin.now())


@pytest.mark.parametrize(("name", "status"), [("nobody", 302), ("amina", 403), ("fatou", 403), ("yusuf", 403)])
@pytest.mark.parametrize("page", ["/register/", "/register/import/", "/register/export.toml"])
def test_register_is_the_secretariats(name: str, status: int, page: str) -> None:
    assert desk.at_door(name).get(page).status_code == status


def test_grace_opens_suspends_reinstates_and_ends_a_membership_each_by_a_decision() -> None:
    from tansiq.members import queries
    from tansiq.members.models import MembershipPeriod

    grace = desk.at_door("grace")
    opened = grace.post(
        "/teams/XA-CERT/membership/",
        {"category": "full", "since": "2020-01-31", "since_precision": "day", "decision": "Resolution 3"},
    )
    number = MembershipPeriod.objects.get(team__code="XA-CERT").pk
    address = f"/teams/XA-CERT/membership/{number}"
    for state, since in (("suspended", "2024-01-01"), ("active", "2024-06-01")):
        said = {"state": state, "since": since, "decision": "Board 7"}
        assert grace.post(f"{address}/standing/", said).status_code == 303
    grace.post(f"{address}/end/", {"until": "2025-01-01", "decision": "Letter of the team"})

    [entry] = queries.periods_of(_viewer(), "XA-CERT", day=date(2026, 1, 1))
    assert opened.status_code == 303
    assert (entry.since, entry.until, entry.in_force) == (date(2020, 1, 31), date(2025, 1, 1), False)
    assert [(each.state, each.decision) for each in entry.standings] == [
        ("suspended", "Board 7"),
        ("active", "Board 7"),
        ("expired", "Letter of the team"),
    ]


def _viewer() -> Any:
    from people import GRACE

    return GRACE


def test_membership_without_a_decision_is_refused_at_its_field() -> None:
    answer = desk.at_door("grace").post("/teams/XA-CERT/membership/", {"category": "full", "since_precision": "day"})

    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == ["decision"]


@pytest.mark.parametrize(("name", "status"), [("hanan", 403), ("fatou", 404)])
def test_head_does_not_keep_the_membership(name: str, status: int) -> None:
    desk_ = desk.at_door(name)

    assert desk_.get("/teams/XA-CERT/membership/").status_code == status
    assert desk_.post("/teams/XA-CERT/membership/", {"category": "full"}).status_code == status


def test_two_full_members_of_one_state_are_shown_in_the_register() -> None:
    from tansiq.members.models import Team

    Team.objects.create(code="XA-OTHER", name_en="Other", country="XA")
    grace = desk.at_door("grace")
    for team in ("XA-CERT", "XA-OTHER"):
        said = {"category": "full", "since": "2020-01-31", "since_precision": "day", "decision": "Resolution 3"}
        grace.post(f"/teams/{team}/membership/", said)

    assert ("XA", ("XA-CERT", "XA-OTHER")) in list(grace.get("/register/").context["conflicts"])
    assert grace.get("/teams/XA-CERT/membership/").context["contenders"] == ["XA-OTHER"]
