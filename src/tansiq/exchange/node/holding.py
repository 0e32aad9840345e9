"""Section 11 on a node's database: what other parts of the node call, from the modules that do it."""

from __future__ import annotations

from tansiq.exchange.node.answering import on_request
from tansiq.exchange.node.freezing import freeze
from tansiq.exchange.node.life import ask_back, is_held, may_waive, restore, waiting_for, waive
from tansiq.exchange.node.returning import due_requests, on_answer

__all__ = [
    "ask_back",
    "due_requests",
    "freeze",
    "is_held",
    "may_waive",
    "on_answer",
    "on_request",
    "restore",
    "waiting_for",
    "waive",
]
