"""Reads of the register; each names its reader first, unless it is the node's own work."""

from tansiq.members.queries.certificates import CertificateEntry, certificate_of, certificates_of, current_key
from tansiq.members.queries.claims import (
    ClaimEntry,
    OverlapEntry,
    all_overlaps,
    claims_of,
    claims_to_judge,
    overlaps_of,
)
from tansiq.members.queries.contacts import ContactEntry, all_flags, flags, shown_contacts
from tansiq.members.queries.countries import country_names, other_country
from tansiq.members.queries.directory import TeamEntry, claims, claims_version, directory, team_cards, team_names
from tansiq.members.queries.pages import DirectoryEntry, MapEntry, TeamPage, directory_entries, map_entries, team_page
from tansiq.members.queries.people import (
    Member,
    OnDuty,
    duty_roster,
    home_language,
    home_team,
    names_of,
    on_duty,
    seats,
    team_people,
)
from tansiq.members.queries.periods import (
    CountryStatus,
    PeriodEntry,
    country_statements,
    country_statuses,
    full_member_conflicts,
    memberships_of,
    periods_of,
)
from tansiq.members.queries.profiles import profile_draft, profile_versions, published_profile
from tansiq.members.queries.stated import export

__all__ = [
    "CertificateEntry",
    "ClaimEntry",
    "ContactEntry",
    "CountryStatus",
    "DirectoryEntry",
    "MapEntry",
    "Member",
    "OnDuty",
    "OverlapEntry",
    "PeriodEntry",
    "TeamEntry",
    "TeamPage",
    "all_flags",
    "all_overlaps",
    "certificate_of",
    "certificates_of",
    "claims",
    "claims_of",
    "claims_to_judge",
    "claims_version",
    "country_names",
    "country_statements",
    "country_statuses",
    "current_key",
    "directory",
    "directory_entries",
    "duty_roster",
    "export",
    "flags",
    "full_member_conflicts",
    "home_language",
    "home_team",
    "map_entries",
    "memberships_of",
    "names_of",
    "on_duty",
    "other_country",
    "overlaps_of",
    "periods_of",
    "profile_draft",
    "profile_versions",
    "published_profile",
    "seats",
    "shown_contacts",
    "team_cards",
    "team_names",
    "team_page",
    "team_people",
]
