"""Laws of the directory's files and of overlapping claims."""

from __future__ import annotations

import ipaddress
import json
import tomllib
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tansiq.core.claims import Claim
from tansiq.core.errors import TansiqError
from tansiq.members import values
from tansiq.members.positions import Path, rows
from tansiq.members.rules import overlaps
from tansiq.members.statement import BadStatement, read

DAY_ONE = datetime(2026, 1, 1, tzinfo=UTC)
moments = st.integers(0, 3).map(lambda day: DAY_ONE + timedelta(days=day))
spans = st.tuples(st.none() | moments, st.none() | moments).filter(lambda s: None in s or s[0] < s[1])
prefixes = st.integers(24, 28).flatmap(
    lambda length: st.integers(0, 15).map(
        lambda host: str(ipaddress.ip_network(f"192.0.2.{host}/{length}", strict=False))
    )
)
domains = st.lists(st.sampled_from(["a", "b"]), max_size=2).map(lambda labels: ".".join([*labels, "example"]))
subjects = prefixes.map(lambda p: ("cidr", p)) | domains.map(lambda d: ("domain", d)) | st.just(("asn", "64496"))


@st.composite
def claims(draw: st.DrawFn) -> Claim:
    kind, value = draw(subjects)
    since, until = draw(spans)
    team = draw(st.sampled_from(["XA-CERT", "XE-CERT", "XF-CERT"]))
    decision = draw(st.sampled_from(["", "", "Board"]))
    return Claim(team, kind, value, since, until, draw(st.booleans() | st.just(True)), "", decision)


def live(claim: Claim, at: datetime) -> bool:
    return (
        claim.verified
        and (claim.valid_from is None or claim.valid_from <= at)
        and (claim.valid_until is None or at < claim.valid_until)
    )


def inside(inner: Claim, outer: Claim) -> bool:
    """Strictly."""
    if inner.kind != outer.kind or inner.value == outer.value:
        return False
    if inner.kind == "cidr":
        return ipaddress.ip_network(inner.value).subnet_of(ipaddress.ip_network(outer.value))  # type: ignore[arg-type]
    return inner.kind == "domain" and inner.value.endswith(f".{outer.value}")


def naive(said: list[Claim]) -> set[tuple[str, Claim, Claim]]:
    """The rule word by word, moment by moment, all pairs."""
    found = set()
    for at in [DAY_ONE + timedelta(days=day, hours=-12) for day in range(5)]:
        present = sorted((c for c in said if live(c, at)), key=lambda c: (c.kind, len(c.value.split(".")), breadth(c)))
        contested: set[int] = set()
        for index, claim in enumerate(present):
            for other in present[:index]:
                if other.team == claim.team:
                    continue
                if inside(claim, other) and not claim.decision and id(other) not in contested:
                    contested.add(id(claim))
                    found.add(("contested", claim, other))
        found |= {
            ("tie", one, other)
            for one in present
            for other in present
            if one.team != other.team and (one.kind, one.value) == (other.kind, other.value)
        }
    return found


def breadth(claim: Claim) -> int:
    return ipaddress.ip_network(claim.value).prefixlen if claim.kind == "cidr" else 0


@given(st.lists(claims(), max_size=8))
def test_overlaps_agree_with_the_rule_applied_moment_by_moment(said: list[Claim]) -> None:
    found = {(overlap.effect, overlap.claim, other) for overlap in overlaps(said) for other in overlap.others}

    assert found == naive(said)


texts = st.text(st.characters(codec="utf-8", exclude_characters="\r", exclude_categories=["Cc"]), max_size=8)
plain = st.integers(-5, 5) | st.booleans() | texts
trees = st.recursive(plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3))
breaks = st.sampled_from(["", "\n", " # x]}\"'\n"])


@st.composite
def written(draw: st.DrawFn, value: Any, *, inline: bool = False) -> str:
    """``value`` as TOML, with line breaks and comments wherever they may stand."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        quoted = json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        if not inline and draw(st.booleans()):
            return f'"""\n{quoted[1:-1]}"""'
        return quoted
    if isinstance(value, list):
        parts = [draw(breaks) + draw(written(item, inline=inline)) + draw(breaks) for item in value]
        return "[" + ",".join(parts) + "]"
    pairs = [
        f"{json.dumps(key, ensure_ascii=False)} = {draw(written(item, inline=True))}" for key, item in value.items()
    ]
    return "{ " + ", ".join(pairs) + " }"


def paths(value: Any, path: Path = ()) -> set[Path]:
    inner = enumerate(value) if isinstance(value, list) else value.items() if isinstance(value, dict) else ()
    return {path}.union(*(paths(item, (*path, key)) for key, item in inner)) if inner else {path}


@given(st.dictionaries(texts, trees, max_size=4), st.data())
def test_rows_knows_every_value_of_a_document_at_its_line(tree: dict[str, Any], data: st.DataObject) -> None:
    document, expected = "", {}
    for key, value in tree.items():
        expected[(key,)] = document.count("\n") + 1
        document += f"{json.dumps(key, ensure_ascii=False)} = {data.draw(written(value))}\n"

    found = rows(document)

    assert tomllib.loads(document) == tree
    assert set(found) == paths(tree) - {()}
    assert {path: found[path] for path in expected} == expected


@given(st.ip_addresses(), st.data())
def test_prefix_of_any_network_is_spelled_as_the_standard_library_spells_it(address: Any, data: st.DataObject) -> None:
    length = data.draw(st.integers(1, address.max_prefixlen))
    network = ipaddress.ip_network((address, length), strict=False)
    mapped = address.version == 6 and network.network_address.ipv4_mapped and length >= 96

    if not mapped:
        assert values.prefix(str(network)) == str(network)


@given(st.text() | st.binary() | st.integers() | st.none() | st.floats() | st.lists(st.integers()))
def test_canonical_of_anything_is_itself_again_or_a_clear_error(value: Any) -> None:
    for kind in ("cidr", "domain", "asn", "country"):
        try:
            spelled = values.canonical(kind, value, decided=True)
        except TansiqError as error:
            assert error.code.startswith("members.") and str(error)
        else:
            assert values.canonical(kind, spelled, decided=True) == spelled


@given(st.dictionaries(st.sampled_from(["code", "name", "claims", "kind", "contacts", "x"]), trees, max_size=4))
def test_read_of_any_team_gives_teams_or_mistakes_with_lines(team: dict[str, Any]) -> None:
    lines = [f"{key} = {json.dumps(value)}" for key, value in team.items() if not isinstance(value, dict)]
    document = "[[team]]\n" + "\n".join(lines)

    try:
        stated = read(document)
    except BadStatement as refused:
        assert all(mistake.row and str(mistake.error) for mistake in refused.mistakes)
    else:
        assert len(stated.teams) == 1
