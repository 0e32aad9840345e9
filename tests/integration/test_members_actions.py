"""What imports leave in the database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tansiq.core.claims import Claim, TeamCard
from tansiq.members.statement import read

if TYPE_CHECKING:
    from tansiq.members.actions import Imported

pytestmark = pytest.mark.usefixtures("database")

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=30)


def imported(document: str, *, now: datetime = NOW, dry_run: bool = False) -> Imported:
    from tansiq.members.actions import import_statement

    return import_statement(read(document), now=now, dry_run=dry_run)


def team(claims: str, *, code: str = "XA-CERT", more: str = "") -> str:
    return f'[[team]]\ncode = "{code}"\nname = {{ en = "{code}" }}\n{more}\nclaims = {{ {claims} }}\n'


def claims_of(*codes: str) -> list[Claim]:
    from tansiq.members import queries

    return [claim for claim in queries.claims() if claim.team in codes]


def number() -> int:
    from tansiq.members import queries

    return queries.claims_version()


def test_ship_directory_sets_up_states_teams_and_one_claim_a_country() -> None:
    from tansiq.members import queries
    from tansiq.members.models import Country

    shipped = {claim.value: claim.team for claim in queries.claims()}

    assert Country.objects.count() == 57
    assert len(queries.team_cards()) == 30
    assert len(shipped) == len(queries.claims()) == 27
    assert shipped["PK"] == "PK-NR3C"


def test_ship_directory_again_changes_nothing() -> None:
    from tansiq.members.actions import ship_directory

    before = number(), claims_of("MA-MACERT")

    counts = ship_directory(now=LATER)

    assert counts.teams == {"new": 0, "changed": 0, "unchanged": 30}
    assert (number(), claims_of("MA-MACERT")) == before


def test_ship_directory_after_an_import_leaves_the_operators_word() -> None:
    from tansiq.members.actions import ship_directory

    imported(team('country = ["MA"]') + team('country = ["TN"]', code="SA-CERT"))

    ship_directory(now=LATER)

    assert claims_of("MA-MACERT", "TN-TUNCERT") == []
    assert [(claim.value, claim.valid_until) for claim in claims_of("SA-CERT")] == [("SA", NOW), ("TN", None)]


def test_import_new_team_stores_claims_and_raises_the_number() -> None:
    before = number()

    result = imported(team('asn = [64496], cidr = ["192.0.2.0/24"]'))

    assert result.counts.teams == {"new": 1, "changed": 0, "unchanged": 0}
    assert result.counts.claims_version == number() == before + 1
    assert claims_of("XA-CERT") == [
        Claim("XA-CERT", "cidr", "192.0.2.0/24", source="operator"),
        Claim("XA-CERT", "asn", "64496", source="operator"),
    ]


def test_import_same_file_twice_changes_nothing() -> None:
    document = team(
        "asn = [{ value = 64496, valid_from = 2026-01-01, valid_until = 2027-01-01, verified = false }, 64497]",
        more='contacts = [ { kind = "email", value = "cert@cert.example", hours = "24x7" } ]',
    )
    imported(document)
    before = number(), claims_of("XA-CERT")

    again = imported(document, now=LATER).counts

    assert (again.teams["unchanged"], again.claims_new, again.claims_ended, again.claims_changed) == (1, 0, 0, 0)
    assert (number(), claims_of("XA-CERT")) == before


def test_import_claim_no_longer_listed_ends_now_and_keeps_its_past() -> None:
    imported(team("asn = [64496, 64497]"))

    result = imported(team("asn = [64497]"), now=LATER)

    assert result.counts.claims_ended == 1
    assert [(claim.value, claim.valid_until) for claim in claims_of("XA-CERT")] == [("64496", LATER), ("64497", None)]


def test_import_claim_ended_before_does_not_end_again() -> None:
    imported(team("asn = [64496]"))
    imported(team(""), now=LATER)
    before = number()

    result = imported(team(""), now=LATER + timedelta(days=1))

    assert (result.counts.claims_ended, number()) == (0, before)


def test_import_claim_that_has_not_begun_and_is_no_longer_listed_is_withdrawn() -> None:
    imported(team("asn = [{ value = 64496, valid_from = 2026-12-01 }]"))

    result = imported(team(""), now=LATER)

    assert (result.counts.claims_ended, claims_of("XA-CERT")) == (1, [])


def test_import_claim_restated_holds_as_the_file_says_past_included() -> None:
    imported(team("asn = [64496]"))

    result = imported(team("asn = [{ value = 64496, valid_until = 2026-02-01 }]"), now=LATER)

    assert (result.counts.claims_new, result.counts.claims_ended) == (1, 1)
    assert [claim.valid_until for claim in claims_of("XA-CERT")] == [datetime(2026, 2, 1, tzinfo=UTC)]


def test_import_claim_with_another_source_is_annotated_and_stays() -> None:
    imported(team("asn = [64496]"))

    result = imported(team('asn = [{ value = 64496, source = "letter 7", decision = "Board 3" }]'), now=LATER)

    assert (result.counts.claims_new, result.counts.claims_changed, result.counts.claims_ended) == (0, 1, 0)
    assert [(claim.source, claim.decision) for claim in claims_of("XA-CERT")] == [("letter 7", "Board 3")]


def test_import_leaves_teams_alone_that_the_file_does_not_name() -> None:
    imported(team("asn = [64496]", code="XE-CERT"))

    imported(team("asn = [64497]"), now=LATER)

    assert [claim.valid_until for claim in claims_of("XE-CERT")] == [None]


def test_import_verified_country_makes_the_shipped_claim_give_way() -> None:
    result = imported(team('country = ["MA"]'))

    assert [(claim.team, claim.value) for claim in result.counts.superseded] == [("MA-MACERT", "MA")]
    assert [claim.team for claim in claims_of("MA-MACERT", "XA-CERT")] == ["XA-CERT"]
    assert result.overlaps == []


def test_import_unverified_country_leaves_the_shipped_claim() -> None:
    result = imported(team('country = [{ value = "MA", verified = false }]'))

    assert result.counts.superseded == []
    assert [claim.team for claim in claims_of("MA-MACERT")] == ["MA-MACERT"]


def test_import_of_a_shipped_team_with_its_country_keeps_the_claim_as_the_operators() -> None:
    imported(team('country = ["MA"]', code="MA-MACERT"))

    result = imported(team('country = ["MA"]'), now=LATER)

    assert result.counts.superseded == []
    assert [(found.overlap.claim.team, found.overlap.effect, found.row) for found in result.overlaps] == [
        ("MA-MACERT", "tie", 5),
        ("XA-CERT", "tie", 5),
    ]


def test_import_lists_overlaps_at_the_line_of_the_file_that_has_part_in_them() -> None:
    imported(team('cidr = ["192.0.2.0/25"]', code="XE-CERT"))

    result = imported(team('domain = ["gov.example"],\ncidr = ["192.0.2.0/24"]'.replace("\n", " "), more="\n\n"))

    assert [(found.row, found.overlap.claim.team, found.overlap.effect) for found in result.overlaps] == [
        (7, "XE-CERT", "contested")
    ]


def test_import_says_nothing_of_overlaps_that_others_have() -> None:
    imported(team("asn = [64496]", code="XE-CERT") + team("asn = [64496]", code="XF-CERT"))

    result = imported(team("asn = [64497]"), now=LATER)

    assert result.overlaps == []


def test_import_dry_run_counts_and_changes_nothing() -> None:
    before = number()

    result = imported(team('country = ["MA"]'), dry_run=True)

    assert (result.counts.claims_new, len(result.counts.superseded)) == (1, 1)
    assert (number(), claims_of("XA-CERT")) == (before, [])
    assert [claim.team for claim in claims_of("MA-MACERT")] == ["MA-MACERT"]


def test_import_contacts_replace_the_old_ones_and_raise_the_number() -> None:
    from tansiq.members import queries

    imported(team("", more='contacts = [ { kind = "email", value = "old@cert.example" } ]'))
    before = number()

    imported(team("", more='contacts = [ { kind = "email", value = "new@cert.example", role = "duty" } ]'))

    (card,) = [card for card in queries.team_cards() if card.code == "XA-CERT"]
    assert number() == before + 1
    assert card == TeamCard(
        "XA-CERT", {"en": "XA-CERT"}, "", ({"kind": "email", "value": "new@cert.example", "role": "duty"},)
    )


def test_directory_counts_claims_in_force_alone() -> None:
    from tansiq.members import queries

    imported(
        team("asn = [64496, { value = 64497, valid_until = 2026-01-01 }, { value = 64498, valid_from = 2027-01-01 }]")
    )

    (entry,) = [entry for entry in queries.directory(now=NOW) if entry.card.code == "XA-CERT"]

    assert entry.claims == {"asn": 1}


def test_directory_takes_the_same_few_queries_whatever_the_number_of_teams() -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from tansiq.members import queries

    imported("".join(team(f"asn = [{64496 + i}]", code=f"XA-{i}") for i in range(10)))

    with CaptureQueriesContext(connection) as captured:
        queries.directory(now=NOW)

    assert len(captured) == 7


def test_database_refuses_a_claim_that_ends_before_it_begins() -> None:
    from django.db import IntegrityError

    from tansiq.members import models

    team = models.Team.objects.get(code="MA-MACERT")
    backward = {"valid_from": LATER, "valid_until": NOW, "verified": True, "source": "", "stated_at": NOW}

    with pytest.raises(IntegrityError, match="claim_validity_in_order"):
        models.Claim.objects.create(team=team, kind="asn", value="64496", **backward)


def test_database_refuses_the_same_open_claim_twice() -> None:
    from django.db import IntegrityError

    from tansiq.members import models

    team = models.Team.objects.get(code="MA-MACERT")

    with pytest.raises(IntegrityError):
        models.Claim.objects.create(team=team, kind="country", value="MA", verified=True, source="", stated_at=NOW)
