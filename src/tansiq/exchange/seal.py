"""Sealing a body for one node, and opening what came: sections 18 and 5.1 to 5.3.

``Sealed`` is bytes of which nothing is known. Opening unpacks before any signature can be checked, so what anybody may
send is opened by ``opener.Opener``, in a process with bounded memory and time; ``unsealed`` is what that process does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tansiq.exchange.body import Body
from tansiq.exchange.reasons import JunkReason
from tansiq.openpgp import sealing
from tansiq.openpgp.sealing import NotOpened, NotProven, Secret

SEALED_LIMIT_BYTES = 1024 * 1024
_NO_SIGNATURE = "Signature verification failed"


@dataclass(frozen=True, slots=True)
class Sealed:
    """Bytes as they travel; unverified when they come."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Unsealed:
    """What was in a message, and the fingerprint of the node certificate known here that signed it. Not yet read."""

    content: bytes
    signer: str


@dataclass(frozen=True, slots=True)
class Junk:
    """Nobody known has sent it: it changes nothing and gets no receipt.

    Attributes:
        check: number of the check that it failed (``"5.3"``).
        detail: what was expected, for the operator; nothing of the content.
    """

    check: str
    reason: JunkReason
    detail: str = ""


def seal(body: Body, *, by: Secret, to: bytes) -> Sealed:
    """The body signed by the sender's node and encrypted to the recipient's certificate (binary). Never compressed.

    Raises: NotSealable, where the recipient's certificate is revoked or cannot be encrypted to; ValueError for a body
        that is too long.
    """
    return seal_written(body.written(), by=by, to=to)


def seal_written(content: bytes, *, by: Secret, to: bytes) -> Sealed:
    """Like ``seal``, for a body that was written before: each attempt seals the same bytes anew (section 8.3)."""
    return Sealed(sealing.encrypt(content, to=[to], signed_by=by))


def unsealed(sealed: Sealed, *, by: Sequence[Secret], signers: Sequence[bytes]) -> Unsealed | Junk:
    """Checks 5.1 to 5.3, without bounds of memory and time.

    Args:
        by: this node's secret keys, the present one first.
        signers: node certificates that are believed, binary.
    """
    if len(sealed.data) > SEALED_LIMIT_BYTES:
        return Junk("5.1", JunkReason.SIZE)
    said = "no key"
    for secret in by:
        try:
            opened = sealing.decrypt(sealed.data, by=secret, signers=signers)
        except NotProven as refused:
            return Junk("5.3", JunkReason.UNPROVEN, str(refused.values["reason"]))
        except NotOpened as refused:
            said = str(refused.values["reason"])
            if said.startswith(_NO_SIGNATURE):
                return Junk("5.3", JunkReason.SIGNER, said)
            continue
        return Unsealed(opened.content, opened.signer)
    return Junk("5.2", JunkReason.NOT_OPENED, said)
