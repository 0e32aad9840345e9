"""Points of contact: kept, confirmed, flagged, and asked about again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from people import AMINA, GRACE, MOUSSA, NOBODY, RACHED
from tansiq.core.decision import NotAllowed

if TYPE_CHECKING:
    from tansiq.members.models import Contact, Team

pytestmark = pytest.mark.usefixtures("database")

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FOUR_MONTHS_LATER = datetime(2026, 7, 1, 12, tzinfo=UTC)


@pytest.fixture
def xf() -> Team:
    from tansiq.members.models import Team

    return Team.objects.create(code="XF-CERT", name_fr="CERT de XF", country="XF")


def added(team: Team, value: str = "cert@cert.example", **more: object) -> Contact:
    from tansiq.members import actions

    return actions.add_contact(team, **{"kind": "email", "value": value, "by": MOUSSA, "now": NOW, **more})  # type: ignore[arg-type]


def test_added_contact_is_confirmed_comes_last_and_raises_the_number(xf: Team) -> None:
    from tansiq.members import queries

    before = queries.claims_version()
    added(xf, post="primary")
    added(xf, "+999 555 0100", kind="phone", hours="24x7", post="duty")

    shown = queries.shown_contacts(AMINA, ["XF-CERT"])["XF-CERT"]
    assert [(c.kind, c.post, c.confirmed_at) for c in shown] == [("email", "primary", NOW), ("phone", "duty", NOW)]
    assert queries.claims_version() == before + 2


def test_contacts_not_public_are_for_people_of_teams_and_seats(xf: Team) -> None:
    from tansiq.members import queries

    added(xf)
    added(xf, "public@cert.example", public=True)

    def seen(viewer) -> list[str]:
        return [contact.value for contact in queries.shown_contacts(viewer, ["XF-CERT"])["XF-CERT"]]

    assert seen(AMINA) == seen(GRACE) == ["cert@cert.example", "public@cert.example"]
    assert seen(NOBODY) == seen(RACHED) == ["public@cert.example"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"value": "cert@"},
        {"value": ""},
        {"value": "x" * 301 + "@cert.example"},
        {"value": "a@cert.example\nb"},
        {"kind": "pigeon"},
        {"hours": "sometimes"},
        {"post": "chief"},
        {"role": "x" * 101},
        {"kind": "phone", "value": "0555"},
    ],
)
def test_contact_that_cannot_be_one_is_refused(xf: Team, wrong: dict[str, str]) -> None:
    from tansiq.core.errors import TansiqError

    with pytest.raises(TansiqError) as refused:
        added(xf, **wrong)

    assert refused.value.exit_code == 2
    assert xf.contacts.count() == 0


def test_contact_twice_or_by_another_team_is_refused(xf: Team) -> None:
    from tansiq.members.mistakes import DoubleContact

    added(xf)

    with pytest.raises(DoubleContact):
        added(xf)
    with pytest.raises(NotAllowed):
        added(xf, "x@cert.example", by=AMINA)


def test_changed_and_removed_contacts_are_recorded_without_their_content(xf: Team) -> None:
    from tansiq.audit.models import Entry
    from tansiq.members import actions

    contact = added(xf)
    actions.change_contact(contact, value="new@cert.example", public=True, by=MOUSSA, now=NOW)
    actions.remove_contact(contact, by=MOUSSA, now=NOW)

    rows = list(Entry.objects.order_by("number"))
    assert [row.verb for row in rows] == ["contact.added", "contact.changed", "contact.removed"]
    assert "cert.example" not in "".join(row.facts for row in rows)


def test_flags_are_for_the_team_and_the_secretariat(xf: Team) -> None:
    from tansiq.members import actions, queries

    actions.open_period(xf, "full", decision="Board 3", by=GRACE, now=NOW)
    added(xf, post="primary")
    missing = ("contacts.backup_missing", "contacts.day_and_night_missing", "certificate.missing")

    assert queries.flags(MOUSSA, "XF-CERT", now=NOW) == missing
    assert queries.all_flags(GRACE, now=NOW)["XF-CERT"] == missing
    assert (queries.flags(AMINA, "XF-CERT", now=NOW), queries.all_flags(AMINA, now=NOW)) == ((), {})


def test_all_flags_take_the_same_queries_whatever_the_number_of_teams(xf: Team) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from tansiq.members import queries
    from tansiq.members.models import Contact, Team

    with CaptureQueriesContext(connection) as few:
        queries.all_flags(GRACE, now=NOW)
    more = Team.objects.bulk_create(Team(code=f"XA-{i}", name_en="x") for i in range(30))
    Contact.objects.bulk_create(Contact(team=t, position=0, kind="email", value="a@cert.example") for t in more)

    with CaptureQueriesContext(connection) as many:
        queries.all_flags(GRACE, now=NOW)

    assert len(many) == len(few) == 5


def test_reminder_goes_after_four_months_again_after_two_weeks_and_never_twice(xf: Team) -> None:
    from tansiq.members import actions
    from tansiq.members.actions.reminders import claim_due

    added(xf, post="primary")

    def claimed(now: datetime) -> list[tuple[str, int]]:
        return [(reminder.team, reminder.number) for reminder in claim_due(now)]

    assert claimed(FOUR_MONTHS_LATER - timedelta(seconds=1)) == []
    assert claimed(FOUR_MONTHS_LATER) == [("XF-CERT", 1)]
    assert claimed(FOUR_MONTHS_LATER + timedelta(days=13)) == []
    assert claimed(FOUR_MONTHS_LATER + timedelta(days=14)) == [("XF-CERT", 2)]
    actions.confirm_contacts(xf, by=MOUSSA, now=FOUR_MONTHS_LATER + timedelta(days=15))
    assert claimed(FOUR_MONTHS_LATER + timedelta(days=29)) == []
    assert claimed(FOUR_MONTHS_LATER + timedelta(days=150)) == [("XF-CERT", 1)]


def test_reminder_goes_to_the_teams_people_else_to_its_primary_address(xf: Team) -> None:
    from tansiq.core.viewer import Role
    from tansiq.members import actions
    from tansiq.members.actions.reminders import Addressee, claim_due

    added(xf, "other@cert.example")
    added(xf, post="primary")
    (first,) = claim_due(FOUR_MONTHS_LATER)
    actions.invite("h@cert.example", post=Role.HEAD, team=xf, by=GRACE, now=NOW, name="H", language="fr")
    (second,) = claim_due(FOUR_MONTHS_LATER + timedelta(days=14))

    assert first.to == (Addressee("cert@cert.example", ""),)
    assert second.to == (Addressee("h@cert.example", "fr"),)


def test_reminder_claimed_by_another_worker_is_not_claimed_again(xf: Team) -> None:
    from tansiq.members.actions.reminders import _claimed, claim_due
    from tansiq.members.queries.contacts import due_reminders

    added(xf)
    (due,) = due_reminders(now=FOUR_MONTHS_LATER)
    claim_due(FOUR_MONTHS_LATER)

    assert _claimed(due, FOUR_MONTHS_LATER) is None
