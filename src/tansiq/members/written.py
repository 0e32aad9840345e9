"""Teams as a file of TOML that ``statement.read`` takes back unchanged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any

from tansiq.core.claims import KINDS, Claim
from tansiq.core.text import LANGUAGES, Text
from tansiq.members.register_statement import StatedPeriod, StatedPerson
from tansiq.members.statement import BY_OPERATOR, StatedTeam

_ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}
_PRECISE = {"year": 4, "month": 7}


def written(teams: Iterable[StatedTeam]) -> str:
    """The document. Parts that a team's statement does not speak of (None) are left out."""
    return "\n".join("\n".join(_team(team)) + "\n" for team in teams)


def _team(team: StatedTeam) -> Iterator[str]:
    yield "[[team]]"
    yield f"code = {_value(team.code)}"
    yield f"name = {_value({language: team.names[language] for language in LANGUAGES if language in team.names})}"
    for key, text in (("country", team.country), ("kind", team.kind), ("source", team.source)):
        if text:
            yield f"{key} = {_value(text)}"
    yield from _list("contacts", team.contacts)
    if team.periods is not None:
        yield from _list("periods", map(_period, team.periods), always=True)
    if team.people is not None:
        yield from _list("people", map(_person, team.people), always=True)
    if team.certificates is not None:
        yield from _list("certificates", team.certificates, always=True)
    if team.profile is not None:
        yield f"profile = {_value({number: _text(words) for number, words in team.profile.items()})}"
    if team.claims:
        yield "[team.claims]"
        for kind in KINDS:
            yield from _list(kind, [_claim(claim, team) for claim in team.claims if claim.kind == kind])


def _list(key: str, values: Iterable[Any], *, always: bool = False) -> Iterator[str]:
    lines = [f"  {_value(value)}," for value in values]
    if lines:
        yield f"{key} = ["
        yield from lines
        yield "]"
    elif always:
        yield f"{key} = []"


def _claim(claim: Claim, team: StatedTeam) -> Any:
    value: Any = int(claim.value) if claim.kind == "asn" else claim.value
    said = {
        "valid_from": claim.valid_from,
        "valid_until": claim.valid_until,
        "source": "" if claim.source == (team.source or BY_OPERATOR) else claim.source,
        "decision": claim.decision,
        "verified": None if claim.verified else False,
    }
    more = {key: said for key, said in said.items() if said not in (None, "")}
    return {"value": value, **more} if more else value


def _period(period: StatedPeriod) -> dict[str, Any]:
    since: Any = period.since
    if since and period.since_precision in _PRECISE:
        since = since.isoformat()[: _PRECISE[period.since_precision]]
    standings = [
        _stated({"state": standing.state, "since": standing.since, "decision": standing.decision})
        for standing in period.standings
    ]
    return _stated(
        {
            "category": period.category,
            "since": since,
            "until": period.until,
            "decision": period.decision,
            "source": period.source,
            "community_agreement": period.community_agreement,
            "standings": standings,
        }
    )


def _person(person: StatedPerson) -> dict[str, Any]:
    return _stated(
        {
            "code": person.code,
            "email": person.email,
            "name": person.name,
            "language": person.language,
            "roles": list(person.roles),
        }
    )


def _text(words: Text) -> dict[str, str]:
    return {language: said for language in LANGUAGES if (said := getattr(words, language))}


def _stated(said: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in said.items() if value not in (None, "", [])}


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return _multiline(value) if "\n" in value else f'"{_escaped(value)}"'
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    if not value:
        return "{}"
    return "{ " + ", ".join(f"{_key(key)} = {_value(item)}" for key, item in value.items()) + " }"


def _key(key: str) -> str:
    return key if key.replace("_", "").isalnum() and key.isascii() else f'"{_escaped(key)}"'


def _multiline(text: str) -> str:
    return '"""\n' + "\n".join(map(_escaped, text.split("\n"))) + '"""'


def _escaped(text: str) -> str:
    return "".join(_ESCAPES.get(c) or (f"\\u{ord(c):04x}" if ord(c) < 32 or ord(c) == 127 else c) for c in text)
