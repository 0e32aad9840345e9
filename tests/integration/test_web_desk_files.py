"""The register as a file, the profile as a page and as text, and the record."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from factories import desk, signin

pytestmark = pytest.mark.usefixtures("database", "contexts")

TEAM = """
[[team]]
code = "XB-CERT"
name = { en = "CERT of XB", ar = "فريق XB" }
claims = { cidr = ["198.51.100.0/24"], country = ["XB"] }
"""


@pytest.fixture(autouse=True)
def teams(database: None) -> None:
    signin.team_of("XA-CERT")
    signin.team_of("XF-CERT")


def upload(client: Any, content: bytes) -> Any:
    return client.post("/register/import/", {"file": SimpleUploadedFile("teams.toml", content)})


def fields(page: Any) -> dict[str, str]:
    return {name: str(page.context[name]) for name in ("document", "version", "digest")}


def known(code: str) -> bool:
    from tansiq.members.models import Team

    return Team.objects.filter(code=code).exists()


def test_import_shows_what_it_would_do_and_does_it_when_confirmed() -> None:
    grace = desk.at_door("grace")

    preview = upload(grace, TEAM.encode())
    before = known("XB-CERT")
    done = grace.post("/register/import/confirm/", fields(preview))

    assert preview.context["counts"].teams == {"new": 1, "changed": 0, "unchanged": 0}
    assert not before
    assert (done.status_code, done.headers["Location"]) == (303, "/register/")
    assert known("XB-CERT")


def test_import_confirmed_through_a_form_that_writes_other_line_ends_is_the_same_file() -> None:
    grace = desk.at_door("grace")
    said = fields(upload(grace, TEAM.encode()))

    done = grace.post("/register/import/confirm/", said | {"document": said["document"].replace("\n", "\r\n")})

    assert done.status_code == 303


def test_import_is_shown_anew_when_the_register_has_moved_since() -> None:
    grace, karim = desk.at_door("grace"), desk.at_door("karim")
    said = fields(upload(grace, TEAM.encode()))
    karim.post("/teams/XA-CERT/contacts/", {"kind": "email", "value": "cert@xa.example"})

    again = grace.post("/register/import/confirm/", said)

    assert (again.status_code, again.context["moved"]) == (200, True)
    assert not known("XB-CERT")


def test_mistake_in_row_4711_refuses_the_file_whole_with_row_and_reason() -> None:
    document = TEAM + "# filler\n" * 4698 + '[[team]]\ncode = "XC-CERT"\nname = { en = "C" }\n[team.claims]\n'
    lines = document.count("\n")
    document += "# filler\n" * (4710 - lines) + 'cidr = ["192.0.2.1/24"]\n'

    answer = upload(desk.at_door("grace"), document.encode())

    assert answer.status_code == 422
    [wrong] = answer.context["wrong"]
    assert (wrong.row, wrong.team) == (4711, "XC-CERT")
    assert wrong.sentence.startswith("192.0.2.1/24 has bits set beyond its length.")
    assert not known("XB-CERT")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"\xff\xfe\x00", "The byte 0xFF is not UTF-8."),
        (b"not toml", "This is not TOML"),
        (b"title = 1", "title"),
        (b"# " + b"x" * (1 << 20), "a page takes 1048576"),
    ],
)
def test_file_that_is_none_is_refused_in_words(content: bytes, sentence: str) -> None:
    answer = upload(desk.at_door("grace"), content)

    assert answer.status_code == 422
    assert sentence in answer.content.decode()


def test_file_that_speaks_of_people_is_the_operators() -> None:
    people = TEAM + '[[team]]\ncode = "XC-CERT"\nname = { en = "C" }\npeople = []\n'

    answer = upload(desk.at_door("grace"), people.encode())

    assert answer.status_code == 403
    assert "only the operator at the node" in answer.content.decode()


@pytest.mark.parametrize("name", ["amina", "hanan", "fatou"])
def test_confirmation_is_not_a_way_round_the_rule(name: str) -> None:
    answer = desk.at_door(name).post("/register/import/confirm/", {"document": TEAM, "version": "1", "digest": ""})

    assert answer.status_code == 403
    assert not known("XB-CERT")


def test_export_is_a_file_that_an_import_takes_back() -> None:
    from tansiq.members.statement import read

    answer = desk.at_door("grace").get("/register/export.toml")

    assert re.fullmatch(r'attachment; filename="register-\d{4}-\d\d-\d\d\.toml"', answer.headers["Content-Disposition"])
    assert "XA-CERT" in {team.code for team in read(answer.content.decode()).teams}


def test_export_of_one_team_is_its_heads_and_nobody_elses() -> None:
    statuses = {
        name: desk.at_door(name).get("/teams/XA-CERT/export.toml").status_code for name in ("hanan", "amina", "fatou")
    }

    assert statuses == {"hanan": 200, "amina": 403, "fatou": 403}


def write(client: Any, number: str, **words: str) -> Any:
    return client.post(f"/teams/XA-CERT/rfc2350/edit/{number}/", {"ar": "", "en": "", "fr": "", **words})


def test_profile_is_drafted_published_and_read_by_everybody() -> None:
    karim, guest = desk.at_door("karim"), desk.at_door("nobody")
    write(karim, "3.1", ar="مهمتنا", en="We answer.")
    before = guest.get("/teams/XA-CERT/rfc2350/").status_code
    karim.post("/teams/XA-CERT/rfc2350/publish/")

    page = guest.get("/teams/XA-CERT/rfc2350/", headers={"accept-language": "fr"})
    texts = {language: guest.get(f"/teams/XA-CERT/rfc2350.{language}.txt") for language in ("ar", "en", "fr")}

    assert before == 404
    assert '<bdi lang="en" dir="ltr">We answer.</bdi> <span class="badge quiet"' in page.content.decode()
    assert {text.headers["Content-Type"] for text in texts.values()} == {"text/plain; charset=utf-8"}
    assert "مهمتنا" in texts["ar"].content.decode()
    assert "[en]\n   We answer." in texts["fr"].content.decode()
    assert guest.get("/teams/XA-CERT/rfc2350.de.txt").status_code == 404


def test_published_version_does_not_change_when_the_draft_does() -> None:
    karim, guest = desk.at_door("karim"), desk.at_door("nobody")
    for words in ("First words.", "Second words."):
        write(karim, "3.1", en=words)
        karim.post("/teams/XA-CERT/rfc2350/publish/")
    write(karim, "3.1", en="Third words.")

    shown = [guest.get(f"/teams/XA-CERT/rfc2350/{path}").content.decode() for path in ("", "1/", "2/")]

    assert [re.findall(r"\w+ words\.", page) for page in shown] == [
        ["Second words."],
        ["First words."],
        ["Second words."],
    ]
    assert guest.get("/teams/XA-CERT/rfc2350/3/").status_code == 404


def test_empty_draft_is_not_published() -> None:
    karim = desk.at_door("karim")

    answer = karim.post("/teams/XA-CERT/rfc2350/publish/", follow=True)

    assert "XA-CERT has written nothing yet, so there is nothing to publish." in answer.content.decode()


def test_profile_is_text_and_never_markup() -> None:
    karim = desk.at_door("karim")
    write(karim, "3.1", en="<script>alert(1)</script>")
    karim.post("/teams/XA-CERT/rfc2350/publish/")

    page = desk.at_door("nobody").get("/teams/XA-CERT/rfc2350/").content.decode()

    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page


@pytest.mark.parametrize(("name", "status"), [("amina", 403), ("fatou", 404), ("grace", 404)])
def test_profile_is_written_by_the_teams_head_and_keeper_alone(name: str, status: int) -> None:
    client = desk.at_door(name)

    assert write(client, "3.1", en="Not ours.").status_code == status
    assert client.post("/teams/XA-CERT/rfc2350/publish/").status_code == status
    assert client.get("/teams/XA-CERT/rfc2350/preview/en/").status_code == status


@pytest.mark.parametrize("number", ["1", "9.9", "../x"])
def test_section_that_is_none_is_not_found(number: str) -> None:
    assert desk.at_door("karim").get(f"/teams/XA-CERT/rfc2350/edit/{number}/").status_code == 404


def rows(client: Any, **wishes: str) -> list[tuple[str, str]]:
    page = client.get("/audit/", wishes)
    assert page.status_code == 200
    return [(row.verb, row.team) for row, _said, _details in page.context["rows"]]


def test_head_reads_what_the_team_did_and_amina_only_what_she_did() -> None:
    karim = desk.at_door("karim")
    karim.post("/teams/XA-CERT/contacts/", {"kind": "email", "value": "cert@xa.example"})
    hanan, amina, fatou = (desk.at_door(name) for name in ("hanan", "amina", "fatou"))

    assert rows(hanan, verb="contact.") == [("contact.added", "XA-CERT")]
    assert rows(amina, verb="contact.") == []
    assert rows(fatou, verb="contact.") == []


def test_record_is_filtered_and_goes_on_page_after_page() -> None:
    karim = desk.at_door("karim")
    for number in range(49):
        karim.post("/teams/XA-CERT/contacts/", {"kind": "email", "value": f"c{number}@xa.example"})
    for _ in range(3):
        karim.post("/teams/XA-CERT/contacts/confirm/")
    first = karim.get("/audit/", {"item": "team:XA-CERT"})
    second = karim.get("/audit/", {"item": "team:XA-CERT", "before": first.context["older"]})

    assert [len(page.context["rows"]) for page in (first, second)] == [50, 2]
    assert second.context["older"] is None
    assert rows(karim, verb="contacts.") == [("contacts.confirmed", "XA-CERT")] * 3


@pytest.mark.parametrize("wishes", [{"item": "no item!"}, {"since": "yesterday"}, {"verb": "x"}, {"before": "-1"}])
def test_record_asked_for_nonsense_shows_nothing_and_says_where(wishes: dict[str, str]) -> None:
    page = desk.at_door("hanan").get("/audit/", wishes)

    assert page.status_code == 422
    assert page.context["rows"] == []
    assert list(page.context["form"].errors) == list(wishes)


def test_every_verb_has_words_and_an_unknown_one_is_shown_as_it_is() -> None:
    from tansiq.web.desk.record_words import verb

    assert (verb("claim.verified"), verb("case.opened")) == ("verified a claim", "case.opened")


@pytest.mark.parametrize(("name", "status"), [("grace", 200), ("yusuf", 200), ("hanan", 200), ("amina", 403)])
def test_record_is_verified_by_those_who_may(name: str, status: int) -> None:
    answer = desk.at_door(name).post("/audit/verify/")

    assert answer.status_code == status
    assert ("The record holds" in answer.content.decode()) == (status == 200)


@pytest.mark.parametrize(("language", "said"), [("en", "its hash is another"), ("ar", "بصمته مختلفة")])
def test_page_names_the_first_broken_row_and_why_in_the_readers_language(language: str, said: str) -> None:
    from django.db import connection

    from tansiq.audit.actions import record
    from tansiq.members.models import Person

    grace = desk.at_door("grace")
    Person.objects.update(language=language)
    record("case.opened", ("case", 1), by=signin.SET_UP, now=signin.now())
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER audit_entry_unchanged" + (" ON audit_entry" * (connection.vendor == "postgresql")))
        cursor.execute("UPDATE audit_entry SET who = 'P-XXXXXX'")

    page = grace.post("/audit/verify/").content.decode()

    assert said in page
    assert "{number}" not in page
