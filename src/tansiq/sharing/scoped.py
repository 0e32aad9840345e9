"""Reading marked items: through a viewer, or loudly without one."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from tansiq.audit import actions as audit
from tansiq.core.marking import Tlp
from tansiq.core.viewer import Viewer
from tansiq.sharing import rules
from tansiq.sharing.rendering import allowed_q

log = logging.getLogger(__name__)


class UnscopedRead(RuntimeError):
    """A defect of the caller: marked items were asked for without saying who looks."""


class Scoped(models.Manager[Any]):
    """The manager of what is marked. Everything that reads starts with ``visible_to``."""

    def get_queryset(self) -> QuerySet[Any]:
        raise UnscopedRead(f"{self.model.__name__}: read by .visible_to(viewer, now=…), or .unscoped(because=…, now=…)")

    def create(self, **fields: Any) -> Any:
        return self._plain().create(**fields)

    def bulk_create(self, items: Any, *args: Any, **options: Any) -> Any:
        return self._plain().bulk_create(items, *args, **options)

    def visible_to(self, viewer: Viewer, *, now: datetime) -> QuerySet[Any]:
        """What ``viewer`` may see, by the same rules as ``rules.decide_all``; one query whatever the rows."""
        if not rules.may_use(viewer, self.model.key_scope):
            return self._plain().none()
        carried = _rows_of(self.model, "markings")
        stored = carried.model._meta.get_field(_target(self.model, "markings")).remote_field.model
        allowed = stored.objects.filter(allowed_q(viewer, now)).values("pk")
        let = Q(**{f"{_target(self.model, 'markings')}__in": allowed})
        if rules.may_be_constituent(viewer):
            let |= Q(Exists(_told(self.model, stored, viewer, now)))
        return self._plain().filter(Exists(carried), ~Exists(carried.exclude(let)))

    def unscoped(self, *, because: str, now: datetime, by: Viewer | None = None) -> QuerySet[Any]:
        """Everything, whoever looks: for the node's own housekeeping, never for a page. Logged and audited."""
        kind = self.model._meta.model_name or ""
        log.warning("sharing.unscoped %s: %s", kind, because)
        with transaction.atomic():
            actor = by or Viewer.system(because="unscoped")
            audit.record("sharing.unscoped", ("table", kind), by=actor, now=now, why=because)
        return self._plain()

    def _plain(self) -> QuerySet[Any]:
        return QuerySet(self.model, using=self._db)


def _rows_of(model: Any, relation: str) -> QuerySet[Any]:
    """The rows that tie an item of the outer query to its markings, or to its onward releases."""
    field = model._meta.get_field(relation)
    return QuerySet(field.remote_field.through).filter(**{field.m2m_field_name(): OuterRef("pk")})


def _target(model: Any, relation: str) -> str:
    return str(model._meta.get_field(relation).m2m_reverse_field_name())


def _told(model: Any, stored: Any, viewer: Viewer, now: datetime) -> QuerySet[Any]:
    """Onward releases in force of the same item to the viewer, by a team that may, seen from a row of a marking."""
    field = model._meta.get_field("onward")
    release, marking = _target(model, "onward"), _target(model, "markings")
    item = model._meta.get_field("markings").m2m_field_name()
    teller = OuterRef(f"{release}__team")
    open_to_them = stored.objects.filter(
        Q(embargo_until=None) | Q(embargo_until__lte=now), pk=OuterRef(OuterRef(f"{marking}_id"))
    ).filter(
        Q(tlp=Tlp.GREEN)
        | Q(tlp=Tlp.AMBER, origin=teller)
        | Q(tlp=Tlp.AMBER) & Q(Exists(named_team(stored, team=OuterRef(teller))))
    )
    in_force = Q(**{f"{release}__withdrawn_at": None}) | Q(**{f"{release}__withdrawn_at__gt": now})
    return QuerySet(field.remote_field.through).filter(
        in_force,
        Exists(open_to_them),
        **{
            field.m2m_field_name(): OuterRef(item),
            f"{release}__person": viewer.person,
            f"{release}__at__lte": now,
        },
    )


def named_team(stored: Any, **of: Any) -> QuerySet[Any]:
    return stored._meta.get_field("teams").related_model.objects.filter(marking=OuterRef("pk"), **of)
