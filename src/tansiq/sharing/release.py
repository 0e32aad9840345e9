"""The one way out. A ``Release`` says that one item may go to one recipient now; exits take nothing else."""

from __future__ import annotations

from dataclasses import InitVar, dataclass
from datetime import datetime

from django.db import transaction

from tansiq.audit import actions as audit
from tansiq.core.marking import Marking, Tlp
from tansiq.core.viewer import Viewer
from tansiq.sharing import rules
from tansiq.sharing.models import Marked
from tansiq.sharing.recipients import ToPerson, ToReader, ToRecipient, decide_recipient, label_for
from tansiq.sharing.rules import Onward

_SEAL = object()


class Forged(RuntimeError):
    """A defect of the caller: a release was made otherwise than by ``release``."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is about to go out, with what governs it. For items of the lake made by hand, of a desk by ``parcel``.

    Attributes:
        kind, identity: as the audit log names the item: ``("advisory", "XA-2026-7KQ4")``.
        markings: all of them; empty goes nowhere.
        onward: onward releases in force.
    """

    kind: str
    identity: str
    markings: frozenset[Marking]
    onward: frozenset[Onward] = frozenset()


@dataclass(frozen=True, slots=True)
class Release:
    """Permission to let one item out to one recipient, at ``at`` and not for later: a retry asks again.

    Attributes:
        parcel: the item and its markings.
        to: the recipient.
        label: to be written on what goes out; in a format that lacks it, the next stricter.
        by: name of the viewer who releases it.
        at: when.
        reason: code of the rule that allows it.
    """

    parcel: Parcel
    to: ToRecipient
    label: Tlp
    by: str
    at: datetime
    reason: str
    seal: InitVar[object]  # an init-only field: dataclasses.replace cannot carry it over

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise Forged("releases are made by tansiq.sharing.release.release alone")


def parcel(item: Marked, *, now: datetime) -> Parcel:
    """The item with its markings and onward releases, read from the database; four queries."""
    identity = getattr(item, "code", None) or item.pk
    return Parcel(item._meta.model_name or "", str(identity), item.marked(), item.told(now))


@transaction.atomic
def release(item: Marked | Parcel, *, to: Viewer | ToRecipient, by: Viewer, now: datetime) -> Release:
    """Let ``item`` out to ``to``, if ``by`` may see it and the recipient may have it.

    A viewer as recipient is a reader: it is shown to them, and if that is ``by`` only the reading of TLP:RED is put on
    record. Everything else is sending, and recorded always.

    Raises: NotAllowed, with the reason; NoSuchLabel, when the format has no label as strict.
    """
    goods = parcel(item, now=now) if isinstance(item, Marked) else item
    recipient = ToReader(to) if isinstance(to, Viewer) else to
    reading = recipient == ToReader(by)
    if not reading:
        rules.may_write(by).require()
        rules.decide_all(goods.markings, by, now, onward=goods.onward).require()
    answer = decide_recipient(goods.markings, recipient, now, onward=goods.onward)
    answer.require()
    made = Release(
        goods, recipient, label_for(goods.markings, recipient), by=by.name, at=now, reason=answer.reason, seal=_SEAL
    )
    _record(made, reading=reading, by=by, now=now)
    return made


def _record(made: Release, *, reading: bool, by: Viewer, now: datetime) -> None:
    item = (made.parcel.kind, made.parcel.identity)
    strictest = rules.strictest(made.parcel.markings)
    if reading:
        if strictest is Tlp.RED:
            audit.record_read(item, by=by, now=now)
        return
    audit.record(
        "sharing.released",
        item,
        by=by,
        now=now,
        why=made.to.waiver if isinstance(made.to, ToPerson) else "",
        to_kind=made.to.kind,
        to=made.to.code,
        label=made.label.label,
        rule=made.reason,
        markings=sorted(marking.marking_id for marking in made.parcel.markings),
    )
