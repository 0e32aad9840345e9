"""Every address of the real lists, attributed by the program and by a plain longest-prefix match written only here."""

from __future__ import annotations

import gzip
import ipaddress
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the real data (../shared/data) is not here")

LISTS = ("ipsum/ipsum-20260822.txt.gz", *(f"plain-lists-20260816/{name}" for name in ("sans.txt.gz", "log4j.txt.gz")))
PLAIN = (
    "sip",
    "threatfox",
    "tor-exit",
    "compromised-ips",
    "binarydefense",
    "alienvault",
    "cobaltstrike_ips",
    "rutgers",
)


class LongestMatch:
    """Prefix -> value; one dictionary a prefix length, the longest asked first."""

    def __init__(self) -> None:
        self.tables: dict[tuple[int, int], dict[int, Any]] = {}

    def add(self, prefix: str, value: Any) -> None:
        network = ipaddress.ip_network(prefix, strict=False)
        bits = network.max_prefixlen - network.prefixlen
        self.tables.setdefault((network.version, network.prefixlen), {})[int(network.network_address) >> bits] = value

    def find(self, address: str) -> tuple[Any, int]:
        parsed = ipaddress.ip_address(address)
        for version, length in sorted(self.tables, reverse=True):
            if version == parsed.version:
                key = int(parsed) >> (parsed.max_prefixlen - length)
                if key in self.tables[version, length]:
                    return self.tables[version, length][key], length
        return None, -1


def rows(path: Path) -> list[str]:
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    return [line for line in text.split("\n") if line.strip() and line[0] not in ";#"]


@pytest.fixture(scope="module")
def truth() -> tuple[LongestMatch, LongestMatch]:
    countries, origins = LongestMatch(), LongestMatch()
    for row in rows(DATA / "ip/ipverse-20260201/ipv4-country.csv.gz")[1:]:
        countries.add(*row.split(","))
    for row in rows(DATA / "ip/bgp/ipasn6_20151101.dat.gz"):
        prefix, asn = row.split("\t")
        if ":" not in prefix:
            origins.add(prefix, int(asn))
    return countries, origins


def claims(countries: LongestMatch) -> tuple[str, dict[str, str], dict[int, str], LongestMatch]:
    """A federation of the states most seen, with CIDR and ASN claims of real blocks, as TOML and as the test's own."""
    states = ("ID", "TR", "PK", "EG", "MA", "BD", "IR", "SA", "NG", "MY", "KZ", "AE")
    by_asn, by_cidr, text = {}, LongestMatch(), []
    for number, state in enumerate(states):
        blocks = sorted(
            str(ipaddress.ip_network((key << 32 - length, length)))
            for (version, length), table in countries.tables.items()
            for key, value in table.items()
            if version == 4 and value == state and length <= 22
        )[:: 40 - number]
        systems = [17974 + number * 7, 9121 + number]
        for block in blocks:
            by_cidr.add(block, f"X{state}-CERT")
        by_asn |= dict.fromkeys(systems, f"X{state}-CERT")
        given = f"country = {json.dumps([state])}, asn = {json.dumps(systems)}, cidr = {json.dumps(blocks)}"
        text.append(f'[[team]]\ncode = "X{state}-CERT"\nname = {{ en = "{state}" }}\nclaims = {{ {given} }}\n')
    return "\n".join(text), {state: f"X{state}-CERT" for state in states}, by_asn, by_cidr


def test_every_address_of_the_real_lists_agrees_with_a_plain_longest_match(
    run: Any, tmp_path: Path, truth: tuple[LongestMatch, LongestMatch]
) -> None:
    countries, origins = truth
    folder = tmp_path / "geo-20260201"
    folder.mkdir()
    for source in ("ip/ipverse-20260201/ipv4-country.csv.gz", "ip/bgp/ipasn6_20151101.dat.gz"):
        shutil.copy(DATA / source, folder)
    toml, by_country, by_asn, by_cidr = claims(countries)
    (tmp_path / "claims.toml").write_text(toml)
    assert run("geo", "update", "--from", folder, "--json").returncode == 0
    imported = run("members", "import", tmp_path / "claims.toml", "--json")
    assert imported.returncode == 0, imported.stdout + imported.stderr
    files = [DATA / "feeds" / name for name in LISTS]
    files += [DATA / "feeds/plain-lists-20260816" / f"{name}.txt" for name in PLAIN]

    assert run("feeds", "ingest", "auto", *files, "--json").returncode == 0
    events = [json.loads(line) for line in run("events", "query", "--json").stdout.splitlines()]

    wrong = []
    for event in events:
        country = countries.find(event["ip"])[0]
        asn, length = origins.find(event["ip"])
        claimed = by_cidr.find(event["ip"])[0]
        shipped = event["team"] if event["team"] and not event["team"].startswith("X") else None
        if claimed:
            team, way = claimed, "cidr"
        elif asn in by_asn:
            team, way = by_asn[asn], "asn"
        elif country in by_country or shipped:
            team, way = by_country.get(country, shipped), "country"
        else:
            team, way = None, "none"
        network = str(ipaddress.ip_network(f"{event['ip']}/{length}", strict=False)) if length >= 0 else None
        mine = (event["team"], event["attributed_by"], event["country"], event["asn"])
        if mine != (team, way, country, asn) or (network and event["prefix"] != network):
            wrong.append((event["ip"], mine, (team, way, country, asn), event["prefix"], network))
    assert len(events) > 150_000
    assert {event["attributed_by"] for event in events} == {"cidr", "asn", "country", "none"}
    assert not wrong, f"{len(wrong)} of {len(events)} differ, for instance {wrong[:3]}"
