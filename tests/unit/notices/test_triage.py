from __future__ import annotations

import polars as pl
import pytest

from tansiq.notices.triage import Dispute, disputes, involving, read


@pytest.mark.parametrize(
    ("reason", "way", "value", "teams"),
    [
        ("tie country XA: XA-CERT XF-CERT", "tie", "XA", ("XA-CERT", "XF-CERT")),
        ("tie asn AS64496: XA-CERT XE-CERT XF-CERT", "tie", "AS64496", ("XA-CERT", "XE-CERT", "XF-CERT")),
        ("contested cidr 192.0.2.0/24: XF-CERT inside XA-CERT", "contested", "192.0.2.0/24", ("XF-CERT", "XA-CERT")),
        ("contested cidr 2001:db8::/48: XF-CERT inside XA-CERT", "contested", "2001:db8::/48", ("XF-CERT", "XA-CERT")),
        ("contested domain gov.example: XF-CERT inside XA-CERT", "contested", "gov.example", ("XF-CERT", "XA-CERT")),
        ("contested something nobody foresaw", "contested", "", ()),
        ("", "", "", ()),
    ],
)
def test_read_of_a_stored_reason_names_the_claim_and_the_teams(
    reason: str, way: str, value: str, teams: tuple[str, ...]
) -> None:
    assert read(reason) == Dispute(reason, way, value, teams, 0, 0)


def test_disputes_of_events_are_counted_by_reason_the_most_first() -> None:
    one, other = "tie country XA: XA-CERT XF-CERT", "tie country XE: XE-CERT XF-CERT"
    counted = pl.DataFrame({"reason": [one, other], "events": [1, 2], "sightings": [5, 3]})

    found = disputes(counted)

    assert [(dispute.reason, dispute.events, dispute.sightings) for dispute in found] == [(other, 2, 3), (one, 1, 5)]


def test_involving_a_team_gives_its_disputes_only() -> None:
    one, other = read("tie country XA: XA-CERT XF-CERT"), read("tie country XE: XE-CERT XF-CERT")

    assert involving("XA-CERT", (one, other)) == (one,)
    assert involving("XF-CERT", (one, other)) == (one, other)
    assert involving("XF", (one, other)) == ()
