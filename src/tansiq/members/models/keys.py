"""Keys by which a team's own programs ask this node."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from tansiq.members.models.directory import Team


class ApiKey(models.Model):
    """A key acts for its team, within its scopes. Revoked, never deleted, and its name never used again in the team:
    the audit record names it.

    Of the secret only the SHA-256 is kept. It has 256 random bits, which nobody finds by trying; a slow hash would
    protect nothing and cost every request.
    """

    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="api_keys")
    name = models.CharField(max_length=32)
    prefix = models.CharField(max_length=8, unique=True)  # the part of the secret that may be shown
    secret_hash = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField()  # of core.viewer.Scope
    read_only = models.BooleanField(default=False)  # whatever the scopes say
    addresses = models.JSONField(default=list)  # networks it may be used from; empty: from everywhere
    created_by = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)  # to the hour

    class Meta:
        ordering = ["team", "-created_at", "name"]
        constraints = [
            models.UniqueConstraint(name="api_key_name_once", fields=["team", "name"]),
            models.CheckConstraint(name="api_key_name_form", condition=Q(name__regex=r"^[a-z0-9][a-z0-9-]{0,31}$")),
            models.CheckConstraint(name="api_key_expires_later", condition=Q(created_at__lt=F("expires_at"))),
        ]

    def __str__(self) -> str:
        return f"{self.team_id}/{self.name}"
