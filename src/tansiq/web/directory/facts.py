"""The directory as JSON: what the pages show, under stable names. The one home of these shapes: the API describes them
to programs, ``teams.json`` and a team's ``.json`` answer them."""

from __future__ import annotations

from datetime import date, datetime
from typing import NotRequired

from typing_extensions import TypedDict  # before Python 3.12 the API's checker of shapes reads no other

from tansiq.core.text import LANGUAGES, Text
from tansiq.members.queries.certificates import CertificateEntry
from tansiq.members.queries.contacts import ContactEntry
from tansiq.members.queries.pages import DirectoryEntry, MapEntry, TeamPage
from tansiq.members.queries.periods import PeriodEntry


class Names(TypedDict):
    """The languages in which there is a name."""

    ar: NotRequired[str]
    en: NotRequired[str]
    fr: NotRequired[str]


class EntryFacts(TypedDict):
    """``categories``: memberships in force, best first. ``profile``: number of the published RFC 2350 profile."""

    code: str
    names: Names
    country: str | None
    kind: str
    categories: list[str]
    suspended: list[str]
    board: bool
    profile: int | None


class PeriodFacts(TypedDict):
    category: str
    since: str | None
    until: str | None
    state: str
    decision: str | None
    source: str | None


class StatementFacts(TypedDict):
    """What one source says of a membership; sources that disagree stand side by side."""

    category: str
    board: bool
    source: str
    note: str


class ClaimFacts(TypedDict):
    kind: str
    value: str
    state: str


class ContactFacts(TypedDict):
    """``hours``: "24x7" or "office"; ``post``: "primary", "backup" … What is empty is left out."""

    kind: str
    value: str
    role: NotRequired[str]
    hours: NotRequired[str]
    post: NotRequired[str]


class CertificateFacts(TypedDict):
    fingerprint: str
    addresses: list[str]
    current: bool


class TeamFacts(EntryFacts):
    source: str
    periods: list[PeriodFacts]
    statements: list[StatementFacts]
    claims: list[ClaimFacts]
    contacts: list[ContactFacts]
    certificates: list[CertificateFacts]


class CountryStatementFacts(TypedDict):
    country: str
    category: str
    source: str
    note: str


class MapFacts(TypedDict):
    """``state``: one of the federation's. ``categories``: its teams' memberships in force; ``teams``: their codes."""

    country: str
    alpha3: str | None
    names: Names
    state: bool
    categories: list[str]
    teams: list[str]
    statements: list[CountryStatementFacts]


def entry_facts(entry: DirectoryEntry) -> EntryFacts:
    return {
        "code": entry.code,
        "names": in_languages(entry.names),
        "country": entry.country or None,
        "kind": entry.kind,
        "categories": list(entry.categories),
        "suspended": list(entry.suspended),
        "board": entry.board,
        "profile": entry.profile or None,
    }


def team_facts(page: TeamPage) -> TeamFacts:
    return {
        **entry_facts(page.entry),
        "source": page.source,
        "periods": [period_facts(period) for period in page.periods],
        "statements": list(page.statements),
        "claims": [{"kind": claim.kind, "value": claim.value, "state": claim.state} for claim in page.claims],
        "contacts": [contact_facts(contact) for contact in page.contacts],
        "certificates": [certificate_facts(held) for held in page.certificates],
    }


def map_facts(entry: MapEntry) -> MapFacts:
    return {
        "country": entry.country,
        "alpha3": entry.alpha3 or None,
        "names": in_languages(entry.name),
        "state": entry.state,
        "categories": list(entry.categories),
        "teams": [team.code for team in entry.teams],
        "statements": list(entry.statements),
    }


def in_languages(text: Text) -> Names:
    return {language: said for language in LANGUAGES if (said := getattr(text, language))}


def period_facts(period: PeriodEntry) -> PeriodFacts:
    return {
        "category": period.category,
        "since": moment(period.since),
        "until": moment(period.until),
        "state": period.state,
        "decision": period.decision or None,
        "source": period.source or None,
    }


def contact_facts(contact: ContactEntry) -> ContactFacts:
    said = {"kind": contact.kind, "value": contact.value, "role": contact.role, "hours": contact.hours}
    return {name: value for name, value in (said | {"post": contact.post}).items() if value}


def certificate_facts(held: CertificateEntry) -> CertificateFacts:
    return {"fingerprint": held.fingerprint, "addresses": list(held.addresses), "current": held.current}


def moment(at: date | datetime | None) -> str | None:
    return at.isoformat() if at else None
