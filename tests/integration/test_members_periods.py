"""The register of membership, and what a viewer is by it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from people import AMINA, GRACE, NOBODY
from tansiq.core.decision import NotAllowed
from tansiq.core.viewer import Role, Viewer

if TYPE_CHECKING:
    from tansiq.members.models import Team

pytestmark = pytest.mark.usefixtures("database")

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = NOW.date()


@pytest.fixture
def xa() -> Team:
    from tansiq.members.models import Team

    return Team.objects.create(code="XA-CERT", name_en="CERT of XA", country="XA")


def analyst_of(team: Team) -> Viewer:
    from tansiq.members.actions.appointments import grant
    from tansiq.members.actions.people import create_person
    from tansiq.members.viewers import viewer_of

    person = create_person("a@cert.example", name="Amal", language="ar")
    grant(person, Role.ANALYST, team=team, granted_by="node", decision="", now=NOW)
    return viewer_of(person, now=NOW)


def test_open_period_makes_the_teams_people_members_of_the_community(xa: Team) -> None:
    from tansiq.members import actions, queries

    actions.open_period(xa, "full", decision="Board 3/2026", since=date(2026, 1, 1), by=GRACE, now=NOW)

    seen = analyst_of(xa)
    assert (seen.memberships, seen.community) == ({"full"}, True)
    (entry,) = queries.periods_of(NOBODY, "XA-CERT", day=DAY)
    assert (entry.state, entry.in_force, entry.decision) == ("active", True, "Board 3/2026")


def test_suspended_member_counts_as_none_until_restored(xa: Team) -> None:
    from tansiq.members import actions, queries

    period = actions.open_period(xa, "full", decision="Board 3", by=GRACE, now=NOW).period
    actions.set_standing(period, "suspended", since=DAY, decision="Board 4", by=GRACE, now=NOW)
    suspended = queries.memberships_of("XA-CERT", day=DAY)
    actions.set_standing(period, "active", since=DAY + timedelta(days=9), decision="GM 11", by=GRACE, now=NOW)

    assert suspended == (frozenset(), False)
    assert queries.memberships_of("XA-CERT", day=DAY + timedelta(days=9)) == ({"full"}, True)


def test_commercial_member_is_of_the_community_by_an_agreement(xa: Team) -> None:
    from tansiq.members import actions, queries

    period = actions.open_period(xa, "commercial", decision="Board 3", by=GRACE, now=NOW).period
    before = queries.memberships_of("XA-CERT", day=DAY)
    actions.agree_community(period, "agreement of 3 May 2026", by=GRACE, now=NOW)

    assert before == ({"commercial"}, False)
    assert queries.memberships_of("XA-CERT", day=DAY) == ({"commercial"}, True)


def test_second_full_member_of_a_state_is_recorded_and_flagged(xa: Team) -> None:
    from tansiq.members import actions, queries
    from tansiq.members.models import Team

    rival = Team.objects.create(code="XA-NCSC", name_en="NCSC of XA", country="XA")
    actions.open_period(xa, "full", decision="Board 3", by=GRACE, now=NOW)

    opened = actions.open_period(rival, "full", decision="Board 4", by=GRACE, now=NOW)

    assert opened.contenders == ("XA-CERT",)
    assert queries.full_member_conflicts(GRACE, day=DAY) == {"XA": ("XA-CERT", "XA-NCSC")}
    assert queries.country_statuses(NOBODY, day=DAY)["XA"].contested


def test_period_open_twice_without_decision_backward_or_unknown_is_refused(xa: Team) -> None:
    from tansiq.members import actions
    from tansiq.members.actions import periods

    actions.open_period(xa, "full", decision="Board 3", by=GRACE, now=NOW)

    with pytest.raises(periods.OpenAlready):
        actions.open_period(xa, "full", decision="Board 3", by=GRACE, now=NOW)
    with pytest.raises(periods.Undecided):
        actions.open_period(xa, "general", decision=" ", by=GRACE, now=NOW)
    with pytest.raises(periods.BadPeriod):
        actions.open_period(xa, "general", decision="x", since=DAY, until=DAY, by=GRACE, now=NOW)
    with pytest.raises(periods.UnknownWord):
        actions.open_period(xa, "royal", decision="x", by=GRACE, now=NOW)
    with pytest.raises(NotAllowed):
        actions.open_period(xa, "general", decision="x", by=AMINA, now=NOW)


def test_ended_period_no_longer_holds_and_leaves_room_for_another(xa: Team) -> None:
    from tansiq.members import actions, queries

    period = actions.open_period(xa, "general", decision="Board 3", since=date(2020, 1, 1), by=GRACE, now=NOW).period

    actions.end_period(period, until=DAY, decision="own wish", by=GRACE, now=NOW)
    actions.open_period(xa, "full", decision="Board 5", since=DAY, by=GRACE, now=NOW)

    found = [(entry.category, entry.state, entry.in_force) for entry in queries.periods_of(GRACE, "XA-CERT", day=DAY)]
    assert found == [("full", "active", True), ("general", "expired", False)]


def test_shipped_directory_has_periods_with_what_they_rest_on() -> None:
    from tansiq.members import queries

    (bangladesh,) = queries.periods_of(NOBODY, "BD-EGOV-CIRT", day=DAY)
    statuses = queries.country_statuses(NOBODY, day=DAY)

    assert (bangladesh.category, bangladesh.since, len(bangladesh.statements)) == ("full", date(2017, 7, 18), 2)
    assert statuses["PK"].categories == ("full", "general")
    assert statuses["AE"].teams == ("AE-AECERT", "AE-HUAWEI")
    assert queries.full_member_conflicts(GRACE, day=DAY) == {}
    assert len(queries.country_statements(NOBODY)) == 27


def test_shipping_again_keeps_statements_periods_and_what_the_register_says() -> None:
    from tansiq.members import actions, queries
    from tansiq.members.models import Membership, MembershipPeriod

    period = MembershipPeriod.objects.get(team__code="MA-MACERT")
    actions.set_standing(period, "suspended", since=DAY, decision="Board 4", by=GRACE, now=NOW)
    before = (
        sorted(Membership.objects.values_list("pk", "note")),
        sorted(MembershipPeriod.objects.values_list("pk", "category", "since", "shipped", "rests_on")),
    )

    actions.ship_directory(now=NOW + timedelta(days=1))

    after = (
        sorted(Membership.objects.values_list("pk", "note")),
        sorted(MembershipPeriod.objects.values_list("pk", "category", "since", "shipped", "rests_on")),
    )
    assert after == before
    assert queries.memberships_of("MA-MACERT", day=DAY) == (frozenset(), False)
