"""A node of a federation in memory: the engine's decisions, stored in dictionaries instead of a database.

Each method is one transaction: what it decides is stored before anything that it returns leaves the node. Bodies are
real and chained by their digests; seals and author signatures are left out here.

Each part builds on the one before: ``values``, ``keeping``, ``settling``, ``sending``, ``comparing``, ``recovering``,
``receipting``, ``receiving``, ``node``.
"""

from __future__ import annotations

from federation_node.node import Node
from federation_node.values import (
    FORGED,
    POISON,
    REALM,
    RECALL,
    Ask,
    Fact,
    Letter,
    Live,
    Recalling,
    Roster,
    fact_of,
    leaf_of,
)

__all__ = [
    "FORGED", "POISON", "REALM", "RECALL", "Ask", "Fact", "Letter",
    "Live", "Node", "Recalling", "Roster", "fact_of", "leaf_of",
]  # fmt: skip
