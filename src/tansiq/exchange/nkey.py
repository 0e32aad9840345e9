"""NKeys: Ed25519 keys (RFC 8032) as the message server writes them. ADR 0012 says why this is our own.

A key's text is base32 (RFC 4648) of a prefix, the 32 bytes and their CRC-16, without padding: a user's public key
begins with ``U``, the seed of its secret key with ``SU``.

Source: github.com/nats-io/nkeys, README and strkey.go.
"""

from __future__ import annotations

import base64
import binascii
import secrets

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tansiq.core.errors import N_, TansiqError

SEED, USER = 18 << 3, 20 << 3
"""What makes the first letters ``S`` and ``U``."""
KEY_BYTES = 32


class BadKey(TansiqError):
    """Says nothing of the value: it may be a secret."""

    code = "exchange.nkey"
    message = N_("This is not the key of a node for the message server: {expected} was expected.")
    remedy = N_("Take the whole line from the file of the key, or have a new key made.")
    exit_code = 2


def new_seed() -> str:
    """The secret of a new user of the message server; whoever has it is that user."""
    prefix = bytes([SEED | USER >> 5, (USER & 31) << 3])
    return _encoded(prefix + secrets.token_bytes(KEY_BYTES))


def public(seed: str) -> str:
    """The public key of a seed: what the server's configuration names. Raises: BadKey."""
    return _encoded(bytes([USER]) + _secret(seed).public_key().public_bytes_raw())


def sign(seed: str, nonce: bytes) -> bytes:
    """What a server that sent ``nonce`` wants to see: 64 bytes. Raises: BadKey."""
    return _secret(seed).sign(nonce)


def verifies(text: str, signature: bytes, content: bytes) -> bool:
    """Whether the owner of the public key ``text`` signed ``content``."""
    if not is_public(text):
        return False
    try:
        Ed25519PublicKey.from_public_bytes(_decoded(text)[1:]).verify(signature, content)
    except InvalidSignature:
        return False
    return True


def is_public(text: str) -> bool:
    """Whether this is a user's public key, whole and with its right checksum."""
    try:
        raw = _decoded(text)
    except BadKey:
        return False
    return len(raw) == 1 + KEY_BYTES and raw[0] == USER


def _secret(seed: str) -> Ed25519PrivateKey:
    raw = _decoded(seed)
    if len(raw) != 2 + KEY_BYTES or raw[0] != SEED | USER >> 5 or raw[1] != (USER & 31) << 3:
        raise BadKey(expected="SU…")
    return Ed25519PrivateKey.from_private_bytes(raw[2:])


def _encoded(raw: bytes) -> str:
    return base64.b32encode(raw + _checksum(raw)).decode("ascii").rstrip("=")


def _decoded(text: str) -> bytes:
    """What was encoded, in its one canonical form. Raises: BadKey."""
    try:
        raw = base64.b32decode(text + "=" * (-len(text) % 8))
    except (binascii.Error, ValueError):
        raise BadKey(expected="base32") from None
    if len(raw) < 3 or _checksum(raw[:-2]) != raw[-2:] or _encoded(raw[:-2]) != text:
        raise BadKey(expected="CRC-16")
    return raw[:-2]


def _checksum(raw: bytes) -> bytes:
    """CRC-16/XMODEM, low byte first."""
    return binascii.crc_hqx(raw, 0).to_bytes(2, "little")
