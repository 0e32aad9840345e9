"""What the pages of the directory show to whom, at how many queries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from people import AMINA, GRACE, MOUSSA, NOBODY

if TYPE_CHECKING:
    from collections.abc import Callable

    from tansiq.members.models import Team

pytestmark = pytest.mark.usefixtures("database")

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def xf() -> Team:
    from tansiq.members.models import Team

    return Team.objects.create(code="XF-CERT", name_fr="CERT de XF", name_ar="الفريق الأوّل", country="XF")


def queries_of(read: Callable[[], object]) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        read()
    return len(captured)


def found(**wishes: str) -> list[str]:
    from tansiq.members import queries

    return [entry.code for entry in queries.directory_entries(NOBODY, now=NOW, **wishes)]


@pytest.mark.parametrize(
    ("search", "codes"),
    [
        ("macert", ["MA-MACERT"]),
        ("  Côte d’ivoire ", ["CI-CERT"]),
        ("cote divoire", ["CI-CERT"]),
        ("الاردن", ["JO-CERT"]),
        ("tunisie", ["TN-TUNCERT"]),
        ("corée", ["KR-DUZON"]),
        ("الفريق الاول", ["XF-CERT"]),
        ("no such team", []),
    ],
)
def test_search_finds_codes_names_and_countries_as_typed(xf: Team, search: str, codes: list[str]) -> None:
    assert found(search=search) == codes


def test_directory_by_category_and_country() -> None:
    assert found(category="general") == ["PK-PISA", "UG-CERT"]
    assert found(category="none") == ["KR-DUZON"]
    assert found(country="AE") == ["AE-AECERT", "AE-HUAWEI"]
    assert found(country="AE", category="full") == ["AE-AECERT"]


def test_directory_entry_shows_a_suspended_member_as_such() -> None:
    from tansiq.members import actions, queries
    from tansiq.members.models import MembershipPeriod

    period = MembershipPeriod.objects.get(team__code="MA-MACERT")
    actions.set_standing(period, "suspended", since=NOW.date(), decision="Board 4", by=GRACE, now=NOW)

    (entry,) = queries.directory_entries(NOBODY, now=NOW, search="macert")

    assert (entry.categories, entry.suspended) == ((), ("full",))


def test_directory_map_and_team_page_take_as_many_queries_for_30_teams_as_for_2000(xf: Team) -> None:
    from tansiq.members import queries
    from tansiq.members.models import MembershipPeriod, Team

    def reads() -> list[int]:
        return [
            queries_of(lambda: queries.directory_entries(NOBODY, now=NOW, search="cert")),
            queries_of(lambda: queries.map_entries(NOBODY, now=NOW)),
            queries_of(lambda: queries.team_page(AMINA, "XF-CERT", now=NOW)),
        ]

    few = reads()
    more = Team.objects.bulk_create(Team(code=f"XA-{i}", name_en=f"Team {i}", country="XA") for i in range(1970))
    MembershipPeriod.objects.bulk_create(
        MembershipPeriod(team=team, category="general", recorded_by="x", recorded_at=NOW) for team in more
    )

    assert reads() == few
    assert few[:2] == [6, 8]


def test_map_has_57_states_and_countries_from_outside() -> None:
    from tansiq.members import queries

    entries = {entry.country: entry for entry in queries.map_entries(NOBODY, now=NOW)}

    assert sum(entry.state for entry in entries.values()) == 57
    assert {code for code, entry in entries.items() if not entry.state} == {"GB", "KR", "US"}
    assert (entries["PK"].categories, entries["YE"].categories) == (("full", "general"), ())
    assert [said["source"][:6] for said in entries["YE"].statements] == ["UNIDIR"]
    assert entries["KR"].name.fr == "Corée du Sud"


def test_team_page_of_another_team_shows_contacts_to_the_community_and_records_it(xf: Team) -> None:
    from tansiq.audit.models import Entry
    from tansiq.members import actions, queries

    actions.add_contact(xf, kind="email", value="in@cert.example", by=MOUSSA, now=NOW)
    actions.add_contact(xf, kind="email", value="public@cert.example", public=True, by=MOUSSA, now=NOW)

    pages = {
        name: queries.team_page(viewer, "XF-CERT", now=NOW)
        for name, viewer in (("nobody", NOBODY), ("own", MOUSSA), ("other", AMINA))
    }

    assert {name: len(page.contacts) for name, page in pages.items() if page} == {"nobody": 1, "own": 2, "other": 2}
    read = Entry.objects.filter(verb="item.read").values_list("who", "item_kind", "item_id")
    assert list(read) == [("P-AMINA", "contacts", "XF-CERT")]


def test_team_page_says_who_may_keep_what_and_hides_people_from_others(xf: Team) -> None:
    from tansiq.core.viewer import Role
    from tansiq.members import actions, queries

    actions.invite("h@cert.example", post=Role.HEAD, team=xf, by=GRACE, now=NOW, name="H")
    own, other, nobody = (queries.team_page(v, "XF-CERT", now=NOW) for v in (MOUSSA, AMINA, NOBODY))

    assert own and other and nobody
    assert (len(own.people), len(other.people), len(nobody.people)) == (1, 0, 0)
    assert (own.may_keep_contacts, own.may_keep_claims, other.may_keep_contacts) == (True, False, False)
    assert queries.team_page(AMINA, "XX-NONE", now=NOW) is None


def test_team_page_shows_contradicting_statements_side_by_side() -> None:
    from tansiq.members import queries

    page = queries.team_page(NOBODY, "BN-BRUCERT", now=NOW + timedelta(days=1))

    assert page
    assert [(said["category"], said["board"]) for said in page.statements] == [("", True), ("full", False)]
    assert page.entry.board
