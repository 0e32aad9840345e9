"""Teams, their claims and contacts, the states, and what is said about membership."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import F, Q

from tansiq.core.claims import KINDS
from tansiq.members.words import CATEGORIES, CONTACT_KINDS, HOURS, POSTS, TEAM_KINDS


def one_of(field: str, values: tuple[str, ...], name: str) -> models.CheckConstraint:
    return models.CheckConstraint(name=name, condition=Q(**{f"{field}__in": values}))


class Country(models.Model):
    """A state of the federation."""

    alpha2 = models.CharField(max_length=2, primary_key=True)
    alpha3 = models.CharField(max_length=3, unique=True)
    name_ar = models.CharField(max_length=100)
    name_en = models.CharField(max_length=100)
    name_fr = models.CharField(max_length=100)
    source = models.CharField(max_length=300)
    note = models.TextField(blank=True)

    def __str__(self) -> str:
        return self.alpha2


class Team(models.Model):
    """A CERT, or another organisation that answers for addresses, names or a country."""

    code = models.CharField(max_length=32, unique=True)
    name_ar = models.CharField(max_length=200, blank=True)
    name_en = models.CharField(max_length=200, blank=True)
    name_fr = models.CharField(max_length=200, blank=True)
    country = models.CharField(max_length=2, blank=True)  # any ISO 3166 code, not only states of the federation
    kind = models.CharField(max_length=16, default="national")
    shipped = models.BooleanField(default=False)  # described by the shipped directory, not yet by the operator
    source = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="team_code_form", condition=Q(code__regex=r"^[A-Z0-9-]{2,32}$")),
            models.CheckConstraint(name="team_has_a_name", condition=~Q(name_ar="", name_en="", name_fr="")),
            one_of("kind", TEAM_KINDS, "team_kind_known"),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def names(self) -> dict[str, str]:
        named = {"ar": self.name_ar, "en": self.name_en, "fr": self.name_fr}
        return {language: name for language, name in named.items() if name}


class Claim(models.Model):
    """One statement of constituency. An ended one stays, for events of its time; a withdrawn one has no effect."""

    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="claims")
    kind = models.CharField(max_length=8)
    value = models.CharField(max_length=253)
    valid_from = models.DateTimeField(null=True)
    valid_until = models.DateTimeField(null=True)
    verified = models.BooleanField()
    source = models.CharField(max_length=300)
    decision = models.CharField(max_length=300, blank=True)
    shipped = models.BooleanField(default=False)
    stated_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(name="claim_by_subject", fields=["kind", "value"])]
        constraints = [
            one_of("kind", KINDS, "claim_kind_known"),
            models.CheckConstraint(
                name="claim_validity_in_order",
                condition=Q(valid_from=None) | Q(valid_until=None) | Q(valid_from__lt=F("valid_until")),
            ),
            # Null is no value to a unique index, hence two: one open claim of a subject a team, and no two
            # that end at the same moment.
            models.UniqueConstraint(
                name="claim_open_once",
                fields=["team", "kind", "value"],
                condition=Q(withdrawn_at=None, valid_until=None),
            ),
            models.UniqueConstraint(
                name="claim_ended_once",
                fields=["team", "kind", "value", "valid_until"],
                condition=Q(withdrawn_at=None, valid_until__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.value}"


class Contact(models.Model):
    """A way to reach a team."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="contacts")
    position = models.PositiveSmallIntegerField()  # the team's own order: the first is tried first
    kind = models.CharField(max_length=8)
    value = models.CharField(max_length=300)
    role = models.CharField(max_length=100, blank=True)
    hours = models.CharField(max_length=8, blank=True)
    post = models.CharField(max_length=8, blank=True)  # what the contact is for
    public = models.BooleanField(default=False)  # shown to guests too, not to signed-in people alone
    person = models.ForeignKey(
        "members.Person", on_delete=models.SET_NULL, null=True, blank=True, related_name="contacts"
    )
    confirmed_at = models.DateTimeField(null=True)  # when the team last said that this still holds
    confirmed_by = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["team", "position"]
        constraints = [
            models.UniqueConstraint(name="contact_position_once", fields=["team", "position"]),
            models.UniqueConstraint(name="contact_once", fields=["team", "kind", "value", "role"]),
            one_of("kind", CONTACT_KINDS, "contact_kind_known"),
            one_of("hours", ("", *HOURS), "contact_hours_known"),
            one_of("post", ("", *POSTS), "contact_post_known"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.value}"

    def facts(self) -> dict[str, Any]:
        """As ``whois`` shows it; what is empty, or not public, is left out."""
        said = {
            "kind": self.kind,
            "value": self.value,
            "role": self.role,
            "hours": self.hours,
            "post": self.post,
            "public": self.public,
        }
        return {name: value for name, value in said.items() if value}


class Membership(models.Model):
    """What one source says about one team's membership. Sources that disagree stand side by side."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    category = models.CharField(max_length=16, blank=True)  # empty: the source gives none
    board = models.BooleanField(default=False)
    source = models.CharField(max_length=300)
    note = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="membership_once", fields=["team", "category", "board", "source"]),
            one_of("category", ("", *CATEGORIES), "membership_category_known"),
        ]

    def __str__(self) -> str:
        return f"{self.category or '?'} ({self.source})"

    def facts(self) -> dict[str, object]:
        return {"category": self.category, "board": self.board, "source": self.source, "note": self.note}


class ClaimTable(models.Model):
    """One row: the number of the claim table, stored with every attribution. It rises in the transaction that changes
    claims, and a writer locks it first, so that two imports at once come one after the other."""

    number = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(name="one_claim_table", condition=Q(pk=1))]

    def __str__(self) -> str:
        return str(self.number)
