"""Names on the backbone, and what its streams are to be: section 16, "JetStream".

One stream and one durable consumer for each recipient node and lane. A stream's quota is per subject, a subject names
its sender, and a full subject takes nothing new: a flood fills its own part and nobody else's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from tansiq.exchange import nkey, values
from tansiq.exchange.body import Lane
from tansiq.exchange.roster import Roster, Standing
from tansiq.exchange.seal import SEALED_LIMIT_BYTES

PREFIX = "tansiq.v1"
CONSUMER = "reader"
STREAM = re.compile(r"tansiq_[a-z0-9-]+_[A-Z0-9-]+_[a-z]+")
"""Names of our streams. A code and a realm have no underscore, so no two give one name."""
TYPE_HEADER, ID_HEADER = "Tansiq-Type", "Nats-Msg-Id"
HEADERS_LIMIT_BYTES = 4 << 10
MESSAGE_LIMIT_BYTES = SEALED_LIMIT_BYTES + HEADERS_LIMIT_BYTES
KEPT = timedelta(days=30)
"""What lies longer than that its sender sends again."""
REPEATS = timedelta(minutes=2)
"""How long the stream knows a message's id: as long as an answer can be late."""
REST = timedelta(minutes=1)
"""After which a message that was fetched and not acknowledged is given out again."""
MOST_FETCHED = 2_000


class Type(StrEnum):
    """What a message carries: a header for whoever reads it first. The bytes prove it."""

    BODY = "body"
    BODIES = "bodies"
    ROSTER = "roster"


@dataclass(frozen=True, slots=True)
class BackboneNode:
    """A member's node, as the backbone knows it.

    Raises: ValueError: a code, realm or key that is none; both come from a roster, which was checked.
    """

    code: str
    nkey_public: str
    realm: str = "live"

    def __post_init__(self) -> None:
        if not values.CODE.fullmatch(self.code) or not values.REALM.fullmatch(self.realm):
            raise ValueError(f"no node: {self.code} of {self.realm}")
        if not nkey.is_public(self.nkey_public):
            raise ValueError(f"no public key of a user: {self.code}")


@dataclass(frozen=True, slots=True)
class Quotas:
    """How many messages of one sender may wait for one recipient on the backbone, by lane.

    Smaller than what may wait at the sender (section 16): what is refused here stays there and is attempted again.
    """

    urgent: int = 1_000
    normal: int = 4_000
    bulk: int = 4_000

    def of(self, lane: Lane) -> int:
        """Messages on a lane."""
        return {Lane.URGENT: self.urgent, Lane.NORMAL: self.normal, Lane.BULK: self.bulk}[lane]

    @staticmethod
    def for_storage(storage_bytes: int, nodes: int) -> Quotas:
        """Such that one member, filling all its quotas with the largest messages, takes half of the disk at most.

        The server counts a sender's messages, not its bytes. Never below a floor that keeps a small federation's
        lanes useful; with 57 nodes the floor needs 12 GB.
        """
        for_each = storage_bytes // 2 // MESSAGE_LIMIT_BYTES // max(1, nodes - 1)
        most = Quotas()
        urgent = min(most.urgent, max(20, for_each // 9))
        other = min(most.normal, max(40, (for_each - urgent) // 2))
        return Quotas(urgent, other, other)


@dataclass(frozen=True, slots=True)
class StreamSpec:
    """The stream of one recipient and lane, and its consumer: what the server is to hold, as its API takes it."""

    realm: str
    to: str
    lane: Lane
    quota: int
    replicas: int

    @property
    def name(self) -> str:
        return stream_name(self.realm, self.to, self.lane)

    def stream(self) -> dict[str, Any]:
        """A stream that forgets what was acknowledged and refuses what is above a sender's quota."""
        return {
            "name": self.name,
            "subjects": [subject(self.realm, self.to, self.lane, "*")],
            "retention": "workqueue",
            "storage": "file",
            "discard": "new",
            "discard_new_per_subject": True,
            "max_msgs_per_subject": self.quota,
            "max_msg_size": MESSAGE_LIMIT_BYTES,
            "max_age": _nanoseconds(KEPT),
            "duplicate_window": _nanoseconds(REPEATS),
            "num_replicas": self.replicas,
            "max_consumers": 1,
            "allow_direct": False,
        }

    def consumer(self) -> dict[str, Any]:
        """The one durable consumer ``reader``, with explicit acknowledgement (section 16)."""
        return {
            "name": CONSUMER,
            "durable_name": CONSUMER,
            "deliver_policy": "all",
            "ack_policy": "explicit",
            "ack_wait": _nanoseconds(REST),
            "max_deliver": -1,
            "max_ack_pending": MOST_FETCHED,
            "max_waiting": 64,
        }


def specs(nodes: Iterable[BackboneNode], *, replicas: int, quotas: Quotas) -> tuple[StreamSpec, ...]:
    """All streams of the backbone. ``replicas``: 1 on one server, 3 on three."""
    if replicas not in (1, 3):
        raise ValueError(f"replicas: {replicas}")
    return tuple(
        StreamSpec(node.realm, node.code, lane, quotas.of(lane), replicas) for node in ordered(nodes) for lane in Lane
    )


def nodes_of(roster: Roster) -> list[BackboneNode]:
    """Who is on the backbone under a roster: a suspended node is not, and what waited for it is sent again later."""
    return [BackboneNode(one.code, one.nkey, roster.realm) for one in roster.nodes if one.state is Standing.ACTIVE]


def ordered(nodes: Iterable[BackboneNode]) -> list[BackboneNode]:
    """By realm and code. Raises: ValueError: one node or one key twice."""
    listed = sorted(nodes, key=lambda node: (node.realm, node.code))
    if len({(node.realm, node.code) for node in listed}) < len(listed):
        raise ValueError("a node twice")
    if len({node.nkey_public for node in listed}) < len(listed):
        raise ValueError("one key for two nodes")
    return listed


def subject(realm: str, to: str, lane: Lane, sender: str) -> str:
    """What a sender publishes to (section 16); with ``*`` as the sender: of all of them."""
    return f"{PREFIX}.{realm}.{to}.{lane}.{sender}"


def sender_in(subject: str) -> str:
    """The code of who published; empty where this is no subject of ours."""
    parts = subject.split(".")
    return parts[5] if len(parts) == 6 and subject.startswith(PREFIX + ".") else ""


def message_id(body_id: str, attempt: int) -> str:
    """The id by which the stream knows a repeat: each attempt has its own."""
    return f"{body_id}.{attempt}"


def stream_name(realm: str, to: str, lane: Lane) -> str:
    """Of the stream of a recipient and lane (section 16)."""
    return f"tansiq_{realm}_{to}_{lane}"


def next_subject(realm: str, code: str, lane: Lane) -> str:
    """Where a node asks for its next messages."""
    return f"$JS.API.CONSUMER.MSG.NEXT.{stream_name(realm, code, lane)}.{CONSUMER}"


def ack_prefix(realm: str, code: str, lane: Lane) -> str:
    """What the subjects begin with on which a node acknowledges."""
    return f"$JS.ACK.{stream_name(realm, code, lane)}.{CONSUMER}."


def inbox(realm: str, code: str) -> str:
    """What the subjects begin with on which a node gets answers."""
    return f"tansiq.inbox.{realm}.{code}"


def fit_headers(headers: Mapping[str, str]) -> bool:
    """Whether a server and a client take them as they are: nothing that would end a line or begin another header."""
    lines = [f"{name}: {value}\r\n" for name, value in headers.items()]
    return sum(map(len, lines)) <= HEADERS_LIMIT_BYTES - 64 and all(
        re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,63}", name) and re.fullmatch(r"[!-~]([ -~]*[!-~])?", value)
        for name, value in headers.items()
    )


def _nanoseconds(length: timedelta) -> int:
    return length // timedelta(microseconds=1) * 1_000
