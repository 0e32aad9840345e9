"""Markings as stored, onward releases, and what a desk's model inherits to be shared."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, NoReturn

from django.db import models
from django.db.models import F, Q

from tansiq.core.marking import Audience, Marking, Pap, Tlp
from tansiq.core.viewer import Scope
from tansiq.sharing.rules import Onward
from tansiq.sharing.scoped import Scoped


class Unchanging(RuntimeError):
    """A defect of the caller: a marking is a value; ``actions.store`` writes it and nothing changes it."""


def _refuse(*_args: Any, **_options: Any) -> NoReturn:
    raise Unchanging("markings are written by tansiq.sharing.actions alone")


class Stored(models.QuerySet[Any]):
    """Reads only."""

    create = get_or_create = update_or_create = update = delete = bulk_create = bulk_update = _refuse


class Value(models.Model):
    objects: ClassVar[Any] = Stored.as_manager()
    save = save_base = delete = _refuse

    class Meta:
        abstract = True


class StoredMarking(Value):
    """One distinct marking, under the hash of its canonical form. Many items have the same."""

    marking_id = models.CharField(max_length=32, primary_key=True)
    tlp = models.PositiveSmallIntegerField()  # core.marking.Tlp
    origin = models.CharField(max_length=32)  # a team's code, known here or not
    embargo_until = models.DateTimeField(null=True)
    pap = models.PositiveSmallIntegerField(null=True)  # core.marking.Pap
    note = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="marking_tlp_known", condition=Q(tlp__in=[tlp.value for tlp in Tlp])),
            models.CheckConstraint(
                name="marking_pap_known", condition=Q(pap=None) | Q(pap__in=[pap.value for pap in Pap])
            ),
            models.CheckConstraint(name="marking_has_origin", condition=~Q(origin="")),
        ]

    def __str__(self) -> str:
        return f"{Tlp(self.tlp).label} {self.origin}"

    def value(self) -> Marking:
        """Prefetch ``teams`` and ``persons`` where there are many (``queries.stored``)."""
        return Marking(
            tlp=Tlp(self.tlp),
            origin=self.origin,
            audience=Audience.of(
                teams=[named.team for named in self.teams.all()], persons=[named.person for named in self.persons.all()]
            ),
            embargo_until=self.embargo_until,
            pap=None if self.pap is None else Pap(self.pap),
            note=self.note,
        )


class NamedTeam(Value):
    """A team that a marking names; by code, since markings from elsewhere may name whom this node does not know."""

    marking = models.ForeignKey(StoredMarking, on_delete=models.PROTECT, related_name="teams")
    team = models.CharField(max_length=32)

    class Meta:
        constraints = [models.UniqueConstraint(name="marking_names_team_once", fields=["team", "marking"])]

    def __str__(self) -> str:
        return self.team


class NamedPerson(Value):
    """A person that a marking names, by code."""

    marking = models.ForeignKey(StoredMarking, on_delete=models.PROTECT, related_name="persons")
    person = models.CharField(max_length=32)

    class Meta:
        constraints = [models.UniqueConstraint(name="marking_names_person_once", fields=["person", "marking"])]

    def __str__(self) -> str:
        return self.person


class OnwardRelease(models.Model):
    """A receiving team let a constituent of its own know of one item. Withdrawn, never deleted."""

    team = models.CharField(max_length=32)
    person = models.CharField(max_length=32, blank=True)
    organisation = models.CharField(max_length=200, blank=True)  # of the constituency, in the team's words
    by = models.CharField(max_length=128)
    at = models.DateTimeField()
    reason = models.CharField(max_length=500)
    withdrawn_by = models.CharField(max_length=128, blank=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="onward_to_person_or_organisation",
                condition=Q(person="", organisation__gt="") | Q(person__gt="", organisation=""),
            ),
            models.CheckConstraint(
                name="onward_withdrawn_by_somebody_at_some_time",
                condition=Q(withdrawn_at=None, withdrawn_by="") | Q(withdrawn_at__gte=F("at"), withdrawn_by__gt=""),
            ),
            models.CheckConstraint(name="onward_has_team_and_reason", condition=~Q(team="") & ~Q(reason="")),
        ]
        indexes = [models.Index(name="onward_by_person", fields=["person"])]

    def __str__(self) -> str:
        return f"{self.team} → {self.person or self.organisation}"

    def in_force(self, now: datetime) -> bool:
        return self.at <= now and (self.withdrawn_at is None or now < self.withdrawn_at)

    def fact(self) -> Onward:
        return Onward(self.team, self.person, self.organisation)


class Marked(models.Model):
    """What a desk's model inherits to be shared: its markings, its onward releases, and reading by a viewer only.

    ``Model.objects.visible_to(viewer, now=now)`` is how it is read; a bare ``.all()`` raises ``UnscopedRead``.
    New rows: ``Model.objects.create(…)``, then ``actions.mark(item, markings, …)`` in the same transaction; until
    then nobody sees the row. An item made from others takes over their markings, all of them.
    """

    markings = models.ManyToManyField(StoredMarking, related_name="+")
    onward = models.ManyToManyField(OnwardRelease, related_name="+")

    key_scope: ClassVar[Scope | None] = None
    """What an API key needs to read such items; None: keys never do."""

    objects: ClassVar[Scoped] = Scoped()

    class Meta:
        abstract = True

    def marked(self) -> frozenset[Marking]:
        """The values of its markings; two queries more, three in all."""
        return frozenset(row.value() for row in self.markings.prefetch_related("teams", "persons"))

    def told(self, now: datetime) -> frozenset[Onward]:
        """Its onward releases in force."""
        return frozenset(release.fact() for release in self.onward.all() if release.in_force(now))
