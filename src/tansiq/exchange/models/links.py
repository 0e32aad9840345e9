"""What is so of the node as a whole and of each peer: rosters, holding, comparing, alarms, evidence."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from tansiq.exchange.models.columns import digest, incarnation, lane, moment_or_none, node_code


class RosterRecord(models.Model):
    """An accepted roster, exactly as it was signed."""

    realm = models.CharField(max_length=32)
    epoch = models.BigIntegerField()
    digest = digest()
    text = models.TextField()
    signatures = models.JSONField()
    issued_at = models.DateTimeField()  # as it says; how old a key of it is
    accepted_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(name="exchange_roster_once", fields=["realm", "epoch"])]

    def __str__(self) -> str:
        return f"{self.realm} {self.epoch}"


class RosterProposal(models.Model):
    """A roster made of the register here, whether it was ever accepted or not: it tells the register nothing."""

    digest = models.CharField(max_length=64, primary_key=True)
    epoch = models.BigIntegerField()
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.epoch} {self.digest}"


class Life(models.Model):
    """One row: which life of this node this is, and whether it is held (section 11.1)."""

    number = models.PositiveIntegerField(default=0)  # 0: never restored
    held_since = moment_or_none()  # null: it speaks
    restored_at = moment_or_none()  # lately; null: never
    reason = models.CharField(max_length=32, blank=True)
    began_at = models.DateTimeField()
    embargoes_through = moment_or_none()  # embargoes that ended until then were followed

    def __str__(self) -> str:
        return f"{self.number}{' held' if self.held_since else ''}"


class Awaited(models.Model):
    """A team that a roster moved here and whose data was not taken in yet: nothing is said for it (section 10.8)."""

    team = models.CharField(max_length=32, primary_key=True)
    since = models.DateTimeField()

    def __str__(self) -> str:
        return self.team


class Serving(models.Model):
    """One row: the process that works on this node's links, as long as it says so. One at a time does."""

    worker = models.CharField(max_length=64)
    since = models.DateTimeField()
    until = models.DateTimeField()

    def __str__(self) -> str:
        return self.worker


class Link(models.Model):
    """One peer as this node sees it.

    ``asking_since`` and ``asked_after``: what section 11.1 says is being asked of it, held or not. ``doubted_at`` is
    the same moment where it is asked since it says that it holds what was never given here.
    """

    peer = models.CharField(max_length=32, primary_key=True)
    frozen_at = moment_or_none()
    incomplete_since = moment_or_none()  # to be compared
    times_incomplete = models.PositiveBigIntegerField(default=0)  # how often it became so, even if it was already
    equal_at = moment_or_none()
    compared_at = moment_or_none()
    wish_at = moment_or_none()  # somebody wants both directions compared: the peer is to be asked to open one, too
    doubted_at = moment_or_none()
    asking_since = moment_or_none()
    asked_after = models.CharField(max_length=128, blank=True)
    asked_at = moment_or_none()  # the last attempt
    waived_by = models.CharField(max_length=64, blank=True)
    waived_reason = models.TextField(blank=True)
    waived_at = moment_or_none()
    heard_at = moment_or_none()
    heard_way = models.CharField(max_length=16, blank=True)
    heard_epoch = models.BigIntegerField(default=0)
    heard_version = models.CharField(max_length=64, blank=True)  # the program that it says it runs
    clock_offset_ms = models.BigIntegerField(null=True)

    def __str__(self) -> str:
        return self.peer


class WayHeard(models.Model):
    """When a peer was last heard and last attempted by each way."""

    peer = node_code()
    way = models.CharField(max_length=16)
    heard_at = moment_or_none()
    attempted_at = moment_or_none()
    failed_at = moment_or_none()
    failure = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(name="exchange_way_once", fields=["peer", "way"])]

    def __str__(self) -> str:
        return f"{self.peer} {self.way}"


class Evidence(models.Model):
    """Two stories under one name: both are kept (sections 6 and 11.2)."""

    peer = node_code()
    lane = lane()
    incarnation = incarnation()
    position = models.BigIntegerField(null=True)
    what = models.CharField(max_length=32)  # clone, equivocation, receipt
    digest = digest()  # of the body that came
    body = models.BinaryField()
    other_digest = models.CharField(max_length=64, blank=True)
    other_body = models.BinaryField(null=True)  # if it is still kept
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(name="exchange_evidence_once", fields=["peer", "digest", "what"])]

    def __str__(self) -> str:
        return f"{self.peer} {self.what}"


class Alarm(models.Model):
    """Something that a person must look at; ended by itself or by a person."""

    code = models.CharField(max_length=48)
    peer = node_code()
    values = models.JSONField(default=dict)
    since = models.DateTimeField()
    last_at = models.DateTimeField()
    times = models.PositiveIntegerField(default=1)
    ended_at = moment_or_none()
    ended_by = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="exchange_alarm_once_open", fields=["code", "peer"], condition=Q(ended_at=None)
            )
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.peer}"


class Comparison(models.Model):
    """One comparison with a peer, in one direction, from its first message to its end (section 13)."""

    id = models.CharField(max_length=36, primary_key=True)
    peer = node_code()
    outward = models.BooleanField()  # own objects at the peer; else the peer's objects here
    began_at = models.DateTimeField()
    last_at = models.DateTimeField()
    ended_at = moment_or_none()
    cut = models.JSONField(default=dict)
    turn = models.PositiveIntegerField(default=0)
    missing = models.BigIntegerField(default=0)
    extra = models.BigIntegerField(default=0)
    different = models.BigIntegerField(default=0)
    in_flight = models.BigIntegerField(default=0)  # differed, and were under way
    bytes_sent = models.BigIntegerField(default=0)
    equal = models.BooleanField(null=True)

    class Meta:
        indexes = [models.Index(name="exchange_comparison_of", fields=["peer", "began_at"])]

    def __str__(self) -> str:
        return f"{self.peer} {self.began_at}"
