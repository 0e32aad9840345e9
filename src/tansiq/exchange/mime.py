"""What a mail of anybody consists of (RFC 2045, 2046), read in linear time and within bounds. Never raises.

Not the standard library's parser: that one nests as deep as a mail does, and some headers take it quadratic time.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

LIMIT_BYTES = 16 * 1024 * 1024
DEEPEST = 8
MOST_PARTS = 4000
_LONGEST_HEAD = 256 * 1024
_LONGEST_BOUNDARY = 200

_BLANK_LINE = re.compile(rb"(?:\A|\n)\r?\n")
_FIELD = rb"^%s[ \t]*:([^\r\n]*(?:\r?\n[ \t][^\r\n]*)*)"
_TYPE = re.compile(_FIELD % b"content-type", re.IGNORECASE | re.MULTILINE)
_ENCODING = re.compile(_FIELD % b"content-transfer-encoding", re.IGNORECASE | re.MULTILINE)
_BOUNDARY = re.compile(rb'boundary[ \t]*=[ \t]*(?:"([^"\r\n]*)"|([^\s;"]+))', re.IGNORECASE)
_BASE64 = re.compile(rb"[A-Za-z0-9+/\s]*={0,2}")
_SPACE = re.compile(rb"\s+")
WHITE = b" \t\r\n\v\f"


class Trouble(StrEnum):
    """Why a mail, or a part of it, was not read."""

    SIZE = "size"
    NESTING = "nesting"
    PARTS = "parts"


@dataclass(frozen=True, slots=True)
class Leaf:
    """A part without parts, its transfer encoding taken off.

    Attributes:
        media_type: in lower case; ``text/plain`` where the part names none.
        in_encrypted: it lies in a ``multipart/encrypted``.
    """

    media_type: str
    content: bytes
    in_encrypted: bool


@dataclass(frozen=True, slots=True)
class _Part:
    data: bytes
    depth: int
    in_encrypted: bool


def top_type(raw: bytes) -> str:
    """The media type of the whole mail."""
    head, _ = _divided(raw)
    return _media_type(head)


def leaves(raw: bytes) -> Iterator[Leaf | Trouble]:
    """The parts of a mail in their order, those of forwarded mails among them; what is beyond a bound as a trouble.

    Args:
        raw: as it came, lines ending in CR LF or LF; nothing but a trouble where it is beyond ``LIMIT_BYTES``.
    """
    if len(raw) > LIMIT_BYTES:
        yield Trouble.SIZE
        return
    waiting, seen = [_Part(raw, 1, False)], 0
    while waiting:
        part = waiting.pop()
        seen += 1
        if seen > MOST_PARTS:
            yield Trouble.PARTS
            return
        if part.depth > DEEPEST:
            yield Trouble.NESTING
            continue
        inner = _parts(part, MOST_PARTS + 1 - seen)
        if isinstance(inner, Leaf):
            yield inner
        else:
            waiting += reversed(inner)


def _parts(part: _Part, most: int) -> Leaf | list[_Part]:
    """What a part consists of; itself, where it has no parts."""
    head, body = _divided(part.data)
    media_type = _media_type(head)
    if media_type.startswith("multipart/") and (boundary := _boundary(head)):
        pieces = _between(body, boundary, most)
        if pieces is not None:
            encrypted = part.in_encrypted or media_type == "multipart/encrypted"
            return [_Part(piece, part.depth + 1, encrypted) for piece in pieces]
    content = _decoded(body, _value(_ENCODING, head).lower())
    if media_type in ("message/rfc822", "message/global"):
        return [_Part(content, part.depth + 1, part.in_encrypted)]
    return Leaf(media_type, content, part.in_encrypted)


def _divided(data: bytes) -> tuple[bytes, bytes]:
    """Head and body. Without a blank line near the beginning everything is body."""
    blank = _BLANK_LINE.search(data, 0, _LONGEST_HEAD)
    return (data[: blank.start() + 1], data[blank.end() :]) if blank else (b"", data)


def _value(field: re.Pattern[bytes], head: bytes) -> str:
    """The first such field's, unfolded; empty where there is none."""
    found = field.search(head)
    return _SPACE.sub(b" ", found[1]).strip().decode("ascii", "replace") if found else ""


def _media_type(head: bytes) -> str:
    return _value(_TYPE, head).partition(";")[0].strip().lower() or "text/plain"


def _boundary(head: bytes) -> bytes:
    field = _TYPE.search(head)
    found = _BOUNDARY.search(field[1]) if field else None
    boundary = (found[1] or found[2] or b"") if found else b""
    return boundary if len(boundary) <= _LONGEST_BOUNDARY else b""


def _between(body: bytes, boundary: bytes, most: int) -> list[bytes] | None:
    """The parts between lines of ``boundary``, at most ``most``; None where no such line is there.

    The last one may lack the line that ends it: the mail was cut off, or a server put something behind it.
    """
    text = b"\n" + body
    line = re.compile(rb"\n--" + re.escape(boundary) + rb"(--)?[ \t]*(?:\r?\n|\Z)")
    found: list[bytes] = []
    position, begins = 0, -1
    while (delimiter := line.search(text, position)) is not None:
        if begins >= 0:
            found.append(text[begins : delimiter.start()].removesuffix(b"\r"))
        if delimiter[1] or len(found) >= most:
            return found
        begins = delimiter.end()
        position = begins - text.endswith(b"\n", 0, begins)  # one end of line may serve two delimiters
    return None if begins < 0 else [*found, text[begins:]]


def _decoded(body: bytes, encoding: str) -> bytes:
    """Without its transfer encoding. What a list's server put behind base64 is left out."""
    if encoding == "base64":
        matched = _BASE64.match(body)
        text = (matched[0] if matched else b"").translate(None, WHITE)
        return binascii.a2b_base64(text[: len(text) // 4 * 4])
    if encoding == "quoted-printable":
        return binascii.a2b_qp(body)
    return body
