"""From what was opened to a verified envelope: the checks 5.4 to 5.19. No network, no database, no clock of its own.

Rules it obeys:

- Checks are made in the order of the protocol; the first that fails decides, and its number is in the outcome.
- Before 5.8 nobody is known to have sent it: ``Junk``, which changes nothing.
- What passed 5.10 has its position taken by the caller, whatever ``examine`` says of it afterwards.
- Signatures are over the bytes received; the payload is parsed last, by 5.19.
- ``Envelope`` comes out of ``examine`` and of nothing else that reads from others.
- A peer's fault is an outcome, never an exception; an exception is this program's fault.
- ``now`` is one moment for a whole pass.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tansiq.exchange import author, canonical, markings, reading, recall
from tansiq.exchange.body import Envelope, Lane, Placed, Receipt, Skip, State
from tansiq.exchange.facts import Facts, Judge
from tansiq.exchange.reasons import JunkReason, Reason
from tansiq.exchange.requests import Ask, RosterAsked
from tansiq.exchange.seal import Junk, Unsealed
from tansiq.exchange.values import Unfit, digest
from tansiq.openpgp import sealing

CLOCK_TOLERANCE = timedelta(minutes=20)


@dataclass(frozen=True, slots=True)
class Authentic:
    """A body that a node of the roster has signed for this one. What it says of objects is not judged yet.

    Attributes:
        content: the exact bytes that were sealed.
        digest: of these.
        signer: fingerprint of the sender's node certificate.
        head: a receipt, a skip, an ask or an answer whole; of an envelope what gives it its place.
    """

    content: bytes
    digest: str
    signer: str
    head: reading.Head

    @classmethod
    def stored(cls, content: bytes, *, signer: str) -> Authentic:
        """A body that passed ``authenticate`` before and was kept by this node. Raises: Unfit, if it was altered."""
        return cls(content, digest(content), signer, reading.read_head(*reading.read_content(content)))


@dataclass(frozen=True, slots=True)
class Parked:
    """Fit, but something is not here yet. ``whole``: its position is not taken either, it is judged again as a body."""

    check: str
    reason: Reason
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """Will never be applied. ``moves``: its position is taken all the same."""

    check: str
    reason: Reason
    moves: bool = True


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Authentic as an envelope, unfit as an object.

    Attributes:
        detail: field and what was expected of it; nothing of the content.
        holds: later versions of the object wait behind it. Only what its author has proven to say does so.
    """

    check: str
    reason: Reason
    detail: str = ""
    holds: bool = False


def authenticate(opened: Unsealed, facts: Facts) -> Authentic | Junk:
    """Checks 5.4 to 5.7: a body, of this realm, for this node, by the node that it names."""
    try:
        said, chunk = reading.read_content(opened.content)
    except Unfit as unfit:
        return Junk("5.4", JunkReason.JSON, _detail(unfit))
    try:
        head = reading.read_head(said, chunk)
    except Unfit as unfit:
        return Junk("5.5", JunkReason.BODY, _detail(unfit))
    if head.realm != facts.realm:
        return Junk("5.6", JunkReason.REALM)
    key = facts.node_keys.get(opened.signer)
    if key is None or key.revoked:
        return Junk("5.3", JunkReason.SIGNER)
    was_theirs = key.until_epoch is None or head.epoch < key.until_epoch
    if head.recipient != facts.here or head.sender != key.node or not was_theirs:
        return Junk("5.7", JunkReason.ADDRESS)
    return Authentic(opened.content, digest(opened.content), opened.signer, head)


def admit(
    body: Authentic, facts: Facts, *, now: datetime, by_file: bool = False, known: bool = False
) -> Authentic | Parked | Refused:
    """Checks 5.8 to 5.10: may it be looked at now, and may its sender send at all?

    Of a node that was removed lately only receipts of recalls come through, of these only the recalls, and questions
    after the roster that removed it: without that it could not read what is recalled.

    Args:
        by_file: it came by a file, carried by a person.
        known: the channel has this body already.
    """
    head = body.head
    if head.sent_at - now > CLOCK_TOLERANCE and not (by_file or known):
        return Parked("5.8", Reason.CLOCK, whole=True)
    if head.epoch > facts.epoch:
        return Parked("5.9", Reason.EPOCH, whole=True)
    if head.sender in facts.senders:
        return body
    if head.sender in facts.former and isinstance(head, Ask) and isinstance(head.asked, RosterAsked):
        return body
    if head.sender in facts.former and isinstance(head, Receipt) and head.lane is Lane.URGENT:
        recalls = tuple(said for said in head.objects if said.state is State.RECALLED)
        if recalls:
            return replace(body, head=replace(head, objects=recalls))
    return Refused("5.10", Reason.REMOVED, moves=False)


def examine(body: Authentic, facts: Facts, judge: Judge, *, now: datetime) -> Envelope | Parked | Refused | Quarantined:
    """Checks 5.11 to 5.19, of an envelope whose position was taken. What it refers to (5.20 on) the caller knows.

    Raises: ValueError, for a body of another type: it has nothing to be examined.
    """
    if isinstance(body.head, Skip) or not isinstance(body.head, Placed):
        raise ValueError("no envelope")
    try:
        envelope = reading.read_envelope(body.head)
    except Unfit as unfit:
        return Quarantined("5.11", Reason.MALFORMED, _detail(unfit))
    return (
        _authorship(envelope, facts, now)
        or _marking(envelope)
        or _entitlement(envelope, judge)
        or _ownership(envelope, judge)
        or _payload(envelope, judge)
        or envelope
    )


def examine_returned(
    content: bytes, facts: Facts, judge: Judge, *, now: datetime
) -> Envelope | Parked | Refused | Quarantined:
    """An envelope that a peer gave back for a recovery (section 11.1): whoever had sealed it, its author is judged.

    It is a fact of a team of this node, so checks 5.14 and 5.16 are replaced by that.

    Args:
        content: the exact content, put together from its pieces.
    """
    try:
        head = reading.read_head(canonical.read_canonical(content))
        if not isinstance(head, Placed) or isinstance(head, Skip) or head.realm != facts.realm:
            raise Unfit(field="body", expected="an envelope of this realm")
        envelope = reading.read_envelope(head)
    except Unfit as unfit:
        return Quarantined("5.11", Reason.MALFORMED, _detail(unfit))
    if envelope.author.epoch > facts.epoch:
        return Parked("5.9", Reason.EPOCH, whole=True)
    if facts.homes.get(envelope.author.team) != facts.here:
        return Quarantined("5.14", Reason.NOT_THERE)
    return (
        _authorship(replace(envelope, sender=facts.here), facts, now)
        or _marking(envelope)
        or _ownership(envelope, judge)
        or _payload(envelope, judge)
        or envelope
    )


def _authorship(envelope: Envelope, facts: Facts, now: datetime) -> Quarantined | Parked | None:
    said = envelope.author
    key = facts.platform_keys.get(said.key)
    if key is None or not key.speaks_for(said.team, said.epoch):
        return Quarantined("5.12", Reason.UNKNOWN_KEY)
    if not author.is_signed(envelope, certificate=key.certificate):
        made_at = sealing.signed_at(said.signature)
        if made_at is not None and made_at - now > CLOCK_TOLERANCE:
            return Parked("5.13", Reason.CLOCK)
        return Quarantined("5.13", Reason.SIGNATURE)
    home = facts.homes.get(said.team)
    if home is None or (home not in (envelope.sender, facts.here) and envelope.sender not in facts.forwarders):
        return Quarantined("5.14", Reason.NOT_THERE)
    return None


def _marking(envelope: Envelope) -> Quarantined | None:
    try:
        marked = markings.read(envelope.marking)
        authors = markings.read(envelope.author.marking)
    except Unfit as unfit:
        return Quarantined("5.15", Reason.MARKING, _detail(unfit))
    if not markings.is_as_strict(marked, authors):
        return Quarantined("5.15", Reason.MARKING, "looser than the author's")
    return None


def _entitlement(envelope: Envelope, judge: Judge) -> Refused | None:
    """A recall is for whom it is addressed to, who may have nothing else by now."""
    if envelope.kind == recall.KIND or judge.is_entitled(markings.read(envelope.marking), envelope.sent_at):
        return None
    return Refused("5.16", Reason.NOT_ENTITLED)


def _ownership(envelope: Envelope, judge: Judge) -> Quarantined | None:
    return None if judge.may_write(envelope) else Quarantined("5.17", Reason.NOT_OWNER)


def _payload(envelope: Envelope, judge: Judge) -> Parked | Quarantined | None:
    if not judge.knows(envelope.kind, envelope.schema):
        return Parked("5.18", Reason.KIND)
    try:
        payload = canonical.read_canonical(envelope.payload.encode())
    except Unfit as unfit:
        return Quarantined("5.19", Reason.PAYLOAD, _detail(unfit), holds=True)
    return None if judge.fits(envelope, payload) else Quarantined("5.19", Reason.PAYLOAD, holds=True)


def _detail(unfit: Unfit) -> str:
    return f"{unfit.values['field']}: {unfit.values['expected']}"
