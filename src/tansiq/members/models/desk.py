"""What teams do in the register themselves: confirm contacts, say who they are, propose what they answer for."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from tansiq.members.models.directory import Claim, Team, one_of
from tansiq.members.words import CLAIM_OUTCOMES


class ContactReminder(models.Model):
    """When a team was last asked to confirm its contacts: one row a team, moved by whoever claims the next."""

    team = models.OneToOneField(Team, on_delete=models.CASCADE, related_name="contact_reminder")
    reminded_at = models.DateTimeField()
    number = models.PositiveIntegerField(default=1)  # of this round; a confirmation begins another

    def __str__(self) -> str:
        return f"{self.team_id} {self.number}"


class ProfileSection(models.Model):
    """A team's own words for one section of its RFC 2350 profile, as drafted."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="profile_sections")
    number = models.CharField(max_length=8)  # as in the RFC: "3.1"
    ar = models.TextField(blank=True)
    en = models.TextField(blank=True)
    fr = models.TextField(blank=True)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(name="profile_section_once", fields=["team", "number"])]

    def __str__(self) -> str:
        return f"{self.team_id} {self.number}"


class PublishedProfile(models.Model):
    """A published version of a profile: never changed, only followed by another."""

    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="published_profiles")
    number = models.PositiveIntegerField()
    published_at = models.DateTimeField()
    published_by = models.CharField(max_length=64)
    content = models.JSONField()  # ``rfc2350.Profile`` as it was

    class Meta:
        ordering = ["team", "-number"]
        constraints = [models.UniqueConstraint(name="published_profile_once", fields=["team", "number"])]

    def __str__(self) -> str:
        return f"{self.team_id} {self.number}"


class ClaimEvidence(models.Model):
    """Why a team says that a claim is its own, and what the keeper of the federation's register made of it."""

    claim = models.OneToOneField(Claim, on_delete=models.CASCADE, related_name="evidence")
    text = models.TextField(blank=True)
    url = models.CharField(max_length=500, blank=True)
    proposed_by = models.CharField(max_length=64)
    judged_by = models.CharField(max_length=64, blank=True)
    judged_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=16, blank=True)
    note = models.TextField(blank=True)

    class Meta:
        constraints = [
            one_of("outcome", ("", *CLAIM_OUTCOMES), "claim_outcome_known"),
            models.CheckConstraint(
                name="claim_judged_wholly",
                condition=Q(judged_at=None, outcome="", judged_by="")
                | (Q(judged_at__isnull=False) & ~Q(outcome="") & ~Q(judged_by="")),
            ),
        ]

    def __str__(self) -> str:
        return self.outcome or "proposed"
