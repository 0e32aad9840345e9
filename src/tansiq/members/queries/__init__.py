"""Reads of the register; each names its reader first, unless it is the node's own work."""

from tansiq.members.queries.certificates import CertificateEntry, certificate_of, certificates_of, current_key
from tansiq.members.queries.contacts import ContactEntry, all_flags, flags, shown_contacts
from tansiq.members.queries.directory import TeamEntry, claims, claims_version, directory, team_cards
from tansiq.members.queries.people import Member, OnDuty, duty_roster, home_team, on_duty, seats, team_people
from tansiq.members.queries.periods import (
    CountryStatus,
    PeriodEntry,
    country_statements,
    country_statuses,
    full_member_conflicts,
    memberships_of,
    periods_of,
)

__all__ = [
    "CertificateEntry",
    "ContactEntry",
    "CountryStatus",
    "Member",
    "OnDuty",
    "PeriodEntry",
    "TeamEntry",
    "all_flags",
    "certificate_of",
    "certificates_of",
    "claims",
    "claims_version",
    "country_statements",
    "country_statuses",
    "current_key",
    "directory",
    "duty_roster",
    "flags",
    "full_member_conflicts",
    "home_team",
    "memberships_of",
    "on_duty",
    "periods_of",
    "seats",
    "shown_contacts",
    "team_cards",
    "team_people",
]
