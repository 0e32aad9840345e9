"""Reads of the register; each names its reader first, unless what it reads is public or the node's own work."""

from tansiq.members.queries.directory import TeamEntry, claims, claims_version, directory, team_cards

__all__ = ["TeamEntry", "claims", "claims_version", "directory", "team_cards"]
