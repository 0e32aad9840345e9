"""What is to be sent: the outbox, channels at their sender's end, and the bodies that have a position."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from tansiq.exchange.models.columns import LANES, digest, incarnation, lane, moment_or_none, node_code
from tansiq.exchange.models.objects import Statement


class OutboxRow(models.Model):
    """A version that is to go to a node, written with the change itself; it has no position yet."""

    peer = node_code()
    lane = lane()
    statement = models.ForeignKey(Statement, on_delete=models.PROTECT, related_name="+")
    size_bytes = models.PositiveIntegerField()  # of the content, before it is a body
    only_way = models.CharField(max_length=16, blank=True)  # a check of one way; empty: as section 8.4 says
    put_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(name="exchange_outbox_order", fields=["peer", "lane", "id"])]

    def __str__(self) -> str:
        return f"{self.peer} {self.lane} {self.statement_id}"


class OutChannel(models.Model):
    """The sender's end of (peer, lane): ``sending.Outgoing``, what receipts made it believe, who seals.

    ``believed_*`` is ``receipts.Holding``. ``former`` has the incarnations of before; ``floor_*`` is where the peer
    says that the receipts of this node's former life stood (``held.Stand``). ``told_changes`` is the number of changes
    that the last receipt said there are; more than are believed, and some are missing.
    """

    peer = node_code()
    lane = lane()
    incarnation = incarnation()  # empty: nothing was sent yet
    given = models.BigIntegerField(default=0)
    hash = digest()
    dropped = models.BigIntegerField(default=0)
    waiting_bodies = models.BigIntegerField(default=0)  # positions that no receipt covers: ``sending.Backlog``
    waiting_bytes = models.BigIntegerField(default=0)
    pruned_through = models.BigIntegerField(default=0)  # at and below it a position may be kept no longer
    believed_n = models.BigIntegerField(default=0)
    believed_through = models.BigIntegerField(default=0)
    believed_hash = digest()
    believed_highest = models.BigIntegerField(default=0)
    believed_gaps = models.JSONField(default=list)
    believed_changes = models.BigIntegerField(default=0)
    told_changes = models.BigIntegerField(default=0)
    unsettled = models.BooleanField(default=False)  # of something a receipt said that it is parked or quarantined
    heard_at = moment_or_none()
    idle_until = moment_or_none()  # nothing of it is due before, unless something is sealed or a receipt comes
    former = models.JSONField(default=list)
    floor_n = models.BigIntegerField(default=0)
    floor_changes = models.BigIntegerField(default=0)
    sealer = models.CharField(max_length=64, blank=True)  # the lease: which process
    sealer_until = moment_or_none()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="exchange_out_channel_once", fields=["peer", "lane"]),
            models.CheckConstraint(name="exchange_out_lane_known", condition=Q(lane__in=LANES)),
        ]

    def __str__(self) -> str:
        return f"{self.peer} {self.lane} {self.incarnation}"


class Sent(models.Model):
    """``sending.Entry``: a span of positions that was given, with its body as long as it may go and is kept."""

    channel = models.ForeignKey(OutChannel, on_delete=models.CASCADE, related_name="sent")
    first = models.BigIntegerField()
    last = models.BigIntegerField()
    prev = digest()
    digest = digest()  # at ``last``
    body = models.BinaryField(null=True)  # canonical; null for a skip
    statement = models.ForeignKey(Statement, null=True, on_delete=models.PROTECT, related_name="+")
    size_bytes = models.PositiveIntegerField(default=0)
    skipped = models.CharField(max_length=16, blank=True)  # body.SkipReason
    made_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    tried_at = moment_or_none()  # the last attempt by JetStream; null when it is to be made at once
    next_at = moment_or_none()
    mailed = models.PositiveIntegerField(default=0)
    next_mail_at = moment_or_none()
    first_sent_at = moment_or_none()
    only_way = models.CharField(max_length=16, blank=True)  # sending.Entry.only
    covered_at = moment_or_none()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="exchange_sent_position_once", fields=["channel", "first"]),
            models.CheckConstraint(name="exchange_sent_span", condition=Q(first__lte=F("last"))),
            models.CheckConstraint(
                name="exchange_sent_body_or_skip",
                condition=Q(body__isnull=False, skipped="") | (Q(body=None, statement=None) & ~Q(skipped="")),
            ),
        ]
        indexes = [
            models.Index(name="exchange_sent_uncovered", fields=["channel", "first"], condition=Q(covered_at=None)),
            models.Index(name="exchange_sent_end", fields=["channel", "last"]),
            models.Index(name="exchange_sent_kept_since", fields=["covered_at"], condition=Q(covered_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.channel_id} {self.first}-{self.last}"
