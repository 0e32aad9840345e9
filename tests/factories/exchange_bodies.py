"""``Stream("XA", "XE")``: what one node sends another on a channel, in order, as it comes out of the opener."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from factories.exchange import node_secret, platform_secret
from factories.exchange_node import NOW, REALM, marked
from factories.exchange_node import payload as words
from tansiq.core.marking import Marking
from tansiq.exchange import canonical, markings
from tansiq.exchange.author import Statement as Said
from tansiq.exchange.body import Author, BlobReference, Body, Envelope, Lane, Placed, Skip, SkipReason, Version
from tansiq.exchange.channel import Span
from tansiq.exchange.trust import Authentic
from tansiq.exchange.values import EMPTY_DIGEST, new_id, read_bytes

if TYPE_CHECKING:
    from tansiq.exchange.models import Statement

INCARNATION = "5-abcdefghijklmnop"


@dataclass
class Stream:
    """One incarnation of a channel at its sender."""

    sender: str = "XA"
    recipient: str = "XE"
    lane: Lane = Lane.NORMAL
    incarnation: str = INCARNATION
    given: int = 0
    hash: str = EMPTY_DIGEST
    everything: list[Authentic] = field(default_factory=list)

    def says(
        self,
        name: str,
        n: int = 1,
        *,
        text: str = "",
        needs: str = "",
        kind: str = "case.note",
        team: str = "",
        object: str = "",
        term: int = 1,
        marking: Sequence[Marking] | None = None,
        marking_text: str = "",
        payload: Any = None,
        blobs: Sequence[BlobReference] = (),
        epoch: int = 1,
        at: datetime = NOW,
        forged: bool = False,
        **fields: Any,
    ) -> Authentic:
        """The next envelope: version ``term``.``n`` of ``<team>:<name>``. ``marking_text``, ``fields``: as given."""
        team = team or self.sender
        markings_here = list(marking) if marking is not None else marked(team, self.recipient)
        said = Said(
            realm=REALM,
            kind=kind,
            schema=1,
            object=object or f"{team}:{name}",
            version=Version(term, n),
            marking=marking_text or markings.write(markings_here),
            team=team,
            person="",
            epoch=1,
            payload=canonical.write(payload if payload is not None else words(text or f"{name} {n}", needs=needs)),
            blobs=tuple(blobs),
        )
        author = said.signed(platform_secret("XC" if forged else team))
        if forged:
            author = replace(author, key=platform_secret(team).fingerprint)
        envelope = Envelope(
            **self._head(epoch, at),
            kind=kind,
            schema=1,
            object=said.object,
            version=said.version,
            marking=said.marking,
            payload=said.payload,
            author=author,
            blobs=said.blobs,
        )
        return self._next(replace(envelope, **fields))

    def skips(self, count: int, *, reason: SkipReason = SkipReason.ENTITLEMENT, after: str = "ab" * 32) -> Authentic:
        """A skip for the next ``count`` positions."""
        head = self._head(1, NOW)
        return self._next(Skip(**head, last=head["seq"] + count - 1, hash_after=after, reason=reason))

    def _head(self, epoch: int, at: datetime) -> dict[str, Any]:
        return {
            "id": new_id(at),
            "realm": REALM,
            "sender": self.sender,
            "recipient": self.recipient,
            "epoch": epoch,
            "sent_at": at,
            "lane": self.lane,
            "incarnation": self.incarnation,
            "seq": self.given + 1,
            "prev": self.hash,
        }

    def _next(self, body: Placed) -> Authentic:
        span = Span.of(body)
        self.given, self.hash = span.last, span.digest
        self.everything.append(opened(body))
        return self.everything[-1]


def opened(body: Body) -> Authentic:
    """As if it had been sealed and opened."""
    return Authentic.stored(body.written(), signer=node_secret(body.sender).fingerprint)


def with_signature(said: Authentic | Statement, change: Callable[[bytes], bytes] = bytes) -> Author:
    """The author of an envelope, or of a version that is kept, with the signature that ``change`` makes of its own."""
    content = said.content if isinstance(said, Authentic) else bytes(said.content)
    author = json.loads(content)["author"]
    return Author(**author | {"signature": change(read_bytes(author["signature"]))})
