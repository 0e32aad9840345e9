"""The node, its people, and what they are appointed to."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import F, Q

from tansiq.core.text import LANGUAGES
from tansiq.core.viewer import Role, Seat
from tansiq.members.models.directory import Team, one_of

THEMES = ("auto", "light", "dark")
CALENDARS = ("gregorian", "both")  # both: Hijri beside Gregorian


class Node(models.Model):
    """This installation. One row, written when it is first started."""

    code = models.CharField(max_length=32)
    name = models.CharField(max_length=200)
    language = models.CharField(max_length=2)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, related_name="+")  # the home team
    set_up_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(name="one_node", condition=Q(pk=1)),
            models.CheckConstraint(name="node_code_form", condition=Q(code__regex=r"^[A-Z0-9-]{2,32}$")),
            one_of("language", LANGUAGES, "node_language_known"),
        ]

    def __str__(self) -> str:
        return self.code


class People(BaseUserManager["Person"]):
    def create_user(self, email: str, **fields: Any) -> Person:
        """A person who cannot sign in by password yet; ``actions.invite`` is what desks call."""
        person = self.model(email=email.strip().lower(), **fields)
        person.set_unusable_password()
        person.save()
        return person


class Person(AbstractBaseUser):
    """Somebody who may sign in. Never deleted while the record names them; erased by blanking name and address."""

    code = models.CharField(max_length=16, unique=True)  # P- and six drawn characters: what records name
    email = models.EmailField(max_length=254, unique=True)  # lower case
    name = models.CharField(max_length=200)
    language = models.CharField(max_length=2, default="en")
    time_zone = models.CharField(max_length=64, default="UTC")
    calendar = models.CharField(max_length=16, default="gregorian")
    theme = models.CharField(max_length=8, default="auto")
    is_active = models.BooleanField(default=True)  # the framework's name
    invited_at = models.DateTimeField(null=True)
    joined_at = models.DateTimeField(null=True)  # first wholly signed in
    left_at = models.DateTimeField(null=True)
    erased_at = models.DateTimeField(null=True)  # name and address are blanked; the record stays

    objects: ClassVar[People] = People()
    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [
            one_of("language", LANGUAGES, "person_language_known"),
            one_of("theme", THEMES, "person_theme_known"),
            one_of("calendar", CALENDARS, "person_calendar_known"),
            models.CheckConstraint(
                name="person_left_is_inactive", condition=Q(is_active=True, left_at=None) | Q(is_active=False)
            ),
        ]

    def __str__(self) -> str:
        return self.code


class Appointment(models.Model):
    """A person's role in a team, or seat of the federation, for a time. Ended, never deleted."""

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="appointments")
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, related_name="appointments")
    role = models.CharField(max_length=16)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)
    granted_by = models.CharField(max_length=64)  # a person's code, "node" at set-up, "idp:NAME" for a group
    decision = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="appointment_role_in_team_seat_without",
                condition=Q(team__isnull=False, role__in=[role.value for role in Role])
                | Q(team=None, role__in=[seat.value for seat in Seat]),
            ),
            models.CheckConstraint(name="appointment_in_order", condition=Q(until=None) | Q(until__gte=F("since"))),
            models.UniqueConstraint(
                name="appointment_role_once",
                fields=["person", "team", "role"],
                condition=Q(until=None, team__isnull=False),
            ),
            models.UniqueConstraint(
                name="appointment_seat_once", fields=["person", "role"], condition=Q(until=None, team=None)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} {self.role}"
