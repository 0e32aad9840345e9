"""What came: channels at their recipient's end, positions, objects that wait, and what nobody can open."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from tansiq.exchange.models.columns import LANES, digest, incarnation, lane, moment_or_none, node_code, object_id


class InChannel(models.Model):
    """The recipient's end of one incarnation: ``channel.Cursor`` and ``receipts.Ledger``.

    ``waiting_*`` counts all that waits here or was refused, ``above_bodies`` and ``above_bytes`` what of it lies above
    the first gap; ``above_spans`` the rows of positions that do, whatever became of what took them.
    """

    peer = node_code()
    lane = lane()
    incarnation = incarnation()
    number = models.BigIntegerField()  # N of the incarnation: they are ordered by it
    begun_at = models.DateTimeField()  # earliest ``sent_at`` seen
    through = models.BigIntegerField(default=0)
    hash = digest()
    highest = models.BigIntegerField(default=0)
    frozen = models.BooleanField(default=False)
    closed = models.BooleanField(default=False)
    n = models.BigIntegerField(default=0)
    changes = models.BigIntegerField(default=0)
    said = models.BigIntegerField(default=0)
    unsaid = models.BooleanField(default=False)
    receipt_at = moment_or_none()
    waiting_bodies = models.BigIntegerField(default=0)
    waiting_bytes = models.BigIntegerField(default=0)
    above_bodies = models.BigIntegerField(default=0)
    above_bytes = models.BigIntegerField(default=0)
    above_spans = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="exchange_in_channel_once", fields=["peer", "lane", "incarnation"]),
            models.CheckConstraint(name="exchange_in_lane_known", condition=Q(lane__in=LANES)),
        ]

    def __str__(self) -> str:
        return f"{self.peer} {self.lane} {self.incarnation}"


class Position(models.Model):
    """``channel.Span``: what is known of positions above ``through``, and below it for the retention of section 8."""

    channel = models.ForeignKey(InChannel, on_delete=models.CASCADE, related_name="positions")
    first = models.BigIntegerField()
    last = models.BigIntegerField()
    prev = digest()
    digest = digest()
    taken_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(name="exchange_position_once", fields=["channel", "first", "last"])]
        indexes = [
            models.Index(name="exchange_position_end", fields=["channel", "last"]),
            models.Index(name="exchange_position_age", fields=["taken_at"]),
            models.Index(name="exchange_position_long", fields=["channel", "last"], condition=Q(last__gt=F("first"))),
        ]

    def __str__(self) -> str:
        return f"{self.channel_id} {self.first}-{self.last}"


class ObjectChange(models.Model):
    """The last thing that the recipient has to say of an object of a channel, under the number of the change."""

    channel = models.ForeignKey(InChannel, on_delete=models.CASCADE, related_name="object_changes")
    object = object_id(db_index=False)
    number = models.BigIntegerField()
    term = models.BigIntegerField()
    n = models.BigIntegerField()
    state = models.CharField(max_length=16)
    reason = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(name="exchange_change_once", fields=["channel", "object"])]
        indexes = [models.Index(name="exchange_change_number", fields=["channel", "number"])]

    def __str__(self) -> str:
        return f"{self.channel_id} {self.number}"


class Waiting(models.Model):
    """A version whose position was taken and which is not applied: ``receiving.Item`` and its body.

    Parked, quarantined or waiting for a gap to close; or refused, and kept for what a peer may ask back.

    ``ready``: what it waited for has come, and its object is to be settled. ``examined``: the epoch of the roster under
    which the checks 5.11 to 5.19 were made; 0 if they are to be made again.
    """

    channel = models.ForeignKey(InChannel, on_delete=models.CASCADE, related_name="waiting")
    seq = models.BigIntegerField()
    object = object_id()
    term = models.BigIntegerField()
    n = models.BigIntegerField()
    leaf = digest()  # of what the author signed; of the body, where nobody did (5.11, 5.13)
    kind = models.CharField(max_length=64)
    team = node_code()  # the author's, as it says
    epoch = models.BigIntegerField()  # under which it was addressed
    marking_text = models.TextField()
    self_contained = models.BooleanField(default=False)
    proven = models.BooleanField(default=False)  # its author's team has said it, and may (5.13, 5.17)
    unfit = models.CharField(max_length=32, blank=True)  # reasons.Reason of checks 5.11 to 5.17 and 5.19
    refused = models.CharField(max_length=32, blank=True)
    refused_by = models.CharField(max_length=64, blank=True)
    state = models.CharField(max_length=16)  # body.State
    reason = models.CharField(max_length=64)  # a reason code, or receiving.GAP
    detail = models.TextField(blank=True)
    ready = models.BooleanField(default=False)
    examined = models.BigIntegerField()
    not_before = moment_or_none()  # its signature is of the future (5.13), and nobody has proven to have said it
    signer = models.CharField(max_length=64)
    size_bytes = models.PositiveIntegerField()
    way = models.CharField(max_length=16)
    arrived_at = models.DateTimeField()
    body = models.BinaryField()  # last: the columns before it are read without it

    class Meta:
        constraints = [models.UniqueConstraint(name="exchange_waiting_once", fields=["channel", "seq"])]
        indexes = [
            models.Index(name="exchange_waiting_reason", fields=["state", "reason"]),
            models.Index(name="exchange_waiting_ready", fields=["object"], condition=Q(ready=True)),
            models.Index(name="exchange_waiting_early", fields=["not_before"], condition=Q(not_before__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.object} {self.term}.{self.n} {self.state} {self.reason}"


class WaitingFor(models.Model):
    """What a parked version lacks, one row each, so that whatever arrives finds who waited for it."""

    waiting = models.ForeignKey(Waiting, on_delete=models.CASCADE, related_name="lacking")
    # ``clock``, ``kind:`` and a kind, an object id, ``blob:`` and a digest, or ``recall:`` and an object id: a recall
    # of what its sender has not sent yet
    what = models.CharField(max_length=160, db_index=True)

    def __str__(self) -> str:
        return self.what


class ParkedBody(models.Model):
    """A body of a known sender that waits as a whole: its roster is not here, or its clock is ahead (5.8, 5.9)."""

    digest = models.CharField(max_length=64, primary_key=True)
    signer = models.CharField(max_length=64)
    peer = node_code()
    lane = lane()
    reason = models.CharField(max_length=16)  # clock, epoch
    epoch = models.BigIntegerField()
    sent_at = models.DateTimeField()
    way = models.CharField(max_length=16)
    arrived_at = models.DateTimeField()
    size_bytes = models.PositiveIntegerField()
    body = models.BinaryField()  # last: the columns before it are read without it

    class Meta:
        indexes = [
            models.Index(name="exchange_parked_where", fields=["peer", "lane", "size_bytes"]),
            models.Index(name="exchange_parked_until", fields=["epoch", "sent_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.peer} {self.reason}"


class AskHeard(models.Model):
    """What a peer asked by a file, and is answered by the next file for it (section 16)."""

    peer = models.CharField(max_length=32, primary_key=True)
    body = models.BinaryField()  # of the ask, as it came
    heard_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.peer


class Junk(models.Model):
    """What nobody known has sent, for somebody to look at; at most 1,000 items and 100 MB (section 5)."""

    digest = models.CharField(max_length=64, primary_key=True)
    size_bytes = models.PositiveIntegerField()
    check_number = models.CharField(max_length=8)
    reason = models.CharField(max_length=32)
    detail = models.TextField(blank=True)
    way = models.CharField(max_length=16)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    times = models.PositiveIntegerField(default=1)
    sealed = models.BinaryField()

    def __str__(self) -> str:
        return f"{self.check_number} {self.reason}"


class JunkCount(models.Model):
    """How much junk came, by day and reason; what is counted here may be kept no longer."""

    day = models.DateField()
    check_number = models.CharField(max_length=8)
    reason = models.CharField(max_length=32)
    count = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="exchange_junk_count_once", fields=["day", "check_number", "reason"])
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.check_number} {self.count}"
