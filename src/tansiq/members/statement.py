"""Reading a file of teams: every mistake is found, with its line, before anything is done.

A file is the operator's statement of the teams it names (docs/reference/members-toml.md has the form).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from tansiq.core.claims import KINDS, Claim, Kind
from tansiq.core.errors import TansiqError
from tansiq.core.text import LANGUAGES, Text
from tansiq.members import mistakes, positions, register_statement, values
from tansiq.members.mistakes import BadStatement, Mistake
from tansiq.members.positions import Path
from tansiq.members.register_statement import StatedPeriod, StatedPerson
from tansiq.members.times import moment
from tansiq.members.values import shown
from tansiq.members.words import CONTACT_KINDS, HOURS, POSTS, TEAM_KINDS

BY_OPERATOR = "operator"
"""Source of a claim for which the file names none."""

NAME_EXAMPLE = 'name = { en = "CERT of XA" }'
CONTACT_EXAMPLES = {
    "email": "cert@cert.example",
    "phone": "+212 5 0000 0000",
    "fax": "+212 5 0000 0000",
    "web": "https://cert.example/",
    "post": "1 Example Street, Example City",
}

_TEAM_CODE = re.compile(r"[A-Z0-9-]{2,32}")
_TEAM_KEYS = (
    "code", "name", "country", "kind", "source", "claims", "contacts", "periods", "people", "profile", "certificates",
)  # fmt: skip
_CLAIM_KEYS = ("value", "valid_from", "valid_until", "source", "verified", "decision")
_CONTACT_KEYS = ("kind", "value", "role", "hours", "post", "public", "person", "confirmed_at")
_EMAIL = re.compile(r"[^@\s<>,;]+@(?P<domain>[^@\s<>,;]+)")
_PHONE = re.compile(r"\+[1-9][0-9 ()./-]{4,30}(?: ?ext\.? ?[0-9]{1,6})?")
_WEB = re.compile(r"https?://[^\s<>\"]+")
_AT_LINE = re.compile(r" ?\(at line (\d+), column \d+\)$")


@dataclass(slots=True)
class StatedTeam:
    code: str
    names: dict[str, str]
    country: str
    kind: str
    source: str
    claims: list[Claim] = field(default_factory=list)
    names_claims: bool = field(default=True, compare=False)  # False: the file has no `claims` at all
    places: list[Path] = field(default_factory=list, compare=False)  # where each claim stands
    contacts: list[dict[str, Any]] = field(default_factory=list)
    periods: list[StatedPeriod] | None = None  # None: the file does not speak of it
    people: list[StatedPerson] | None = None
    profile: dict[str, Text] | None = None
    certificates: list[str] | None = None
    place: Path = field(default=(), compare=False)


@dataclass
class Statement:
    teams: list[StatedTeam]
    document: str

    @cached_property
    def rows(self) -> Mapping[Path, int]:
        """Made only when something has to be said about a line: most files are right."""
        return positions.rows(self.document)

    def row(self, place: Path) -> int | None:
        return positions.nearest(place, self.rows)


def read(document: str) -> Statement:
    """The teams that ``document`` (TOML) states.

    Raises: BadStatement, with all mistakes in the order of their lines.
    """
    reader = _Reader()
    teams = reader.teams(_parsed(document))
    statement = Statement(teams, document)
    if reader.found:
        found = [reader.located(statement, *mistake) for mistake in reader.found]
        raise BadStatement(sorted(found, key=lambda mistake: mistake.row or 0))
    return statement


def read_tables(tables: list[Any]) -> list[StatedTeam]:
    """Teams as tables that are parsed already, from another node: the same form, the same checks, no lines to name.

    Raises: BadStatement.
    """
    reader = _Reader()
    teams = reader.teams({"team": tables})
    if reader.found:
        raise BadStatement([Mistake(None, team, "", error) for error, _place, team in reader.found])
    return teams


def _parsed(document: str) -> dict[str, Any]:
    try:
        return tomllib.loads(document)
    except RecursionError:
        raise BadStatement([Mistake(None, "", "", mistakes.BadToml(detail="too deeply nested"))]) from None
    except ValueError as error:  # TOMLDecodeError, and integers too long to convert
        detail = str(error)
        match = _AT_LINE.search(detail)
        row = int(match[1]) if match else document.rstrip("\n").count("\n") + 1
        detail = _AT_LINE.sub("", detail).removesuffix(" (at end of document)")
        raise BadStatement(
            [Mistake(row, "", "", mistakes.BadToml(detail=shown(detail[:1].lower() + detail[1:])))]
        ) from None


class _Reader:
    """Walks the parsed document and keeps what is wrong instead of stopping at it."""

    def __init__(self) -> None:
        self.found: list[tuple[TansiqError, Path, str]] = []
        self.team = ""

    def wrong(self, error: TansiqError, place: Path) -> None:
        self.found.append((error, place, self.team))

    def located(self, statement: Statement, error: TansiqError, place: Path, team: str) -> Mistake:
        if "at" in error.values:  # the other place that the message names
            error.values["line"] = statement.row(error.values.pop("at"))
        field = ".".join(str(step) for step in place[2:] if isinstance(step, str))
        return Mistake(statement.row(place), team, field or str(place[0] if place else ""), error)

    def teams(self, document: dict[str, Any]) -> list[StatedTeam]:
        self.known_keys(document, ("team",), ())
        tables = document.get("team", [])
        if not self.is_list_of_tables(tables, ("team",), example="[[team]]"):
            return []
        if not tables:
            self.wrong(mistakes.NoTeams(), ())
        first: dict[str, int] = {}
        teams = []
        for index, table in enumerate(tables):
            team = self.one_team(table, ("team", index))
            if team.code in first:
                self.wrong(mistakes.DoubleTeam(team=team.code, at=("team", first[team.code])), ("team", index, "code"))
            elif team.code:
                first[team.code] = index
            teams.append(team)
        return teams

    def one_team(self, table: dict[str, Any], place: Path) -> StatedTeam:
        code = table.get("code", "")
        self.team = code if isinstance(code, str) and _TEAM_CODE.fullmatch(code) else ""
        self.known_keys(table, _TEAM_KEYS, place)
        if "code" not in table:
            self.wrong(mistakes.MissingKey(key="code"), place)
        elif not self.team:
            self.wrong(values.BadTeamCode(value=shown(code)), (*place, "code"))
        team = StatedTeam(
            code=self.team,
            names=self.names(table, place),
            country=self.country(table, place),
            kind=self.choice(table, "kind", TEAM_KINDS, place) or TEAM_KINDS[0],
            source=self.text(table, "source", place),
        )
        team.names_claims = "claims" in table
        self.claims(table.get("claims", {}), team, (*place, "claims"))
        if not team.country and len(own := [c.value for c in team.claims if c.kind == "country"]) == 1:
            team.country = own[0]
        team.contacts = self.contacts(table.get("contacts", []), (*place, "contacts"))
        team.periods = register_statement.periods(self, table, place)
        team.people = register_statement.people(self, table, place)
        team.profile = register_statement.profile(self, table, place)
        team.certificates = register_statement.certificates(self, table, place)
        team.place = place
        return team

    def names(self, table: dict[str, Any], place: Path) -> dict[str, str]:
        named, place = table.get("name"), (*place, "name")
        if isinstance(named, str):
            named = {"en": named}
        if not isinstance(named, dict):
            absent = mistakes.MissingKey(key="name")
            self.wrong(absent if named is None else mistakes.NotAName(value=shown(named), example=NAME_EXAMPLE), place)
            return {}
        self.known_keys(named, LANGUAGES, place)
        texts = {language: self.text(named, language, place, limit=200) for language in LANGUAGES if language in named}
        if not any(texts.values()):
            self.wrong(mistakes.MissingKey(key="name"), place)
        return {language: text for language, text in texts.items() if text}

    def country(self, table: dict[str, Any], place: Path) -> str:
        if "country" not in table:
            return ""
        try:
            return values.country(table["country"])
        except TansiqError as error:
            self.wrong(error, (*place, "country"))
            return ""

    def choice(self, table: dict[str, Any], key: str, allowed: tuple[str, ...], place: Path) -> str:
        value = table.get(key, "")
        if isinstance(value, str) and value in ("", *allowed):
            return value
        self.wrong(mistakes.NotAllowed(value=shown(value), allowed=", ".join(allowed)), (*place, key))
        return ""

    def text(self, table: dict[str, Any], key: str, place: Path, *, limit: int = 300) -> str:
        value = table.get(key, "")
        if isinstance(value, str) and len(value) <= limit and all(map(str.isprintable, value)):
            return value.strip()
        self.wrong(mistakes.NotText(value=shown(value), limit=limit, example=f'{key} = "…"'), (*place, key))
        return ""

    def known_keys(self, table: dict[str, Any], allowed: tuple[str, ...], place: Path) -> None:
        for key in table:
            if key not in allowed:
                self.wrong(mistakes.UnknownKey(key=shown(key), allowed=", ".join(allowed)), (*place, key))

    def is_list_of_tables(self, value: Any, place: Path, *, example: str) -> bool:
        if isinstance(value, list) and all(isinstance(table, dict) for table in value):
            return True
        self.wrong(mistakes.NotTables(value=shown(value), example=example), place)
        return False

    def claims(self, tables: Any, team: StatedTeam, place: Path) -> None:
        if not isinstance(tables, dict):
            self.wrong(mistakes.NotATable(value=shown(tables), example="claims = { asn = [64496] }"), place)
            return
        self.known_keys(tables, KINDS, place)
        for kind in KINDS:
            listed = tables.get(kind, [])
            if not isinstance(listed, list):
                self.wrong(mistakes.NotAList(value=shown(listed), example=f"{kind} = [ … ]"), (*place, kind))
                continue
            for index, written in enumerate(listed):
                here = (*place, kind, index)
                if claim := self.claim(kind, written, team, here):
                    team.claims.append(claim)
                    team.places.append(here)
        self.doubles(team)

    def claim(self, kind: Kind, written: Any, team: StatedTeam, place: Path) -> Claim | None:
        try:
            if not isinstance(written, dict):
                return Claim(team.code, kind, values.canonical(kind, written), source=team.source or BY_OPERATOR)
            return self.claim_table(kind, written, team, place)
        except TansiqError as error:
            self.wrong(error, place)
            return None

    def claim_table(self, kind: Kind, table: dict[str, Any], team: StatedTeam, place: Path) -> Claim:
        self.known_keys(table, _CLAIM_KEYS, place)
        decision = self.text(table, "decision", place)
        source = self.text(table, "source", place) or team.source or BY_OPERATOR
        since, until = (self.moment(table, key, place) for key in ("valid_from", "valid_until"))
        if since and until and since >= until:
            self.wrong(mistakes.BackwardValidity(since=since.isoformat(), until=until.isoformat()), place)
            since = until = None
        verified = table.get("verified", True)
        if not isinstance(verified, bool):
            error = mistakes.NotYesOrNo(value=shown(verified), example="verified = true")
            self.wrong(error, (*place, "verified"))
        if "value" not in table:
            raise mistakes.MissingKey(key="value")
        value = values.canonical(kind, table["value"], decided=bool(decision))
        return Claim(team.code, kind, value, since, until, verified is True, source, decision)

    def moment(self, table: dict[str, Any], key: str, place: Path) -> datetime | None:
        if key not in table:
            return None
        try:
            return moment(table[key])
        except TansiqError as error:
            self.wrong(error, (*place, key))
            return None

    def doubles(self, team: StatedTeam) -> None:
        seen: dict[tuple[str, str], list[int]] = {}
        for index, claim in enumerate(team.claims):
            earlier = seen.setdefault((claim.kind, claim.value), [])
            for other in earlier:
                if overlap_in_time(claim, team.claims[other]):
                    self.wrong(mistakes.DoubleClaim(value=claim.value, at=team.places[other]), team.places[index])
                    break
            earlier.append(index)

    def contacts(self, tables: Any, place: Path) -> list[dict[str, Any]]:
        example = 'contacts = [ { kind = "email", value = "cert@cert.example" } ]'
        if not self.is_list_of_tables(tables, place, example=example):
            return []
        found: list[dict[str, Any]] = []
        for index, table in enumerate(tables):
            contact = self.contact(table, (*place, index))
            if any(all(contact[k] == other[k] for k in ("kind", "value", "role")) for other in found):
                self.wrong(mistakes.DoubleContact(value=contact["value"]), (*place, index))
            found.append(contact)
        return found

    def contact(self, table: dict[str, Any], place: Path) -> dict[str, Any]:
        self.known_keys(table, _CONTACT_KEYS, place)
        for key in ("kind", "value"):
            if key not in table:
                self.wrong(mistakes.MissingKey(key=key), place)
        contact: dict[str, Any] = {
            "kind": self.choice(table, "kind", CONTACT_KINDS, place),
            "value": self.text(table, "value", place),
            "role": self.text(table, "role", place, limit=100),
            "hours": self.choice(table, "hours", HOURS, place),
        }
        if contact["value"] and contact["kind"] and not reachable(contact["kind"], contact["value"]):
            example = CONTACT_EXAMPLES[contact["kind"]]
            error = mistakes.BadContact(value=shown(contact["value"]), kind=contact["kind"], example=example)
            self.wrong(error, (*place, "value"))
        return contact | self.contact_in_register(table, place)

    def contact_in_register(self, table: dict[str, Any], place: Path) -> dict[str, Any]:
        """What was added to contacts later: absent where the file does not say it."""
        public = table.get("public", False)
        if not isinstance(public, bool):
            self.wrong(mistakes.NotYesOrNo(value=shown(public), example="public = true"), (*place, "public"))
        person = self.text(table, "person", place, limit=16)
        if person and not register_statement.PERSON_CODE.fullmatch(person):
            self.wrong(register_statement.BadPerson(value=shown(person)), (*place, "person"))
        said = {
            "post": self.choice(table, "post", POSTS, place),
            "public": public is True,
            "person": person,
            "confirmed_at": self.moment(table, "confirmed_at", place),
        }
        return {key: value for key, value in said.items() if value}


def overlap_in_time(one: Claim, other: Claim) -> bool:
    """Whether the two are valid at some common moment (half-open, None unbounded)."""
    starts_before = one.valid_from is None or other.valid_until is None or one.valid_from < other.valid_until
    ends_after = one.valid_until is None or other.valid_from is None or other.valid_from < one.valid_until
    return starts_before and ends_after


def reachable(kind: str, value: str) -> bool:
    """Whether a contact could be what its kind says; a mistyped one is found on the night it is needed."""
    if kind == "email":
        match = _EMAIL.fullmatch(value)
        return match is not None and "." in match["domain"] and _is_domain(match["domain"])
    if kind in ("phone", "fax"):
        return _PHONE.fullmatch(value) is not None
    return kind != "web" or _WEB.fullmatch(value) is not None


def _is_domain(name: str) -> bool:
    try:
        values.domain(name)
    except TansiqError:
        return False
    return True
