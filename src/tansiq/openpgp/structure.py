"""How the packets of a certificate belong together (RFC 9580 section 10.1), without what is not needed of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from tansiq.core.errors import N_, TansiqError
from tansiq.openpgp import packets as raw
from tansiq.openpgp.armor import NotOpenPgp, SecretKey
from tansiq.openpgp.packets import Key, Packet, Signature

MOST_CERTIFICATES, MOST_USER_IDS, MOST_SUBKEYS, MOST_SIGNATURES = 50, 50, 50, 500
LONGEST_USER_ID_BYTES = 2048
_PASSED_OVER = frozenset({raw.MARKER, raw.TRUST, raw.PADDING})


class TooMuch(TansiqError):
    code = "openpgp.too_much"
    message = N_("The certificate has more user ids, subkeys or signatures than are taken ({most}), or one too long.")
    remedy = N_(
        "Export it without the signatures of others: gpg --armor --export-options export-minimal --export ADDRESS"
    )
    exit_code = 2


@dataclass(slots=True)
class Part:
    """The primary key, a subkey or a user id, with the signatures of the primary key on it."""

    packet: Packet
    key: Key | None = None
    signatures: list[Signature] = field(default_factory=list)
    kept: list[Packet] = field(default_factory=list)


@dataclass(slots=True)
class Structure:
    """One certificate: the primary key, then user ids and subkeys in the order of the file."""

    primary: Key
    parts: list[Part]

    @property
    def user_ids(self) -> list[Part]:
        return [part for part in self.parts if part.key is None]

    @property
    def subkeys(self) -> list[Part]:
        return [part for part in self.parts[1:] if part.key is not None]

    def binary(self) -> bytes:
        """The certificate without pictures, local packets, and what other keys have signed (any number of it may have
        been added by anybody: CVE-2019-13050)."""
        return b"".join(packet.framed() for part in self.parts for packet in (part.packet, *part.kept))


def structures(data: bytes) -> list[Structure]:
    """The certificates in ``data``, in order.

    Raises: NotOpenPgp, SecretKey, TooMuch, and what reading packets raises.
    """
    found: list[Structure] = []
    part: Part | None = None
    for packet in raw.packets(data):
        if packet.tag in (raw.SECRET_KEY, raw.SECRET_SUBKEY):
            raise SecretKey()
        if packet.tag in _PASSED_OVER:
            continue
        if packet.tag == raw.PUBLIC_KEY:
            part = Part(packet, raw.key(packet))
            assert part.key is not None
            found.append(Structure(part.key, [part]))
            _at_most(len(found), MOST_CERTIFICATES, "certificates")
        elif not found:
            raise NotOpenPgp()
        else:
            part = _added(found[-1], part, packet)
    if not found:
        raise NotOpenPgp()
    return found


def _added(to: Structure, part: Part | None, packet: Packet) -> Part | None:
    """The part that signatures after ``packet`` are about; none where they are about a picture."""
    if packet.tag == raw.SIGNATURE:
        if part is not None:
            _sign(to.primary, part, packet)
        return part
    if packet.tag == raw.USER_ATTRIBUTE:
        return None
    if packet.tag == raw.USER_ID:
        _at_most(len(packet.body), LONGEST_USER_ID_BYTES, "bytes of a user id")
        part = Part(packet)
        to.parts.append(part)
        _at_most(len(to.user_ids), MOST_USER_IDS, "user ids")
    elif packet.tag == raw.PUBLIC_SUBKEY:
        part = Part(packet, raw.key(packet))
        to.parts.append(part)
        _at_most(len(to.subkeys), MOST_SUBKEYS, "subkeys")
    else:
        raise NotOpenPgp()
    return part


def _sign(primary: Key, part: Part, packet: Packet) -> None:
    said = raw.signature(packet)
    if said.issuers and said.issuers.isdisjoint((primary.fingerprint, primary.key_id)):
        return
    part.signatures.append(said)
    part.kept.append(packet)
    _at_most(len(part.kept), MOST_SIGNATURES, "signatures")


def _at_most(count: int, most: int, part: str) -> None:
    if count > most:
        raise TooMuch(most=most, part=part)
