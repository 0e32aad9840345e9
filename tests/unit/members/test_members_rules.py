"""Ties and contested claims."""

from __future__ import annotations

from datetime import UTC, datetime

from tansiq.core.claims import Claim
from tansiq.members.rules import overlaps

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
SUMMER = datetime(2026, 7, 1, tzinfo=UTC)


def said(*claims: Claim) -> set[tuple[str, str, str, tuple[str, ...]]]:
    return {
        (found.claim.team, found.claim.value, found.effect, tuple(sorted(other.team for other in found.others)))
        for found in overlaps(claims)
    }


def test_overlaps_equal_verified_claims_of_two_teams_are_a_tie_for_both() -> None:
    found = said(Claim("XA-CERT", "country", "XA"), Claim("XF-CERT", "country", "XA"))

    assert found == {("XA-CERT", "XA", "tie", ("XF-CERT",)), ("XF-CERT", "XA", "tie", ("XA-CERT",))}


def test_overlaps_unverified_claim_neither_ties_nor_contests() -> None:
    found = said(
        Claim("XA-CERT", "cidr", "192.0.2.0/24", verified=False),
        Claim("XE-CERT", "cidr", "192.0.2.0/24"),
        Claim("XF-CERT", "cidr", "192.0.2.0/25", verified=False),
    )

    assert found == set()


def test_overlaps_claims_one_after_the_other_are_no_tie() -> None:
    found = said(Claim("XA-CERT", "asn", "64496", valid_until=NEW_YEAR), Claim("XF-CERT", "asn", "64496", NEW_YEAR))

    assert found == set()


def test_overlaps_prefix_inside_another_teams_is_contested() -> None:
    found = said(Claim("XA-CERT", "cidr", "192.0.2.0/24"), Claim("XF-CERT", "cidr", "192.0.2.128/25"))

    assert found == {("XF-CERT", "192.0.2.128/25", "contested", ("XA-CERT",))}


def test_overlaps_prefix_with_a_decision_stands() -> None:
    found = said(
        Claim("XA-CERT", "cidr", "2001:db8::/32"), Claim("XF-CERT", "cidr", "2001:db8:1::/48", decision="Board")
    )

    assert found == set()


def test_overlaps_own_enclosing_claim_does_not_contest() -> None:
    found = said(Claim("XA-CERT", "domain", "example"), Claim("XA-CERT", "domain", "gov.example"))

    assert found == set()


def test_overlaps_domain_inside_another_teams_is_contested_on_label_boundaries() -> None:
    found = said(
        Claim("XA-CERT", "domain", "gov.example"),
        Claim("XF-CERT", "domain", "cert.gov.example"),
        Claim("XF-CERT", "domain", "notgov.example"),
        Claim("XF-CERT", "domain", "gov-x.example"),
    )

    assert found == {("XF-CERT", "cert.gov.example", "contested", ("XA-CERT",))}


def test_overlaps_contested_claim_contests_nobody() -> None:
    found = said(
        Claim("XA-CERT", "cidr", "192.0.2.0/24"),
        Claim("XE-CERT", "cidr", "192.0.2.0/25"),
        Claim("XA-CERT", "cidr", "192.0.2.0/26"),
    )

    assert found == {("XE-CERT", "192.0.2.0/25", "contested", ("XA-CERT",))}


def test_overlaps_claim_contested_for_a_time_contests_after_it() -> None:
    found = said(
        Claim("XA-CERT", "cidr", "192.0.2.0/24", valid_until=SUMMER),
        Claim("XE-CERT", "cidr", "192.0.2.0/25"),
        Claim("XF-CERT", "cidr", "192.0.2.0/26", valid_from=NEW_YEAR, decision=""),
    )

    assert found == {
        ("XE-CERT", "192.0.2.0/25", "contested", ("XA-CERT",)),
        ("XF-CERT", "192.0.2.0/26", "contested", ("XA-CERT", "XE-CERT")),
    }


def test_overlaps_prefixes_of_the_two_versions_never_meet() -> None:
    found = said(Claim("XA-CERT", "cidr", "128.0.0.0/1"), Claim("XF-CERT", "cidr", "8000::/2"))

    assert found == set()
