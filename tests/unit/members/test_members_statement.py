"""Reading a file of teams."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tansiq.core.claims import Claim
from tansiq.core.errors import TansiqError
from tansiq.members import document, times, values
from tansiq.members import mistakes as mistakes_module
from tansiq.members.statement import BadStatement, read

LEAST = """
[[team]]
code = "XA-CERT"
name = { en = "CERT of XA" }
claims = { country = ["XA"], asn = [4200000000], cidr = ["192.0.2.0/24", "2001:db8::/48"], domain = ["gov.example"] }
"""


def mistakes(document: str) -> list[tuple[int | None, str, str, str]]:
    with pytest.raises(BadStatement) as refused:
        read(document)
    return [(mistake.row, mistake.team, mistake.field, mistake.error.code) for mistake in refused.value.mistakes]


def team(claims: str = "", more: str = "") -> str:
    return f'[[team]]\ncode = "XA-CERT"\nname = "CERT of XA"\n{more}\nclaims = {{ {claims} }}\n'


def test_read_least_form_gives_verified_claims_of_the_operator() -> None:
    (stated,) = read(LEAST).teams

    assert (stated.code, stated.names, stated.country, stated.kind) == (
        "XA-CERT",
        {"en": "CERT of XA"},
        "XA",
        "national",
    )
    assert stated.claims == [
        Claim("XA-CERT", "cidr", "192.0.2.0/24", source="operator"),
        Claim("XA-CERT", "cidr", "2001:db8::/48", source="operator"),
        Claim("XA-CERT", "domain", "gov.example", source="operator"),
        Claim("XA-CERT", "asn", "4200000000", source="operator"),
        Claim("XA-CERT", "country", "XA", source="operator"),
    ]


def test_read_claim_table_gives_all_that_it_says() -> None:
    claim = (
        '{ value = "192.0.2.0/24", valid_from = 2026-01-01, valid_until = "2026-07-01T02:00:00+02:00", '
        'source = "letter 7", verified = false, decision = "Board 2026/3" }'
    )

    (stated,) = read(team(f"cidr = [{claim}]")).teams

    assert stated.claims == [
        Claim(
            team="XA-CERT",
            kind="cidr",
            value="192.0.2.0/24",
            valid_from=datetime(2026, 1, 1, tzinfo=UTC),
            valid_until=datetime(2026, 7, 1, tzinfo=UTC),
            verified=False,
            source="letter 7",
            decision="Board 2026/3",
        )
    ]


def test_read_team_source_is_the_source_of_its_claims() -> None:
    (stated,) = read(team("asn = [64496]", more='source = "register of XA"')).teams

    assert stated.claims[0].source == "register of XA"


def test_read_contacts_keeps_their_order_and_says_all_fields() -> None:
    contacts = (
        'contacts = [ { kind = "phone", value = "+999 555 0100", role = "duty officer", hours = "24x7" },\n'
        '  { kind = "email", value = "cert@cert.example" }, { kind = "web", value = "https://cert.example/" } ]'
    )

    (stated,) = read(team(more=contacts)).teams

    assert stated.contacts == [
        {"kind": "phone", "value": "+999 555 0100", "role": "duty officer", "hours": "24x7"},
        {"kind": "email", "value": "cert@cert.example", "role": "", "hours": ""},
        {"kind": "web", "value": "https://cert.example/", "role": "", "hours": ""},
    ]


def test_read_same_value_at_times_that_do_not_overlap_is_taken() -> None:
    claims = "asn = [ { value = 64496, valid_until = 2026-01-01 }, { value = 64496, valid_from = 2026-01-01 } ]"

    (stated,) = read(team(claims)).teams

    assert [claim.valid_until for claim in stated.claims] == [datetime(2026, 1, 1, tzinfo=UTC), None]


def test_read_every_mistake_is_found_with_its_line() -> None:
    document = """\
teams = 1
[[team]]
code = "xa"
name = { en = "CERT of XA", de = "CERT von XA" }
colour = "blue"

[team.claims]
cidr = [
  "192.0.2.1/24", # host bits
  "192.0.2.0",
  { value = "198.51.100.0/24", until = 2026-01-01 },
  { value = "203.0.113.0/24", valid_from = 2026-02-01, valid_until = 2026-02-01 },
]
asn = [
  64496,
  64496,
  "AS0",
]
domain = "gov.example"
country = ["UK"]

[[team]]
code = "XE-CERT"
kind = "secret"
claims = { asn = [{ valid_from = "yesterday" }] }
[[team.contacts]]
kind = "email"
value = "nobody"

[[team]]
code = "XE-CERT"
name = { en = "again" }
"""

    assert mistakes(document) == [
        (1, "", "teams", "members.key.unknown"),
        (3, "", "code", "members.team.code"),
        (4, "", "name.de", "members.key.unknown"),
        (5, "", "colour", "members.key.unknown"),
        (9, "", "claims.cidr", "members.cidr.host_bits"),
        (10, "", "claims.cidr", "members.cidr.malformed"),
        (11, "", "claims.cidr.until", "members.key.unknown"),
        (12, "", "claims.cidr", "members.claim.validity"),
        (16, "", "claims.asn", "members.claim.double"),
        (17, "", "claims.asn", "members.asn.reserved"),
        (19, "", "claims.domain", "members.value.type"),
        (20, "", "claims.country", "members.country.unknown"),
        (22, "XE-CERT", "name", "members.key.missing"),
        (24, "XE-CERT", "kind", "members.value.unknown"),
        (25, "XE-CERT", "claims.asn.valid_from", "members.time.malformed"),
        (25, "XE-CERT", "claims.asn", "members.key.missing"),
        (28, "XE-CERT", "contacts.value", "members.contact.malformed"),
        (31, "XE-CERT", "code", "members.team.double"),
    ]


def test_read_double_claim_names_the_line_of_the_first() -> None:
    with pytest.raises(BadStatement) as refused:
        read(team('asn = [\n64496,\n"AS64496" ]'))

    (mistake,) = refused.value.mistakes
    assert (mistake.row, mistake.error.values) == (7, {"value": "64496", "line": 6})


@pytest.mark.parametrize(
    ("document", "row"),
    [
        ("[[team]]\ncode = \n", 2),
        ('[[team]]\ncode = "XA"\ncode = "XB"\n', 3),
        ('a = """never closed\n\n', 1),
        ("x = 2026-13-01\n", 1),
    ],
)
def test_read_what_is_no_toml_names_the_line(document: str, row: int) -> None:
    assert mistakes(document) == [(row, "", "", "members.toml.syntax")]


@pytest.mark.parametrize("document", ["a = " + "[" * 5000 + "]" * 5000, "a = " + "9" * 5000])
def test_read_what_the_toml_reader_cannot_bear_is_refused(document: str) -> None:
    ((_row, _team, _field, code),) = mistakes(document)

    assert code == "members.toml.syntax"


@pytest.mark.parametrize("document", ["", "# only a comment\n", "team = []\n"])
def test_read_without_a_team_is_refused(document: str) -> None:
    assert [code for *_, code in mistakes(document)] == ["members.toml.empty"]


@pytest.mark.parametrize("document", ["team = 1", "[team]\ncode = 'XA'", "team = [1]"])
def test_read_team_that_is_no_list_of_tables_is_refused(document: str) -> None:
    assert mistakes(document) == [(1, "", "team", "members.value.type")]


@pytest.mark.parametrize(
    ("kind", "value"),
    [("email", "a@b"), ("email", "a b@c.example"), ("phone", "112"), ("phone", "tel"), ("web", "cert.example")],
)
def test_read_contact_that_reaches_nobody_is_refused(kind: str, value: str) -> None:
    document = team(more=f'contacts = [ {{ kind = "{kind}", value = "{value}" }} ]')

    assert mistakes(document) == [(4, "XA-CERT", "contacts.value", "members.contact.malformed")]


def test_read_text_with_control_characters_is_refused() -> None:
    document = team('asn = [ { value = 64496, source = "a\\u001b[2Jb" } ]')

    assert mistakes(document) == [(5, "XA-CERT", "claims.asn.source", "members.value.type")]


def test_read_every_example_of_the_reference_is_right() -> None:
    reference = Path(__file__).parents[3] / "docs" / "reference" / "members-toml.md"

    examples = re.findall(r"```toml\n(.*?)```", reference.read_text(encoding="utf-8"), re.DOTALL)

    assert [[team.code for team in read(example).teams] for example in examples] == [["XA-CERT"], ["XA-CERT"]]


def test_reference_lists_every_code_of_a_mistake() -> None:
    reference = (Path(__file__).parents[3] / "docs" / "reference" / "members-toml.md").read_text(encoding="utf-8")
    modules = (document, mistakes_module, times, values)
    classes = [kind for module in modules for kind in vars(module).values() if isinstance(kind, type)]
    codes = {kind.code for kind in classes if issubclass(kind, TansiqError)} - {"error", "members.file.refused"}

    missing = {code for code in codes if f".{code.rpartition('.')[2]}`" not in reference}

    assert codes and missing == set()
