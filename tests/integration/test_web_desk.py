"""Who keeps what at a team's desk: contacts, duty, certificates; what others see of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from factories import desk, signin

pytestmark = pytest.mark.usefixtures("database", "contexts")

GOLDEN = Path(__file__).parents[1] / "golden" / "openpgp"
EMAIL = {"kind": "email", "value": "cert@xa.example", "post": "primary", "hours": "24x7"}


@pytest.fixture(autouse=True)
def teams(database: None) -> None:
    signin.team_of("XA-CERT")
    signin.team_of("XF-CERT")


def queries_of(read: Callable[[], Any]) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        assert read().status_code == 200
    return len(captured)


def contacts() -> list[str]:
    from tansiq.members.models import Contact

    return list(Contact.objects.filter(team__code="XA-CERT").order_by("position").values_list("value", flat=True))


@pytest.mark.parametrize("page", ["contacts", "duty", "keys", "claims", "rfc2350/edit", "membership"])
def test_nobody_at_the_desk_of_a_team_is_sent_to_sign_in(page: str) -> None:
    answer = desk.at_door("nobody").get(f"/teams/XA-CERT/{page}/")

    assert (answer.status_code, answer.headers["Location"].partition("?")[0]) == (302, "/account/login/")


@pytest.mark.parametrize("page", ["contacts", "duty", "keys", "claims", "rfc2350/edit", "membership"])
def test_head_of_another_team_finds_no_desk_there(page: str) -> None:
    fatou = desk.at_door("fatou")

    assert fatou.get(f"/teams/XA-CERT/{page}/").status_code == 404
    assert fatou.post(f"/teams/XA-CERT/{page}/", EMAIL).status_code in (404, 405)
    assert contacts() == []


@pytest.mark.parametrize("page", ["contacts", "duty", "keys", "claims"])
def test_amina_reads_the_desk_of_her_team_and_has_no_form_there(page: str) -> None:
    amina = desk.at_door("amina")

    answer = amina.get(f"/teams/XA-CERT/{page}/")

    assert answer.status_code == 200
    assert b'name="value"' not in answer.content
    assert b"multipart" not in answer.content


def test_amina_may_not_add_a_contact_and_is_told_who_may() -> None:
    answer = desk.at_door("amina").post("/teams/XA-CERT/contacts/", EMAIL)

    assert answer.status_code == 403
    assert "The contacts of XA-CERT are kept by its head" in answer.content.decode()
    assert contacts() == []


@pytest.mark.parametrize("name", ["karim", "hanan", "grace"])
def test_keeper_head_and_secretariat_add_a_contact(name: str) -> None:
    answer = desk.at_door(name).post("/teams/XA-CERT/contacts/", EMAIL)

    assert (answer.status_code, answer.headers["Location"]) == (303, "/teams/XA-CERT/contacts/")
    assert contacts() == ["cert@xa.example"]


def test_keeper_adds_nonsense_and_is_told_at_the_field() -> None:
    answer = desk.at_door("karim").post("/teams/XA-CERT/contacts/", {"kind": "phone", "value": "12"})

    assert answer.status_code == 422
    assert answer.context["form"].errors == {
        "value": ["12 is not a contact of kind telephone. Write it like +212 5 0000 0000."]
    }


def test_keeper_changes_moves_confirms_and_removes_contacts() -> None:
    karim = desk.at_door("karim")
    for value in ("first@xa.example", "second@xa.example"):
        karim.post("/teams/XA-CERT/contacts/", EMAIL | {"value": value})
    ids = [contact.id for contact, _name in karim.get("/teams/XA-CERT/contacts/").context["rows"]]

    karim.post(f"/teams/XA-CERT/contacts/{ids[1]}/move/", {"to": "up"})
    moved = contacts()
    karim.post(f"/teams/XA-CERT/contacts/{ids[0]}/", EMAIL | {"value": "changed@xa.example", "public": "on"})
    changed = contacts()
    karim.post("/teams/XA-CERT/contacts/confirm/")
    karim.post(f"/teams/XA-CERT/contacts/{ids[1]}/remove/")

    assert moved == ["second@xa.example", "first@xa.example"]
    assert changed == ["second@xa.example", "changed@xa.example"]
    assert contacts() == ["changed@xa.example"]


def test_contact_of_another_team_is_not_found_by_its_number() -> None:
    desk.at_door("karim").post("/teams/XA-CERT/contacts/", EMAIL)
    from tansiq.members.models import Contact

    number = Contact.objects.get(team__code="XA-CERT").pk
    fatou = desk.at_door("fatou")

    assert fatou.get(f"/teams/XF-CERT/contacts/{number}/").status_code == 404
    assert fatou.post(f"/teams/XF-CERT/contacts/{number}/remove/").status_code == 404
    assert contacts() == ["cert@xa.example"]


def test_secretariat_at_another_teams_contacts_is_on_record() -> None:
    from tansiq.audit.models import Entry

    desk.at_door("karim").post("/teams/XA-CERT/contacts/", EMAIL)
    grace = desk.at_door("grace")

    grace.get("/teams/XA-CERT/contacts/")

    read = Entry.objects.filter(verb="item.read", item_kind="contacts", item_id="XA-CERT")
    assert read.count() == 1


def test_contacts_page_costs_the_same_with_one_and_with_three() -> None:
    karim = desk.at_door("karim")
    karim.post("/teams/XA-CERT/contacts/", EMAIL)
    karim.get("/teams/XA-CERT/contacts/")
    with_one = queries_of(lambda: karim.get("/teams/XA-CERT/contacts/"))
    for value in ("b@xa.example", "c@xa.example"):
        karim.post("/teams/XA-CERT/contacts/", EMAIL | {"value": value})
    karim.get("/teams/XA-CERT/contacts/")

    assert queries_of(lambda: karim.get("/teams/XA-CERT/contacts/")) == with_one


def test_head_plans_a_shift_on_their_own_clock() -> None:
    from tansiq.members.models import DutyShift, Person

    hanan = desk.at_door("hanan")
    Person.objects.filter(email="hanan@cert.example").update(time_zone="Asia/Riyadh")
    code = Person.objects.get(email="hanan@cert.example").code
    said = {"person": code, "since": "2030-03-01T08:00", "until": "2030-03-01T20:00"}

    answer = hanan.post("/teams/XA-CERT/duty/", said)

    assert answer.status_code == 303
    assert list(DutyShift.objects.values_list("since", "until")) == [
        (datetime(2030, 3, 1, 5, tzinfo=UTC), datetime(2030, 3, 1, 17, tzinfo=UTC))
    ]


def test_shift_that_ends_before_it_begins_is_refused_at_its_end() -> None:
    hanan = desk.at_door("hanan")
    code = hanan.get("/teams/XA-CERT/duty/").context["form"].fields["person"].choices[0][0]

    answer = hanan.post(
        "/teams/XA-CERT/duty/", {"person": code, "since": "2030-03-01T08:00", "until": "2030-03-01T07:00"}
    )

    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == ["until"]


def test_duty_officer_of_another_team_is_not_put_on_duty() -> None:
    from tansiq.members.models import Person

    desk.at_door("moussa")
    code = Person.objects.get(email="moussa@cert.example").code

    answer = desk.at_door("hanan").post(
        "/teams/XA-CERT/duty/", {"person": code, "since": "2030-03-01T08:00", "until": "2030-03-01T20:00"}
    )

    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == ["person"]


def test_shift_that_has_begun_is_ended_by_the_head() -> None:
    from tansiq.members.models import DutyShift, Person, Team

    hanan = desk.at_door("hanan")
    now = signin.now()
    shift = DutyShift.objects.create(
        team=Team.objects.get(code="XA-CERT"),
        person=Person.objects.get(email="hanan@cert.example"),
        since=now - timedelta(hours=1),
        until=now + timedelta(hours=7),
    )
    present = hanan.get("/teams/XA-CERT/duty/").context["present"]

    hanan.post(f"/teams/XA-CERT/duty/{shift.pk}/end/")

    assert [each.name for each in present] == ["Hanan"]
    assert hanan.get("/teams/XA-CERT/duty/").context["present"] == []


def upload(name: str, client: Any, file_name: str = "key.asc") -> Any:
    content = (GOLDEN / f"{name}.asc").read_bytes()
    return client.post("/teams/XA-CERT/keys/", {"file": SimpleUploadedFile(file_name, content)})


def kept() -> list[str]:
    from tansiq.members.models import TeamCertificate

    return list(TeamCertificate.objects.filter(team__code="XA-CERT").values_list("fingerprint", flat=True))


@pytest.mark.parametrize(
    "file_name", ["key.asc", "../../etc/passwd", "a" * 300 + ".exe", '"><script>.asc', "مفتاح.asc"]
)
def test_certificate_is_kept_whatever_the_file_is_called(file_name: str) -> None:
    karim = desk.at_door("karim")

    answer = upload("v4", karim, file_name)

    assert answer.status_code == 303
    assert len(kept()) == 1
    assert b"<script>.asc" not in karim.get("/teams/XA-CERT/keys/").content


def test_certificate_pasted_is_kept_and_downloaded_as_a_file() -> None:
    karim = desk.at_door("karim")

    answer = karim.post("/teams/XA-CERT/keys/", {"armor": (GOLDEN / "v4.asc").read_text()})
    given = karim.get(f"/teams/XA-CERT/keys/{kept()[0]}.asc")

    assert answer.status_code == 303
    assert given.headers["Content-Type"] == "application/pgp-keys"


def test_secret_key_is_refused_and_not_shown_again() -> None:
    secret = (GOLDEN / "secret.asc").read_text()

    answer = desk.at_door("karim").post("/teams/XA-CERT/keys/", {"armor": secret})

    assert answer.status_code == 422
    assert "The file holds a secret key. It was not stored." in answer.content.decode()
    assert "BEGIN PGP PRIVATE KEY" not in answer.content.decode()
    assert kept() == []


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"%PDF-1.7 not a key", "The file holds no OpenPGP certificate."),
        (b"x" * (256 * 1024 + 1), "The file has 262145 bytes; a certificate may have 262144."),
        (b"\x99\x01\x0d\x04\xff\xff", "damaged"),
        (b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDMEZ", "The key block has no end"),
    ],
)
def test_what_is_no_certificate_is_refused_in_words(content: bytes, sentence: str) -> None:
    answer = desk.at_door("karim").post("/teams/XA-CERT/keys/", {"file": SimpleUploadedFile("k.asc", content)})

    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert kept() == []


def test_neither_file_nor_text_is_asked_for_one_of_the_two() -> None:
    answer = desk.at_door("karim").post("/teams/XA-CERT/keys/", {})

    assert answer.context["form"].non_field_errors() == ["Choose a file, or paste the key; one of the two."]


def test_weak_certificate_is_kept_and_said_to_be_weak() -> None:
    karim = desk.at_door("karim")

    upload("rsa1024", karim)

    [(held, findings)] = karim.get("/teams/XA-CERT/keys/").context["rows"]
    assert not held.usable
    assert findings[0] == ("bad", "weak: RSA of 1024 bits")


def test_keeper_withdraws_a_certificate_and_amina_may_not() -> None:
    karim, amina = desk.at_door("karim"), desk.at_door("amina")
    upload("v4", karim)
    address = f"/teams/XA-CERT/keys/{kept()[0]}/withdraw/"

    refused = amina.post(address)
    done = karim.post(address)

    assert (refused.status_code, done.status_code) == (403, 303)
    [(held, _findings)] = karim.get("/teams/XA-CERT/keys/").context["rows"]
    assert held.withdrawn_at is not None


def test_every_code_of_a_finding_has_words() -> None:
    from tansiq.openpgp.findings import CODES
    from tansiq.web.desk.words import finding

    values = {"algorithm": "RSA", "bits": 1024, "address": "cert@xa.example", "reason": "superseded"}

    assert [code for code in CODES if finding(code, values) == code and code != "expired"] == []


def test_post_without_the_forms_token_changes_nothing() -> None:
    karim = desk.at_door("karim")
    karim.handler.enforce_csrf_checks = True

    answer = karim.post("/teams/XA-CERT/contacts/", EMAIL)

    assert answer.status_code == 403
    assert contacts() == []


def test_upload_larger_than_any_page_takes_is_not_read() -> None:
    karim = desk.at_door("karim")

    answer = karim.post("/teams/XA-CERT/keys/", {"file": SimpleUploadedFile("k.asc", b"x" * (9 << 20))})

    assert answer.status_code in (400, 413)
    assert kept() == []
