"""Packets, keys and signatures of OpenPGP, as much as judging a certificate needs (RFC 9580 sections 4 and 5).

The library says what is validly bound, but not by which algorithm, hash or number of bits; that is read here. Nothing
here proves anything: a signature is described, never verified.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tansiq.core.errors import N_, TansiqError

SIGNATURE, SECRET_KEY, PUBLIC_KEY, SECRET_SUBKEY, MARKER, TRUST, USER_ID, PUBLIC_SUBKEY, USER_ATTRIBUTE, PADDING = (
    2, 5, 6, 7, 10, 12, 13, 14, 17, 21,
)  # fmt: skip
_NAMES = {
    1: "RSA", 2: "RSA", 3: "RSA", 16: "ElGamal", 17: "DSA", 18: "ECDH", 19: "ECDSA", 22: "EdDSA", 25: "X25519",
    26: "X448", 27: "Ed25519", 28: "Ed448", 30: "ML-DSA-65+Ed25519", 31: "ML-DSA-87+Ed448", 32: "SLH-DSA-128s",
    33: "SLH-DSA-128f", 34: "SLH-DSA-256s", 35: "ML-KEM-768+X25519", 36: "ML-KEM-1024+X448",
}  # fmt: skip
_CURVES = {
    "2a8648ce3d030107": ("NIST P-256", 256),
    "2b81040022": ("NIST P-384", 384),
    "2b81040023": ("NIST P-521", 521),
    "2b2403030208010107": ("brainpoolP256r1", 256),
    "2b240303020801010b": ("brainpoolP384r1", 384),
    "2b240303020801010d": ("brainpoolP512r1", 512),
    "2b06010401da470f01": ("Ed25519", 256),
    "2b060104019755010501": ("Curve25519", 256),
    "2b8104000a": ("secp256k1", 256),
}
_FIXED_BITS = {25: 256, 26: 448, 27: 256, 28: 448}
_HASHES = {
    1: "MD5", 2: "SHA-1", 3: "RIPEMD-160", 8: "SHA-256", 9: "SHA-384", 10: "SHA-512", 11: "SHA-224", 12: "SHA3-256",
    14: "SHA3-512",
}  # fmt: skip
_WIDEST_BITS = 16_384  # wider numbers cost seconds to reckon with; no program makes them


class Malformed(TansiqError):
    code = "openpgp.malformed"
    message = N_("The certificate is damaged at byte {offset}.")
    remedy = N_("Export the key again and upload the file itself.")
    exit_code = 2


class Unreadable(TansiqError):
    code = "openpgp.unreadable"
    message = N_("The certificate is of version {version}, which this program cannot read.")
    remedy = N_("Make a key of version 4 or 6; any present OpenPGP program does.")
    exit_code = 2


class Outsize(TansiqError):
    code = "openpgp.outsize"
    message = N_("The certificate holds a number of {bits} bits; {limit} are the most that is taken.")
    remedy = N_("Make a key of a usual size.")
    exit_code = 2


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet: its type (RFC 9580 section 5), what is in it, and where it began in the whole."""

    tag: int
    body: bytes
    offset: int

    def framed(self) -> bytes:
        """The packet with a header of the present format and a length of five octets."""
        return bytes([0xC0 | self.tag, 0xFF]) + len(self.body).to_bytes(4) + self.body


@dataclass(frozen=True, slots=True)
class Key:
    """What a key packet says. ``bits``: of the modulus, prime or field; 0 where the name says all."""

    version: int
    created_at: datetime
    algorithm: str
    bits: int
    curve: str
    fingerprint: str

    @property
    def key_id(self) -> str:
        return self.fingerprint[:16] if self.version == 6 else self.fingerprint[-16:]


@dataclass(frozen=True, slots=True)
class Signature:
    """What a signature packet says of itself; only subpackets that it covers, except who issued it."""

    kind: int
    hash_name: str
    created_at: datetime | None
    key_valid_for: timedelta | None
    flags: int | None
    revocation_reason: int | None
    issuers: frozenset[str]  # key ids and fingerprints, capital hexadecimal; empty where it says none
    backed: bool  # carries the signature of the subkey over the primary key
    primary: bool


def packets(data: bytes) -> Iterator[Packet]:
    """The packets of a certificate, in order; no nesting is entered.

    Raises: Malformed, at a header that a certificate cannot have (partial or indeterminate length) or a body cut short.
    """
    position = 0
    while position < len(data):
        tag, start, size = _header(data, position)
        if start + size > len(data):
            raise Malformed(offset=position)
        yield Packet(tag, data[start : start + size], position)
        position = start + size


def _header(data: bytes, at: int) -> tuple[int, int, int]:
    """Type, first byte and size of the body (sections 4.2.1 and 4.2.2)."""
    first = data[at]
    if not first & 0x80:
        raise Malformed(offset=at)
    if first & 0x40:
        tag, octets, start = first & 0x3F, data[at + 1 : at + 2], at + 2
        if not octets or 224 <= octets[0] < 255:
            raise Malformed(offset=at)
        if octets[0] < 192:
            return tag, start, octets[0]
        if octets[0] < 224:
            return tag, start + 1, (octets[0] - 192 << 8) + _number(data, start, 1, at) + 192
        return tag, start + 4, _number(data, start, 4, at)
    width = (1, 2, 4, 0)[first & 3]
    if not width:
        raise Malformed(offset=at)
    return first >> 2 & 0xF, at + 1 + width, _number(data, at + 1, width, at)


def _number(data: bytes, start: int, width: int, offset: int) -> int:
    if start + width > len(data):
        raise Malformed(offset=offset)
    return int.from_bytes(data[start : start + width])


def key(packet: Packet) -> Key:
    """Read a public key or subkey (section 5.5.2).

    Raises: Unreadable (versions 2, 3, 5 and unknown ones), Malformed, Outsize.
    """
    body = packet.body
    version = _number(body, 0, 1, packet.offset)
    if version not in (4, 6):
        raise Unreadable(version=version)
    created, algorithm = _number(body, 1, 4, packet.offset), _number(body, 5, 1, packet.offset)
    if version == 4:
        if len(body) > 0xFFFF:
            raise Malformed(offset=packet.offset)
        fingerprint = hashlib.sha1(b"\x99" + len(body).to_bytes(2) + body, usedforsecurity=False).hexdigest()
    else:
        fingerprint = hashlib.sha256(b"\x9b" + len(body).to_bytes(4) + body).hexdigest()
    bits, curve = _size(algorithm, body[6 if version == 4 else 10 :], packet.offset)
    return Key(version, _moment(created), _NAMES.get(algorithm, str(algorithm)), bits, curve, fingerprint.upper())


def _size(algorithm: int, material: bytes, offset: int) -> tuple[int, str]:
    if algorithm in (1, 2, 3, 16, 17):
        widths = _widths(material, {16: 3, 17: 4}.get(algorithm, 2), offset)
        if algorithm <= 3 and widths[1] > 64:
            raise Outsize(bits=widths[1], limit=64)
        return widths[0], ""
    if algorithm in (18, 19, 22):
        size = _number(material, 0, 1, offset)
        curve, bits = _CURVES.get(material[1 : 1 + size].hex(), ("", 0))
        _widths(material[1 + size :], 1, offset)
        return bits, curve
    return _FIXED_BITS.get(algorithm, 0), ""


def _widths(material: bytes, count: int, offset: int) -> list[int]:
    """Bits of the first ``count`` numbers (MPI, section 3.2)."""
    widths, position = [], 0
    for _index in range(count):
        bits = _number(material, position, 2, offset)
        if bits > _WIDEST_BITS:
            raise Outsize(bits=bits, limit=_WIDEST_BITS)
        position += 2 + (bits + 7) // 8
        if position > len(material):
            raise Malformed(offset=offset)
        widths.append(bits)
    return widths


def signature(packet: Packet) -> Signature:
    """Read a signature (section 5.2). Raises: Malformed; Unreadable for versions other than 3, 4 and 6."""
    body, offset = packet.body, packet.offset
    version = _number(body, 0, 1, offset)
    if version == 3:
        return _old_signature(body, offset)
    if version not in (4, 6):
        raise Unreadable(version=version)
    width = 2 if version == 4 else 4
    kind, hashing = _number(body, 1, 1, offset), _number(body, 3, 1, offset)
    size = _number(body, 4, width, offset)
    start = 4 + width + size
    covered = _subpackets(body[4 + width : start], offset)
    rest = _subpackets(body[start + width : start + width + _number(body, start, width, offset)], offset)
    created, valid_for = covered.get(2, b""), covered.get(9, b"")
    issuers = {value.hex().upper() for value in (covered.get(16), rest.get(16)) if value}
    issuers |= {value[1:].hex().upper() for value in (covered.get(33), rest.get(33)) if value}
    reason = covered.get(29, b"")
    return Signature(
        kind=kind,
        hash_name=_HASHES.get(hashing, str(hashing)),
        created_at=_moment(int.from_bytes(created)) if len(created) == 4 else None,
        key_valid_for=timedelta(seconds=int.from_bytes(valid_for)) if len(valid_for) == 4 and any(valid_for) else None,
        flags=covered[27][0] if covered.get(27) else None,
        revocation_reason=reason[0] if reason else None,
        issuers=frozenset(issuers),
        backed=32 in covered or 32 in rest,
        primary=covered.get(25) == b"\x01",
    )


def _old_signature(body: bytes, offset: int) -> Signature:
    kind, created = _number(body, 2, 1, offset), _number(body, 3, 4, offset)
    issuer, hashing = _number(body, 7, 8, offset), _number(body, 16, 1, offset)
    return Signature(
        kind, _HASHES.get(hashing, str(hashing)), _moment(created), None, None, None, frozenset({f"{issuer:016X}"}),
        backed=False, primary=False,
    )  # fmt: skip


def _subpackets(area: bytes, offset: int) -> dict[int, bytes]:
    """Contents by type, the last of each (section 5.2.3.7)."""
    found: dict[int, bytes] = {}
    position = 0
    while position < len(area):
        size = area[position]
        position += 1
        if 192 <= size < 255:
            size = (size - 192 << 8) + _number(area, position, 1, offset) + 192
            position += 1
        elif size == 255:
            size = _number(area, position, 4, offset)
            position += 4
        if not size or position + size > len(area):
            raise Malformed(offset=offset)
        found[area[position] & 0x7F] = area[position + 1 : position + size]
        position += size
    return found


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
