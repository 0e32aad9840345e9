"""What a file holds, entry by entry, and what the entries are called (section 16, File)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from tansiq.exchange import canonical, values
from tansiq.exchange.blob import CHUNK_BYTES, TAG_BYTES
from tansiq.exchange.body import Lane
from tansiq.exchange.fields import Fields
from tansiq.exchange.roster_signing import WRAPPED_LIMIT_BYTES
from tansiq.exchange.seal import SEALED_LIMIT_BYTES
from tansiq.exchange.values import Unfit

MOST_ENTRIES = 200_000
HEADER_NAME = "tansiq.json"
HEADER_LIMIT_BYTES = 64 * 1024
MOST_NODES = 1000

_NUMBER = r"(0|[1-9][0-9]{0,8})"
_NAME = re.compile(
    rf"(?P<header>tansiq\.json)|rosters/(?P<epoch>{_NUMBER})\.json"
    rf"|(?P<to>[A-Z0-9-]{{2,32}})/(?P<lane>urgent|normal|bulk)/(?P<at>{_NUMBER})\.pgp"
    rf"|blobs/(?P<digest>[0-9a-f]{{64}})/(?P<index>{_NUMBER})"
)


class Fault(StrEnum):
    """Why an entry of a file was passed over."""

    NAME = "name"
    REPEATED = "repeated"
    SIZE = "size"
    COMPRESSED = "compressed"
    ENCRYPTED = "encrypted"
    DAMAGED = "damaged"
    TRUNCATED = "truncated"  # the file ends in it, or before its directory: what came after is not known
    COUNT = "count"  # more entries than a file may have


class Named(NamedTuple):
    """An entry that was passed over; ``name`` as it came, cut to 80 characters, empty where it is not known."""

    name: str
    fault: Fault


@dataclass(frozen=True, slots=True)
class Header:
    """What the file says of itself. A hint: nobody has signed it."""

    realm: str
    sender: str
    made_at: datetime
    to: tuple[str, ...]

    def written(self) -> bytes:
        said = {
            "v": 1,
            "realm": self.realm,
            "from": self.sender,
            "made_at": values.write_time(self.made_at),
            "to": list(self.to),
        }
        return canonical.write(said).encode()

    @classmethod
    def of(cls, *, realm: str, sender: str, made_at: datetime, to: Iterable[str]) -> Header:
        """What a file for the nodes ``to`` says."""
        return cls(realm, sender, values.whole_milliseconds(made_at), tuple(sorted(set(to))))


@dataclass(frozen=True, slots=True)
class ForNode:
    """Sealed bytes of one body or request, and to whom they are."""

    to: str
    lane: Lane
    data: bytes


@dataclass(frozen=True, slots=True)
class RosterText:
    """A roster with its signatures, as it travels; unverified when it comes."""

    epoch: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Chunk:
    """Ciphertext of a chunk; unverified when it comes."""

    digest: str
    index: int
    data: bytes


Part = ForNode | RosterText | Chunk


@dataclass(frozen=True, slots=True)
class Name:
    """An entry's, read. ``kind`` is its group, in the order of groups; ``number`` its place within ``prefix``."""

    text: str
    kind: type[Header] | type[RosterText] | type[ForNode] | type[Chunk]
    prefix: str
    number: int

    @property
    def limit_bytes(self) -> int:
        """The longest that an entry of this name may be (section 16)."""
        return {
            Header: HEADER_LIMIT_BYTES,
            RosterText: WRAPPED_LIMIT_BYTES,
            ForNode: SEALED_LIMIT_BYTES,
            Chunk: CHUNK_BYTES + TAG_BYTES,
        }[self.kind]

    def part(self, data: bytes) -> Part:
        """Not to be asked of the header's name."""
        if self.kind is RosterText:
            return RosterText(self.number, data)
        if self.kind is Chunk:
            return Chunk(self.prefix, self.number, data)
        to, _, lane = self.prefix.partition("/")
        return ForNode(to, Lane(lane), data)


def read_name(text: str) -> Name | None:
    """None for any name that section 16 does not give: paths that lead elsewhere are among them."""
    found = _NAME.fullmatch(text)
    if found is None:
        return None
    if found["header"]:
        return Name(text, Header, "", 0)
    if found["epoch"]:
        return Name(text, RosterText, "", int(found["epoch"]))
    if found["digest"]:
        return Name(text, Chunk, found["digest"], int(found["index"]))
    return Name(text, ForNode, f"{found['to']}/{found['lane']}", int(found["at"]))


def read_header(data: bytes) -> Header:
    """Raises: Unfit."""
    fields = Fields(canonical.read(data, limit_bytes=HEADER_LIMIT_BYTES), HEADER_NAME)
    fields.whole("v", least=1, most=1)
    return Header(
        realm=fields.form("realm", values.REALM),
        sender=fields.form("from", values.CODE),
        made_at=fields.moment("made_at"),
        to=_codes(fields.any("to")),
    )


def _codes(said: object) -> tuple[str, ...]:
    if type(said) is not list or len(said) > MOST_NODES:
        raise Unfit(field=f"{HEADER_NAME}.to", expected="a list")
    if not all(type(code) is str and values.CODE.fullmatch(code) for code in said):
        raise Unfit(field=f"{HEADER_NAME}.to", expected="codes")
    return tuple(said)
