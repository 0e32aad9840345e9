"""Payloads of the directory's kinds: written from the tables, and read with the checks that files of teams pass.

A payload is the team's table of a file of teams (docs/reference/members-toml.md) as JSON, with moments as RFC 3339
text, and only the keys that its kind speaks of.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from tansiq.core.claims import KINDS, Claim
from tansiq.core.errors import TansiqError
from tansiq.core.text import LANGUAGES
from tansiq.exchange.directory.kinds import CLAIMS, CONTACTS, KEYS, PROFILE
from tansiq.exchange.values import write_time
from tansiq.members import rfc2350, statement
from tansiq.members.models import Claim as ClaimRow
from tansiq.members.models import Contact, PublishedProfile, Team, TeamCertificate
from tansiq.members.queries.directory import CLAIM_COLUMNS
from tansiq.members.queries.stated import as_written, contact_stated
from tansiq.members.statement import StatedTeam

CLAIMS_A_PART = 1_000
"""Of one object: a body holds some 3,000, with long names and reasons fewer."""
MOST_PARTS = 1_000

Payload = dict[str, Any]


def payloads(team: Team) -> Iterator[tuple[str, str, Payload]]:
    """Kind, name of the object within the team's, payload: everything that the team says of itself now."""
    yield PROFILE, "profile", _profile(team)
    yield CONTACTS, "contacts", _contacts(team)
    yield KEYS, "keys", _keys(team)
    claims = [_claim(claim) for claim in claims_of(team)]
    parts = [claims[first : first + CLAIMS_A_PART] for first in range(0, len(claims), CLAIMS_A_PART)] or [[]]
    for number, part in enumerate(parts, 1):
        by_kind = {kind: [said for known, said in part if known == kind] for kind in KINDS}
        stated = {kind: said for kind, said in by_kind.items() if said}
        yield CLAIMS, f"claims.{number}", _table(team) | {"claims": stated, "part": number, "parts": len(parts)}


def claims_of(team: Team) -> list[Claim]:
    """Verified or not, the past among them: it decides on late reports."""
    rows = ClaimRow.objects.filter(team=team, withdrawn_at=None).order_by("kind", "value", "pk")
    return [Claim(*row) for row in rows.values_list(*CLAIM_COLUMNS)]


def fits(kind: str, payload: Any) -> bool:
    """Whether ``payload`` is what the kind's schema says (check 5.19). Keys that are not known here are passed over."""
    try:
        read(kind, payload)
    except (TansiqError, KeyError, TypeError, ValueError, AttributeError):
        return False
    return True


def read(kind: str, payload: Any) -> StatedTeam:
    """The statement of one kind. Raises: BadStatement and others, for what does not fit."""
    wanted = {PROFILE: (), CONTACTS: ("contacts",), KEYS: ("certificates",), CLAIMS: ("claims",)}[kind]
    known = {key: payload[key] for key in wanted}
    known |= {key: payload[key] for key in ("code", "name", "country", "kind") if key in payload}
    (team,) = statement.read_tables([known])
    if kind == PROFILE and (said := payload["published"]) is not None:
        profile(said, team.code)
    if kind == CLAIMS and not 1 <= part(payload) <= parts(payload) <= MOST_PARTS:
        raise ValueError("part")
    return team


def part(payload: Mapping[str, Any]) -> int:
    return int(payload["part"])


def parts(payload: Mapping[str, Any]) -> int:
    return int(payload["parts"])


def profile(said: Mapping[str, Any], team: str) -> rfc2350.Profile:
    """A published profile as its team sent it. Raises: what is wrong with it."""
    read = rfc2350.restored(said)
    if read.team != team or not 1 <= read.number < 2**31 or not isinstance(read.published_on, date):
        raise ValueError("profile")
    for number, words in read.sections.items():
        if rfc2350.checked(number, words) != words:
            raise ValueError("section")
    shown = [*read.facts.keys, *read.facts.around_the_clock, *read.facts.memberships]
    for pair in (*read.facts.contacts, *read.facts.claims):
        shown += pair
    if not all(isinstance(text, str) and text.isprintable() for text in shown) or len(shown) > 10_000:
        raise ValueError("facts")
    return read


def _table(team: Team) -> Payload:
    """What every kind names: a node that hears of a team for the first time knows whose words these are."""
    names = {language: team.names[language] for language in LANGUAGES if language in team.names}
    table = {"code": team.code, "name": names, "kind": team.kind}
    return table | ({"country": team.country} if team.country else {})


def _profile(team: Team) -> Payload:
    last = PublishedProfile.objects.filter(team=team).order_by("-number").first()
    return _table(team) | {"published": None if last is None else _stored(last.content)}


def _stored(content: Mapping[str, Any]) -> Payload:
    """As canonical JSON has it: texts whole, no tuples."""
    whole = rfc2350.stored(rfc2350.restored(content))
    facts = whole["facts"]
    facts |= {key: [list(pair) for pair in facts[key]] for key in ("contacts", "claims")}
    facts |= {key: list(facts[key]) for key in ("memberships", "around_the_clock", "keys")}
    return whole


def _contacts(team: Team) -> Payload:
    """All of them: who is a guest at a node sees the public ones only, as here. Persons' codes stay at home."""
    stated = [contact_stated(contact) for contact in Contact.objects.filter(team=team).order_by("position")]
    return _table(team) | {"contacts": [_written(said) for said in stated]}


def _keys(team: Team) -> Payload:
    rows = TeamCertificate.objects.filter(team=team, withdrawn_at=None).order_by("fingerprint")
    return _table(team) | {"certificates": [as_written(row.armored) for row in rows]}


def _claim(claim: Claim) -> tuple[str, Payload]:
    said = {
        "value": int(claim.value) if claim.kind == "asn" else claim.value,
        "valid_from": claim.valid_from,
        "valid_until": claim.valid_until,
        "decision": claim.decision,
    }
    return claim.kind, _written(said)


def _written(said: Mapping[str, Any]) -> Payload:
    kept = {key: value for key, value in said.items() if value not in (None, "", False) and key != "person"}
    return {key: write_time(value) if isinstance(value, datetime) else value for key, value in kept.items()}
