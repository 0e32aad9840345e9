"""Verbs: storing markings, marking items, letting constituents know. Each one transaction, audited."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from tansiq.audit import actions as audit
from tansiq.core.decision import no
from tansiq.core.marking import Marking
from tansiq.core.viewer import Viewer
from tansiq.sharing import rules
from tansiq.sharing.models import Marked, NamedPerson, NamedTeam, OnwardRelease, StoredMarking


@transaction.atomic
def store(markings: Iterable[Marking]) -> list[str]:
    """Keep the markings, each once however often it comes; a handful of statements whatever their number.

    Returns: their ids, in the order given.
    """
    said = [(marking.marking_id, marking) for marking in markings]
    by_id = dict(said)
    known = set(StoredMarking.objects.filter(pk__in=by_id).values_list("pk", flat=True))
    absent = {key: marking for key, marking in by_id.items() if key not in known}
    QuerySet(StoredMarking).bulk_create([_row(key, marking) for key, marking in absent.items()], ignore_conflicts=True)
    teams = [NamedTeam(marking_id=key, team=team) for key, it in absent.items() for team in it.audience.teams]
    persons = [
        NamedPerson(marking_id=key, person=person) for key, it in absent.items() for person in it.audience.persons
    ]
    QuerySet(NamedTeam).bulk_create(teams, ignore_conflicts=True)
    QuerySet(NamedPerson).bulk_create(persons, ignore_conflicts=True)
    return [key for key, _marking in said]


def _row(key: str, marking: Marking) -> StoredMarking:
    return StoredMarking(
        marking_id=key,
        tlp=marking.tlp,
        origin=marking.origin,
        embargo_until=marking.embargo_until,
        pap=marking.pap,
        note=marking.note,
    )


@transaction.atomic
def mark(item: Marked, markings: Collection[Marking], *, by: Viewer, now: datetime, why: str = "") -> None:
    """Make ``markings`` the markings of ``item``: its first ones, more of them, or others by leave of their origin.

    Raises: NotAllowed. Whoever cannot see a marked item cannot mark it either.
    """
    QuerySet(type(item)).select_for_update().get(pk=item.pk)  # of two at once the second sees what the first has made
    old = item.marked()
    rules.may_mark(old, markings, now, by=by).require()
    if set(markings) == old:
        return
    ids = sorted(set(store(markings)))
    item.markings.set(ids)
    audit.record("sharing.marked", item, by=by, now=now, why=why, markings=ids, label=rules.strictest(markings).label)


@transaction.atomic
def tell_onward(
    item: Marked, *, reason: str, by: Viewer, now: datetime, person: str = "", organisation: str = ""
) -> OnwardRelease:
    """Let a constituent of ``by``'s team know of ``item``: a person who signs in, or an organisation.

    Raises: NotAllowed.
    """
    if bool(person) == bool(organisation) or not reason.strip():
        no("sharing.onward.incomplete").require()
    rules.may_tell_onward(item.marked(), now, by=by).require()
    release = OnwardRelease.objects.create(
        team=by.team, person=person, organisation=organisation, by=by.name, at=now, reason=reason.strip()
    )
    item.onward.add(release)
    audit.record("sharing.told_onward", item, by=by, now=now, why=reason, onward=release.pk, person=person)
    return release


@transaction.atomic
def withdraw_onward(item: Marked, release: OnwardRelease, *, by: Viewer, now: datetime, why: str = "") -> None:
    """End an onward release of ``by``'s own team; what the constituent has read stays read.

    Raises: NotAllowed.
    """
    rules.may_withdraw_onward(release.fact(), by=by).require()
    ended = OnwardRelease.objects.filter(pk=release.pk, withdrawn_at=None).update(
        withdrawn_at=now, withdrawn_by=by.name
    )
    if ended:
        audit.record("sharing.onward_withdrawn", item, by=by, now=now, why=why, onward=release.pk)
