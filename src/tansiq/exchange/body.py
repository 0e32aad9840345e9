"""Bodies: envelopes, skips and receipts as values, and the canonical texts of them (section 3); asks are ``requests``.

``written`` gives the exact bytes that are sealed; ``digest`` is over these. Fields that this program does not know are
kept in ``extra`` of whatever held them and are written again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from tansiq.exchange import canonical, values
from tansiq.exchange.canonical import BODY_LIMIT_BYTES

MOST_GAPS = 100
MOST_OBJECTS = 1000
MOST_BLOBS = 32
MOST_FORWARDERS = 32
LARGEST_BLOB_BYTES = 2 * 1024**3


class Lane(StrEnum):
    """Independent of each other; the last is dropped first at a limit (section 2)."""

    URGENT = "urgent"
    NORMAL = "normal"
    BULK = "bulk"


class SkipReason(StrEnum):
    """Why positions carry nothing (section 3.4)."""

    ENTITLEMENT = "entitlement"
    LIMIT = "limit"
    EXPIRED = "expired"


class State(StrEnum):
    """What a recipient says of an object (section 3.5)."""

    STORED = "stored"
    HAD = "had"
    PARKED = "parked"
    QUARANTINED = "quarantined"
    REFUSED = "refused"
    RECALLED = "recalled"


class Version(NamedTuple):
    """Orders one object and nothing else: terms first."""

    term: int
    n: int


@dataclass(frozen=True, slots=True)
class Channel:
    """One sender's numbering towards one recipient (section 2)."""

    realm: str
    sender: str
    recipient: str
    lane: Lane
    incarnation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Whose fact it is (section 4).

    Attributes:
        person: code; empty where a team's software speaks.
        epoch: of the roster under which the team signed; at most the envelope's.
        key: fingerprint of the team's platform certificate.
        marking: canonical text of the author's own set of markings.
        signature: binary, detached.
    """

    team: str
    person: str
    epoch: int
    key: str
    marking: str
    signature: bytes
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobReference:
    """A file beside an envelope (section 9): digest of its ciphertext, key of 32 bytes, size of its plaintext."""

    digest: str
    key: bytes
    size_bytes: int
    media_type: str
    name: str
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectState:
    """What became of one version of an object. ``reason`` is empty for ``stored`` and ``had``."""

    object: str
    version: Version
    state: State
    reason: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What every body says (section 3.1). ``sender`` and ``recipient`` are ``from`` and ``to``."""

    id: str
    realm: str
    sender: str
    recipient: str
    epoch: int
    sent_at: datetime
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def fields(self) -> dict[str, Any]:
        """As JSON says it, the unknown fields among them."""
        return {
            **self.extra,
            "v": 1,
            "id": self.id,
            "realm": self.realm,
            "from": self.sender,
            "to": self.recipient,
            "epoch": self.epoch,
            "sent_at": values.write_time(self.sent_at),
        }

    def written(self) -> bytes:
        """The exact canonical bytes. Raises: ValueError, longer than 512 kB: split before."""
        data = canonical.write(self.fields()).encode()
        if len(data) > BODY_LIMIT_BYTES:
            raise ValueError(f"a body of {len(data)} bytes")
        return data

    @property
    def digest(self) -> str:
        """SHA-256 of the exact bytes, in hexadecimal (section 3.2)."""
        return values.digest(self.written())


@dataclass(frozen=True, slots=True, kw_only=True)
class OnLane(Body):
    """A body that concerns one channel."""

    lane: Lane
    incarnation: str

    def fields(self) -> dict[str, Any]:
        return {**Body.fields(self), "lane": self.lane.value, "incarnation": self.incarnation}


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed(OnLane):
    """A body with a position (section 3.2)."""

    seq: int
    prev: str

    @property
    def channel(self) -> Channel:
        """The one on which it has its position."""
        return Channel(self.realm, self.sender, self.recipient, self.lane, self.incarnation)

    def fields(self) -> dict[str, Any]:
        return {**OnLane.fields(self), "seq": self.seq, "prev": self.prev}


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope(Placed):
    """One version of one object, for one recipient (section 3.3). Read from others only by ``trust``."""

    kind: str
    schema: int
    object: str
    version: Version
    marking: str
    payload: str
    author: Author
    blobs: tuple[BlobReference, ...] = ()
    via: tuple[str, ...] = ()

    def fields(self) -> dict[str, Any]:
        author = self.author
        return {
            **Placed.fields(self),
            "t": "envelope",
            "kind": self.kind,
            "schema": self.schema,
            "object": self.object,
            "version": self.version._asdict(),
            "marking": self.marking,
            "payload": self.payload,
            "author": {
                **author.extra,
                "team": author.team,
                "person": author.person,
                "epoch": author.epoch,
                "key": author.key,
                "marking": author.marking,
                "signature": values.write_bytes(author.signature),
            },
            "blobs": [_blob(blob) for blob in self.blobs],
            "via": list(self.via),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip(Placed):
    """Stands for the positions from ``seq`` to ``last`` (section 3.4) and says why they carry nothing."""

    last: int
    hash_after: str
    reason: SkipReason

    @property
    def count(self) -> int:
        """How many positions it stands for."""
        return self.last - self.seq + 1

    def fields(self) -> dict[str, Any]:
        return {
            **Placed.fields(self),
            "t": "skip",
            "last": self.last,
            "count": self.count,
            "hash_after": self.hash_after,
            "reason": self.reason.value,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt(OnLane):
    """What the recipient of a channel holds (section 3.5). Its sender is the channel's recipient."""

    n: int
    through: int
    body_hash: str
    highest: int
    clock: datetime
    gaps: tuple[tuple[int, int], ...] = ()
    since: int = 0
    changes: int = 0
    objects: tuple[ObjectState, ...] = ()

    @property
    def channel(self) -> Channel:
        """The channel that it is about: the other way round."""
        return Channel(self.realm, self.recipient, self.sender, self.lane, self.incarnation)

    def fields(self) -> dict[str, Any]:
        return {
            **OnLane.fields(self),
            "t": "receipt",
            "n": self.n,
            "through": self.through,
            "body_hash": self.body_hash,
            "highest": self.highest,
            "gaps": [list(gap) for gap in self.gaps],
            "since": self.since,
            "changes": self.changes,
            "objects": [_object_state(said) for said in self.objects],
            "clock": values.write_time(self.clock),
        }


def _blob(blob: BlobReference) -> dict[str, Any]:
    return {
        **blob.extra,
        "digest": blob.digest,
        "key": values.write_bytes(blob.key),
        "size_bytes": blob.size_bytes,
        "media_type": blob.media_type,
        "name": blob.name,
    }


def _object_state(said: ObjectState) -> dict[str, Any]:
    return {
        **said.extra,
        "object": said.object,
        "version": said.version._asdict(),
        "state": said.state.value,
        "reason": said.reason,
    }
