"""OpenPGP messages as somebody hostile makes them: any packets within, sealed to a certificate of version 6.

The library makes none but its own; what is refused has to be made by hand. RFC 9580 sections 5.1.2, 5.1.6 and 5.13.2.
"""

from __future__ import annotations

import bz2
import zlib
from functools import cache

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESOCB3
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

from tansiq.openpgp import structure

_X25519 = 25
_SESSION_KEY = bytes(range(32))
_SALT = bytes(32)
_PARAMETERS = bytes([0xD2, 2, 9, 2, 16])  # the packet's type and version, AES-256, OCB, chunks of 2^22 bytes


def packet(tag: int, body: bytes) -> bytes:
    return bytes([0xC0 | tag, 0xFF]) + len(body).to_bytes(4) + body


def literal(data: bytes) -> bytes:
    return packet(11, b"b\0" + bytes(4) + data)


def compressed(packets: bytes) -> bytes:
    return packet(8, b"\x02" + zlib.compress(packets, 9))


def compressed_bzip2(packets: bytes) -> bytes:
    return packet(8, b"\x03" + bz2.compress(packets, 9))


@cache
def zeros_compressed(megabytes: int) -> bytes:
    """A literal of so many megabytes of zeros, a thousandth of that in size, made without holding it."""
    size = megabytes * 1024 * 1024
    squeeze = zlib.compressobj(9)
    parts = [b"\x02", squeeze.compress(bytes([0xC0 | 11, 0xFF]) + (size + 6).to_bytes(4) + b"b\0" + bytes(4))]
    parts += [squeeze.compress(bytes(1024 * 1024)) for _ in range(megabytes)]
    return packet(8, b"".join([*parts, squeeze.flush()]))


def sealed_to(certificate: bytes, packets: bytes) -> bytes:
    """A message that holds ``packets``, whatever they are."""
    (read,) = structure.structures(certificate)
    part = next(part for part in read.subkeys if part.packet.body[5] == _X25519)
    assert part.key is not None
    recipient = part.packet.body[10:42]
    ephemeral = X25519PrivateKey.generate()
    public = ephemeral.public_key().public_bytes_raw()
    shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(recipient))
    wrapped = aes_key_wrap(_derived(public + recipient + shared, None, b"OpenPGP X25519", 16), _SESSION_KEY)
    to = bytes([33, 6]) + bytes.fromhex(part.key.fingerprint)
    session = packet(1, b"\x06" + to + bytes([_X25519]) + public + bytes([len(wrapped)]) + wrapped)
    return session + packet(18, _PARAMETERS[1:] + _SALT + _encrypted(packets))


def _encrypted(plain: bytes) -> bytes:
    material = _derived(_SESSION_KEY, _SALT, _PARAMETERS, 32 + 7)
    cipher, start = AESOCB3(material[:32]), material[32:]
    step = 2**22
    chunks = [plain[at : at + step] for at in range(0, len(plain), step)]
    done = [cipher.encrypt(start + i.to_bytes(8), chunk, _PARAMETERS) for i, chunk in enumerate(chunks)]
    return b"".join([*done, cipher.encrypt(start + len(chunks).to_bytes(8), b"", _PARAMETERS + len(plain).to_bytes(8))])


def _derived(secret: bytes, salt: bytes | None, purpose: bytes, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=purpose).derive(secret)
