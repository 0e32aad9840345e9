"""The ways in that are used once, and who is on duty."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from tansiq.members.models.directory import Team
from tansiq.members.models.people import Person


class OneTimeToken(models.Model):
    """A secret handed to one person. Only its SHA-256 is kept: the secret has 256 bits and needs no slow hash."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="%(class)ss")
    token_hash = models.CharField(max_length=64, unique=True)
    made_by = models.CharField(max_length=64)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.person_id} until {self.expires_at:%Y-%m-%d %H:%M}"


class Invitation(OneTimeToken):
    """To join: seven days."""


class SignInLink(OneTimeToken):
    """To sign in once without a password: a day. Printed at set-up, and by the operator for somebody shut out."""


class AddressChange(OneTimeToken):
    """To sign in with another mail address: a day, sent to that address."""

    email = models.EmailField(max_length=254, blank=True)  # lower case; blank once the person is erased


class DutyShift(models.Model):
    """Who answers for a team from a moment on until another."""

    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="duty_shifts")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="duty_shifts")
    since = models.DateTimeField()
    until = models.DateTimeField()

    class Meta:
        ordering = ["since"]
        constraints = [models.CheckConstraint(name="duty_shift_in_order", condition=Q(since__lt=F("until")))]

    def __str__(self) -> str:
        return f"{self.team_id} {self.person_id}"
