"""What workers write to teams, as a real mail server takes it: in the reader's language, and once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from factories import postbox, signin
from factories.postbox import Mailbox
from people import person
from tansiq.core.viewer import Role

if TYPE_CHECKING:
    from tansiq.members.models import Team

pytestmark = pytest.mark.usefixtures("database")

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FOUR_MONTHS_LATER = datetime(2026, 7, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=60)
SENDER, ADDRESS = "tansiq@xa-cert.example", "https://tansiq.example"
GOLDEN = Path(__file__).parents[1] / "golden" / "openpgp"
HEAD = person("head", Role.HEAD, team="XA-CERT")

KEEPERS = {"khalid@xa.example": (Role.KEEPER, "ar"), "fatou@xa.example": (Role.HEAD, "fr")}
SUBJECTS_OF_REMINDERS = {
    "khalid@xa.example": "يرجى تأكيد وسائل الاتصال بفريق XA-CERT",
    "fatou@xa.example": "Merci de confirmer comment joindre XA-CERT",
}


@pytest.fixture
def xa() -> Team:
    """A team with a keeper who reads Arabic, a head who reads French, and an analyst, who keeps nothing."""
    from tansiq.members import actions
    from tansiq.members.actions.appointments import grant
    from tansiq.members.actions.people import create_person

    team = signin.team_of("XA-CERT")
    for email, (role, language) in {**KEEPERS, "amina@xa.example": (Role.ANALYST, "ar")}.items():
        keeper = create_person(email, name=email, language=language)
        grant(keeper, role, team=team, granted_by="node", decision="", now=NOW)
    actions.add_contact(team, kind="email", value="Cert@xa.example", post="primary", by=HEAD, now=NOW)
    return team


@pytest.fixture
def box() -> Iterator[tuple[Mailbox, Any]]:
    with postbox.opened() as both:
        yield both


@pytest.fixture
def work(box: tuple[Mailbox, Any]) -> Callable[[str, datetime], dict[str, EmailMessage]]:
    """``work(job, now)``: a turn of this job of a node and of its mail; what was taken, by address."""
    from django.conf import settings

    from tansiq.workers.jobs import jobs

    taken, server = box
    by_name = {job.name: job for job in jobs(server, SENDER, ADDRESS, settings.HOME, {})}

    def work(name: str, now: datetime) -> dict[str, EmailMessage]:
        taken.taken.clear()
        taken.to.clear()
        by_name[name].run(now)
        by_name["mail"].run(now)
        assert len(set(taken.to)) == len(taken.to)
        return dict(zip(taken.to, taken.taken, strict=True))

    return work


def subjects(letters: dict[str, EmailMessage]) -> dict[str, str]:
    return {to: str(letter["Subject"]) for to, letter in letters.items()}


def test_reminder_after_four_months_reaches_whoever_keeps_the_contacts_in_their_language_once(
    xa: Team, work: Callable[[str, datetime], dict[str, EmailMessage]]
) -> None:
    early = work("reminders", FOUR_MONTHS_LATER - timedelta(seconds=1))
    due = work("reminders", FOUR_MONTHS_LATER)
    again = work("reminders", FOUR_MONTHS_LATER + timedelta(hours=1))

    assert (early, again) == ({}, {})
    assert subjects(due) == SUBJECTS_OF_REMINDERS
    assert {to: letter["Content-Language"] for to, letter in due.items()} == {
        "khalid@xa.example": "ar",
        "fatou@xa.example": "fr",
    }
    assert all(ADDRESS in letter.get_content() for letter in due.values())


def test_reminder_of_a_team_without_people_here_reaches_its_primary_address(
    work: Callable[[str, datetime], dict[str, EmailMessage]],
) -> None:
    from tansiq.members import actions

    actions.add_contact(
        signin.team_of("XA-CERT"), kind="email", value="cert@xa.example", post="primary", by=HEAD, now=NOW
    )

    letters = work("reminders", FOUR_MONTHS_LATER)

    assert subjects(letters) == {"cert@xa.example": "Please confirm how XA-CERT is reached"}


def test_reminder_stops_once_the_contacts_are_confirmed(
    xa: Team, work: Callable[[str, datetime], dict[str, EmailMessage]]
) -> None:
    from tansiq.members import actions

    work("reminders", FOUR_MONTHS_LATER)
    actions.confirm_contacts(xa, by=HEAD, now=FOUR_MONTHS_LATER + timedelta(days=1))

    assert work("reminders", FOUR_MONTHS_LATER + timedelta(days=20)) == {}


def test_certificate_that_expired_is_told_to_its_keepers_once(
    xa: Team, work: Callable[[str, datetime], dict[str, EmailMessage]]
) -> None:
    from tansiq.members import actions

    kept = actions.upload_certificate((GOLDEN / "expires_soon.asc").read_bytes(), team=xa, by=HEAD, now=NOW)
    actions.upload_certificate((GOLDEN / "v4.asc").read_bytes(), team=xa, by=HEAD, now=NOW)

    same = work("certificates", NOW + timedelta(hours=1))
    changed = work("certificates", LATER)
    again = work("certificates", LATER + timedelta(days=1))

    assert (same, again) == ({}, {})
    assert subjects(changed) == {
        "khalid@xa.example": "شهادة OpenPGP لـ XA-CERT تحتاج إلى نظر",
        "fatou@xa.example": "Le certificat OpenPGP de XA-CERT demande un coup d'œil",
    }
    french = changed["fatou@xa.example"].get_content()
    assert "Il a expiré" in french
    assert kept.fingerprint in french
    assert f"{ADDRESS}/teams/XA-CERT/keys/" in french


def test_certificate_that_is_good_again_is_told_so(
    xa: Team, work: Callable[[str, datetime], dict[str, EmailMessage]]
) -> None:
    from tansiq.members import actions
    from tansiq.members.models import Contact

    actions.upload_certificate((GOLDEN / "v4.asc").read_bytes(), team=xa, by=HEAD, now=NOW)
    Contact.objects.filter(team=xa).update(value="soc@xa.example")

    wrong = work("certificates", NOW + timedelta(days=1))
    Contact.objects.filter(team=xa).update(value="cert@xa.example")
    good = work("certificates", NOW + timedelta(days=2))

    assert "Il ne nomme aucune adresse de l'équipe." in wrong["fatou@xa.example"].get_content()
    assert subjects(good)["fatou@xa.example"] == "Le certificat OpenPGP de XA-CERT est de nouveau bon"


def test_every_finding_has_words() -> None:
    from tansiq.openpgp.findings import CODES
    from tansiq.workers.certificates import FINDINGS

    assert set(FINDINGS) == set(CODES)
