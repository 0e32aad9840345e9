"""The forms of values in bodies, and what is signed of them: sections 1.1 and 1.4."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import secrets
from datetime import UTC, datetime
from uuid import UUID

from tansiq.core.errors import N_, TansiqError

CODE = re.compile(r"[A-Z0-9-]{2,32}")
PERSON = re.compile(r"([A-Z0-9-]{2,32})?")
REALM = re.compile(r"[a-z0-9-]{2,32}")
UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")
DIGEST = re.compile(r"[0-9a-f]{64}")
BYTES = re.compile(r"[A-Za-z0-9_-]*")
KIND = re.compile(r"(?=.{1,64}\Z)[a-z]+(\.[a-z_]+){0,3}")
OBJECT = re.compile(r"[A-Za-z0-9._:-]{1,128}")
INCARNATION = re.compile(r"([1-9][0-9]{0,14})-[a-z2-7]{16}")
FINGERPRINT = re.compile(r"[0-9A-F]{40}|[0-9A-F]{64}")

LARGEST = 2**53 - 1
EMPTY_DIGEST = hashlib.sha256(b"").hexdigest()
"""What ``prev`` is at position 1."""


class Unfit(TansiqError):
    """A peer's fault: what came does not obey the protocol's forms. Never raised for what this program made itself."""

    code = "exchange.unfit"
    message = N_("What another node sent does not obey the protocol: {field} is not {expected}.")
    remedy = N_("Tell the operator of the node that sent it; nothing of it was applied.")
    exit_code = 2


def digest(data: bytes) -> str:
    """SHA-256 in lower-case hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def length_prefixed(tag: str, *parts: str | int | bytes) -> bytes:
    """The one encoding of what is signed or chained (section 1.4): no two lists of parts give the same bytes."""
    encoded = [tag.encode("ascii"), b"\0"]
    for part in parts:
        data = part if isinstance(part, bytes) else str(part).encode()
        encoded += [len(data).to_bytes(8), data]
    return b"".join(encoded)


def write_time(moment: datetime) -> str:
    """Cut to milliseconds. Raises: ValueError, for a moment without a time zone."""
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read_time(text: str) -> datetime:
    """Raises: Unfit."""
    try:
        if not TIME.fullmatch(text):
            raise ValueError
        return datetime.fromisoformat(text)
    except ValueError:
        raise Unfit(field="time", expected="YYYY-MM-DDTHH:MM:SS.mmmZ") from None


def write_bytes(data: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def read_bytes(text: str) -> bytes:
    """Only the canonical form: two texts are never the same bytes. Raises: Unfit."""
    try:
        if not BYTES.fullmatch(text):
            raise ValueError
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (ValueError, binascii.Error):
        raise Unfit(field="bytes", expected="base64url") from None
    if write_bytes(data) != text:
        raise Unfit(field="bytes", expected="canonical base64url")
    return data


def new_id(now: datetime) -> str:
    """A UUIDv7 (RFC 9562 section 5.7): milliseconds since 1970, then 74 random bits."""
    milliseconds = int(now.timestamp() * 1000)
    random = secrets.randbits(74)
    number = milliseconds << 80 | 7 << 76 | (random >> 62) << 64 | 2 << 62 | random & (2**62 - 1)
    return str(UUID(int=number))


def new_incarnation(number: int) -> str:
    """The text of a sender's ``number``-th numbering of one channel (section 2.1)."""
    if not 1 <= number < 10**15:
        raise ValueError(number)
    return f"{number}-{''.join(secrets.choice('abcdefghijklmnopqrstuvwxyz234567') for _ in range(16))}"


def incarnation_number(incarnation: str) -> int:
    """Raises: Unfit."""
    found = INCARNATION.fullmatch(incarnation)
    if found is None:
        raise Unfit(field="incarnation", expected=INCARNATION.pattern)
    return int(found[1])


def whole_milliseconds(moment: datetime) -> datetime:
    """What remains of a moment once it was written and read again."""
    return moment.astimezone(UTC).replace(microsecond=moment.microsecond // 1000 * 1000)
