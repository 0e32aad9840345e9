"""Objects that are shared, and what their authors said of them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from tansiq.exchange.models.columns import digest, moment_or_none, node_code, object_id


class MarkingSet(models.Model):
    """A canonical set of markings, once. Decisions are made for each of these few, not for each of many objects."""

    key = models.CharField(max_length=64, primary_key=True)  # digest of the text
    text = models.TextField()

    def __str__(self) -> str:
        return self.key


class Statement(models.Model):
    """One version of one object as its author signed it. Written once, never changed.

    ``content`` is canonical JSON of an envelope's fields that belong to no channel (kind, schema, object, version,
    marking, payload, author, blobs, via, and those that this program does not know).
    """

    object = object_id()
    term = models.BigIntegerField()
    n = models.BigIntegerField()
    leaf = digest()  # of what the author signed
    kind = models.CharField(max_length=64)
    team = node_code()  # the author's
    marking = models.ForeignKey(MarkingSet, on_delete=models.PROTECT, related_name="+")
    content = models.BinaryField()
    came_from = node_code(blank=True)  # the node that sent it first; empty: written here
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="exchange_statement_once", fields=["object", "term", "n", "leaf", "marking"])
        ]

    def __str__(self) -> str:
        return f"{self.object} {self.term}.{self.n}"


class SharedObject(models.Model):
    """What is so of one object here: the version applied, the latest that was proven, what recalls it.

    A version of 0.0 is none. ``narrowed``, ``left`` and ``recall_epoch`` are ``receiving.Recall``.
    """

    object = object_id(primary_key=True, db_index=False)
    kind = models.CharField(max_length=64, blank=True)
    owner = node_code(db_index=True)  # the team that the id begins with
    statement = models.ForeignKey(Statement, null=True, on_delete=models.PROTECT, related_name="+")  # applied, live
    epoch = models.BigIntegerField(default=0)  # the highest roster under which the applied version was addressed here
    proven = models.ForeignKey(Statement, null=True, on_delete=models.PROTECT, related_name="+")  # passed 5.17
    known = models.BooleanField(default=False)  # was applied here or recalled, ever: references to it are satisfied
    narrowed_term = models.BigIntegerField(default=0)
    narrowed_n = models.BigIntegerField(default=0)
    left_term = models.BigIntegerField(default=0)
    left_n = models.BigIntegerField(default=0)
    recall_epoch = models.BigIntegerField(default=0)
    recalled_at = moment_or_none()
    kept_reason = models.CharField(max_length=16, blank=True)  # evidence, law: a person keeps it against a recall
    kept_by = models.CharField(max_length=64, blank=True)
    kept_at = moment_or_none()
    withheld = models.BooleanField(default=False)  # own, its later marking lost in a restore: nobody until set anew
    life = models.PositiveIntegerField(default=0)  # own: the life of this node in which its term was last raised

    def __str__(self) -> str:
        return self.object


class Recipient(models.Model):
    """One object and one node: what was attempted, passed on, recalled, and what the node last said of it."""

    object = object_id(db_index=False)
    peer = node_code()
    attempted_at = moment_or_none()  # first: from then on it may be there, and a recall is owed
    forwarded = models.BooleanField(default=False)  # another's object that was sent on from here
    narrowed_term = models.BigIntegerField(default=0)
    narrowed_n = models.BigIntegerField(default=0)
    left_term = models.BigIntegerField(default=0)
    left_n = models.BigIntegerField(default=0)
    recall_epoch = models.BigIntegerField(default=0)
    state = models.CharField(max_length=16, blank=True)  # body.State, by the newest receipt
    reason = models.CharField(max_length=64, blank=True)
    state_term = models.BigIntegerField(default=0)
    state_n = models.BigIntegerField(default=0)
    state_at = moment_or_none()

    class Meta:
        constraints = [models.UniqueConstraint(name="exchange_recipient_once", fields=["object", "peer"])]
        indexes = [models.Index(name="exchange_recipient_peer", fields=["peer", "object"])]

    def __str__(self) -> str:
        return f"{self.object} at {self.peer}"


class RecallOrder(models.Model):
    """A recall sent to one node, and what became of it: the list that the originator sees (section 12).

    ``statement`` is null until it is signed: a roster may order a million at once, which are signed in batches.
    """

    object = object_id()  # what is recalled
    peer = node_code()
    statement = models.ForeignKey(Statement, null=True, on_delete=models.PROTECT, related_name="+")  # the recall's own
    cause = models.CharField(max_length=16)  # receiving.Cause
    ordered_at = models.DateTimeField()
    outcome = models.CharField(max_length=16, blank=True)  # deleted, kept, refused; empty: not answered
    reason = models.CharField(max_length=64, blank=True)
    answered_at = moment_or_none()

    class Meta:
        indexes = [
            models.Index(name="exchange_recall_open", fields=["peer", "answered_at"]),
            models.Index(name="exchange_recall_unsigned", fields=["id"], condition=Q(statement=None)),
        ]

    def __str__(self) -> str:
        return f"{self.object} at {self.peer}"


class RecallHeard(models.Model):
    """A recall that came, and what was done about it here."""

    recall = object_id(db_index=False)  # its own id
    peer = node_code()
    object = object_id()  # what it recalls
    heard_at = models.DateTimeField()
    outcome = models.CharField(max_length=16)  # deleted, kept
    reason = models.CharField(max_length=16)  # deleted, evidence, law: as the receipt says it

    class Meta:
        constraints = [models.UniqueConstraint(name="exchange_recall_heard_once", fields=["recall", "peer"])]

    def __str__(self) -> str:
        return f"{self.object} {self.outcome}"
