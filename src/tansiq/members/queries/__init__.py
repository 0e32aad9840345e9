"""Reads of the register; each names its reader first, unless it is the node's own work."""

from tansiq.members.queries.certificates import CertificateEntry, certificate_of, certificates_of, current_key
from tansiq.members.queries.directory import TeamEntry, claims, claims_version, directory, team_cards
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
    "CountryStatus",
    "PeriodEntry",
    "TeamEntry",
    "certificate_of",
    "certificates_of",
    "claims",
    "claims_version",
    "country_statements",
    "country_statuses",
    "current_key",
    "directory",
    "full_member_conflicts",
    "memberships_of",
    "periods_of",
    "team_cards",
]
