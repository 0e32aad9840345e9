"""From what was uploaded to binary OpenPGP: size bounded, ASCII armor taken off (RFC 9580 section 6.2)."""

from __future__ import annotations

import base64
import binascii
import re

from tansiq.core.errors import N_, TansiqError

LIMIT_BYTES = 256 * 1024
"""Of an upload, armor included. A team's certificate has 1 to 20 kB; a larger one carries other people's signatures."""

_BLOCK = re.compile(rb"^-----BEGIN PGP ([A-Z0-9 ,/]{1,40})-----[ \t]*\r?$", re.MULTILINE)
_END = re.compile(rb"^-----END PGP ([A-Z0-9 ,/]{1,40})-----[ \t]*\r?$", re.MULTILINE)
_BLANK = re.compile(rb"^[ \t]*\r?\n", re.MULTILINE)
_CHECKSUM = re.compile(rb"\n=[A-Za-z0-9+/]{4}[ \t\r\n]*$")


class TooLarge(TansiqError):
    code = "openpgp.too_large"
    message = N_("The file has {size_bytes} bytes; a certificate may have {limit_bytes}.")
    remedy = N_(
        "Export it without the signatures of others: gpg --armor --export-options export-minimal --export ADDRESS"
    )
    exit_code = 2


class NotOpenPgp(TansiqError):
    code = "openpgp.not_openpgp"
    message = N_("The file holds no OpenPGP certificate.")
    remedy = N_("Export the public key, for example: gpg --armor --export ADDRESS")
    exit_code = 2


class TruncatedArmor(TansiqError):
    code = "openpgp.armor_truncated"
    message = N_("The key block has no end: its last line, beginning with -----END PGP, is missing.")
    remedy = N_("Copy the whole block, first and last line included.")
    exit_code = 2


class BrokenArmor(TansiqError):
    code = "openpgp.armor_broken"
    message = N_("The key block is damaged: what it holds is not base64.")
    remedy = N_("Export the key again and upload the file itself; mail programs may change pasted lines.")
    exit_code = 2


class SecretKey(TansiqError):
    code = "openpgp.secret_key"
    message = N_("The file holds a secret key. It was not stored.")
    remedy = N_(
        "A secret key never leaves its owner: upload the public key (gpg --armor --export ADDRESS), and if the file "
        "was sent to anybody, revoke the key and make another."
    )
    exit_code = 2


def binary(blob: bytes) -> bytes:
    """The binary OpenPGP packets of an upload: binary as it is, armored blocks decoded and joined in their order.

    The checksum of armor is not judged (RFC 9580 section 6.1 forbids it). Text around the blocks is passed over.

    Args:
        blob: at most ``LIMIT_BYTES``.

    Raises: TooLarge, NotOpenPgp, TruncatedArmor, BrokenArmor, SecretKey.
    """
    if len(blob) > LIMIT_BYTES:
        raise TooLarge(size_bytes=len(blob), limit_bytes=LIMIT_BYTES)
    if blob[:1] >= b"\x80" and not blob.startswith(b"\xef\xbb\xbf"):  # every packet's first bit is set
        return blob
    blob = blob.removeprefix(b"\xef\xbb\xbf")
    found, position = [], 0
    while begin := _BLOCK.search(blob, position):
        _of_a_certificate(begin[1])
        end = _END.search(blob, begin.end())
        if end is None:
            raise TruncatedArmor()
        found.append(_decoded(blob[begin.end() : end.start()]))
        position = end.end()
    if not found:
        raise NotOpenPgp()
    return b"".join(found)


def _of_a_certificate(kind: bytes) -> None:
    if kind in (b"PRIVATE KEY BLOCK", b"SECRET KEY BLOCK"):
        raise SecretKey()
    if kind != b"PUBLIC KEY BLOCK":
        raise NotOpenPgp()


def _decoded(block: bytes) -> bytes:
    """Without its headers, which end at the first blank line, and its checksum."""
    body = block.removeprefix(b"\r").removeprefix(b"\n")
    blank = _BLANK.search(body)
    if blank is None:
        raise BrokenArmor()
    text = _CHECKSUM.sub(b"", b"\n" + body[blank.end() :])
    try:
        return base64.b64decode(b"".join(text.split()), validate=True)
    except binascii.Error:
        raise BrokenArmor() from None
