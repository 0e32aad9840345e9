"""Who is on duty, and until when."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from tansiq.audit.actions import record
from tansiq.core.errors import N_, TansiqError
from tansiq.core.viewer import Viewer
from tansiq.members import rules
from tansiq.members.in_force import current
from tansiq.members.models import Appointment, DutyShift, Person, Team

SHIFT_LIMIT = timedelta(days=31)


class BadShift(TansiqError):
    code = "members.duty.times"
    message = N_("A shift ends after it begins, and within {days} days.")
    remedy = N_("Correct its beginning or its end.")
    exit_code = 2


class NotOfTeam(TansiqError):
    code = "members.duty.person"
    message = N_("{person} has no role in {team}.")
    remedy = N_("Appoint them in the team first.")
    exit_code = 2


@transaction.atomic
def put_on_duty(
    person: Person, *, team: Team, since: datetime, until: datetime, by: Viewer, now: datetime
) -> DutyShift:
    """Raises: NotAllowed; BadShift; NotOfTeam."""
    rules.may_keep_duty(team=team.code, by=by).require()
    if not timedelta(0) < until - since <= SHIFT_LIMIT:
        raise BadShift(days=SHIFT_LIMIT.days)
    if not Appointment.objects.filter(current(now), person=person, team=team, person__is_active=True).exists():
        raise NotOfTeam(person=person.code, team=team.code)
    shift = DutyShift.objects.create(team=team, person=person, since=since, until=until)
    record("duty.set", team, by=by, now=now, person=person.code, since=since, until=until)
    return shift


@transaction.atomic
def take_off_duty(shift: DutyShift, *, by: Viewer, now: datetime) -> None:
    """A shift that has begun ends now; one that has not is gone. Raises: NotAllowed."""
    rules.may_keep_duty(team=shift.team.code, by=by).require()
    if shift.since < now:
        DutyShift.objects.filter(pk=shift.pk, until__gt=now).update(until=now)
    else:
        DutyShift.objects.filter(pk=shift.pk).delete()
    record("duty.ended", shift.team, by=by, now=now, person=shift.person.code)
