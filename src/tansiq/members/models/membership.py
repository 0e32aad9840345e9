"""The register's own word on membership: periods by category, and how each stood."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from tansiq.members.models.directory import Membership, Team, one_of
from tansiq.members.words import CATEGORIES, PERIOD_CATEGORIES, PRECISIONS, STANDINGS


class MembershipPeriod(models.Model):
    """One organisation in one category for a time. What sources say stays beside it, in ``Membership``."""

    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="periods")
    category = models.CharField(max_length=16)
    since = models.DateField(null=True)  # unknown, which counts as always
    since_precision = models.CharField(max_length=8, default="day")
    until = models.DateField(null=True)  # the first day on which it no longer holds
    decision = models.CharField(max_length=300, blank=True)
    source = models.CharField(max_length=300, blank=True)
    community_agreement = models.CharField(max_length=300, blank=True)  # by which a company is of the community
    rests_on = models.ManyToManyField(Membership, related_name="periods")
    shipped = models.BooleanField(default=False)
    recorded_by = models.CharField(max_length=64)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            one_of("category", PERIOD_CATEGORIES, "period_category_known"),
            one_of("since_precision", PRECISIONS, "period_precision_known"),
            models.CheckConstraint(
                name="period_in_order", condition=Q(since=None) | Q(until=None) | Q(since__lt=F("until"))
            ),
            models.UniqueConstraint(name="period_open_once", fields=["team", "category"], condition=Q(until=None)),
        ]

    def __str__(self) -> str:
        return f"{self.team_id} {self.category}"


class Standing(models.Model):
    """How a period stood from a day on; the latest that has begun holds. Without any, it is active."""

    period = models.ForeignKey(MembershipPeriod, on_delete=models.CASCADE, related_name="standings")
    state = models.CharField(max_length=16)
    since = models.DateField()
    decision = models.CharField(max_length=300, blank=True)
    recorded_by = models.CharField(max_length=64)
    recorded_at = models.DateTimeField()

    class Meta:
        ordering = ["period", "since", "pk"]
        constraints = [one_of("state", STANDINGS, "standing_known")]

    def __str__(self) -> str:
        return self.state


class CountryStatement(models.Model):
    """What one source says of a country without naming the organisation."""

    country = models.CharField(max_length=2)  # any ISO 3166 code: sources name countries from outside, too
    category = models.CharField(max_length=16, blank=True)
    source = models.CharField(max_length=300)
    note = models.TextField(blank=True)

    class Meta:
        ordering = ["country", "source"]
        constraints = [
            models.UniqueConstraint(name="country_statement_once", fields=["country", "category", "source"]),
            one_of("category", ("", *CATEGORIES), "country_statement_category_known"),
        ]

    def __str__(self) -> str:
        return self.country
