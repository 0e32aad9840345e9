"""Trying what waits again: because something came, because a person said so, because a program learnt (section 7).

Nothing here is done by halves: a chunk of objects is one transaction, and what is left to be done is marked in the
tables (``Waiting.ready``), so that it goes on after a crash.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from typing import TypeVar

from django.db import transaction
from django.db.models import Exists, OuterRef

from tansiq.audit import actions as audit
from tansiq.core.decision import Decision, no
from tansiq.core.errors import N_, TansiqError
from tansiq.core.viewer import Viewer
from tansiq.exchange import markings, receiving
from tansiq.exchange.body import State
from tansiq.exchange.models import Life, SharedObject, Waiting, WaitingFor
from tansiq.exchange.node import candidates, life
from tansiq.exchange.node.here import Here
from tansiq.exchange.node.locking import again_after_deadlock
from tansiq.exchange.node.settlement import DeskFailed, Settlement
from tansiq.exchange.node.waking import mark, wake
from tansiq.exchange.reasons import Reason
from tansiq.exchange.values import Unfit
from tansiq.sharing.recipients import ToReader, decide_recipient

CHUNK = 500
"""Objects of one transaction."""
CHUNK_BYTES = 32 * 1024**2
"""Of the bodies of one transaction; one object may have more."""
OF_THE_ROSTER = (Reason.UNKNOWN_KEY.value, Reason.NOT_THERE.value, Reason.NOT_OWNER.value)
"""Reasons that another roster may take away."""

Done = TypeVar("Done")


class NotWaiting(TansiqError):
    code = "exchange.not_waiting"
    message = N_("Nothing waits here under the number {number}.")
    remedy = N_("It was applied, refused or recalled in the meantime; look at the list again.")
    exit_code = 2


def in_one_transaction(work: Callable[[bool], Done]) -> Done:
    """``work(careful)``: first without savepoints, and, where a desk raised, again from the beginning with them."""

    def done(careful: bool) -> Done:
        with transaction.atomic():
            return work(careful)

    try:
        return again_after_deadlock(lambda: done(False))
    except DeskFailed:
        return again_after_deadlock(lambda: done(True))


def lock(now: datetime) -> Life:
    """One transaction at a time settles; others may publish meanwhile, and ``on_known`` finds what waited for that."""
    return life.settling(now)


def settle(here: Here, object_ids: Collection[str], now: datetime) -> None:
    """Try these objects again, now: what is above the limit of one transaction is marked and done by the next ones."""
    ids = sorted(set(object_ids))

    def work(careful: bool) -> None:
        lock(now)
        settlement = Settlement(here, now, careful=careful)
        settlement.run(ids[:CHUNK])
        settlement.store()
        mark(Waiting.objects.filter(object__in=ids[CHUNK:]))

    in_one_transaction(work)


def settle_ready(here: Here, now: datetime, *, most: int = CHUNK) -> int:
    """Settle at most ``most`` objects that something woke; how many there were. To be called until it returns 0."""
    if not Waiting.objects.filter(ready=True).exists():
        return 0

    def work(careful: bool) -> int:
        lock(now)
        objects = _ready(most)
        settlement = Settlement(here, now, careful=careful)
        settlement.run(objects)
        settlement.store()
        return len(objects)

    return in_one_transaction(work)


def _ready(most: int) -> list[str]:
    """The next objects to be settled, of whose bodies one transaction can hold all that are ready."""
    rows = Waiting.objects.filter(ready=True).order_by("object", "seq").values_list("object", "size_bytes")
    chosen: dict[str, None] = {}
    total = 0
    for identifier, size_bytes in rows[: 4 * most]:
        total += size_bytes
        if identifier not in chosen and chosen and (len(chosen) == most or total > CHUNK_BYTES):
            break
        chosen[identifier] = None
    return list(chosen)


# ---- what comes


def on_kinds_changed(here: Here, now: datetime) -> int:
    """Another program runs: what waited for a kind that it knows is checked and tried again; how many that are."""
    waits = WaitingFor.objects.filter(what__startswith=candidates.KIND).values_list("what", flat=True).distinct()
    known = [what for what in waits if here.kinds.get(what.removeprefix(candidates.KIND)) is not None]
    return wake(known, examined=0)


def on_blob(here: Here, digest: str, now: datetime) -> int:
    """A blob is here, whole: what waited for it is tried again; how many that are."""
    with transaction.atomic():
        lock(now)  # who has just looked in vain is to have said that it waits
        return wake([candidates.BLOB + digest])


def on_known(here: Here, now: datetime) -> int:
    """What was published here by others while a settlement looked for it in vain; how many were waiting for it."""
    known = SharedObject.objects.filter(pk=OuterRef("what"), known=True)
    return wake(WaitingFor.objects.filter(Exists(known)).values_list("what", flat=True).distinct())


def on_roster(here: Here, now: datetime) -> int:
    """Another roster counts: it may know a key, a home or an owner that the one before did not, and let a team here
    have what none might. What a person refused stays refused."""
    refused = Waiting.objects.filter(state=State.REFUSED, reason=Reason.NOT_ENTITLED, refused_by="")
    with transaction.atomic():
        unfit = mark(Waiting.objects.filter(state=State.QUARANTINED, unfit__in=OF_THE_ROSTER), examined=0)
        return unfit + refused.update(ready=True, examined=0)


def on_clock(now: datetime) -> int:
    """Time passed: what its author signed in the future (5.13) is tried again once that is no future any more."""
    with transaction.atomic():
        return mark(Waiting.objects.filter(not_before__lte=now, ready=False), examined=0)


# ---- what people do


def may_decide(waiting: Waiting, *, by: Viewer, now: datetime) -> Decision:
    """Only a person who may see it (section 7). What has no marking that can be read nobody may see."""
    if not by.person:
        return no("exchange.waiting.nobody")
    try:
        marked = markings.read(waiting.marking_text)
    except Unfit:
        return no("exchange.waiting.unmarked")
    return decide_recipient(marked, ToReader(by), now)


@transaction.atomic
def retry(here: Here, waiting_id: int, by: Viewer, now: datetime) -> None:
    """Check it again from 5.11 on, and try it. Raises: NotWaiting, NotAllowed."""
    lock(now)
    row = _waiting(waiting_id)
    may_decide(row, by=by, now=now).require()
    if row.unfit != Reason.MALFORMED:
        Waiting.objects.filter(pk=row.pk).update(examined=0, ready=True)
        settle(here, [row.object], now)
    _record("exchange.retried", row, by=by, now=now)


@transaction.atomic
def refuse(here: Here, waiting_id: int, by: Viewer, now: datetime) -> None:
    """It will never be applied, and holds nothing back any more; its sender is told. Raises: NotWaiting, NotAllowed."""
    lock(now)
    row = _waiting(waiting_id)
    may_decide(row, by=by, now=now).require()

    def work(careful: bool) -> None:
        settlement = Settlement(here, now, careful=careful)
        settlement.refuse(row, by.name)
        settlement.run([row.object])
        settlement.store()

    in_one_transaction(work)
    _record("exchange.refused", row, by=by, now=now)


def _waiting(number: int) -> Waiting:
    row = Waiting.objects.exclude(state=State.REFUSED).defer("body").filter(pk=number).first()
    if row is None or row.reason == receiving.GAP:
        raise NotWaiting(number=number)
    return row


def _record(verb: str, row: Waiting, *, by: Viewer, now: datetime) -> None:
    item = ("object", row.object or f"waiting:{row.pk}")
    audit.record(verb, item, by=by, now=now, peer=row.channel.peer, term=row.term, n=row.n, reason=row.reason)
