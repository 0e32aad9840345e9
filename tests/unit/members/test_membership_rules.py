"""What follows from periods of membership."""

from __future__ import annotations

from datetime import date

import pytest

from people import AMINA, GRACE, NOBODY, key_of
from tansiq.members.rules import (
    PeriodFacts,
    StandingFacts,
    full_member_conflicts,
    in_community,
    in_force,
    may_keep_register,
    state_on,
)

DAY = date(2026, 3, 1)
EARLIER, LATER = date(2026, 2, 1), date(2026, 4, 1)


def period(category: str = "full", *standings: tuple[str, date], team: str = "XA-CERT", **more: object) -> PeriodFacts:
    told = tuple(StandingFacts(state, since) for state, since in standings)
    return PeriodFacts(team, team[:2], category, standings=told, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (period(), True),
        (period(since=DAY), True),
        (period(since=LATER), False),
        (period(until=DAY), False),
        (period(until=LATER), True),
        (period("full", ("suspended", EARLIER)), False),
        (period("full", ("suspended", LATER)), True),
        (period("full", ("suspended", EARLIER), ("active", DAY)), True),
        (period("full", ("revoked", EARLIER)), False),
    ],
)
def test_period_is_in_force_between_its_days_and_while_active(facts: PeriodFacts, expected: bool) -> None:
    assert in_force(facts, DAY) is expected


def test_of_two_standings_of_one_day_the_later_recorded_holds() -> None:
    facts = period("full", ("suspended", DAY), ("active", DAY))

    assert state_on(facts, DAY) == "active"


@pytest.mark.parametrize(
    ("category", "agreement", "expected"),
    [
        ("full", "", True),
        ("general", "", True),
        ("affiliate", "", True),
        ("professional", "", True),
        ("partner", "", True),
        ("commercial", "", False),
        ("commercial", "agreement of 3 May 2026", True),
        ("fellow", "", False),
        ("honorary", "", False),
    ],
)
def test_community_is_as_the_matrix_of_rights_says(category: str, agreement: str, expected: bool) -> None:
    assert in_community([period(category, community_agreement=agreement)], DAY) is expected


def test_suspended_member_is_not_of_the_community() -> None:
    assert not in_community([period("full", ("suspended", EARLIER))], DAY)


def test_second_voting_full_member_of_a_state_is_a_conflict() -> None:
    periods = [
        period(team="XA-CERT"),
        period(team="XA-NCSC"),
        period("general", team="XA-LAB"),
        period(team="XF-CERT"),
        period("full", ("suspended", EARLIER), team="XF-NCSC"),
    ]

    assert full_member_conflicts(periods, DAY) == {"XA": ("XA-CERT", "XA-NCSC")}


def test_register_is_kept_by_the_secretariat_alone() -> None:
    assert may_keep_register(by=GRACE)
    assert [bool(may_keep_register(by=by)) for by in (AMINA, NOBODY, key_of("XA-CERT"))] == [False] * 3
