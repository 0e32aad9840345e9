"""An own object that a peer gives back: verified like anything else, and taken where it is later than what is here."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from tansiq.exchange import author, canonical, reading, trust
from tansiq.exchange.body import Envelope, Placed, Skip, Version
from tansiq.exchange.held import MOST_COUNTED
from tansiq.exchange.models import Recipient, SharedObject, Statement
from tansiq.exchange.node import awaiting, life, publishing, statements
from tansiq.exchange.node.deciding import Deciding
from tansiq.exchange.node.heeding import remember
from tansiq.exchange.node.here import Here
from tansiq.exchange.node.orders import recall_from
from tansiq.exchange.node.portions import in_parts
from tansiq.exchange.node.tombstones import recall_of
from tansiq.exchange.node.waking import wake
from tansiq.exchange.own_kinds import UNCOMPARED
from tansiq.exchange.reasons import Reason
from tansiq.exchange.receiving import Cause, Recall
from tansiq.exchange.trust import Parked, Quarantined
from tansiq.exchange.values import Unfit


@transaction.atomic
def recover(here: Here, peer: str, object_id: str, content: bytes, now: datetime) -> bool:
    """Take what ``peer`` says that a team of this node has said. Whether it was news.

    What this node's keys have not signed is disowned: the peer is to delete it, else the two would never be equal. Not
    so of a team whose data is to come here: its former host's key has signed it.
    """
    envelope, is_proven = _read(here, object_id, content, now)
    if envelope is None or envelope.kind in UNCOMPARED:
        return False
    shared, _is_new = SharedObject.objects.select_for_update().get_or_create(
        object=object_id, defaults={"owner": envelope.author.team}
    )
    live = shared.statement
    if live is not None and Version(live.term, live.n) >= envelope.version:
        attempted_by_all([(object_id, peer)], now)
        return is_proven and _settle_stories(here, shared, envelope, now)
    if not is_proven:
        _not_known(here, peer, shared, envelope, now)
        return False
    attempted_by_all([(object_id, peer)], now)
    statement = statements.stored(author.as_signed(envelope), "", now)
    _keep(here, shared, statement, now)
    return True


def _settle_stories(here: Here, shared: SharedObject, envelope: Envelope, now: datetime) -> bool:
    """Two lives of this node gave one version two contents: what is live here is said once more, above both. Else the
    peer would keep the other, and the two would never be equal."""
    live = shared.statement
    is_other = author.said_by(envelope).leaf != live.leaf
    if not is_other or Version(live.term, live.n) != envelope.version or life.is_held() or shared.withheld:
        return False
    said = statements.said(live)
    publishing.publish(
        here,
        kind=said.kind,
        name=said.object.partition(":")[2],
        payload=said.payload,
        markings=statements.markings_of(live),
        team=said.team,
        person=said.person,
        blobs=said.blobs,
        now=now,
    )
    return True


def _read(here: Here, object_id: str, content: bytes, now: datetime) -> tuple[Envelope | None, bool]:
    """The envelope, and whether a team of this node has signed it. None: of another object, or to be judged later."""
    verdict = trust.examine_returned(content, here.facts, here.judge(now), now=now)
    if isinstance(verdict, Parked) and verdict.reason is not Reason.KIND:
        return None, False
    try:
        head = reading.read_head(canonical.read_canonical(content))
        if not isinstance(head, Placed) or isinstance(head, Skip):
            return None, False
        envelope = reading.read_envelope(head)
    except Unfit:
        return None, False
    owner = object_id.partition(":")[0]
    if envelope.object != object_id or not here.lives_here(owner) or envelope.realm != here.realm:
        return None, False
    is_unproven = isinstance(verdict, Quarantined) and verdict.reason is not Reason.PAYLOAD
    return envelope, not is_unproven and envelope.author.team == owner


def _keep(here: Here, shared: SharedObject, statement: Statement, now: datetime) -> None:
    version = Version(statement.term, statement.n)
    shared.kind, shared.statement, shared.epoch, shared.known = statement.kind, statement, here.epoch, True
    shared.withheld = version < recall_of(shared).narrowed  # its later marking is lost with the backup's successor
    shared.save()
    wake([shared.object])
    deciding = Deciding(here, now)
    deciding.learn([statement.marking_id])
    may = [peer for peer in sorted(here.peers) if deciding.may_have(peer, statement.marking_id)]
    attempted_by_all([(shared.object, peer) for peer in may], now)
    said, kind = statements.said(statement), here.kinds.get(statement.kind)
    if kind is not None and kind.schema == said.schema and kind.fits(said.payload):
        kind.apply(said, now)


def is_plausible(version: Version) -> bool:
    """Numbers of a peer leave room above them: else one lie would keep an object from ever having a next version."""
    return max(version) <= MOST_COUNTED


def _not_known(here: Here, peer: str, shared: SharedObject, envelope: Envelope, now: datetime) -> None:
    if not is_plausible(envelope.version):
        return
    if awaiting.is_awaited(shared.owner):
        awaiting.hear_of(shared, envelope, now)
    else:
        _disown(here, peer, envelope, now)


def _disown(here: Here, peer: str, envelope: Envelope, now: datetime) -> None:
    term, n = envelope.version
    recall = Recall(narrowed=Version(term, n + 1))
    remember(envelope.object, recall, now)
    recall_from(here, peer, {envelope.object: recall}, Cause.MARKING, now)


def attempted_by_all(pairs: Collection[tuple[str, str]], now: datetime) -> None:
    """(object, peer): it may be there, so a later narrowing is to be followed by its recall."""
    for some in in_parts(pairs, 2000):
        rows = [Recipient(object=object_id, peer=peer, attempted_at=now) for object_id, peer in some]
        Recipient.objects.bulk_create(rows, ignore_conflicts=True, batch_size=1000)
        by_peer: dict[str, list[str]] = {}
        for object_id, peer in some:
            by_peer.setdefault(peer, []).append(object_id)
        for peer, objects in by_peer.items():
            for part in in_parts(objects):
                Recipient.objects.filter(Q(attempted_at=None), peer=peer, object__in=part).update(attempted_at=now)
