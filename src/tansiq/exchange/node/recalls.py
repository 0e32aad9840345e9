"""Section 12 on a node's database: what other parts of the node call, from the modules that do it."""

from __future__ import annotations

from tansiq.exchange.node.entitlements import embargoes_ended, follow_embargoes, on_roster
from tansiq.exchange.node.heeding import authority, heed, keep, may_keep, review_forwards
from tansiq.exchange.node.orders import on_states, recall_from, sign_recalls

__all__ = [
    "authority",
    "embargoes_ended",
    "follow_embargoes",
    "heed",
    "keep",
    "may_keep",
    "on_roster",
    "on_states",
    "recall_from",
    "review_forwards",
    "sign_recalls",
]
