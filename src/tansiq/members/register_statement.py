"""What a file may say of a team besides names, claims and contacts: periods, people, profile, certificates.

Each part is None when the file does not speak of it; then an import leaves it alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from tansiq.core.errors import N_, TansiqError
from tansiq.core.text import LANGUAGES, Text
from tansiq.core.viewer import Role
from tansiq.members import mistakes, rfc2350
from tansiq.members.positions import Path
from tansiq.members.values import shown
from tansiq.members.words import PERIOD_CATEGORIES, STANDINGS

if TYPE_CHECKING:
    from tansiq.members.statement import _Reader

PERSON_CODE = re.compile(r"P-[0-9A-HJKMNP-TV-Z]{6}")
STANDINGS_EXAMPLE = 'standings = [ { state = "suspended", since = 2026-01-31 } ]'
ROLES = tuple(role.value for role in Role)
_PERIOD_KEYS = ("category", "since", "until", "decision", "source", "community_agreement", "standings")
_STANDING_KEYS = ("state", "since", "decision")
_PERSON_KEYS = ("code", "email", "name", "language", "roles")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MONTH = re.compile(r"[0-9]{4}(?:-[0-9]{2})?")


class BadDay(TansiqError):
    code = "members.day.malformed"
    message = N_("{value} is not a day.")
    remedy = N_('Write 2026-01-31, or as text "2026-01" or "2026" where no more is known.')
    exit_code = 2


class BadPerson(TansiqError):
    code = "members.person.code"
    message = N_("{value} is not the code of a person.")
    remedy = N_("Use the code that an export gives, for example P-4F7K2M.")
    exit_code = 2


class DoublePeriod(TansiqError):
    code = "members.period.double"
    message = N_("The team has another period of the category {category} for a time that overlaps.")
    remedy = N_("Take one of the two out, or let the one end where the other begins.")
    exit_code = 2


class DoublePerson(TansiqError):
    code = "members.person.double"
    message = N_("{value} is there already.")
    remedy = N_("Name a person once in a team, and with one code and one address everywhere.")
    exit_code = 2


@dataclass(frozen=True, slots=True)
class StatedStanding:
    state: str
    since: date
    decision: str = ""


@dataclass(frozen=True, slots=True)
class StatedPeriod:
    category: str
    since: date | None = None
    since_precision: str = "day"
    until: date | None = None
    decision: str = ""
    source: str = ""
    community_agreement: str = ""
    standings: tuple[StatedStanding, ...] = ()


@dataclass(frozen=True, slots=True)
class StatedPerson:
    """``roles``: those held in this team, in order. There is nothing here that signs in."""

    code: str
    email: str
    name: str
    language: str
    roles: tuple[str, ...]


def periods(reader: _Reader, table: dict[str, Any], place: Path) -> list[StatedPeriod] | None:
    if "periods" not in table:
        return None
    place = (*place, "periods")
    example = 'periods = [ { category = "full", since = 2026-01-31, decision = "…" } ]'
    if not reader.is_list_of_tables(table["periods"], place, example=example):
        return []
    found: list[StatedPeriod] = []
    for index, said in enumerate(table["periods"]):
        period = _period(reader, said, (*place, index))
        if any(period.category == other.category and _meet(period, other) for other in found):
            reader.wrong(DoublePeriod(category=period.category), (*place, index))
        found.append(period)
    return found


def _period(reader: _Reader, said: dict[str, Any], place: Path) -> StatedPeriod:
    reader.known_keys(said, _PERIOD_KEYS, place)
    if "category" not in said:
        reader.wrong(mistakes.MissingKey(key="category"), place)
    since, precision = day(reader, said, "since", place)
    until, _precision = day(reader, said, "until", place)
    if since and until and since >= until:
        reader.wrong(mistakes.BackwardValidity(since=since.isoformat(), until=until.isoformat()), place)
        since = until = None
    return StatedPeriod(
        category=reader.choice(said, "category", PERIOD_CATEGORIES, place),
        since=since,
        since_precision=precision,
        until=until,
        decision=reader.text(said, "decision", place),
        source=reader.text(said, "source", place),
        community_agreement=reader.text(said, "community_agreement", place),
        standings=tuple(_standings(reader, said.get("standings", []), (*place, "standings"))),
    )


def _standings(reader: _Reader, tables: Any, place: Path) -> list[StatedStanding]:
    if not reader.is_list_of_tables(tables, place, example=STANDINGS_EXAMPLE):
        return []
    found = []
    for index, said in enumerate(tables):
        here = (*place, index)
        reader.known_keys(said, _STANDING_KEYS, here)
        for key in ("state", "since"):
            if key not in said:
                reader.wrong(mistakes.MissingKey(key=key), here)
        since, _precision = day(reader, said, "since", here)
        state = reader.choice(said, "state", STANDINGS, here)
        found.append(StatedStanding(state, since or date.min, reader.text(said, "decision", here)))
    return found


def people(reader: _Reader, table: dict[str, Any], place: Path) -> list[StatedPerson] | None:
    if "people" not in table:
        return None
    place = (*place, "people")
    example = 'people = [ { code = "P-4F7K2M", email = "name@cert.example", roles = ["analyst"] } ]'
    if not reader.is_list_of_tables(table["people"], place, example=example):
        return []
    found: list[StatedPerson] = []
    for index, said in enumerate(table["people"]):
        person = _person(reader, said, (*place, index))
        if any(person.code == other.code or person.email == other.email for other in found):
            reader.wrong(DoublePerson(value=person.code), (*place, index))
        found.append(person)
    return found


def _person(reader: _Reader, said: dict[str, Any], place: Path) -> StatedPerson:
    from tansiq.members.statement import CONTACT_EXAMPLES, reachable

    reader.known_keys(said, _PERSON_KEYS, place)
    for key in ("code", "email"):
        if key not in said:
            reader.wrong(mistakes.MissingKey(key=key), place)
    code, email = reader.text(said, "code", place, limit=16), reader.text(said, "email", place, limit=254).lower()
    if "code" in said and not PERSON_CODE.fullmatch(code):
        reader.wrong(BadPerson(value=shown(said["code"])), (*place, "code"))
    if "email" in said and not reachable("email", email):
        error = mistakes.BadContact(value=shown(email), kind="email", example=CONTACT_EXAMPLES["email"])
        reader.wrong(error, (*place, "email"))
    return StatedPerson(
        code=code,
        email=email,
        name=reader.text(said, "name", place, limit=200),
        language=reader.choice(said, "language", LANGUAGES, place) or "en",
        roles=_roles(reader, said.get("roles", []), (*place, "roles")),
    )


def _roles(reader: _Reader, listed: Any, place: Path) -> tuple[str, ...]:
    if not isinstance(listed, list):
        reader.wrong(mistakes.NotAList(value=shown(listed), example='roles = ["analyst"]'), place)
        return ()
    for index, role in enumerate(listed):
        if role not in ROLES:
            reader.wrong(mistakes.NotAllowed(value=shown(role), allowed=", ".join(ROLES)), (*place, index))
    return tuple(role for role in ROLES if role in listed)


def profile(reader: _Reader, table: dict[str, Any], place: Path) -> dict[str, Text] | None:
    if "profile" not in table:
        return None
    said, place = table["profile"], (*place, "profile")
    if not isinstance(said, dict):
        reader.wrong(mistakes.NotATable(value=shown(said), example='profile = { "3.1" = { en = "…" } }'), place)
        return {}
    found = {}
    for number, words in said.items():
        here = (*place, number)
        if not isinstance(words, dict) or not all(isinstance(text, str) for text in words.values()):
            reader.wrong(mistakes.NotATable(value=shown(words), example=f'"{number}" = {{ en = "…" }}'), here)
            continue
        reader.known_keys(words, LANGUAGES, here)
        try:
            if any(vars_of(checked := rfc2350.checked(number, Text.of(words)))):
                found[number] = checked
        except TansiqError as error:
            reader.wrong(error, here)
    return found


def vars_of(words: Text) -> tuple[str, str, str]:
    return words.ar, words.en, words.fr


def certificates(reader: _Reader, table: dict[str, Any], place: Path) -> list[str] | None:
    """Armoured, as written; whether they are certificates the import finds, which knows the time."""
    if "certificates" not in table:
        return None
    listed, place = table["certificates"], (*place, "certificates")
    example = 'certificates = ["""-----BEGIN PGP PUBLIC KEY BLOCK-----…"""]'
    if not isinstance(listed, list):
        reader.wrong(mistakes.NotAList(value=shown(listed), example=example), place)
        return []
    for index, armored in enumerate(listed):
        if not isinstance(armored, str):
            error = mistakes.NotText(value=shown(armored), limit=1 << 20, example=example)
            reader.wrong(error, (*place, index))
    return ["\n".join(armored.strip().splitlines()) for armored in listed if isinstance(armored, str)]


def day(reader: _Reader, table: dict[str, Any], key: str, place: Path) -> tuple[date | None, str]:
    """A day, and how exactly it is known: a TOML date, or text of a year and perhaps a month."""
    value = table.get(key)
    try:
        if value is None:
            return None, "day"
        if isinstance(value, date) and not isinstance(value, datetime):
            return value, "day"
        if isinstance(value, str) and _MONTH.fullmatch(value):
            whole = value if len(value) == 7 else f"{value}-01"
            return date.fromisoformat(f"{whole}-01"), "month" if len(value) == 7 else "year"
        if isinstance(value, str) and _DAY.fullmatch(value):
            return date.fromisoformat(value), "day"
    except ValueError:
        pass
    reader.wrong(BadDay(value=shown(value) if isinstance(value, str) else str(value)), (*place, key))
    return None, "day"


def _meet(one: StatedPeriod, other: StatedPeriod) -> bool:
    starts_before = one.since is None or other.until is None or one.since < other.until
    ends_after = one.until is None or other.since is None or other.since < one.until
    return starts_before and ends_after
