"""``rules.decide`` in the words of the database. A property test draws until both agree."""

from __future__ import annotations

from datetime import datetime

from django.apps import apps
from django.db.models import Exists, OuterRef, Q

from tansiq.core.marking import Tlp
from tansiq.core.viewer import Viewer
from tansiq.sharing import rules


def allowed_q(viewer: Viewer, now: datetime) -> Q:
    """The stored markings that ``rules.decide`` allows ``viewer``, onward releases aside: those are an item's."""
    embargo_over = Q(embargo_until=None) | Q(embargo_until__lte=now)
    open_labels = [Tlp.CLEAR, Tlp.GREEN] if rules.in_community(viewer) else [Tlp.CLEAR]
    return _named_q(viewer) | (embargo_over & Q(tlp__in=open_labels))


def _named_q(viewer: Viewer) -> Q:
    """The origin's and the named, as ``rules._named``."""
    persons = apps.get_model("sharing", "NamedPerson").objects.filter(marking=OuterRef("pk"))
    teams = apps.get_model("sharing", "NamedTeam").objects.filter(marking=OuterRef("pk"))
    named = Q(pk__in=[])
    if viewer.person and not viewer.key:
        named |= Q(Exists(persons.filter(person=viewer.person)))
    if viewer.team:
        below_red = Q(origin=viewer.team) | Q(Exists(teams.filter(team=viewer.team)))
        named |= Q(tlp__lt=Tlp.RED) & below_red
        if rules.works(viewer) and not viewer.key:
            named |= Q(tlp=Tlp.RED, origin=viewer.team) & ~Q(Exists(persons))
    return named
