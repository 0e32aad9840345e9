"""What signing in must remember beside allauth's tables: failures by place, codes already used, networks people use."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Pressure(models.Model):
    """Failures counted against one key (an address, a network, a mailbox); leaks away with time."""

    key = models.CharField(max_length=120, unique=True)
    failures = models.PositiveIntegerField()
    last_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.key


class SpentCode(models.Model):
    """A one-time code that was accepted: a second showing of it is refused, in whichever process it arrives."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64)
    spent_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(name="code_spent_once", fields=["person", "digest"])]

    def __str__(self) -> str:
        return self.digest[:8]


class KnownNetwork(models.Model):
    """A network from which a person signed in wholly: others' wrong codes never slow the person down there."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    network = models.CharField(max_length=64)
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(name="known_network_once", fields=["person", "network"])]

    def __str__(self) -> str:
        return self.network
