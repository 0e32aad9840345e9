"""May this be done, and what follows from what is recorded: pure functions."""

from tansiq.members.rules.overlaps import Overlap, domain_key, overlaps, prefix_key

__all__ = ["Overlap", "domain_key", "overlaps", "prefix_key"]
