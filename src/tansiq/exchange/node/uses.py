"""Which versions here name which files: noted with each version, and what goes when none does any more (section 9)."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import transaction
from django.db.models import Exists, OuterRef

from tansiq.exchange import values
from tansiq.exchange.blobs import BlobStore
from tansiq.exchange.body import BlobReference, State
from tansiq.exchange.kinds import owner_of
from tansiq.exchange.models import Blob, BlobUse, Recipient, SharedObject, Statement
from tansiq.exchange.node import keeping
from tansiq.exchange.node.deciding import Deciding, Going
from tansiq.exchange.node.here import Here
from tansiq.exchange.node.statements import blob_of
from tansiq.exchange.node.tombstones import BLOCKED
from tansiq.exchange.values import length_prefixed

if TYPE_CHECKING:
    from tansiq.exchange.node.candidates import Candidate

_SOME = b'"blobs":[{'
"""In the canonical text of a version that names a file; within the payload quotation marks would be escaped."""
_AT_ONCE = 200
_ASKED = 20
"""Versions that are looked at to find out whom to ask for a file."""
OPEN = ("", State.PARKED.value, State.QUARANTINED.value)


class Named(NamedTuple):
    """A version names a file. ``of``: the keys of what names it, as the row of a use has them."""

    reference: BlobReference
    object: str
    of: dict[str, int]
    came_from: str
    via: list[str]


# ---- noted


def note_statements(statements: Iterable[Statement], now: datetime) -> None:
    """Versions that are kept from now on, in the transaction that keeps them."""
    naming = [one for one in statements if _SOME in bytes(one.content)]
    if not naming:
        return
    _find_keys([one for one in naming if one.pk is None])
    named = []
    for one in naming:
        content = json.loads(bytes(one.content))
        of, via = {"statement_id": one.pk}, content["via"]
        named += [Named(blob_of(blob), one.object, of, one.came_from, via) for blob in content["blobs"]]
    _note(named, now)


def note_waiting(new: Iterable[Candidate], changed: Iterable[Candidate], now: datetime) -> None:
    """Versions that were just stored among what waits. Of what nobody will apply no file is wanted."""
    named: list[Named] = []
    done = [one.row.pk for one in changed if not _needs_files(one)]
    for one in [*new, *changed]:
        row = one.row
        if not _needs_files(one):
            continue
        if one.examined is not None and (envelope := one.examined.envelope) is not None:
            of, peer, via = {"waiting_id": row.pk}, row.channel.peer, list(envelope.via)
            named += [Named(blob, row.object, of, peer, via) for blob in envelope.blobs]
    if done:
        BlobUse.objects.filter(waiting__in=done).delete()
    _note(named, now)


def _needs_files(candidate: Candidate) -> bool:
    return candidate.row.state != State.REFUSED and any(what.startswith("blob:") for what in candidate.lacking)


def _find_keys(statements: Sequence[Statement]) -> None:
    for one in statements:
        same = Statement.objects.filter(object=one.object, term=one.term, n=one.n, leaf=one.leaf)
        one.pk = same.values_list("pk", flat=True).get(marking=one.marking_id)


def _note(named: Sequence[Named], now: datetime) -> None:
    if not named:
        return
    keys = _blobs(named, now)
    uses = [
        BlobUse(
            blob_id=keys[one.reference.digest, bound_of(one.reference)],
            object=one.object,
            came_from=one.came_from,
            via=one.via,
            **one.of,
        )
        for one in named
    ]
    BlobUse.objects.bulk_create(uses, ignore_conflicts=True)


def _blobs(named: Sequence[Named], now: datetime) -> dict[tuple[str, str], int]:
    """The row of each file, which nobody deletes before this transaction ends."""
    wanted = {(one.reference.digest, bound_of(one.reference)): one.reference for one in named}
    digests = [digest for digest, _bound in wanted]
    rows = Blob.objects.select_for_update().filter(digest__in=digests).order_by("pk")
    while wanted.keys() - (found := {(row.digest, row.bound): row.pk for row in rows}).keys():
        made = [
            Blob(digest=digest, bound=bound, reference=write(reference), wanted_at=now)
            for (digest, bound), reference in wanted.items()
            if (digest, bound) not in found
        ]
        Blob.objects.bulk_create(made, ignore_conflicts=True)
        rows = rows.all()
    return found


def bound_of(reference: BlobReference) -> str:
    """Two references to one digest are to one file if they agree in key and size."""
    return values.digest(length_prefixed("tansiq.bound", reference.key, reference.size_bytes))


def write(reference: BlobReference) -> dict[str, Any]:
    return {
        "digest": reference.digest,
        "key": values.write_bytes(reference.key),
        "size_bytes": reference.size_bytes,
        "media_type": reference.media_type,
        "name": reference.name,
    }


# ---- who may be asked, and who may ask


def sources(here: Here, blob: Blob) -> list[str]:
    """Whom to ask for a file, in this order: who sent a version that names it, who forwarded it, its owner's node. For
    an own one, which a restore lost, those who had it."""
    found: dict[str, None] = {}
    for use in BlobUse.objects.filter(blob=blob).order_by("-pk")[:_ASKED]:
        owner = owner_of(use.object)
        home = here.facts.homes.get(owner, "")
        found |= dict.fromkeys([use.came_from, *reversed(use.via), home])
        if home == here.code:
            had = Recipient.objects.filter(object=use.object, attempted_at__isnull=False)
            found |= dict.fromkeys(had.order_by("-state", "peer").values_list("peer", flat=True))
    return [peer for peer in found if peer in here.peers]


def may_get(here: Here, peer: str, digest: str, now: datetime) -> list[Blob]:
    """The rows of a digest that a version names which ``peer`` may be sent now (section 8.3)."""
    if keeping.is_silent(peer):
        return []
    uses = BlobUse.objects.filter(blob__digest=digest, statement__isnull=False)
    of = dict(uses.values_list("statement_id", "blob_id"))
    allowed = _may_go(here, peer, of, now)
    return list(Blob.objects.filter(pk__in={of[statement] for statement in allowed}).order_by("pk"))


def _may_go(here: Here, peer: str, statements: Collection[int], now: datetime) -> set[int]:
    columns = ("pk", "object", "kind", "marking_id")
    going = [Going(*row) for row in Statement.objects.filter(pk__in=statements).values_list(*columns)]
    blocked = SharedObject.objects.filter(BLOCKED, pk__in={one.object for one in going})
    kept = {
        pk for pk, owner in blocked.values_list("pk", "owner") if not here.lives_here(owner)
    }  # against a recall: nobody gets it from here. What is this node's own a peer's word alone does not block
    return Deciding(here, now).may_go(peer, [one for one in going if one.object not in kept])


# ---- what goes


def drop_superseded(here: Here) -> int:
    """Forget that versions name files which are live no more, and which no peer waits for either; how many."""
    live = SharedObject.objects.filter(object=OuterRef("object"), statement=OuterRef("statement"))
    past = BlobUse.objects.filter(~Exists(live), statement__isnull=False).select_related("statement").order_by("pk")
    after = dropped = 0
    while page := list(past.filter(pk__gt=after).defer("statement__content")[:_AT_ONCE]):
        after = page[-1].pk
        ids = [use.pk for use in page if not _is_awaited(here, use)]
        BlobUse.objects.filter(pk__in=ids).delete()
        dropped += len(ids)
    return dropped


def _is_awaited(here: Here, use: BlobUse) -> bool:
    """Somebody to whom the object went has not said yet what became of the version that is live now: it may wait there
    behind this one, which lacks its file."""
    shared = SharedObject.objects.filter(pk=use.object, statement__isnull=False).select_related("statement").first()
    if shared is None or shared.statement is None:
        return False
    live = (shared.statement.term, shared.statement.n)
    reached = Recipient.objects.filter(object=use.object, peer__in=here.peers, attempted_at__isnull=False)
    return any(row.state in OPEN or (row.state_term, row.state_n) < live for row in reached)


def forget(store: BlobStore, *, most: int = 100) -> int:
    """Delete the files that no version names any more, also those that came only in part; how many."""
    ids = list(Blob.objects.filter(uses=None).order_by("pk").values_list("pk", flat=True)[:most])
    for pk in ids:
        _forget(store, pk)
    return len(ids)


def _forget(store: BlobStore, pk: int) -> None:
    with transaction.atomic():
        row = Blob.objects.select_for_update().filter(pk=pk).first()
        if row is None or BlobUse.objects.filter(blob=row).exists():
            return
        digest = row.digest
        row.delete()
    if not Blob.objects.filter(digest=digest).exists():
        store.delete(digest)
