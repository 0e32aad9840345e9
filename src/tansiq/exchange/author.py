"""The author's signature: over everything that matters, so that who forwards adds and alters nothing (section 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tansiq.exchange.body import Author, BlobReference, Envelope, Version
from tansiq.exchange.values import digest, length_prefixed
from tansiq.openpgp import sealing
from tansiq.openpgp.sealing import NotVerified, Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What a team signs: one version of one object, as it wants it handled.

    Attributes:
        person: code; empty where the team's software speaks.
        epoch: of the roster under which it signs.
        marking: canonical text of the set of markings (``markings.write``).
        payload: canonical text of the kind's object.
    """

    realm: str
    kind: str
    schema: int
    object: str
    version: Version
    marking: str
    team: str
    person: str
    epoch: int
    payload: str
    blobs: tuple[BlobReference, ...] = ()

    def encoded(self) -> bytes:
        """The bytes that are signed (section 4)."""
        return length_prefixed(
            "tansiq.author.v1",
            self.realm,
            self.kind,
            self.schema,
            self.object,
            self.version.term,
            self.version.n,
            self.marking,
            self.team,
            self.person,
            self.epoch,
            _blobs(self.blobs),
            self.payload,
        )

    @property
    def leaf(self) -> str:
        """By which this version is told from another of its number (sections 6 and 13). Not by the signature: who has
        one can write it otherwise without a key, and it is valid all the same."""
        return digest(self.encoded())

    def signed(self, by: Secret) -> Author:
        """With the team's platform key. Raises: Refused, where it has no key that signs now."""
        return Author(
            team=self.team,
            person=self.person,
            epoch=self.epoch,
            key=by.fingerprint,
            marking=self.marking,
            signature=sealing.sign_detached(self.encoded(), by=by),
        )


def said_by(envelope: Envelope) -> Statement:
    """What the author of an envelope claims to have signed: the marking is the author's, not the forwarder's."""
    return Statement(
        realm=envelope.realm,
        kind=envelope.kind,
        schema=envelope.schema,
        object=envelope.object,
        version=envelope.version,
        marking=envelope.author.marking,
        team=envelope.author.team,
        person=envelope.author.person,
        epoch=envelope.author.epoch,
        payload=envelope.payload,
        blobs=envelope.blobs,
    )


def as_signed(envelope: Envelope) -> Envelope:
    """Of what belongs to no channel only what its author signed: without what who forwarded it may have added."""
    return replace(
        envelope,
        marking=envelope.author.marking,
        author=replace(envelope.author, extra={}),
        blobs=tuple(replace(blob, extra={}) for blob in envelope.blobs),
        via=(),
        extra={},
    )


def is_signed(envelope: Envelope, *, certificate: bytes) -> bool:
    """Did ``certificate`` (binary; the author's platform key) sign what the envelope says?"""
    try:
        sealing.verify_detached(said_by(envelope).encoded(), envelope.author.signature, signers=[certificate])
    except NotVerified:
        return False
    return True


def _blobs(blobs: Sequence[BlobReference]) -> bytes:
    """All of each reference: who forwards shall neither rename a file nor exchange its key."""
    parts: list[str | int | bytes] = []
    for blob in blobs:
        parts += [blob.digest, blob.key, blob.size_bytes, blob.media_type, blob.name]
    return length_prefixed("tansiq.blobs.v1", *parts)
