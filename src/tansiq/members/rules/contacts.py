"""What a team's way of being reached lacks (R-IN-01), who may see and change it, and when to ask about it again."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from tansiq.core.decision import YES, Decision, no
from tansiq.core.viewer import Role, Seat, Viewer

CONFIRM_EVERY_MONTHS = 4
REMIND_AGAIN = timedelta(days=14)

FLAGS = (
    "contacts.primary_missing",
    "contacts.backup_missing",
    "contacts.day_and_night_missing",
    "contacts.unconfirmed",
    "certificate.missing",
)
"""In the order in which they are shown."""

REACHABLE_BY = frozenset({"email", "phone"})
"""A web page or a postal address is no point of contact by itself."""


@dataclass(frozen=True, slots=True)
class ContactFacts:
    kind: str
    post: str
    hours: str
    confirmed_at: datetime | None


def flags(
    contacts: Collection[ContactFacts], *, answers_for_a_country: bool, certificate: bool, now: datetime
) -> tuple[str, ...]:
    """What is missing, in the order of ``FLAGS``.

    Args:
        answers_for_a_country: the team is a Full or General Member in force; posts and a key are asked of those alone.
        certificate: it has an OpenPGP certificate that can be used now.
    """
    points = [contact for contact in contacts if contact.kind in REACHABLE_BY]
    posts = {contact.post for contact in points}
    missing = {
        "contacts.primary_missing": answers_for_a_country and "primary" not in posts,
        "contacts.backup_missing": answers_for_a_country and "backup" not in posts,
        "contacts.day_and_night_missing": answers_for_a_country and not any(c.hours == "24x7" for c in points),
        "contacts.unconfirmed": bool(contacts) and not confirmed(contacts, now=now),
        "certificate.missing": answers_for_a_country and not certificate,
    }
    return tuple(flag for flag in FLAGS if missing[flag])


def confirmed(contacts: Collection[ContactFacts], *, now: datetime) -> bool:
    """Whether each was confirmed within the last four months."""
    oldest = last_confirmed(contacts)
    return oldest is not None and oldest > months_before(now, CONFIRM_EVERY_MONTHS)


def last_confirmed(contacts: Collection[ContactFacts]) -> datetime | None:
    """Since when all of them stand confirmed; None when one never was, or there are none."""
    moments = [contact.confirmed_at for contact in contacts]
    return None if None in moments else min((moment for moment in moments if moment), default=None)


def reminder_due(*, confirmed_at: datetime | None, reminded_at: datetime | None, now: datetime) -> bool:
    """Four months after the last confirmation, at once when there was none, and every two weeks until there is one."""
    if confirmed_at and confirmed_at > months_before(now, CONFIRM_EVERY_MONTHS):
        return False
    return reminded_at is None or reminded_at <= now - REMIND_AGAIN


def months_before(moment: datetime, months: int) -> datetime:
    """The same day and time that many months earlier; the month's last day where it is shorter."""
    year, month = divmod(moment.year * 12 + moment.month - 1 - months, 12)
    day = min(moment.day, monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)


def may_see_contacts(viewer: Viewer, *, team: str = "") -> Decision:
    """All contacts: the community and those with a seat; its own: every team. Others see what is marked public."""
    if viewer.community or viewer.seats or viewer.reason or (team and viewer.team == team):
        return YES
    return no("members.contacts.not_of_community")


def may_keep_contacts(*, team: str, by: Viewer) -> Decision:
    """Its own head, duty officers and keeper; and the Secretariat, which checks that they can be reached (R-IN-02)."""
    if by.key:
        return no("members.contacts.by_key")
    if by.sits(Seat.SECRETARIAT) or (by.team == team and by.holds(Role.HEAD, Role.DUTY_OFFICER, Role.KEEPER)):
        return YES
    return no("members.contacts.not_of_team", team=team)
