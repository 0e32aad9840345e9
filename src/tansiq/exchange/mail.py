"""Sealed bytes as mails: written as PGP/MIME (RFC 3156), read as servers on the way leave them (section 16, Mail).

Nothing of a mail is believed: neither who sent it nor what it says around the sealed bytes. So a reader takes every
OpenPGP message that it finds in a mail, however it was wrapped anew, and the checks of section 5 judge what it is.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.header import decode_header
from email.utils import format_datetime
from enum import StrEnum

from tansiq.exchange import mime
from tansiq.exchange.account import ADDRESS
from tansiq.exchange.body import Lane
from tansiq.exchange.mime import Leaf, Trouble
from tansiq.exchange.seal import SEALED_LIMIT_BYTES
from tansiq.exchange.values import digest

MAIL_LIMIT_BYTES = 10 * 1024 * 1024
"""Of a mail as written. One that came may have ``mime.LIMIT_BYTES``: servers may have encoded it anew."""
MOST_SEALED = 1000
SUBJECT = "Tansiq exchange"

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_LINE = 64
_HEAD_BYTES = 2048  # of the mail, at most
_AROUND_BYTES = 512  # around each sealed body: boundaries, fields, the armor's lines
_EDGE = re.compile(rb"^-----(BEGIN|END) PGP MESSAGE-----[ \t]*\r?$", re.MULTILINE)
_BLANK = re.compile(rb"^[ \t]*\r?\n", re.MULTILINE)
_CHECKSUM = re.compile(rb"=[A-Za-z0-9+/]{4}")
_LONGEST_SUBJECT = 2000
_LANES = [lane.value for lane in Lane]  # the urgent one first


class Fault(StrEnum):
    """What was in a mail and could not be read, or why there was nothing."""

    SIZE = "size"  # the mail, or a sealed body (5.1)
    NESTING = "nesting"
    PARTS = "parts"
    COUNT = "count"  # more sealed bodies than a mail may have
    ARMOR = "armor"  # cut off or damaged
    RETURNED = "returned"  # a server's report that a mail of ours did not arrive
    NOTHING = "nothing"  # no OpenPGP message in it


@dataclass(frozen=True, slots=True)
class Contents:
    """What a mail holds: sealed bodies, unverified, in their order, and each fault once."""

    sealed: tuple[bytes, ...]
    faults: tuple[Fault, ...] = ()


def build(
    sealed: Sequence[bytes], *, sender: str, recipient: str, lane: Lane, message_id: str, written_at: datetime
) -> bytes:
    """One mail with one sealed body or several, in lines of ASCII ending in CR LF.

    Args:
        sealed: as ``batches`` divides them.
        sender, recipient: plain addresses.
        message_id: the part before the @; of random characters, since everybody on the way reads it.

    Raises: ValueError, for an address, an id or a number of bodies that a mail cannot have: the caller's own fault.
    """
    if not ADDRESS.fullmatch(sender) or not ADDRESS.fullmatch(recipient) or not _ID.fullmatch(message_id):
        raise ValueError("an address or an id that no mail can have")
    if not 1 <= len(sealed) <= MOST_SEALED or written_at.tzinfo is None:
        raise ValueError("from 1 to 1000 bodies, and a time with its zone")
    wrapped = [_encrypted(data, f"{message_id}.{index}") for index, data in enumerate(sealed, 1)]
    content = wrapped[0] if len(wrapped) == 1 else _mixed(wrapped, message_id)
    mail = "\r\n".join([*_head(sender, recipient, lane, message_id, written_at), *content, ""]).encode("ascii")
    if len(mail) > MAIL_LIMIT_BYTES:
        raise ValueError(f"a mail of {len(mail)} bytes")
    return mail


def batches(sealed: Iterable[bytes], *, most_bytes: int = MAIL_LIMIT_BYTES) -> Iterator[list[bytes]]:
    """Sealed bodies in their order, divided so that ``build`` takes each list.

    Args:
        most_bytes: of a mail, where a server takes less; one with a single body may have more.
    """
    batch: list[bytes] = []
    size = _HEAD_BYTES
    for data in sealed:
        one = _AROUND_BYTES + _armored_bytes(data)
        if batch and (size + one > min(most_bytes, MAIL_LIMIT_BYTES) or len(batch) == MOST_SEALED):
            yield batch
            batch, size = [], _HEAD_BYTES
        batch.append(data)
        size += one
    if batch:
        yield batch


def read(raw: bytes) -> Contents:
    """What a mail of anybody holds. Never raises; takes time in proportion to its size, at most some seconds."""
    if len(raw) <= mime.LIMIT_BYTES and mime.top_type(raw) == "multipart/report":
        return Contents((), (Fault.RETURNED,))
    sealed: list[bytes] = []
    faults: list[Fault] = []
    for found in _found(raw):
        if isinstance(found, Fault):
            faults.append(found)
        elif len(found) > SEALED_LIMIT_BYTES:
            faults.append(Fault.SIZE)
        elif len(sealed) == MOST_SEALED:
            faults.append(Fault.COUNT)
            break
        else:
            sealed.append(found)
    if not sealed and not faults:
        faults.append(Fault.NOTHING)
    return Contents(tuple(sealed), tuple(dict.fromkeys(faults)))


def urgency(subject: bytes) -> int | None:
    """When to fetch a mail of this subject: 0 before 1, by its lane; None: it is not for the exchange.

    A hint, since anybody may write a subject. Mails in the mailbox that are not for the exchange are other people's.

    Args:
        subject: the field as it came, its name included or not; a server may have put words before ours.
    """
    text = " ".join(subject[:_LONGEST_SUBJECT].decode("utf-8", "replace").split())
    try:
        words = [part if isinstance(part, str) else part.decode(name or "ascii", "replace")
                 for part, name in decode_header(text)]  # fmt: skip
    except (HeaderParseError, LookupError, ValueError):
        words = [text]
    _, ours, after = " ".join("".join(words).split()).casefold().partition(SUBJECT.casefold())
    if not ours:
        return None
    lane = after.strip().partition(" ")[0]
    return _LANES.index(lane) if lane in _LANES else len(_LANES)


def armored(data: bytes) -> list[str]:
    """Lines of an OpenPGP message in ASCII (RFC 9580 section 6.2), without the checksum that nobody may judge."""
    text = base64.b64encode(data).decode("ascii")
    lines = [text[at : at + _LINE] for at in range(0, len(text), _LINE)]
    return ["-----BEGIN PGP MESSAGE-----", "", *lines, "-----END PGP MESSAGE-----"]


def unarmored(text: bytes) -> Iterator[bytes | Fault]:
    """Each OpenPGP message in a text; a fault for one that is cut off or damaged. Text around them is passed over."""
    begins = -1
    for edge in _EDGE.finditer(text):
        if edge[1] == b"BEGIN":
            if begins >= 0:
                yield Fault.ARMOR
            begins = edge.end()
        elif begins >= 0:
            yield _unwrapped(text[begins : edge.start()])
            begins = -1
    if begins >= 0:
        yield Fault.ARMOR


def _found(raw: bytes) -> Iterator[bytes | Fault]:
    for part in mime.leaves(raw):
        if isinstance(part, Trouble):
            yield Fault(part.value)
        elif part.media_type != "text/html":
            yield from _of_part(part)


def _of_part(part: Leaf) -> Iterator[bytes | Fault]:
    """What a part holds, in ASCII or, where a server took that off, as it is."""
    if part.in_encrypted and part.content[:1] >= b"\x80":  # the first bit of every packet
        yield part.content
        return
    yield from unarmored(part.content)


def _unwrapped(block: bytes) -> bytes | Fault:
    """What stands between the first line and the last: header fields, a blank line, base64, perhaps a checksum."""
    blank = _BLANK.search(block, 1)  # behind the end of the first line
    if blank is None:
        return Fault.ARMOR
    text = block[blank.end() :].rstrip()
    before, _, last = text.rpartition(b"\n")
    if _CHECKSUM.fullmatch(last):
        text = before
    try:
        data = base64.b64decode(text.translate(None, mime.WHITE), validate=True)
    except binascii.Error:
        return Fault.ARMOR
    return data or Fault.ARMOR


def _head(sender: str, recipient: str, lane: Lane, message_id: str, written_at: datetime) -> list[str]:
    return [
        f"From: {sender}",
        f"To: {recipient}",
        f"Subject: {SUBJECT} {lane}",
        f"Date: {format_datetime(written_at.astimezone(UTC))}",
        f"Message-ID: <{message_id}@{sender.rpartition('@')[2]}>",
        "Auto-Submitted: auto-generated",  # RFC 3834: no holiday replies
        "MIME-Version: 1.0",
    ]


def _mixed(wrapped: list[list[str]], message_id: str) -> list[str]:
    boundary = _boundary(message_id)
    lines = [f'Content-Type: multipart/mixed; boundary="{boundary}"', ""]
    for part in wrapped:
        lines += [f"--{boundary}", *part]
    return [*lines, f"--{boundary}--"]


def _encrypted(data: bytes, of: str) -> list[str]:
    if not 0 < len(data) <= SEALED_LIMIT_BYTES:
        raise ValueError(f"sealed bytes of {len(data)} bytes")
    boundary = _boundary(of)
    return [
        f'Content-Type: multipart/encrypted; protocol="application/pgp-encrypted"; boundary="{boundary}"',
        "",
        f"--{boundary}",
        "Content-Type: application/pgp-encrypted",
        "",
        "Version: 1",
        "",
        f"--{boundary}",
        "Content-Type: application/octet-stream",
        "",
        *armored(data),
        "",
        f"--{boundary}--",
    ]


def _boundary(of: str) -> str:
    """No line of base64 or of an armor begins like it, and it says nothing but the id that everybody reads."""
    return f"=_{digest(of.encode())[:32]}"


def _armored_bytes(data: bytes) -> int:
    characters = -(-len(data) // 3) * 4
    return characters + 2 * -(-characters // _LINE)
