"""A team's RFC 2350 profile: drafted section by section, published whole."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Max

from tansiq.audit.actions import record
from tansiq.core.errors import N_, TansiqError
from tansiq.core.text import Text
from tansiq.core.viewer import Viewer
from tansiq.members import rfc2350, rules
from tansiq.members.changes import changed
from tansiq.members.models import ProfileSection, PublishedProfile, Team
from tansiq.members.queries.profiles import drafted
from tansiq.members.rfc2350 import BadWords, NoSuchSection, checked


class EmptyProfile(TansiqError):
    code = "members.profile.empty"
    message = N_("{team} has written nothing yet, so there is nothing to publish.")
    remedy = N_("Write at least the mission statement, section 3.1.")
    exit_code = 2


@transaction.atomic
def write_section(team: Team, number: str, words: Text, *, by: Viewer, now: datetime) -> None:
    """Put ``words`` in the draft's section; empty ones take it out. Raises: NotAllowed; NoSuchSection, BadWords."""
    rules.may_keep_profile(team=team.code, by=by).require()
    words = checked(number, words)
    if any((words.ar, words.en, words.fr)):
        said = {"ar": words.ar, "en": words.en, "fr": words.fr, "changed_at": now}
        ProfileSection.objects.update_or_create(team=team, number=number, defaults=said)
    else:
        ProfileSection.objects.filter(team=team, number=number).delete()
    record("profile.written", team, by=by, now=now, section=number)


@transaction.atomic
def publish_profile(team: Team, *, by: Viewer, now: datetime) -> PublishedProfile:
    """Keep the draft and the register's present facts as the next version. Raises: NotAllowed; EmptyProfile."""
    rules.may_keep_profile(team=team.code, by=by).require()
    Team.objects.select_for_update().get(pk=team.pk)  # of two at once one is the next, the other the one after it
    number = (team.published_profiles.aggregate(last=Max("number"))["last"] or 0) + 1
    profile = drafted(team.code, now=now, number=number)
    if not profile.sections:
        raise EmptyProfile(team=team.code)
    published = PublishedProfile.objects.create(
        team=team, number=number, published_at=now, published_by=by.name, content=rfc2350.stored(profile)
    )
    record("profile.published", team, by=by, now=now, number=number)
    changed(team.code, now=now)
    return published


__all__ = ["BadWords", "EmptyProfile", "NoSuchSection", "publish_profile", "write_section"]
