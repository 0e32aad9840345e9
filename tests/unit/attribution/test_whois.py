"""One question, one answer."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from factories.attribution import NOON, address_table, compiled, whois
from tansiq.attribution.whois import BadTarget, Whois
from tansiq.core.claims import Claim, TeamCard

ADDRESSES = address_table(
    [
        ("192.0.0.0/16", 64496, "XA"),
        ("192.0.2.0/24", 64497, "XE"),
        ("198.51.100.0/25", 64498, "XF"),
        ("198.51.100.128/25", 64498, "XF"),
        ("2001:db8::/32", 64496, "XA"),
        ("2001:db8:1::/48", 64497, "XE"),
    ],
    names={64496: "ONE-NET", 64499: "NINE-NET"},
    registered={64499: "XF"},
)
CLAIMS = [
    Claim("XA-CERT", "cidr", "192.0.0.0/16"),
    Claim("XA-CERT", "cidr", "2001:db8::/32"),
    Claim("XE-CERT", "domain", "gov.example"),
    Claim("XE-CERT", "asn", "64497"),
    Claim("XF-CERT", "country", "XF"),
]
CONTACT = {"kind": "email", "value": "cert@xa.example"}
TEAMS = [TeamCard("XA-CERT", {"en": "CERT of XA"}, "XA", contacts=(CONTACT,))]


def test_answer_has_exactly_the_keys_of_the_contract(tmp_path: Path) -> None:
    answer = whois(tmp_path, CLAIMS, addresses=ADDRESSES, teams=TEAMS).answer("192.0.1.1", now=NOON)

    assert answer == {
        "target": "192.0.1.1",
        "team": "XA-CERT",
        "country": "XA",
        "asn": 64496,
        "as_name": "ONE-NET",
        "prefix": "192.0.0.0/16",
        "attributed_by": "cidr",
        "confidence_percent": 95,
        "reason": "cidr 192.0.0.0/16",
        "contacts": [CONTACT],
    }


@pytest.mark.parametrize(
    ("target", "team", "reason", "asn", "country", "prefix"),
    [
        ("::ffff:192.0.1.1", "XA-CERT", "cidr 192.0.0.0/16", 64496, "XA", "192.0.0.0/16"),
        ("2001:db8:1::1", "XA-CERT", "cidr 2001:db8::/32", 64497, "XE", "2001:db8:1::/48"),
        ("http://198.51.100.1/a", "XF-CERT", "country XF", 64498, "XF", "198.51.100.0/25"),
        ("203.0.113.1", None, "none: address not in the table", None, None, None),
        ("AS64497", "XE-CERT", "asn AS64497", 64497, None, None),
        ("AS64499", "XF-CERT", "country XF", 64499, "XF", None),
        ("AS64511", None, "none: no claim covers it", 64511, None, None),
        ("XF", "XF-CERT", "country XF", None, "XF", None),
        ("xz", None, "none: no claim covers it", None, "XZ", None),
        ("gov.example", "XE-CERT", "domain gov.example", None, None, None),
        ("https://a.gov.example/x", "XE-CERT", "domain gov.example", None, None, None),
        ("notgov.example", None, "none: no claim covers it", None, None, None),
    ],
)
def test_answer_of_each_kind_of_target(
    tmp_path: Path, target: str, team: str | None, reason: str, asn: int, country: str, prefix: str
) -> None:
    answer = whois(tmp_path, CLAIMS, addresses=ADDRESSES).answer(target, now=NOON)

    shown = {key: answer[key] for key in ("target", "team", "reason", "asn", "country", "prefix")}
    assert shown == {"target": target, "team": team, "reason": reason, "asn": asn, "country": country, "prefix": prefix}


@pytest.mark.parametrize(
    ("target", "team", "reason", "asn", "prefix"),
    [
        ("192.0.1.0/24", "XA-CERT", "cidr 192.0.0.0/16", 64496, "192.0.0.0/16"),
        ("192.0.0.0/16", "XA-CERT", "cidr 192.0.0.0/16", 64496, "192.0.0.0/16"),
        ("192.0.0.0/15", None, "none: no claim covers it; parts: XA-CERT", None, None),
        ("198.51.100.0/24", "XF-CERT", "country XF", 64498, None),
        ("198.51.0.0/16", None, "none: no claim covers it; parts: XF-CERT", None, None),
        ("203.0.113.0/24", None, "none: address not in the table", None, None),
        ("2001:db8::/33", "XA-CERT", "cidr 2001:db8::/32", 64496, "2001:db8::/32"),
        ("2001:db8:1::/64", "XA-CERT", "cidr 2001:db8::/32", 64497, "2001:db8:1::/48"),
        ("::/0", None, "none: no claim covers it; parts: XA-CERT", None, None),
        ("0.0.0.0/0", None, "none: no claim covers it; parts: XA-CERT XF-CERT", None, None),
    ],
)
def test_answer_of_network_is_for_the_whole_of_it(
    tmp_path: Path, target: str, team: str | None, reason: str, asn: int, prefix: str
) -> None:
    answer = whois(tmp_path, CLAIMS, addresses=ADDRESSES).answer(target, now=NOON)

    assert {key: answer[key] for key in ("team", "reason", "asn", "prefix")} == {
        "team": team,
        "reason": reason,
        "asn": asn,
        "prefix": prefix,
    }


def test_answer_of_network_names_those_who_answer_for_parts(tmp_path: Path) -> None:
    inner = [
        Claim("XE-CERT", "cidr", "192.0.2.0/25", decision="D-2026-1"),
        Claim("XF-CERT", "cidr", "192.0.3.0/24"),
    ]

    answer = whois(tmp_path, [*CLAIMS, *inner], addresses=ADDRESSES).answer("192.0.0.0/16", now=NOON)

    assert answer["team"] == "XA-CERT"
    assert answer["reason"] == "cidr 192.0.0.0/16; parts: XE-CERT contested"


def test_answer_of_tie_names_nobody_and_gives_no_contacts(tmp_path: Path) -> None:
    rival = Claim("XF-CERT", "cidr", "192.0.0.0/16")

    answer = whois(tmp_path, [*CLAIMS, rival], addresses=ADDRESSES, teams=TEAMS).answer("192.0.1.1", now=NOON)

    assert (answer["team"], answer["attributed_by"], answer["contacts"]) == (None, "tie", [])
    assert answer["reason"] == "tie cidr 192.0.0.0/16: XA-CERT XF-CERT"


def test_answer_is_judged_at_the_given_time(tmp_path: Path) -> None:
    claim = Claim("XA-CERT", "country", "XA", valid_from=NOON, valid_until=NOON + timedelta(days=1))

    book = whois(tmp_path, [claim])

    moments = (NOON - timedelta(microseconds=1), NOON, NOON + timedelta(days=1))
    assert [book.answer("XA", now=moment)["team"] for moment in moments] == [None, "XA-CERT", None]


def test_answer_of_rubbish_is_refused(tmp_path: Path) -> None:
    book = whois(tmp_path, CLAIMS)

    with pytest.raises(BadTarget, match=r"192\.0\.2\.0/33 is no address"):
        book.answer("192.0.2.0/33", now=NOON)


def test_open_of_folder_without_tables_is_none(tmp_path: Path) -> None:
    assert Whois.open(tmp_path / "nowhere") is None


def test_whois_loads_no_heavy_library(tmp_path: Path) -> None:
    compiled(tmp_path, CLAIMS, addresses=ADDRESSES)
    program = (
        "import sys; from datetime import UTC, datetime; from pathlib import Path\n"
        "from tansiq.attribution.whois import Whois\n"
        "print(Whois.open(Path(sys.argv[1])).answer('192.0.1.1', now=datetime.now(UTC))['team'])\n"
        "print(sorted({'polars', 'numpy', 'django', 'duckdb'} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", program, tmp_path], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines() == ["XA-CERT", "[]"]
