"""The rosters that this node has accepted, and what a new one is judged by (section 10.3). None is ever changed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Lock

from django.conf import settings
from django.db import transaction

from tansiq.audit.actions import record
from tansiq.core.home import Home
from tansiq.core.viewer import Viewer
from tansiq.exchange import custody, roster_reading, values
from tansiq.exchange.blobs import BlobStore
from tansiq.exchange.custody import Keys
from tansiq.exchange.models import Evidence, RosterProposal, RosterRecord
from tansiq.exchange.node import admitting, alarms, awaiting, life, recalls, settling
from tansiq.exchange.node.here import Here, Removed
from tansiq.exchange.node.registering import register
from tansiq.exchange.node.under import NO_KEYS, alone, under
from tansiq.exchange.roster import Roster
from tansiq.exchange.roster_signing import Accepted, Behind, NotAccepted, Signature, SignedRoster, Split, accept
from tansiq.members.models import Node

SPLIT = "roster.split"
"""Verb of the audit row, and what the evidence is of. The alarm is ``exchange.split``."""
_REMEMBERED = 4
_read: OrderedDict[str, Roster] = OrderedDict()
_reading = Lock()


@dataclass(frozen=True, slots=True)
class Entry:
    """One accepted roster, without its text. ``signed_by``: fingerprints."""

    epoch: int
    realm: str
    digest: str
    signed_by: tuple[str, ...]
    accepted_at: datetime


def current() -> Roster | None:
    """The roster here; None before the first was accepted."""
    newest = RosterRecord.objects.order_by("-epoch").values_list("epoch", flat=True).first()
    return None if newest is None else at(newest)


def at(epoch: int) -> Roster | None:
    """The roster that was accepted at ``epoch``. A few are remembered: to read a large one takes a second."""
    digest = RosterRecord.objects.filter(epoch=epoch).values_list("digest", flat=True).first()
    if digest is None:
        return None
    roster = _read.get(digest)
    if roster is None:
        roster = roster_reading.read(RosterRecord.objects.values_list("text", flat=True).get(epoch=epoch))
        _remember(digest, roster)
    return roster


def _remember(digest: str, roster: Roster) -> None:
    with _reading:
        _read[digest] = roster
        while len(_read) > _REMEMBERED:
            _read.popitem(last=False)


def signed_at(epoch: int) -> SignedRoster | None:
    """As it was signed: what a node that asks is given, and what files hold."""
    row = RosterRecord.objects.filter(epoch=epoch).first()
    if row is None:
        return None
    signatures = (Signature(one["key"], values.read_bytes(one["signature"])) for one in row.signatures)
    return SignedRoster(row.epoch, row.text, tuple(signatures))


def history() -> list[Entry]:
    """All that were accepted, the newest first."""
    columns = ("epoch", "realm", "digest", "signatures", "accepted_at")
    rows = RosterRecord.objects.order_by("-epoch").values_list(*columns)
    return [
        Entry(epoch, realm, digest, tuple(one["key"] for one in signatures), accepted_at)
        for epoch, realm, digest, signatures, accepted_at in rows
    ]


def accept_signed(
    chain: Sequence[SignedRoster],
    *,
    by: Viewer,
    now: datetime,
    realm: str = "",
    anchor: str | None = None,
) -> Accepted | Behind | Split | NotAccepted:
    """Judge rosters from anybody and take over what is proven, with all that follows from it, in one transaction.

    Args:
        chain: in any order; what a file or an answer held.
        realm: of this node; not looked at once there is a roster.
        anchor: digest of the first, as a person compared it. Nobody but a person gives one.
    """
    with transaction.atomic():
        known = _locked(now)
        outcome = accept(known, chain, realm=known.realm if known else realm, now=now, anchor=anchor, past=at)
        if isinstance(outcome, Accepted):
            _store(outcome, by=by, now=now)
            register(_registered(known, outcome), outcome.roster, by=by, now=now)
            _follow(known, outcome.roster, now)
        elif isinstance(outcome, Split):
            _raise_alarm(outcome, by=by, now=now)
        return outcome


def made_of_register(roster: Roster, now: datetime) -> None:
    """The register here says what ``roster`` says, and from now on perhaps more: whoever has it accepted, it tells the
    register nothing. In the transaction that read the register, or before anybody else has the roster."""
    defaults = {"epoch": roster.epoch, "made_at": now}
    RosterProposal.objects.get_or_create(digest=roster.digest, defaults=defaults)


def _registered(known: Roster | None, accepted: Accepted) -> Roster | None:
    """The last roster of which the register here knows all already: one made of it, else the one before these."""
    digests = [signed.digest for _roster, signed in accepted.steps]
    made = set(RosterProposal.objects.filter(digest__in=digests).values_list("digest", flat=True))
    ours = [roster for roster, signed in accepted.steps if signed.digest in made]
    return ours[-1] if ours else known


def here(home: Home, *, now: datetime) -> Here | None:
    """This node under its roster, with its keys; None while it has no roster.

    Raises: custody.NoKey, custody.KeyOpenToOthers, custody.KeyUnreadable.
    """
    roster, node = current(), Node.objects.first()
    if roster is None or node is None:
        return None
    keys = custody.in_force(custody.load(home, realm=roster.realm), roster, here=node.code)
    found = under(roster, code=node.code, now=now, keys=keys, has_blob=BlobStore(home.blobs).has)
    return replace(found, removed=_removed(roster, found))


def _removed(roster: Roster, here: Here) -> dict[str, Removed]:
    """By the roster before the one that removed it, as far as that was ever here."""
    found: dict[str, Removed] = {}
    for former in roster.former:
        keys = [key for key in former.certificates if key.until_epoch is None and not key.revoked]
        if former.what == "node" and former.code in here.facts.former and keys:
            before = at(former.epoch - 1)
            node = before.node(former.code) if before else None
            certificate = max(keys, key=lambda key: key.from_epoch).certificate
            found[former.code] = Removed(
                former.epoch, certificate, team=node.team if node else "", mail=node.mail if node else ""
            )
    return found


def keep_house(home: Home, *, by: Viewer, now: datetime) -> list[str]:
    """Do for the keys here what the roster means, and destroy those whose retention is over: daily, and after a start.

    Returns: fingerprints of the node keys that are destroyed.
    """
    if (roster := current()) is not None:
        custody.heed(home, roster, now=now)
    destroyed = custody.destroy_expired(home, now=now)
    if destroyed:
        record("roster.keys_destroyed", ("exchange.keys", "node"), by=by, now=now, keys=destroyed)
    return destroyed


def _locked(now: datetime) -> Roster | None:
    """The roster here, once nobody else is judging another. Read after the lock: there may be a newer one by then.

    The lock is on the node's life, which what follows from a roster locks anyway: before the first roster there is no
    row of one to lock.
    """
    life.locked(now)
    return current()


def _store(accepted: Accepted, *, by: Viewer, now: datetime) -> None:
    for roster, signed in accepted.steps:
        RosterRecord.objects.create(
            realm=roster.realm,
            epoch=roster.epoch,
            digest=signed.digest,
            text=signed.text,
            signatures=[{"key": one.key, "signature": values.write_bytes(one.signature)} for one in signed.signatures],
            issued_at=roster.issued_at,
            accepted_at=now,
        )
    for roster, signed in accepted.steps:
        signed_by = [one.key for one in signed.signatures]
        item = ("exchange.roster", roster.epoch)
        record("roster.accepted", item, by=by, now=now, realm=roster.realm, digest=signed.digest, signed_by=signed_by)


def _follow(known: Roster | None, newest: Roster, now: datetime) -> None:
    """What a roster changes here: who is sent to and recalled from, what is tried again, which keys are destroyed."""
    if (node := Node.objects.first()) is not None:
        awaiting.on_roster(known, newest, node.code, now)
        after = under(newest, code=node.code, now=now, keys=_keys(newest, node.code))  # recalls are signed
        after = replace(after, removed=_removed(newest, after))
        before = under(known, code=node.code, now=now) if known else alone(after)
        recalls.on_roster(before, after, now)
        settling.on_roster(after, now)
        admitting.on_roster(after)
    transaction.on_commit(lambda: custody.heed(settings.HOME, newest, now=now))


def _keys(roster: Roster, code: str) -> Keys:
    """None, where none were drawn yet: such a node has said nothing that it would recall."""
    try:
        return custody.in_force(custody.load(settings.HOME, realm=roster.realm), roster, here=code)
    except custody.NoKey:
        return NO_KEYS


def _raise_alarm(split: Split, *, by: Viewer, now: datetime) -> None:
    """What was seen is kept, once for each other roster."""
    ours, theirs = signed_at(split.epoch), split.evidence
    _evidence, is_new = Evidence.objects.get_or_create(
        peer="",
        what=SPLIT,
        digest=theirs.digest,
        defaults={
            "position": theirs.epoch,
            "body": theirs.written().encode(),
            "other_digest": split.here,
            "other_body": ours.written().encode() if ours else None,
            "seen_at": now,
        },
    )
    seen = {"epoch": split.epoch, "here": split.here, "there": split.there}
    alarms.raise_alarm("exchange.split", "", seen, now)
    if is_new:
        record(SPLIT, ("exchange.roster", split.epoch), by=by, now=now, here=split.here, there=split.there)
