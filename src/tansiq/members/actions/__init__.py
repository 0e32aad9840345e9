"""Verbs that change the register. Each is one transaction with its audit row; ``by`` acts, ``now`` is the one clock."""

from tansiq.members.actions.directory import (
    Counts,
    Imported,
    LocatedOverlap,
    NotStored,
    import_statement,
    located_overlaps,
    ship_directory,
)

__all__ = [
    "Counts",
    "Imported",
    "LocatedOverlap",
    "NotStored",
    "import_statement",
    "located_overlaps",
    "ship_directory",
]
