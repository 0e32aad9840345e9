"""The directory as JSON: what the pages show, under stable names."""

from __future__ import annotations

from typing import Any

from tansiq.core.text import LANGUAGES, Text
from tansiq.members.queries.contacts import ContactEntry
from tansiq.members.queries.pages import DirectoryEntry, TeamPage
from tansiq.members.queries.periods import PeriodEntry


def entry_facts(entry: DirectoryEntry) -> dict[str, Any]:
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


def team_facts(page: TeamPage) -> dict[str, Any]:
    return entry_facts(page.entry) | {
        "source": page.source,
        "periods": [period_facts(period) for period in page.periods],
        "statements": list(page.statements),
        "claims": [{"kind": claim.kind, "value": claim.value, "state": claim.state} for claim in page.claims],
        "contacts": [contact_facts(contact) for contact in page.contacts],
        "certificates": [
            {"fingerprint": held.fingerprint, "addresses": list(held.addresses), "current": held.current}
            for held in page.certificates
        ],
    }


def in_languages(text: Text) -> dict[str, str]:
    return {language: said for language in LANGUAGES if (said := getattr(text, language))}


def period_facts(period: PeriodEntry) -> dict[str, Any]:
    return {
        "category": period.category,
        "since": period.since.isoformat() if period.since else None,
        "until": period.until.isoformat() if period.until else None,
        "state": period.state,
        "decision": period.decision or None,
        "source": period.source or None,
    }


def contact_facts(contact: ContactEntry) -> dict[str, Any]:
    said = {"kind": contact.kind, "value": contact.value, "role": contact.role, "hours": contact.hours}
    return {name: value for name, value in (said | {"post": contact.post}).items() if value}
