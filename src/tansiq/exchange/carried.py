"""What goes to the backbone and comes from it, and what became of it: values, without a network."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from tansiq.exchange import jetstream, together
from tansiq.exchange.body import Lane
from tansiq.exchange.seal import SEALED_LIMIT_BYTES
from tansiq.exchange.values import Unfit


class Outcome(StrEnum):
    """What became of a publication.

    ``acknowledged``: the stream has it, on disk. ``full``: our quota there is used up; later. ``nowhere``: nothing
    there takes it: no such recipient, not for us, or servers are just choosing who leads. ``failed``: nobody knows.
    """

    ACKNOWLEDGED = "acknowledged"
    FULL = "full"
    NOWHERE = "nowhere"
    FAILED = "failed"


class Trouble(StrEnum):
    """Why there is no connection: nobody answers, or the server does not want us (or shows a wrong certificate)."""

    AWAY = "away"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Outbound:
    """One message. ``subject`` and ``msg_id`` by ``jetstream.subject`` and ``jetstream.message_id``.

    Raises: ValueError: what no server would take as it is; the caller's mistake, never the backbone's.
    """

    subject: str
    data: bytes
    msg_id: str
    type: jetstream.Type = jetstream.Type.BODY
    headers: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.data) > SEALED_LIMIT_BYTES:
            raise ValueError(f"{len(self.data)} bytes")
        if not jetstream.sender_in(self.subject) or not jetstream.fit_headers(self.all_headers):
            raise ValueError(f"subject or headers of {self.msg_id!r}")

    @property
    def all_headers(self) -> dict[str, str]:
        """Those of section 16 besides what was given."""
        return {**self.headers, jetstream.ID_HEADER: self.msg_id, jetstream.TYPE_HEADER: str(self.type)}


@dataclass(frozen=True, slots=True)
class Received:
    """One message from our stream, as the backbone has it: nothing of it is proven.

    Attributes:
        sender: code that the subject names; the server let nobody else write there.
        type: what the header says, None if it says nothing that we know.
        token: for ``Transport.ack``.
        stored_at: the server's clock when it took it.
        deliveries: 1 the first time.
    """

    lane: Lane
    sender: str
    data: bytes
    type: jetstream.Type | None
    headers: Mapping[str, str]
    token: str
    stored_at: datetime
    deliveries: int

    def bodies(self) -> list[bytes]:
        """What it carries, sealed; what cannot be taken apart is as if it said that it were one body."""
        if self.type is jetstream.Type.BODIES:
            with suppress(Unfit):
                return together.read(self.data)
        return [self.data]


def received(lane: Lane, subject: str, data: bytes, headers: Mapping[str, str], token: str) -> Received:
    """What a stream handed out. ``token`` is the subject of its acknowledgement, which says when and how often.

    Source: nats-architecture-and-design, ADR-15: ``$JS.ACK.stream.consumer.delivered.sequence.sequence.time.pending``.
    """
    try:
        deliveries, _, _, nanoseconds = (int(part) for part in token.split(".")[4:8])
        stored_at = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=nanoseconds // 1_000)
    except (ValueError, OverflowError):
        deliveries, stored_at = 1, datetime.fromtimestamp(0, UTC)
    said = headers.get(jetstream.TYPE_HEADER)
    known = jetstream.Type(said) if said in list(jetstream.Type) else None
    return Received(lane, jetstream.sender_in(subject), data, known, headers, token, stored_at, deliveries)
