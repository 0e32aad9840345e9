"""What people look after themselves, and heads and the Secretariat for their people."""

from __future__ import annotations

import re

import pytest

from factories import signin as cast
from tansiq.core.viewer import Role, Seat
from tansiq.notices.submission import Encryption, Server

pytestmark = pytest.mark.usefixtures("database")

AMINA, HANAN, GRACE = "amina@cert.example", "hanan@cert.example", "grace@cert.example"
NEW = {"email": "new@cert.example", "name": "New", "language": "fr", "post": "analyst"}
SETTINGS = {"name": "Amina", "language": "ar", "time_zone": "Asia/Riyadh", "calendar": "both", "theme": "dark"}


def client_of(email: str, *roles: Role, seat: Seat | None = None):
    from tansiq.members.actions.appointments import grant

    somebody = cast.with_app(cast.person(email, *roles))
    if seat:
        grant(somebody, seat, team=None, granted_by="node", decision="GM 10", now=cast.now())
    return cast.signed_in(somebody)


def posts() -> list[tuple[str, str, str]]:
    from tansiq.members.models import Appointment

    rows = Appointment.objects.filter(until=None, person__email=NEW["email"])
    return [(row.person.email, row.team.code if row.team else "", row.role) for row in rows]


def verbs() -> list[str]:
    from tansiq.audit.models import Entry

    return [entry.verb for entry in Entry.objects.order_by("number")]


def test_settings_are_kept_and_the_next_page_speaks_so() -> None:
    client = client_of(AMINA)

    answer = client.post("/account/settings/", SETTINGS)
    page = client.get("/account/settings/").content.decode()

    assert answer.status_code == 303
    assert '<html lang="ar" dir="rtl" data-theme="dark">' in page
    assert "Asia/Riyadh" in page


@pytest.mark.parametrize(
    "wrong",
    [
        {"time_zone": "Mars/Olympus"},
        {"language": "xx"},
        {"theme": "pink"},
        {"calendar": "lunar"},
        {"name": "a\x00b"},
        {"name": "x" * 201},
        {"name": ""},
    ],
)
def test_setting_that_does_not_exist_is_refused_whole(wrong: dict[str, str]) -> None:
    from tansiq.members.models import Person

    client = client_of(AMINA)

    answer = client.post("/account/settings/", SETTINGS | wrong)

    assert answer.status_code == 200
    assert Person.objects.get(email=AMINA).time_zone == "UTC"


def test_change_of_name_is_on_record_without_the_name() -> None:
    from tansiq.audit.models import Entry

    client = client_of(AMINA)

    client.post("/account/settings/", SETTINGS | {"name": "Amina Ben Ali"})

    entry = Entry.objects.get(verb="person.renamed")
    assert (entry.item_kind, entry.facts) == ("person", "{}")


def rows(verb: str) -> list[tuple[str, str, str]]:
    """Who, of whom, and what else; of every row with this verb."""
    from tansiq.audit.models import Entry

    return list(Entry.objects.filter(verb=verb).order_by("number").values_list("who", "item_id", "facts"))


def test_language_chosen_on_a_page_or_in_the_settings_is_on_record_when_it_changes() -> None:
    from tansiq.members.models import Person

    client = client_of(AMINA)
    person = Person.objects.get(email=AMINA)
    code, other = person.code, "fr" if person.language != "fr" else "en"

    client.post("/language", {"language": other})
    client.post("/language", {"language": other})
    client.post("/account/settings/", SETTINGS | {"language": "ar"})

    assert rows("person.language_chosen") == [
        (code, code, f'{{"language":"{other}"}}'),
        (code, code, '{"language":"ar"}'),
    ]
    assert Person.objects.get(email=AMINA).language == "ar"


def test_first_time_that_somebody_is_wholly_signed_in_is_on_record_once() -> None:
    from tansiq.members.models import Person

    amina = cast.with_app(cast.person(AMINA))
    cast.signed_in(amina).get("/whois/")
    again = cast.browser()
    cast.try_password(again, AMINA)
    cast.try_code(again, cast.recovery_codes(amina)[0])
    again.get("/whois/")

    amina = Person.objects.get(email=AMINA)
    assert rows("person.joined") == [(amina.code, amina.code, "{}")]
    assert amina.joined_at is not None


@pytest.mark.parametrize("path", ["/account/settings/", "/account/keys/", "/people/"])
def test_guest_is_asked_who_it_is(path: str) -> None:
    answer = cast.browser().get(path)

    assert answer.headers["Location"] == f"/account/login/?next={path.replace('/', '%2F')}"


def test_head_invites_and_the_mail_holds_a_link_that_works() -> None:
    from tansiq.notices.models import Mail

    client = client_of(HANAN, Role.HEAD)

    answer = client.post("/people/invite/", NEW | {"in_team": "XA-CERT"})

    mail = Mail.objects.get(to=NEW["email"])
    link = re.search(r"https?://[^/]+(/invitation/\S+)", mail.text).group(1)
    assert answer.status_code == 303
    assert posts() == [("new@cert.example", "XA-CERT", "analyst")]
    assert cast.browser().get(link).status_code == 200
    assert mail.language == "fr"


@pytest.mark.parametrize(
    ("server", "told"),
    [
        (None, "waits: this node has no mail server"),
        (Server("mail.example", 25, Encryption.NONE), "An invitation is on its way"),
    ],
)
def test_head_is_told_whether_an_invitation_can_leave(
    monkeypatch: pytest.MonkeyPatch, server: Server | None, told: str
) -> None:
    from django.conf import settings

    monkeypatch.setattr(settings, "SMTP", server)
    client = client_of(HANAN, Role.HEAD)

    page = client.post("/people/invite/", NEW | {"in_team": "XA-CERT"}, follow=True)

    assert told in page.content.decode()


def test_head_appoints_in_the_own_team_whatever_the_form_says() -> None:
    client = client_of(HANAN, Role.HEAD)
    cast.team_of("XF-CERT")

    client.post("/people/invite/", NEW | {"in_team": "XF-CERT"})

    assert posts() == [("new@cert.example", "XA-CERT", "analyst")]


def test_analyst_sees_no_page_of_people() -> None:
    client = client_of(AMINA)

    answers = [client.get("/people/"), client.post("/people/invite/", NEW)]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert posts() == []


def test_secretariat_appoints_heads_and_no_analysts_in_a_team() -> None:
    client = client_of(GRACE, seat=Seat.SECRETARIAT)
    cast.team_of("XF-CERT")

    refused = client.post("/people/invite/", NEW | {"in_team": "XF-CERT"})
    taken = client.post("/people/invite/", NEW | {"in_team": "XF-CERT", "post": "head"})

    assert (refused.status_code, taken.status_code) == (422, 303)
    assert posts() == [("new@cert.example", "XF-CERT", "head")]


def test_secretariat_gives_a_seat_on_a_decision_only() -> None:
    client = client_of(GRACE, seat=Seat.SECRETARIAT)

    refused = client.post("/people/invite/", NEW | {"post": "auditor"})
    taken = client.post("/people/invite/", NEW | {"post": "auditor", "decision": "Board 12"})

    assert (refused.status_code, taken.status_code) == (422, 303)
    assert posts() == [("new@cert.example", "", "auditor")]


def test_head_ends_an_appointment_of_the_own_team_and_none_of_another() -> None:
    from tansiq.members.models import Appointment

    client = client_of(HANAN, Role.HEAD)
    own = Appointment.objects.get(person=cast.person(AMINA))
    foreign = Appointment.objects.get(person=cast.person("moussa@cert.example", team="XF-CERT"))

    answers = [client.post(f"/people/appointments/{row.pk}/end/") for row in (own, foreign)]

    own.refresh_from_db()
    foreign.refresh_from_db()
    assert [answer.status_code for answer in answers] == [303, 404]
    assert (own.until is None, foreign.until is None) == (False, True)


def test_last_head_stays() -> None:
    from tansiq.members.models import Appointment

    client = client_of(HANAN, Role.HEAD)
    row = Appointment.objects.get(person__email=HANAN)

    page = client.post(f"/people/appointments/{row.pk}/end/", follow=True).content.decode()

    row.refresh_from_db()
    assert row.until is None
    assert "last head" in page


def test_dangerous_change_long_after_signing_in_asks_again_who_it_is() -> None:
    client = client_of(HANAN, Role.HEAD)
    session = client.session
    for record in session["account_authentication_methods"]:
        record["at"] -= 3600
    session.save()

    answer = client.post("/people/invite/", NEW)

    assert answer.headers["Location"] == "/account/reauthenticate/?next=%2Fpeople%2Finvite%2F"
    assert posts() == []


def test_page_of_people_takes_the_same_queries_for_one_and_for_many() -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client = client_of(HANAN, Role.HEAD)
    client.get("/people/")
    counted = []
    for batch in (1, 10):
        for n in range(batch):
            cast.person(f"p{batch}-{n}@cert.example")
        with CaptureQueriesContext(connection) as captured:
            client.get("/people/")
        counted.append(len(captured))

    assert counted[0] == counted[1]


def test_key_is_shown_once_and_opens_nothing_once_revoked() -> None:
    from datetime import timedelta

    from tansiq.members.models import ApiKey

    client = client_of(HANAN, Role.HEAD)
    wanted = {
        "name": "siem",
        "scopes": ["events:read"],
        "expires_on": (cast.now() + timedelta(days=30)).date().isoformat(),
        "addresses": "192.0.2.0/24\n2001:db8::/32",
    }

    made = client.post("/account/keys/create/", wanted)
    secret = re.search(r"tansiq_[a-z0-9]{8}_[\w-]{43}", made.content.decode()).group()
    again = client.get("/account/keys/").content.decode()
    key = ApiKey.objects.get(name="siem")
    client.post(f"/account/keys/{key.pk}/revoke/")

    key.refresh_from_db()
    assert secret not in again
    assert "no-store" in made.headers["Cache-Control"]
    assert (key.addresses, key.scopes) == (["192.0.2.0/24", "2001:db8::/32"], ["events:read"])
    assert key.revoked_at is not None


def test_key_is_not_made_by_an_analyst() -> None:
    from datetime import timedelta

    from tansiq.members.models import ApiKey

    client = client_of(AMINA)
    expires = (cast.now() + timedelta(days=30)).date().isoformat()

    answer = client.post("/account/keys/create/", {"name": "siem", "scopes": ["events:read"], "expires_on": expires})

    assert answer.status_code == 422
    assert not ApiKey.objects.exists()
