"""Keys of authenticator apps and seeds of recovery codes, sealed with the node's secret before they are stored.

A copy of the database alone then opens no account. ChaCha20-Poly1305 (RFC 8439) under a key that HKDF-SHA256 (RFC 5869)
makes of ``SECRET_KEY``; stored as ``t1:`` and base64url of a random nonce of 12 bytes and what is sealed. What
was stored before there was a seal has no such head, and is read as it is.
"""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tansiq.core.errors import N_, TansiqError

HEAD = "t1:"
NONCE_BYTES = 12
PURPOSE = b"tansiq second factors 1"


class Unreadable(TansiqError):
    code = "signin.factor.unreadable"
    message = N_("The stored key of a second factor cannot be read with this node's secret.")
    remedy = N_("Put the secret back that the database was written with: `tansiq doctor` says where it is looked for.")
    exit_code = 1


def seal(text: str, *, secret: str) -> str:
    nonce = secrets.token_bytes(NONCE_BYTES)
    return HEAD + urlsafe_b64encode(nonce + _cipher(secret).encrypt(nonce, text.encode(), None)).decode()


def sealed(stored: str) -> bool:
    return stored.startswith(HEAD)


def unseal(stored: str, *, secrets_known: list[str]) -> str:
    """The text, by whichever of the secrets opens it: the present one, then former ones. Raises: Unreadable."""
    if not sealed(stored):
        return stored
    try:
        blob = urlsafe_b64decode(stored[len(HEAD) :])
    except ValueError:
        raise Unreadable() from None
    for secret in secrets_known:
        try:
            return _cipher(secret).decrypt(blob[:NONCE_BYTES], blob[NONCE_BYTES:], None).decode()
        except (InvalidTag, ValueError):
            continue
    raise Unreadable()


def _cipher(secret: str) -> ChaCha20Poly1305:
    return ChaCha20Poly1305(HKDF(algorithm=SHA256(), length=32, salt=None, info=PURPOSE).derive(secret.encode()))
