"""What is written is read again: files of teams, with everything that the register keeps."""

from __future__ import annotations

import ipaddress
from datetime import UTC, date, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tansiq.core.claims import Claim
from tansiq.core.text import Text
from tansiq.members.register_statement import ROLES, StatedPeriod, StatedPerson, StatedStanding
from tansiq.members.rfc2350 import NUMBERS
from tansiq.members.statement import StatedTeam, read
from tansiq.members.words import CATEGORIES, CONTACT_KINDS, HOURS, POSTS, STANDINGS, TEAM_KINDS
from tansiq.members.written import written

printable = st.characters(codec="utf-8", categories=("L", "M", "N", "P", "S"), include_characters=" ")
lines = st.text(printable, max_size=20).map(str.strip)
names = st.text(st.sampled_from('aZ9é"\\ #=[]ف'), min_size=1, max_size=20).map(lambda name: f"X {name}".strip())
words = st.lists(lines, max_size=4).map(lambda parts: "\n".join(parts).strip())
days = st.dates(date(1990, 1, 1), date(2090, 1, 1))
moments = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)).map(lambda moment: moment.replace(tzinfo=UTC))
spans = st.lists(moments, min_size=2, max_size=2, unique=True).map(sorted).map(tuple) | st.sampled_from([(None, None)])
values = {
    "email": st.just("cert@cert.example"),
    "phone": st.just("+999 555 0100"),
    "fax": st.just("+999 555 0101"),
    "web": st.just("https://cert.example/"),
    "post": names,
}


@st.composite
def contacts(draw: st.DrawFn) -> dict[str, object]:
    kind = draw(st.sampled_from(CONTACT_KINDS))
    said: dict[str, object] = {"kind": kind, "value": draw(values[kind]), "role": draw(lines)}
    said["hours"] = draw(st.sampled_from(("", *HOURS)))
    more = {
        "post": draw(st.sampled_from(("", *POSTS))),
        "public": draw(st.booleans()),
        "person": draw(st.sampled_from(["", "P-4F7K2M"])),
        "confirmed_at": draw(st.none() | moments),
    }
    return said | {key: value for key, value in more.items() if value}


@st.composite
def claims(draw: st.DrawFn, team: str, source: str) -> list[Claim]:
    numbers = draw(st.lists(st.integers(64496, 64511), max_size=3, unique=True))
    prefixes = draw(st.lists(st.integers(0, 255), max_size=3, unique=True))
    stated = [("cidr", str(ipaddress.ip_network(f"192.0.2.{host}/32"))) for host in prefixes]
    stated += [("asn", str(number)) for number in numbers]
    found = []
    for kind, value in stated:
        since, until = draw(spans)
        claimed_by = draw(lines) or source or "operator"
        found.append(Claim(team, kind, value, since, until, draw(st.booleans()), claimed_by, draw(lines)))
    return found


@st.composite
def periods(draw: st.DrawFn, category: str) -> StatedPeriod:
    since, precision = draw(st.none() | days), "day"
    if since and draw(st.booleans()):
        precision = draw(st.sampled_from(["month", "year"]))
        since = since.replace(day=1) if precision == "month" else since.replace(day=1, month=1)
    until = draw(st.none() | st.dates(since + timedelta(days=1) if since else date(1990, 1, 1), date(2091, 1, 1)))
    standings = draw(st.lists(st.builds(StatedStanding, st.sampled_from(STANDINGS), days, lines), max_size=3))
    return StatedPeriod(category, since, precision, until, draw(lines), draw(lines), draw(lines), tuple(standings))


people = st.builds(
    StatedPerson,
    st.sampled_from(["P-4F7K2M", "P-ABCDE0"]),
    st.just("name@cert.example"),
    lines,
    st.sampled_from(["ar", "en", "fr"]),
    st.sets(st.sampled_from(ROLES)).map(lambda held: tuple(role for role in ROLES if role in held)),
)
texts = st.builds(Text, words, names, words)
optional = st.none() | st.lists(people, max_size=1)


@st.composite
def teams(draw: st.DrawFn, code: str) -> StatedTeam:
    source = draw(lines)
    named = draw(st.dictionaries(st.sampled_from(["ar", "en", "fr"]), names, min_size=1))
    categories = draw(st.lists(st.sampled_from(CATEGORIES), max_size=3, unique=True))
    said = draw(st.lists(contacts(), max_size=3, unique_by=lambda c: (c["kind"], c["value"], c["role"])))
    return StatedTeam(
        code=code,
        names=named,
        country=draw(st.sampled_from(["", "XA", "MA"])),
        kind=draw(st.sampled_from(TEAM_KINDS)),
        source=source,
        claims=draw(claims(code, source)),
        contacts=said,
        periods=draw(st.none() | st.just([draw(periods(category)) for category in categories])),
        people=draw(optional),
        profile=draw(st.none() | st.dictionaries(st.sampled_from(NUMBERS), texts, max_size=3)),
        certificates=draw(st.none() | st.lists(words.map(lambda text: f"-----BEGIN\n{text}".strip()), max_size=2)),
    )


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(teams("XA-CERT"), teams("XF-CERT"))
def test_teams_written_as_toml_are_read_again_unchanged(one: StatedTeam, other: StatedTeam) -> None:
    document = written([one, other])

    assert read(document).teams == [one, other]
