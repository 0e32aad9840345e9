"""RFC 2350 profiles: the draft for the team, published versions for everybody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from tansiq.core.text import Text
from tansiq.core.viewer import NOBODY, Viewer
from tansiq.members import rules
from tansiq.members.models import Claim, Contact, ProfileSection, PublishedProfile, Team
from tansiq.members.queries.certificates import certificates_of
from tansiq.members.queries.periods import memberships_of
from tansiq.members.rfc2350 import CLAIMS_SHOWN, Facts, Profile, restored
from tansiq.members.words import PERIOD_CATEGORIES


@dataclass(frozen=True, slots=True)
class Version:
    number: int
    published_at: datetime


@dataclass(frozen=True, slots=True)
class Draft:
    """What the team edits. ``changed``: its words differ from the last published version's."""

    profile: Profile
    versions: tuple[Version, ...]
    changed: bool


def profile_draft(viewer: Viewer, team: str, *, now: datetime) -> Draft | None:
    """For those who may publish it; None for others and for a team that is not here."""
    if not rules.may_keep_profile(team=team, by=viewer) or not Team.objects.filter(code=team).exists():
        return None
    draft = drafted(team, now=now)
    last = published_profile(viewer, team)
    changed = draft.sections != (last.sections if last else {})
    return Draft(draft, tuple(profile_versions(viewer, team)), changed)


def published_profile(viewer: Viewer, team: str, *, number: int = 0) -> Profile | None:
    """A published version, the last one without ``number``. Public."""
    rows = PublishedProfile.objects.filter(team__code=team).order_by("-number")
    row = (rows.filter(number=number) if number else rows).first()
    return restored(row.content) if row else None


def profile_versions(viewer: Viewer, team: str) -> list[Version]:
    """The newest first. Public."""
    rows = PublishedProfile.objects.filter(team__code=team).order_by("-number")
    return [Version(*row) for row in rows.values_list("number", "published_at")]


def drafted(team: str, *, now: datetime, number: int = 0) -> Profile:
    """The draft's words with the register's present facts; ``number`` and the day make it a version."""
    rows = ProfileSection.objects.filter(team__code=team)
    return Profile(
        team=team,
        facts=_facts(team, now),
        sections={row.number: Text(row.ar, row.en, row.fr) for row in rows},
        number=number,
        published_on=now.date() if number else None,
    )


def _facts(team: str, now: datetime) -> Facts:
    """As a guest would see them: a profile is public."""
    stored = Team.objects.get(code=team)
    contacts = list(Contact.objects.filter(team=stored, public=True).order_by("position"))
    in_time = (Q(valid_from=None) | Q(valid_from__lte=now)) & (Q(valid_until=None) | Q(valid_until__gt=now))
    claims = Claim.objects.filter(in_time, team=stored, verified=True, withdrawn_at=None)
    categories, _community = memberships_of(team, day=now.date())
    return Facts(
        names=Text.of(stored.names),
        memberships=tuple(category for category in PERIOD_CATEGORIES if category in categories),
        contacts=tuple((contact.kind, contact.value) for contact in contacts),
        around_the_clock=tuple(contact.value for contact in contacts if contact.hours == "24x7"),
        keys=tuple(entry.fingerprint for entry in certificates_of(NOBODY, team, now=now) if entry.usable),
        claims=tuple(claims.order_by("-kind", "value").values_list("kind", "value")[:CLAIMS_SHOWN]),
        claims_count=claims.count(),
    )
