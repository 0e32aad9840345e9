"""The one appender. Rows are written in the transaction of whatever they record: both happen, or neither."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from tansiq.audit import chain, form
from tansiq.audit.models import Entry, Head, Reason
from tansiq.audit.queries import facts
from tansiq.audit.rules import READ, may_erase_reason
from tansiq.audit.stamps import stamp
from tansiq.audit.verify import ENTRY_KIND, ERASED
from tansiq.core.errors import N_, TansiqError
from tansiq.core.viewer import Viewer

AN_HOUR = timedelta(hours=1)


def record(
    verb: str, item: object | tuple[str, str | int], /, *, by: Viewer, now: datetime, why: str = "", **values: Any
) -> Entry:
    """Append one row to the chain, in the caller's transaction. Call it last there: it takes the chain's lock.

    Args:
        verb: dotted, past tense: ``membership.recorded``.
        item: kind and id, ``("team", "XA-CERT")``, or a stored object: its model's name, and its ``code`` or key.
        by: who acts; a guest cannot.
        now: the call's one clock.
        why: in the actor's words, if any; kept beside the chain, erasable.
        values: codes, whole numbers, yes and no, times, and lists of them. Never content, names or addresses of people.

    Raises: form.NotRecordable (a ValueError): something is no code. The caller's transaction is then rolled back.
    """
    # Without a savepoint of its own: what cannot be recorded must not happen, even if the caller catches the error.
    with transaction.atomic(savepoint=False):
        kind, identity = form.item(item)
        row = {
            "who": form.code("who", by.name, 128),
            "team": form.code("team", by.team, 32) if by.team else "",
            "verb": form.verb(verb),
            "item_kind": kind,
            "item_id": identity,
            "facts": form.facts(values),
        }
        return _append(row, form.reason(why), now)


def record_read(item: object | tuple[str, str | int], /, *, by: Viewer, now: datetime) -> Entry | None:
    """Record that a TLP:RED item, or somebody else's contact data, was read; once an hour a reader and item.

    Returns: the row, or None if the hour has one already.
    """
    return record_once(READ, item, by=by, now=now)


def record_once(verb: str, item: object | tuple[str, str | int], /, *, by: Viewer, now: datetime) -> Entry | None:
    """Like ``record``, but nothing if the same actor has done the same to the same item within the last hour."""
    kind, identity = form.item(item)
    if _lately(verb, kind, identity, by, now):
        return None
    with transaction.atomic(savepoint=False):
        # Looked up again under the lock: two pages opened at once are one reading.
        Head.objects.select_for_update().get(pk=1)
        if _lately(verb, kind, identity, by, now):
            return None
        return record(verb, (kind, identity), by=by, now=now)


def _lately(verb: str, kind: str, identity: str, by: Viewer, now: datetime) -> bool:
    rows = Entry.objects.filter(item_kind=kind, item_id=identity, who=by.name, team=by.team, verb=verb)
    last = rows.order_by("-number").values_list("at", flat=True).first()
    return last is not None and last > now - AN_HOUR


class NoReason(TansiqError):
    code = "audit.reason.none"
    message = N_("Row {number} has no reason that could be erased.")
    remedy = N_("`tansiq audit list` shows the rows and their reasons.")
    exit_code = 2


def erase_reason(number: int, /, *, by: Viewer, now: datetime, because: str) -> Entry:
    """Erase what somebody wrote as their reason; the chain still holds, and says who erased it.

    Args:
        because: a code of why (``request-of-the-person``), for the row that records the erasure.

    Raises: NoReason, NotAllowed.
    """
    with transaction.atomic():
        # The lock first: two erasures at once come one after the other.
        Head.objects.select_for_update().get(pk=1)
        entry = Entry.objects.filter(pk=number, reason__erased_by=None, reason__isnull=False).first()
        if entry is None:
            raise NoReason(number=number)
        may_erase_reason(facts(entry), by).require()
        erasure = record(ERASED, (ENTRY_KIND, number), by=by, now=now, because=because)
        QuerySet(Reason).filter(pk=number).update(text="", salt="", erased_by=erasure)
        return erasure


def _append(row: dict[str, str], text: str, now: datetime) -> Entry:
    head = Head.objects.select_for_update().get(pk=1)
    salt = secrets.token_bytes(chain.SALT_BYTES)
    entry = Entry(
        number=head.number + 1,
        at=now,
        reason_digest=chain.reason_digest(text.encode(), salt=salt) if text else "",
        **row,
    )
    entry.hash = chain.hash_of(sealed(entry), previous=head.hash)
    _insert(entry)
    if text:
        _insert(Reason(entry=entry, text=text, salt=salt.hex()))
    QuerySet(Head).filter(pk=1).update(number=entry.number, hash=entry.hash)
    return entry


def sealed(entry: Entry) -> chain.Sealed:
    return chain.Sealed(
        number=str(entry.number).encode(),
        at=stamp(entry.at).encode(),
        who=entry.who.encode(),
        team=entry.team.encode(),
        verb=entry.verb.encode(),
        item_kind=entry.item_kind.encode(),
        item_id=entry.item_id.encode(),
        facts=entry.facts.encode(),
        reason_digest=entry.reason_digest.encode(),
    )


def _insert(row: Entry | Reason) -> None:
    """By the framework's own query set: the models' refuse."""
    QuerySet(type(row)).bulk_create([row])
