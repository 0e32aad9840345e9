"""The chain's rows. ``actions.record`` is the one appender; everything else here refuses to write."""

from __future__ import annotations

from typing import Any, ClassVar, NoReturn

from django.db import models
from django.db.models import Q

from tansiq.audit.stamps import StampField

DIGEST = 64  # SHA-256 in hex


class AppendOnly(RuntimeError):
    """A defect of the caller: the audit record is written by ``tansiq.audit.actions`` alone, and never rewritten."""


def _refuse(*_args: Any, **_options: Any) -> NoReturn:
    raise AppendOnly("the audit record is written by tansiq.audit.actions alone")


class Appended(models.QuerySet[Any]):
    """Reads only."""

    create = get_or_create = update_or_create = update = delete = bulk_create = bulk_update = _refuse


class Chained(models.Model):
    objects: ClassVar[Any] = Appended.as_manager()
    save = save_base = delete = _refuse

    class Meta:
        abstract = True


class Entry(Chained):
    """Who did what to which item, when. Codes and numbers only: nothing that would ever have to be erased."""

    number = models.BigIntegerField(primary_key=True)  # from 1, without a gap
    at = StampField()
    who = models.CharField(max_length=128)  # Viewer.name
    team = models.CharField(max_length=32, blank=True)
    verb = models.CharField(max_length=64)
    item_kind = models.CharField(max_length=64)
    item_id = models.CharField(max_length=200)
    facts = models.TextField()  # canonical JSON; text, not a JSON column, which would be free to rewrite it
    reason_digest = models.CharField(max_length=DIGEST, blank=True)
    hash = models.CharField(max_length=DIGEST)

    class Meta:
        constraints = [models.CheckConstraint(name="entry_number_from_one", condition=Q(number__gte=1))]
        indexes = [
            models.Index(name="entry_by_item", fields=["item_kind", "item_id", "who", "number"]),
            models.Index(name="entry_by_who", fields=["who", "number"]),
            models.Index(name="entry_by_team", fields=["team", "number"]),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.verb} {self.item_kind} {self.item_id}"


class Reason(Chained):
    """Why, in somebody's own words: beside the chain, which holds only a salted digest, so that it can be erased."""

    entry = models.OneToOneField(Entry, on_delete=models.PROTECT, primary_key=True, related_name="reason")
    text = models.TextField()
    salt = models.CharField(max_length=DIGEST)
    erased_by = models.ForeignKey(Entry, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="reason_there_or_erased",
                condition=(Q(erased_by=None) & ~Q(text="") & ~Q(salt=""))
                | Q(erased_by__isnull=False, text="", salt=""),
            )
        ]

    def __str__(self) -> str:
        return f"of {self.entry_id}"


class Head(Chained):
    """One row: number and hash of the last entry. Every appender locks it first, so that rows come one by one."""

    number = models.BigIntegerField()
    hash = models.CharField(max_length=DIGEST)

    class Meta:
        constraints = [models.CheckConstraint(name="one_head", condition=Q(pk=1))]

    def __str__(self) -> str:
        return str(self.number)
