"""Files beside envelopes: which there are to be here, and because of which versions (section 9)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from tansiq.exchange.models.columns import digest, moment_or_none, node_code, object_id
from tansiq.exchange.models.objects import Statement
from tansiq.exchange.models.receiving import Waiting


class Blob(models.Model):
    """A file as versions here name it. Of one digest with another key or size there is another row.

    ``reference`` is as the first of them says it, its key included; ``bound`` is a digest of key and size.
    """

    digest = digest()
    bound = models.CharField(max_length=64)
    reference = models.JSONField()
    wanted_at = models.DateTimeField()
    held_at = moment_or_none()  # it is whole on the disk
    tries = models.PositiveIntegerField(default=0)  # in vain, since something of it came last
    next_at = moment_or_none()  # it is not asked for before
    trouble = models.CharField(max_length=16, blank=True)  # room, contradicts
    senders = models.JSONField(default=list)  # nodes of which chunks came
    avoid = models.JSONField(default=list)  # nodes whose chunks contradicted its digest

    class Meta:
        constraints = [models.UniqueConstraint(name="exchange_blob_once", fields=["digest", "bound"])]
        indexes = [
            models.Index(name="exchange_blob_wanted", fields=["tries", "wanted_at"], condition=Q(held_at=None)),
        ]

    def __str__(self) -> str:
        return self.digest


class BlobUse(models.Model):
    """A version that names a file: as it is kept, or as it waits. It goes when that goes."""

    blob = models.ForeignKey(Blob, on_delete=models.CASCADE, related_name="uses")
    object = object_id()
    statement = models.ForeignKey(Statement, null=True, on_delete=models.CASCADE, related_name="+")
    waiting = models.ForeignKey(Waiting, null=True, on_delete=models.CASCADE, related_name="+")
    came_from = node_code(blank=True)  # the node that sent it; empty: written here
    via = models.JSONField(default=list)  # the nodes that forwarded it

    class Meta:
        constraints = [
            models.UniqueConstraint(name="exchange_blob_use_kept", fields=["blob", "statement"]),
            models.UniqueConstraint(name="exchange_blob_use_waiting", fields=["blob", "waiting"]),
            models.CheckConstraint(
                name="exchange_blob_use_of_one",
                condition=Q(statement=None, waiting__isnull=False) | Q(statement__isnull=False, waiting=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.object} {self.blob_id}"
