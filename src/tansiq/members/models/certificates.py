"""The OpenPGP certificates of teams."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from tansiq.members.models.directory import Team, one_of

PURPOSES = ("team",)  # mail to the team is sealed to it


class TeamCertificate(models.Model):
    """A team's own public key, as the team or the Secretariat uploaded it. Withdrawn, never deleted: whoever received
    something sealed to it may ask what it was."""

    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="certificates")
    fingerprint = models.CharField(max_length=64, unique=True)  # capital hexadecimal, 40 digits or 64
    purpose = models.CharField(max_length=8, default="team")
    version = models.PositiveSmallIntegerField()
    armored = models.TextField()  # without pictures and other people's signatures
    addresses = models.JSONField(default=list)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    findings = models.JSONField(default=list)  # objects with code, severity (warn, bad) and values
    checked_at = models.DateTimeField()
    uploaded_by = models.CharField(max_length=64)
    uploaded_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["team", "-created_at", "fingerprint"]
        constraints = [
            one_of("purpose", PURPOSES, "certificate_purpose_known"),
            models.CheckConstraint(
                name="certificate_fingerprint_form", condition=Q(fingerprint__regex=r"^([0-9A-F]{40}|[0-9A-F]{64})$")
            ),
        ]

    def __str__(self) -> str:
        return self.fingerprint

    @property
    def bad(self) -> bool:
        """Not to be used, whatever the reason."""
        return any(finding["severity"] == "bad" for finding in self.findings)
