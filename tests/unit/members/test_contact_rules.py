"""What a team's contacts lack, and when it is asked again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from people import AMINA, GRACE, MOUSSA, NOBODY, RACHED, key_of
from tansiq.members.rules import FLAGS, ContactFacts, flags, may_keep_contacts, may_see_contacts, reminder_due
from tansiq.members.rules.contacts import months_before

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
FOUR_MONTHS_AGO = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATELY = FOUR_MONTHS_AGO + timedelta(seconds=1)


def contact(post: str = "", hours: str = "", kind: str = "email", at: datetime | None = LATELY) -> ContactFacts:
    return ContactFacts(kind, post, hours, at)


WHOLE = [contact("primary"), contact("backup"), contact("duty", "24x7", "phone")]


def test_flags_of_a_whole_set_are_none() -> None:
    assert flags(WHOLE, answers_for_a_country=True, certificate=True, now=NOW) == ()


@pytest.mark.parametrize(
    ("contacts", "certificate", "expected"),
    [
        ([], False, tuple(flag for flag in FLAGS if flag != "contacts.unconfirmed")),
        (WHOLE[1:], True, ("contacts.primary_missing",)),
        ([WHOLE[0], WHOLE[2]], True, ("contacts.backup_missing",)),
        (WHOLE[:2], True, ("contacts.day_and_night_missing",)),
        (WHOLE, False, ("certificate.missing",)),
        ([*WHOLE, contact(at=None)], True, ("contacts.unconfirmed",)),
        ([*WHOLE, contact(at=FOUR_MONTHS_AGO)], True, ("contacts.unconfirmed",)),
        ([contact("primary", kind="web"), *WHOLE[1:]], True, ("contacts.primary_missing",)),
    ],
)
def test_flags_name_what_is_missing(contacts: list[ContactFacts], certificate: bool, expected: tuple[str, ...]) -> None:
    assert flags(contacts, answers_for_a_country=True, certificate=certificate, now=NOW) == expected


def test_flags_of_a_team_that_answers_for_no_country_are_about_confirmation_alone() -> None:
    assert flags([contact(at=None)], answers_for_a_country=False, certificate=False, now=NOW) == (
        "contacts.unconfirmed",
    )
    assert flags([], answers_for_a_country=False, certificate=False, now=NOW) == ()


@pytest.mark.parametrize(
    ("confirmed_at", "reminded_at", "expected"),
    [
        (LATELY, None, False),
        (FOUR_MONTHS_AGO, None, True),
        (None, None, True),
        (None, NOW - timedelta(days=13, hours=23), False),
        (None, NOW - timedelta(days=14), True),
        (LATELY, NOW - timedelta(days=100), False),
    ],
)
def test_reminder_is_due_after_four_months_and_again_each_two_weeks(
    confirmed_at: datetime | None, reminded_at: datetime | None, expected: bool
) -> None:
    assert reminder_due(confirmed_at=confirmed_at, reminded_at=reminded_at, now=NOW) is expected


def test_months_before_the_31st_is_the_last_day_of_a_shorter_month() -> None:
    assert months_before(datetime(2026, 6, 30, tzinfo=UTC), 4) == datetime(2026, 2, 28, tzinfo=UTC)
    assert months_before(datetime(2026, 1, 15, tzinfo=UTC), 4) == datetime(2025, 9, 15, tzinfo=UTC)


def test_contacts_are_seen_by_the_community_by_those_with_a_seat_and_by_the_team_itself() -> None:
    suspended = replace(AMINA, community=False)

    assert may_see_contacts(suspended, team="XA-CERT")
    assert not may_see_contacts(suspended, team="XF-CERT")
    assert [bool(may_see_contacts(v)) for v in (AMINA, MOUSSA, GRACE, RACHED, NOBODY)] == [
        True, True, True, False, False,
    ]  # fmt: skip


def test_contacts_are_kept_by_the_team_and_the_secretariat() -> None:
    assert may_keep_contacts(team="XF-CERT", by=MOUSSA)
    assert may_keep_contacts(team="XF-CERT", by=GRACE)
    for by in (AMINA, RACHED, NOBODY, key_of("XF-CERT")):
        assert not may_keep_contacts(team="XF-CERT", by=by)
    assert not may_keep_contacts(team="XA-CERT", by=AMINA)
