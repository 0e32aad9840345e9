"""What the chain's hashes are taken over. Pure: whoever has the rows can recompute them (docs/reference/audit.md)."""

from __future__ import annotations

import hashlib
import hmac
from typing import NamedTuple

GENESIS = "0" * 64
"""What stands for the hash before the first row."""

TAG = b"tansiq audit 1"
SALT_BYTES = 32
LENGTH_BYTES = 4


class Sealed(NamedTuple):
    """The fields of one row that its hash covers, in this order, each as the UTF-8 bytes that are stored.

    Attributes:
        number: in decimal digits, from 1 without a gap.
        at: ``2026-03-01T12:00:00.000000Z``, always 27 characters.
        who: the viewer's name: ``P-4F7K2M``, ``key:XA-CERT/collector``, ``system:digest``, ``operator``.
        team: code of the team acted for; empty for those who act for none.
        verb: dotted, ``membership.recorded``.
        item_kind, item_id: ``team``, ``XA-CERT``.
        facts: the values as JSON: keys sorted, no white space, ASCII only.
        reason_digest: what ``reason_digest`` gives, in hex; empty where no reason was given.
    """

    number: bytes
    at: bytes
    who: bytes
    team: bytes
    verb: bytes
    item_kind: bytes
    item_id: bytes
    facts: bytes
    reason_digest: bytes


def hash_of(row: Sealed, *, previous: str) -> str:
    """SHA-256, in hex, over the tag, the previous row's hash in hex, and the fields.

    Each part goes with its length before it (4 bytes, most significant first), so that no two rows are the same bytes.
    """
    return _hash((TAG, previous.encode(), *row))


def _hash(parts: tuple[bytes, ...]) -> str:
    return hashlib.sha256(b"".join(len(part).to_bytes(LENGTH_BYTES, "big") + part for part in parts)).hexdigest()


def reason_digest(text: bytes, *, salt: bytes) -> str:
    """HMAC-SHA-256, in hex, under a salt drawn for this reason alone and kept beside it.

    With text and salt erased, what stays in the chain tells nothing: not even a guess of the text can be tried.
    """
    return hmac.new(salt, text, hashlib.sha256).hexdigest()
