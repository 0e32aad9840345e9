"""Who sees which part of a node's links, and who may do what about them."""

from __future__ import annotations

import pytest

from people import AMINA, CAST, GRACE, MOUSSA, NOBODY, RACHED, key_of, person
from tansiq.core.viewer import Role, Scope, Seat, Viewer
from tansiq.exchange import rules

LIVING = frozenset({"XA-CERT", "XF-CERT"})
"""XA-CERT operates the node, XF-CERT is its guest."""
HEAD = person("hanan", Role.HEAD, team="XA-CERT")


def seen(by: Viewer) -> str:
    decision = rules.may_see_links(operator="XA-CERT", teams=LIVING, by=by)
    return ("" if decision else "no: ") + decision.reason.removeprefix("exchange.links.")


def test_cast_sees_what_each_should() -> None:
    assert {name: seen(by) for name, by in CAST.items()} == {
        "Amina": "whole",
        "Moussa": "own",
        "Grace": "no: not_working",
        "Rached": "no: not_working",
        "Nobody": "no: nobody",
    }


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        (Role.HEAD, "whole"),
        (Role.DUTY_OFFICER, "whole"),
        (Role.ANALYST, "whole"),
        (Role.KEEPER, "no: not_working"),
        (Role.OBSERVER, "no: not_working"),
    ],
)
def test_role_decides_within_the_operators_team(role: Role, expected: str) -> None:
    assert seen(person("one", role, team="XA-CERT")) == expected


def test_team_that_lives_elsewhere_sees_nothing() -> None:
    assert seen(person("one", Role.HEAD, team="XE-CERT")) == "no: not_here"


@pytest.mark.parametrize("seat", list(Seat))
def test_seat_adds_nothing_to_a_role(seat: Seat) -> None:
    beside = [person("one", Role.ANALYST, team=team, seats=(seat,)) for team in ("XA-CERT", "XF-CERT", "XE-CERT")]

    assert [seen(by) for by in beside] == ["whole", "own", "no: not_here"]


def test_key_needs_the_scope_and_sees_what_its_team_sees() -> None:
    keys = [key_of(team, Scope.EXCHANGE_READ) for team in ("XA-CERT", "XF-CERT", "XE-CERT")]

    assert [seen(key) for key in keys] == ["whole", "own", "no: not_here"]
    assert seen(key_of("XA-CERT", *(set(Scope) - {Scope.EXCHANGE_READ}))) == "no: sharing.key.scope"


def test_before_an_operator_is_known_nobody_is_it() -> None:
    for by in (AMINA, HEAD, key_of("XA-CERT", Scope.EXCHANGE_READ)):
        assert not rules.may_see_links(operator="", teams=(), by=by)
        assert not rules.may_compare(operator="", by=by)
        assert not rules.may_end_alarm(operator="", by=by)


def test_work_of_the_node_itself_looks_at_no_page() -> None:
    assert seen(Viewer.system(because="inbox")) == "no: nobody"


def test_people_of_the_operator_compare_and_their_answerable_ones_end_alarms() -> None:
    everybody = {"head": HEAD, "analyst": AMINA, "guest": MOUSSA, "seat": GRACE, "none": RACHED, "nobody": NOBODY}
    everybody["key"] = key_of("XA-CERT", Scope.EXCHANGE_READ)

    compare = {name for name, by in everybody.items() if rules.may_compare(operator="XA-CERT", by=by)}
    end = {name for name, by in everybody.items() if rules.may_end_alarm(operator="XA-CERT", by=by)}

    assert (compare, end) == ({"head", "analyst"}, {"head"})
