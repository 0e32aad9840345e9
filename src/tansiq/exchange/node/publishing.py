"""What a team says goes to whom: versions, outbox rows and the recalls that follow (sections 8.1 and 12)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from tansiq.core.errors import N_, TansiqError
from tansiq.core.marking import Marking
from tansiq.exchange import held
from tansiq.exchange.body import BlobReference, Version
from tansiq.exchange.kinds import owner_of
from tansiq.exchange.models import Life, Recipient, RosterRecord, SharedObject, Statement
from tansiq.exchange.node import awaiting, keeping, statements
from tansiq.exchange.node.awaiting import NotTakenIn
from tansiq.exchange.node.deciding import Deciding
from tansiq.exchange.node.forwarding import can_go_on, enqueue, enqueue_all, forward, pass_on
from tansiq.exchange.node.here import Here
from tansiq.exchange.node.life import to_compare
from tansiq.exchange.node.locking import lock, share
from tansiq.exchange.node.statements import BATCH, Text
from tansiq.exchange.node.waking import wake
from tansiq.exchange.own_kinds import UNCOMPARED
from tansiq.exchange.receiving import Cause, Recall

__all__ = [
    "Change",
    "NodeIsHeld",
    "NotOurs",
    "can_go_on",
    "enqueue",
    "enqueue_all",
    "forward",
    "pass_on",
    "publish",
    "publish_all",
    "withdraw",
]
FIRST = Version(1, 0)
"""Below the first version of an object."""


class NodeIsHeld(TansiqError):
    code = "exchange.held"
    message = N_("This node was restored from a backup and waits for its peers; until then it says nothing new.")
    remedy = N_("See on the federation's page whom it waits for, or have it recorded why not to wait.")
    exit_code = 1


class NotOurs(TansiqError):
    code = "exchange.not_ours"
    message = N_("{object} belongs to no team of this node.")
    remedy = N_("Only the owner's node changes an object; ask the owner.")
    exit_code = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A new version of an object ``<team>:<name>``. ``payload``: JSON as Python has it."""

    kind: str
    name: str
    payload: Any
    markings: Collection[Marking]
    team: str
    person: str = ""
    blobs: Sequence[BlobReference] = ()

    @property
    def object(self) -> str:
        return f"{self.team}:{self.name}"


def publish(
    here: Here,
    *,
    kind: str,
    name: str,
    payload: Any,
    markings: Collection[Marking],
    team: str,
    person: str = "",
    blobs: Sequence[BlobReference] = (),
    now: datetime,
) -> Statement:
    """The next version of an own object, for everybody who may have it; a recall for those who had it and may not.

    The desk has written its own tables in the same transaction; what is sealed is made from what is kept here.

    Raises: NodeIsHeld, NotOurs, NotTakenIn; NoPlatformKey, TooLong.
    """
    change = Change(kind=kind, name=name, payload=payload, markings=markings, team=team, person=person, blobs=blobs)
    return publish_all(here, [change], now)[0]


@transaction.atomic
def publish_all(here: Here, changes: Sequence[Change], now: datetime) -> list[Statement]:
    """``publish`` for many, in the order given: some ten queries for each 500. Raises: as it."""
    life = _life()
    made: list[Statement] = []
    for batch in _batches(changes):
        made += _published(here, batch, life, now)
    if RosterRecord.objects.filter(epoch__gt=here.epoch).exists():
        to_compare(here.peers, now)  # it was decided under a roster that counts no more
    return made


def _batches(changes: Sequence[Change]) -> Iterable[Sequence[Change]]:
    """Of at most ``BATCH``, each object once in each: the second version needs the first."""
    batch: dict[str, Change] = {}
    for change in changes:
        if len(batch) == BATCH or change.object in batch:
            yield list(batch.values())
            batch = {}
        batch[change.object] = change
    if batch:
        yield list(batch.values())


def _life() -> int:
    """Which life this is; it stays so, and nobody follows a roster, until the transaction ends. Raises: NodeIsHeld."""
    share(Life.objects.filter(pk=1))
    life = Life.objects.first()
    if life is not None and life.held_since is not None:
        raise NodeIsHeld()
    return life.number if life else 0


def _published(here: Here, changes: Sequence[Change], life: int, now: datetime) -> list[Statement]:
    objects = _locked(here, changes)
    made = statements.state_all(here, [_text(change, objects[change.object], life) for change in changes], now)
    new = {identifier for identifier, row in objects.items() if not row.known}
    for statement in made:
        row = objects[statement.object]
        row.kind = statement.kind
        row.statement, row.epoch, row.known, row.withheld, row.life = statement, here.epoch, True, False, life
    SharedObject.objects.bulk_create(
        objects.values(),
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["object"],
        update_fields=["kind", "statement", "epoch", "known", "withheld", "life"],
    )
    wake(new)  # what others sent may refer to it
    audiences = _audiences(here, changes, made, now)
    enqueue_all(here, ((statement, peer) for statement in made for peer in sorted(audiences[statement.object])), now)
    later = {statement.object: _version(statement) for statement in made if statement.object not in new}
    _recall_below(here, later, audiences, now)
    return made


def _locked(here: Here, changes: Sequence[Change]) -> dict[str, SharedObject]:
    """A row for each object, which nobody else changes until this transaction ends. Raises: NotOurs, NotTakenIn."""
    awaited = awaiting.teams()
    for change in changes:
        if not here.lives_here(change.team):
            raise NotOurs(object=change.object)
        if change.team in awaited and change.kind not in UNCOMPARED:
            raise NotTakenIn(team=change.team)
    wanted = [change.object for change in changes]
    found = _rows(wanted)
    missing = [
        SharedObject(object=change.object, kind=change.kind, owner=change.team)
        for change in changes
        if change.object not in found
    ]
    if missing:
        SharedObject.objects.bulk_create(missing, batch_size=BATCH, ignore_conflicts=True)
        found |= _rows([row.object for row in missing])
    return found


def _rows(objects: Sequence[str]) -> dict[str, SharedObject]:
    rows = SharedObject.objects.filter(object__in=objects)
    lock(rows)
    return {row.object: row for row in rows.select_related("statement").order_by("object")}


def _audiences(
    here: Here, changes: Sequence[Change], made: Sequence[Statement], now: datetime
) -> dict[str, frozenset[str]]:
    """Object -> the nodes that may have its new version; decided once for each set of markings."""
    deciding = Deciding(here, now)
    by_marking: dict[str, frozenset[str]] = {}
    for change, statement in zip(changes, made, strict=True):
        if statement.marking_id not in by_marking:
            by_marking[statement.marking_id] = deciding.peers(list(change.markings))
    return {statement.object: by_marking[statement.marking_id] for statement in made}


def _text(change: Change, row: SharedObject, life: int) -> Text:
    """The kind is what the object was from the start; of what peers have or had and this node has not, nothing said."""
    return Text(
        kind=row.kind or change.kind,
        object=change.object,
        version=_next(row, life),
        payload=change.payload,
        markings=change.markings,
        team=change.team,
        person=change.person,
        blobs=change.blobs,
    )


def _next(row: SharedObject, life: int) -> Version:
    """Above what is live and above what a recall names; the first after a restore has a term of its own (11.1)."""
    known = max(FIRST, _version(row.statement), Version(row.narrowed_term, row.narrowed_n))
    return held.raised(known) if life > row.life else Version(known.term, known.n + 1)


def _version(statement: Statement | None) -> Version:
    return Version(statement.term, statement.n) if statement else Version(0, 0)


def _recall_below(
    here: Here, versions: Mapping[str, Version], audiences: Mapping[str, frozenset[str]], now: datetime
) -> None:
    """From everybody to whom something of an object was attempted and who may not have this version of it."""
    if not versions:
        return
    reached = here.peers | here.suspended | set(here.facts.former)
    losing = {identifier: reached - audiences.get(identifier, frozenset()) for identifier in versions}
    keeping.still(losing)
    attempted = Recipient.objects.filter(object__in=list(versions), attempted_at__isnull=False)
    owed: dict[str, dict[str, Recall]] = {}
    for identifier, peer in attempted.values_list("object", "peer").order_by("peer", "object"):
        if peer in losing[identifier]:
            recall = Recall.of(versions[identifier], cause=Cause.MARKING, epoch=here.epoch)
            owed.setdefault(peer, {})[identifier] = recall
    if owed:
        from tansiq.exchange.node import recalls  # which publishes them by ``enqueue``

        for peer, objects in owed.items():
            recalls.recall_from(here, peer, objects, Cause.MARKING, now)


@transaction.atomic
def withdraw(here: Here, object: str, now: datetime) -> None:
    """The owner takes an object back: nobody may have it any more, and who had it gets a recall.

    Its next version, if there ever is one, is above the recall.

    Raises: NodeIsHeld, NotOurs, NotTakenIn.
    """
    life = _life()
    if not here.lives_here(owner_of(object)):
        raise NotOurs(object=object)
    awaiting.require_taken(owner_of(object))
    row = _rows([object]).get(object)
    if row is None or row.statement is None:
        return
    last = _next(row, life)
    row.statement, row.recalled_at, row.life = None, now, life
    row.narrowed_term, row.narrowed_n = last
    row.save(update_fields=["statement", "recalled_at", "life", "narrowed_term", "narrowed_n"])
    _recall_below(here, {object: last}, {}, now)
