"""The compiled table, asked in columns and one by one, against a plain reading of the rule."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from factories.attribution import NOON, address_table, compiled, events, whois
from tansiq.attribution.table import attribute
from tansiq.attribution.verdicts import NO_CLAIM, NOBODY, Verdict, microseconds, timeline
from tansiq.attribution.whois import Whois
from tansiq.core.claims import Claim

TEAMS = ("XA-CERT", "XE-CERT", "XF-CERT")
CONFIDENCE = {"cidr": 95, "domain": 90, "asn": 80, "country": 60}
BY_FEED = {"asn": 60, "country": 40}
ROUTES = [
    ("192.0.2.0/24", 64496, "XA"),
    ("192.0.2.64/26", 64497, "XE"),
    ("198.51.100.0/24", 0, "XF"),
    ("2001:db8::/32", 64498, "XA"),
    ("2001:db8:0:1::/80", 64499, ""),
]
REGISTERED = {64499: "XE", 64500: "XF"}
NAMES = (
    "example",
    "gov.example",
    "a.gov.example",
    "b.a.gov.example",
    "x.b.a.gov.example",
    "co.uk",
    "a.co.uk",
    "b.a.co.uk",
)


# The rule, read plainly: one event, all claims, no tables.


def lives(claim: Claim, at: datetime) -> bool:
    started = claim.valid_from is None or claim.valid_from <= at
    return claim.verified and started and (claim.valid_until is None or at < claim.valid_until)


def inside(claim: Claim, other: Claim) -> bool:
    if claim.kind != other.kind or claim.value == other.value:
        return False
    if claim.kind == "cidr":
        inner, outer = ip_network(claim.value), ip_network(other.value)
        return inner.version == outer.version and inner.subnet_of(outer)
    return claim.kind == "domain" and claim.value.endswith(f".{other.value}")


def contesters(claim: Claim, live: Sequence[Claim]) -> set[str]:
    same = [other for other in live if (other.kind, other.value, other.team) == (claim.kind, claim.value, claim.team)]
    if any(other.decision for other in same):
        return set()
    around = [other for other in live if other.team != claim.team and inside(claim, other)]
    return {other.team for other in around if not contesters(other, live)}


def covers(claim: Claim, event: dict[str, Any], asn: int | None, country: str | None) -> bool:
    match claim.kind:
        case "cidr":
            return event["ip"] is not None and ip_address(event["ip"]) in ip_network(claim.value)
        case "domain":
            return event["hostname"] is not None and f".{event['hostname']}".endswith(f".{claim.value}")
        case "asn":
            return claim.value == str(asn)
        case _:
            return claim.value == country


def route(ip: str | None) -> tuple[int, str]:
    around = [(ip_network(prefix), asn, country) for prefix, asn, country in ROUTES]
    found = [each for each in around if ip and ip_address(ip) in each[0]]
    if not found:
        return 0, ""
    _prefix, asn, country = max(found, key=lambda each: each[0].prefixlen)
    return asn, country or REGISTERED.get(asn, "")


def ruled(event: dict[str, Any], claims: Sequence[Claim]) -> tuple[str | None, str, str, int]:
    """team, attributed_by, reason, confidence_percent."""
    live = [claim for claim in claims if lives(claim, event["observed_at"])]
    known_asn, known_country = route(event["ip"])
    asn = known_asn or event["feed_asn"]
    country = known_country or event["feed_country"] or REGISTERED.get(asn)
    for kind in ("cidr", "domain", "asn", "country"):
        matching = [claim for claim in live if claim.kind == kind and covers(claim, event, asn, country)]
        if matching:
            by_feed = (kind == "asn" and not known_asn) or (kind == "country" and not known_country)
            return decided(kind, most_specific(matching), live, by_feed=by_feed)
    if asn or country or event["hostname"]:
        return None, "none", "none: no claim covers it", 0
    why = "address not in the table" if event["ip"] else "no address, name, AS or country"
    return None, "none", f"none: {why}", 0


def most_specific(matching: Sequence[Claim]) -> list[Claim]:
    return [claim for claim in matching if not any(inside(other, claim) for other in matching)]


def decided(
    kind: str, claims: Iterable[Claim], live: Sequence[Claim], *, by_feed: bool
) -> tuple[str | None, str, str, int]:
    claims = list(claims)
    key = f"{kind} {'AS' if kind == 'asn' else ''}{claims[0].value}"
    teams = sorted({claim.team for claim in claims})
    others = sorted(set().union(*(contesters(claim, live) for claim in claims)) - set(teams))
    parties = " ".join(teams) + (f" inside {' '.join(others)}" if others else "")
    if len(teams) > 1:
        return None, "tie", f"tie {key}: {parties}", 0
    if others:
        return None, "contested", f"contested {key}: {parties}", 0
    if by_feed:
        return teams[0], kind, f"{key} by feed", BY_FEED[kind]
    return teams[0], kind, key, CONFIDENCE[kind]


# What is drawn: few keys and moments, so that nesting, ties and edges are the rule rather than the exception.

days = st.integers(0, 6).map(lambda day: NOON + timedelta(days=day))


def v4_networks() -> st.SearchStrategy[str]:
    """Chains of networks around few addresses, and now and then any other."""
    base = st.sampled_from(["192.0.2.0", "192.0.2.77", "198.51.100.200"])
    chains = st.tuples(base, st.sampled_from([22, 24, 26, 27, 32]), st.just(0))
    others = st.tuples(base, st.integers(0, 32), st.integers(0, 255))
    return st.one_of(chains, chains, others).map(
        lambda drawn: str(ip_network((int(ip_address(drawn[0])) + drawn[2], drawn[1]), strict=False))
    )


def v6_networks() -> st.SearchStrategy[str]:
    lengths = st.sampled_from([0, 31, 32, 48, 63, 64, 65, 80, 81, 96, 127, 128])
    words = st.sampled_from([0, 1, 1 << 47, 1 << 63, 1 << 64, (1 << 64) + 1, (1 << 64) + (1 << 48), 1 << 80])
    base = int(ip_address("2001:db8::"))
    return st.tuples(words, lengths).map(lambda drawn: str(ip_network((base + drawn[0], drawn[1]), strict=False)))


keys = st.one_of(
    st.tuples(st.just("cidr"), v4_networks()),
    st.tuples(st.just("cidr"), v6_networks()),
    st.tuples(st.just("domain"), st.sampled_from(NAMES)),
    st.tuples(st.just("asn"), st.sampled_from(["64496", "64497", "64499", "64500", "64501"])),
    st.tuples(st.just("country"), st.sampled_from(["XA", "XE", "XF", "XG"])),
)


@st.composite
def drawn_claims(draw: st.DrawFn) -> Claim:
    kind, value = draw(keys)
    start, end = draw(st.none() | days), draw(st.none() | days)
    if start and end and start > end:
        start, end = end, start
    verified = draw(st.sampled_from([True, True, True, False]))
    decision = draw(st.sampled_from(["", "", "", "D-2026-1"]))
    return Claim(draw(st.sampled_from(TEAMS)), kind, value, start, end, verified=verified, decision=decision)


many_claims = st.integers(0, 24).flatmap(lambda size: st.lists(drawn_claims(), min_size=size, max_size=24))
addresses = st.one_of(
    st.none(),
    st.tuples(
        st.sampled_from(["192.0.2.0", "198.51.100.0", "203.0.113.0"]),
        st.sampled_from([0, 77, 200]) | st.integers(0, 255),
    ).map(lambda drawn: str(ip_address(drawn[0]) + drawn[1])),
    v6_networks().map(lambda network: str(ip_network(network)[0])),
    v6_networks().map(lambda network: str(ip_network(network)[-1])),
)
drawn_events = st.fixed_dictionaries(
    {
        "observed_at": days,
        "ip": addresses,
        "hostname": st.none() | st.sampled_from([*NAMES, "www.gov.example", "notgov.example", "www.a.co.uk"]),
        "feed_asn": st.none() | st.sampled_from([64496, 64499, 64500, 64501, 64502]),
        "feed_country": st.none() | st.sampled_from(["XA", "XG", "XH"]),
    }
)


CHAIN = ("192.0.0.0/16", "192.0.2.0/24", "192.0.2.0/26", "192.0.2.0/32")


@st.composite
def chained_claims(draw: st.DrawFn) -> Claim:
    start, end = draw(st.none() | st.none() | days), draw(st.none() | st.none() | days)
    decision = draw(st.sampled_from(["", "", "D-2026-1"]))
    return Claim(draw(st.sampled_from(TEAMS)), "cidr", draw(st.sampled_from(CHAIN)), start, end, decision=decision)


@settings(max_examples=400, deadline=None)
@given(claims=st.lists(chained_claims(), min_size=2, max_size=8), at=days)
def test_timeline_of_nested_networks_follows_the_rule(claims: list[Claim], at: datetime) -> None:
    line = NOBODY

    for value in CHAIN:
        line = timeline("cidr", value, [claim for claim in claims if claim.value == value], line)

        verdict = next(turn.verdict for turn in reversed(line) if turn.at <= microseconds(at))
        event = {"ip": value.partition("/")[0], "hostname": None, "feed_asn": None, "feed_country": None}
        around = [claim for claim in claims if CHAIN.index(claim.value) <= CHAIN.index(value)]
        team, way, reason, percent = ruled(event | {"observed_at": at}, around)
        expected = Verdict(way, team or "", reason, percent) if way != "none" else NO_CLAIM
        assert verdict == expected


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(claims=many_claims, rows=st.lists(drawn_events, min_size=1, max_size=30))
def test_attribute_of_any_claims_and_events_follows_the_rule(claims: list[Claim], rows: list[dict[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        table = compiled(Path(folder), claims, addresses=address_table(ROUTES, registered=REGISTERED))

        found = attribute(events(*rows), table=table)

    verdicts = found.select("team", "attributed_by", "reason", "confidence_percent").rows()
    assert verdicts == [ruled(row, claims) for row in rows]


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(claims=many_claims, rows=st.lists(drawn_events, min_size=1, max_size=30), now=days)
def test_whois_of_any_target_agrees_with_attribute(
    claims: list[Claim], rows: list[dict[str, Any]], now: datetime
) -> None:
    ips = [{"ip": row["ip"], "observed_at": now} for row in rows if row["ip"]]
    hosts = [{"hostname": row["hostname"], "observed_at": now} for row in rows if row["hostname"]]
    systems = [{"feed_asn": row["feed_asn"], "observed_at": now} for row in rows if row["feed_asn"]]
    shared = ["team", "attributed_by", "country", "asn", "as_name", "prefix"]
    with tempfile.TemporaryDirectory() as folder:
        table = compiled(
            Path(folder), claims, addresses=address_table(ROUTES, names={64496: "ONE"}, registered=REGISTERED)
        )
        book = Whois.open(Path(folder))
        assert book

        answers = [book.answer(row["ip"], now=now) for row in ips]
        answers += [book.answer(f"{row['hostname']}.", now=now) for row in hosts]
        answers += [book.answer(f"AS{row['feed_asn']}", now=now) for row in systems]

        in_columns = attribute(events(*ips, *hosts, *systems), table=table)
    assert [tuple(answer[key] for key in shared) for answer in answers] == in_columns.select(shared).rows()
    surest = len(ips) + len(hosts)  # what a person asks for is certain; what a feed says of an AS is less so
    assert [(answer["reason"], answer["confidence_percent"]) for answer in answers[:surest]] == in_columns[
        :surest
    ].select("reason", "confidence_percent").rows()


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(claims=many_claims, networks=st.lists(v4_networks() | v6_networks(), min_size=1), now=days)
def test_whois_of_network_follows_the_claims_around_all_of_it(
    claims: list[Claim], networks: list[str], now: datetime
) -> None:
    claims = [claim for claim in claims if claim.kind == "cidr"]
    live = [claim for claim in claims if lives(claim, now)]
    with tempfile.TemporaryDirectory() as folder:
        book = whois(Path(folder), claims)

        answers = [book.answer(network, now=now) for network in networks]

    for network, answer in zip(networks, answers, strict=True):
        whole = by_claims_around(ip_network(network), live)
        parts = {by_claims_around(ip_network(point), live) for point in edges(network, claims)} - {whole}
        others = {team for team, _way, _reason in parts if team} - {whole[0]}
        others |= {way for _team, way, _reason in parts if way in ("tie", "contested")}
        reason = f"{whole[2]}; parts: {' '.join(sorted(others))}" if others else whole[2]
        assert (answer["team"], answer["attributed_by"], answer["reason"]) == (*whole[:2], reason)


def by_claims_around(network: Any, live: Sequence[Claim]) -> tuple[str | None, str, str]:
    asked = Claim("", "cidr", str(network))
    around = [claim for claim in live if claim.value == asked.value or inside(asked, claim)]
    if not around:
        return None, "none", "none: address not in the table"
    return decided("cidr", most_specific(around), live, by_feed=False)[:3]


def edges(network: str, claims: Sequence[Claim]) -> list[Any]:
    """Every address of the network where the answer may change."""
    asked = ip_network(network)
    around = [ip_network(claim.value) for claim in claims]
    around = [each for each in around if each.version == asked.version]
    points = {int(asked[0])} | {int(each[0]) for each in around} | {int(each[-1]) + 1 for each in around}
    return [asked[point - int(asked[0])] for point in points if int(asked[0]) <= point <= int(asked[-1])]
