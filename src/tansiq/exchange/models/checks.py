"""Communication checks: rounds that this node began, what became of them, and those of others that came here."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from tansiq.exchange.models.columns import LANES, lane, moment_or_none, node_code, object_id


class CheckRound(models.Model):
    """A communication check of some or all links by every lane and way, and of the people behind them."""

    id = models.CharField(max_length=36, primary_key=True)  # uuid, in the payload of each object of the round
    begun_at = models.DateTimeField()
    by = models.CharField(max_length=64)  # Viewer.name
    people = models.BooleanField()  # whether the peers' people were asked to answer, too

    class Meta:
        indexes = [models.Index(name="exchange_check_newest", fields=["begun_at"])]

    def __str__(self) -> str:
        return f"{self.id} {self.begun_at}"


class CheckResult(models.Model):
    """One peer, lane and way of a round.

    ``outcome`` is checking.Outcome. ``object`` is empty where nothing was sent: the way is not exercised, and why.
    """

    round = models.ForeignKey(CheckRound, on_delete=models.CASCADE, related_name="results")
    peer = node_code()
    lane = lane()
    way = models.CharField(max_length=16)
    object = object_id(blank=True)
    outcome = models.CharField(max_length=16)
    reason = models.CharField(max_length=32, blank=True)
    sent_at = moment_or_none()
    receipt_at = moment_or_none()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="exchange_check_result_once", fields=["round", "peer", "lane", "way"]),
            models.CheckConstraint(name="exchange_check_lane_known", condition=Q(lane__in=LANES)),
        ]
        indexes = [models.Index(name="exchange_check_of_peer", fields=["peer", "round"])]

    def __str__(self) -> str:
        return f"{self.peer} {self.lane} {self.way} {self.outcome}"


class CheckSeen(models.Model):
    """A person of a peer has seen a round of this node: the acknowledgement as it came."""

    round = models.ForeignKey(CheckRound, on_delete=models.CASCADE, related_name="seen")
    team = node_code()
    person = models.CharField(max_length=32)
    seen_at = models.DateTimeField()  # by the clock there
    heard_at = models.DateTimeField()  # by the clock here: when the answer was applied

    class Meta:
        constraints = [models.UniqueConstraint(name="exchange_check_seen_once", fields=["round", "team", "person"])]

    def __str__(self) -> str:
        return f"{self.round_id} {self.team}/{self.person}"


class CheckHeard(models.Model):
    """A round of another node that came here and asks this node's people to answer.

    ``told_at``: its people were told, or it was decided not to (no ``mails`` then). ``seen_at``: one of them answered.
    """

    round = models.CharField(max_length=36)
    team = node_code()  # that asks
    sent_at = models.DateTimeField()
    heard_at = models.DateTimeField()
    told_at = moment_or_none()
    mails = models.PositiveIntegerField(default=0)
    seen_at = moment_or_none()
    seen_by = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(name="exchange_check_heard_once", fields=["round", "team"])]
        indexes = [
            models.Index(name="exchange_check_untold", fields=["id"], condition=Q(told_at=None)),
            models.Index(name="exchange_check_unseen", fields=["heard_at"], condition=Q(seen_at=None)),
        ]

    def __str__(self) -> str:
        return f"{self.round} of {self.team}"
