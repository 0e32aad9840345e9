"""Events in columns: what decides, in which order, and what is said of it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from factories.attribution import AS_OF, NOON, address_table, compiled, events
from tansiq.attribution.table import attribute
from tansiq.core.claims import Claim
from tansiq.core.columns import PARSED, STORED

MICROSECOND = timedelta(microseconds=1)
ADDED = (
    *("domain", "prefix", "asn", "as_name", "country", "team", "attributed_by", "reason"),
    *("confidence_percent", "claims_version", "addresses_as_of"),
)
ADDRESSES = address_table(
    [
        ("192.0.2.0/24", 64496, "XA"),
        ("192.0.2.128/25", 64497, "XE"),
        ("203.0.113.0/24", 64499, ""),
        ("2001:db8::/32", 64498, "XF"),
        ("2001:db8:0:0:8000::/65", 64500, "XF"),
    ],
    names={64496: "ONE-NET\nXA", 64497: "TWO-NET"},
    registered={64499: "XE", 64501: "XF"},
)
LEVELS = [
    Claim("XA-CERT", "cidr", "192.0.2.0/26"),
    Claim("XE-CERT", "domain", "gov.example"),
    Claim("XF-CERT", "asn", "64496"),
    Claim("XG-CERT", "country", "XA"),
]


def verdicts(events: pl.DataFrame) -> list[tuple[str | None, str, str, int]]:
    return events.select("team", "attributed_by", "reason", "confidence_percent").rows()


def test_attribute_adds_columns_of_the_stored_types(tmp_path: Path) -> None:
    table = compiled(tmp_path, LEVELS, addresses=ADDRESSES)

    found = attribute(events({"ip": "192.0.2.1"}), table=table)

    assert found.columns == [*PARSED, *ADDED]
    assert {name: found.schema[name] for name in ADDED} == {name: STORED[name] for name in ADDED}


def test_attribute_says_where_the_address_is_and_by_which_tables(tmp_path: Path) -> None:
    table = compiled(tmp_path, LEVELS, addresses=ADDRESSES, number=12)

    found = attribute(events({"ip": "192.0.2.1"}, {"ip": "192.0.2.200"}, {"ip": "2001:db8::1"}), table=table)

    assert found.select("prefix", "asn", "as_name", "country", "claims_version", "addresses_as_of").rows() == [
        ("192.0.2.0/24", 64496, "ONE-NET XA", "XA", 12, AS_OF),
        ("192.0.2.128/25", 64497, "TWO-NET", "XE", 12, AS_OF),
        ("2001:db8::/32", 64498, None, "XF", 12, AS_OF),
    ]


def test_attribute_of_address_within_a_split_64_is_exact(tmp_path: Path) -> None:
    table = compiled(tmp_path, addresses=ADDRESSES)

    found = attribute(events({"ip": "2001:db8::7fff:ffff:ffff:ffff"}, {"ip": "2001:db8::8000:0:0:0"}), table=table)

    assert found["prefix"].to_list() == ["2001:db8::/32", "2001:db8:0:0:8000::/65"]


def test_attribute_asks_network_domain_system_country_in_this_order(tmp_path: Path) -> None:
    table = compiled(tmp_path, LEVELS, addresses=ADDRESSES)
    rows = [
        {"ip": "192.0.2.1", "hostname": "www.gov.example"},
        {"ip": "192.0.2.65", "hostname": "www.gov.example"},
        {"ip": "192.0.2.65", "hostname": "www.other.example"},
        {"ip": "192.0.2.129", "feed_country": "XA"},
    ]

    found = attribute(events(*rows), table=table)

    assert verdicts(found) == [
        ("XA-CERT", "cidr", "cidr 192.0.2.0/26", 95),
        ("XE-CERT", "domain", "domain gov.example", 90),
        ("XF-CERT", "asn", "asn AS64496", 80),
        (None, "none", "none: no claim covers it", 0),
    ]


def test_attribute_by_country_of_the_table(tmp_path: Path) -> None:
    table = compiled(tmp_path, [Claim("XG-CERT", "country", "XA")], addresses=ADDRESSES)

    found = attribute(events({"ip": "192.0.2.1"}), table=table)

    assert verdicts(found) == [("XG-CERT", "country", "country XA", 60)]


@pytest.mark.parametrize("claim", LEVELS, ids=lambda claim: claim.kind)
def test_attribute_ignores_unverified_claim_even_as_rival(tmp_path: Path, claim: Claim) -> None:
    rival = Claim("XH-CERT", claim.kind, claim.value, verified=False)
    event = events({"ip": "192.0.2.1", "hostname": "gov.example"})
    table = compiled(tmp_path / "both", [claim, rival], addresses=ADDRESSES)
    alone = compiled(tmp_path / "alone", [rival], addresses=ADDRESSES)

    assert attribute(event, table=table)["team"].to_list() == [claim.team]
    assert verdicts(attribute(event, table=alone)) == [(None, "none", "none: no claim covers it", 0)]


@pytest.mark.parametrize("claim", LEVELS, ids=lambda claim: claim.kind)
def test_attribute_judges_validity_at_the_time_of_the_event(tmp_path: Path, claim: Claim) -> None:
    bounded = Claim(claim.team, claim.kind, claim.value, NOON, NOON + timedelta(days=1))
    moments = [NOON - MICROSECOND, NOON, bounded.valid_until - MICROSECOND, bounded.valid_until]  # type: ignore[operator]
    table = compiled(tmp_path, [bounded], addresses=ADDRESSES)

    found = attribute(
        events(*({"ip": "192.0.2.1", "hostname": "gov.example", "observed_at": moment} for moment in moments)),
        table=table,
    )

    assert found["team"].to_list() == [None, claim.team, claim.team, None]


@pytest.mark.parametrize(
    ("claim", "key"),
    list(zip(LEVELS, ("cidr 192.0.2.0/26", "domain gov.example", "asn AS64496", "country XA"), strict=True)),
    ids=lambda each: getattr(each, "kind", ""),
)
def test_attribute_stops_at_a_tie(tmp_path: Path, claim: Claim, key: str) -> None:
    below = LEVELS[LEVELS.index(claim) :]
    table = compiled(tmp_path, [*below, Claim("XH-CERT", claim.kind, claim.value)], addresses=ADDRESSES)

    found = attribute(events({"ip": "192.0.2.1", "hostname": "gov.example"}), table=table)

    assert verdicts(found) == [(None, "tie", f"tie {key}: {claim.team} XH-CERT", 0)]


def test_attribute_stops_at_a_contested_network(tmp_path: Path) -> None:
    table = compiled(tmp_path, [*LEVELS, Claim("XH-CERT", "cidr", "192.0.2.0/30")], addresses=ADDRESSES)

    found = attribute(events({"ip": "192.0.2.1"}, {"ip": "192.0.2.4"}), table=table)

    assert verdicts(found) == [
        (None, "contested", "contested cidr 192.0.2.0/30: XH-CERT inside XA-CERT", 0),
        ("XA-CERT", "cidr", "cidr 192.0.2.0/26", 95),
    ]


def test_attribute_stops_at_a_contested_domain(tmp_path: Path) -> None:
    table = compiled(tmp_path, [*LEVELS, Claim("XH-CERT", "domain", "health.gov.example")])

    found = attribute(
        events({"hostname": "www.health.gov.example"}, {"hostname": "nothealth.gov.example"}), table=table
    )

    assert verdicts(found) == [
        (None, "contested", "contested domain health.gov.example: XH-CERT inside XE-CERT", 0),
        ("XE-CERT", "domain", "domain gov.example", 90),
    ]


def test_attribute_of_domain_matches_on_label_boundaries_only(tmp_path: Path) -> None:
    table = compiled(tmp_path, [Claim("XE-CERT", "domain", "gov.example"), Claim("XA-CERT", "domain", "uk")])
    names = ["gov.example", "a.gov.example", "notgov.example", "example", "b.co.uk", "co.uk", "uk", "uk.example"]

    found = attribute(events(*({"hostname": name} for name in names)), table=table)

    assert found["team"].to_list() == ["XE-CERT", "XE-CERT", None, None, "XA-CERT", "XA-CERT", "XA-CERT", None]


def test_attribute_takes_the_name_of_the_url_where_there_is_no_host(tmp_path: Path) -> None:
    table = compiled(tmp_path, [Claim("XE-CERT", "domain", "gov.example")])
    url = "https://www.gov.example/login"

    found = attribute(events({"url": url}, {"url": url, "hostname": "host.other.example"}), table=table)

    assert found.select("domain", "team").rows() == [("gov.example", "XE-CERT"), ("other.example", None)]


def test_attribute_takes_the_literal_address_of_the_url_where_there_is_no_other(tmp_path: Path) -> None:
    table = compiled(tmp_path, LEVELS, addresses=ADDRESSES)
    rows = [{"url": "http://192.0.2.1:8080/a"}, {"url": "http://192.0.2.1/a", "ip": "192.0.2.200"}]

    found = attribute(events(*rows), table=table)

    assert found.select("prefix", "team").rows() == [("192.0.2.0/24", "XA-CERT"), ("192.0.2.128/25", None)]


def test_attribute_trusts_the_feed_only_where_the_table_knows_nothing(tmp_path: Path) -> None:
    table = compiled(tmp_path, LEVELS, addresses=ADDRESSES)
    rows = [
        {"ip": "198.51.100.1", "feed_asn": 64496, "feed_country": "XB"},
        {"ip": "198.51.100.1", "feed_country": "XA"},
        {"ip": "192.0.2.200", "feed_asn": 64496, "feed_country": "XA"},
    ]

    found = attribute(events(*rows), table=table)

    assert found.select("asn", "country").rows() == [(64496, "XB"), (None, "XA"), (64497, "XE")]
    assert verdicts(found) == [
        ("XF-CERT", "asn", "asn AS64496 by feed", 60),
        ("XG-CERT", "country", "country XA by feed", 40),
        (None, "none", "none: no claim covers it", 0),
    ]


def test_attribute_says_of_system_and_country_apart_whether_only_the_feed_knows(tmp_path: Path) -> None:
    addresses = address_table([("192.0.2.0/24", 64496, ""), ("198.51.100.0/24", 0, "XA")])
    feed = {"feed_asn": 64496, "feed_country": "XA"}
    rows = [{"ip": "192.0.2.1", **feed}, {"ip": "198.51.100.1", **feed}]
    by_system = compiled(tmp_path / "asn", [Claim("XF-CERT", "asn", "64496")], addresses=addresses)
    by_country = compiled(tmp_path / "country", [Claim("XG-CERT", "country", "XA")], addresses=addresses)

    reasons = [attribute(events(*rows), table=table)["reason"].to_list() for table in (by_system, by_country)]

    assert reasons == [["asn AS64496", "asn AS64496 by feed"], ["country XA by feed", "country XA"]]


def test_attribute_takes_the_registered_country_of_the_system(tmp_path: Path) -> None:
    claims = [Claim("XE-CERT", "country", "XE"), Claim("XF-CERT", "country", "XF")]
    table = compiled(tmp_path, claims, addresses=ADDRESSES)

    found = attribute(events({"ip": "203.0.113.9"}, {"feed_asn": 64501}), table=table)

    assert found["country"].to_list() == ["XE", "XF"]
    assert verdicts(found) == [
        ("XE-CERT", "country", "country XE", 60),
        ("XF-CERT", "country", "country XF by feed", 40),
    ]


def test_attribute_keeps_what_the_feed_says_of_unknown_systems(tmp_path: Path) -> None:
    table = compiled(tmp_path, LEVELS, addresses=ADDRESSES)

    found = attribute(events({"feed_asn": 64511, "feed_country": "XZ"}, {"feed_asn": 0}), table=table)

    assert found.select("asn", "as_name", "country", "attributed_by").rows() == [
        (64511, None, "XZ", "none"),
        (None, None, None, "none"),
    ]


def test_attribute_says_why_there_is_nobody(tmp_path: Path) -> None:
    table = compiled(tmp_path, LEVELS, addresses=ADDRESSES)

    found = attribute(events({"ip": "192.0.2.200"}, {"ip": "198.51.100.1"}, {}), table=table)

    assert found["reason"].to_list() == [
        "none: no claim covers it",
        "none: address not in the table",
        "none: no address, name, AS or country",
    ]


def test_attribute_without_address_table_uses_claims_alone(tmp_path: Path) -> None:
    table = compiled(tmp_path, LEVELS, addresses=None)

    found = attribute(events({"ip": "192.0.2.1"}, {"ip": "192.0.2.65", "feed_country": "XA"}), table=table)

    assert found["team"].to_list() == ["XA-CERT", "XG-CERT"]
    assert found["addresses_as_of"].to_list() == [None, None]


def test_attribute_without_claims_names_nobody(tmp_path: Path) -> None:
    table = compiled(tmp_path, [], addresses=ADDRESSES)

    found = attribute(events({"ip": "192.0.2.1", "hostname": "gov.example"}), table=table)

    assert found.select("asn", "team", "attributed_by").rows() == [(64496, None, "none")]


def test_attribute_of_no_events_gives_none(tmp_path: Path) -> None:
    table = compiled(tmp_path, LEVELS, addresses=ADDRESSES)

    found = attribute(events(), table=table)

    assert found.columns == [*PARSED, *ADDED]
    assert len(found) == 0


def test_attribute_keeps_rows_and_their_order(tmp_path: Path) -> None:
    table = compiled(tmp_path, LEVELS, addresses=ADDRESSES)
    rows = [{"line_number": n, "ip": f"192.0.2.{n % 256}" if n % 3 else None} for n in range(3000)]
    before = events(*rows)

    found = attribute(before, table=table)

    assert found.select(list(PARSED)).equals(before)
