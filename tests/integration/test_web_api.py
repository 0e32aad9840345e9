"""What programs are told by the API: as much as people see, in the same words as the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from factories import api
from tansiq.core.viewer import Scope

CERTIFICATE = Path(__file__).parents[1] / "golden" / "openpgp" / "v4.asc"

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture(autouse=True)
def registered(database: None) -> None:
    api.registered()


@pytest.fixture
def guest() -> Any:
    return api.program()


@pytest.fixture
def reader() -> Any:
    """XF-CERT's program, which may read the directory."""
    return api.program(api.key("XF-CERT", Scope.DIRECTORY_READ))


@pytest.fixture
def writer() -> Any:
    return api.program(api.key("XA-CERT", Scope.DIRECTORY_READ, Scope.DIRECTORY_WRITE))


def post(client: Any, path: str, body: object, **headers: str) -> Any:
    return client.post(path, json.dumps(body), content_type="application/json", headers=headers)


def test_whois_is_the_pages_json(guest: Any) -> None:
    for target in ("192.0.2.7", "2001:db8::/32", "AS64496", "www.xa.example", "XA"):
        assert guest.get("/api/v1/whois", {"target": target}).json() == guest.get(f"/whois.json?target={target}").json()


def test_whois_of_many_answers_each_in_its_place(guest: Any) -> None:
    targets = ["192.0.2.7", "no target", "XF"]

    answers = post(guest, "/api/v1/whois", {"targets": targets}).json()["answers"]

    assert [answer["target"] for answer in answers] == targets
    assert [answer.get("team") for answer in answers] == ["XA-CERT", None, "XF-CERT"]
    assert answers[1]["error"]["code"] == "attribution.target.bad"
    assert answers[0] == guest.get("/api/v1/whois?target=192.0.2.7").json()


def test_whois_of_many_as_lines_says_the_same(guest: Any) -> None:
    body = {"targets": ["192.0.2.7", "XF", "AS64496"]}

    lines = post(guest, "/api/v1/whois", body, accept="application/x-ndjson")

    assert lines.headers["Content-Type"] == "application/x-ndjson"
    assert [json.loads(line) for line in lines.content.decode().splitlines()] == (
        post(guest, "/api/v1/whois", body).json()["answers"]
    )


def test_whois_shows_a_guest_public_contacts_and_a_member_all(guest: Any, reader: Any) -> None:
    def contacts(client: Any) -> list[str]:
        return [contact["value"] for contact in client.get("/api/v1/whois?target=XA").json()["contacts"]]

    assert contacts(guest) == ["https://xa.example/"]
    assert contacts(reader) == ["cert@xa.example", "https://xa.example/"]


def test_whois_records_a_reading_of_contacts_once_an_hour(reader: Any, guest: Any) -> None:
    from tansiq.audit.models import Entry

    guest.get("/api/v1/whois?target=XA")
    for _time in range(2):
        post(reader, "/api/v1/whois", {"targets": ["XA", "192.0.2.1", "XF"]})

    rows = Entry.objects.filter(item_kind="contacts").values_list("who", "team", "item_id")
    assert list(rows) == [("key:XF-CERT/key-0", "XF-CERT", "XA-CERT")]


def test_teams_are_those_of_the_page(guest: Any) -> None:
    whole = guest.get("/teams.json").json()["teams"]

    first = guest.get("/api/v1/teams?limit=2").json()
    rest = guest.get("/api/v1/teams?limit=500&offset=2").json()

    assert first["teams"] + rest["teams"] == whole
    assert (first["count"], first["limit"], first["offset"]) == (len(whole), 2, 0)


@pytest.mark.parametrize(
    ("wishes", "codes"),
    [
        ({"search": "فريق xa"}, ["XA-CERT"]),
        ({"country": "pk", "category": "general"}, ["PK-PISA"]),
        ({"category": "general"}, ["PK-PISA", "UG-CERT"]),
        ({"category": "none"}, ["KR-DUZON"]),
    ],
)
def test_teams_by_wishes(guest: Any, wishes: dict[str, str], codes: list[str]) -> None:
    found = guest.get("/api/v1/teams", wishes).json()

    assert [team["code"] for team in found["teams"]] == codes
    assert found["count"] == len(codes)


def test_team_is_its_pages_json(guest: Any, reader: Any) -> None:
    for client in (guest, reader):
        assert client.get("/api/v1/teams/MA-MACERT").json() == guest.get("/teams/MA-MACERT.json").json()


def test_contacts_are_public_ones_for_a_guest_and_all_for_a_member(guest: Any, reader: Any) -> None:
    path = "/api/v1/teams/XA-CERT/contacts"

    assert guest.get(path).json() == {"team": "XA-CERT", "contacts": api.PUBLIC}
    assert reader.get(path).json() == {"team": "XA-CERT", "contacts": api.HIDDEN + api.PUBLIC}


def test_contacts_are_public_ones_for_the_key_of_a_team_outside_the_community() -> None:
    from tansiq.members.models import Team

    Team.objects.create(code="XZ-CERT", name_en="CERT of XZ", country="XZ")
    outsider = api.program(api.key("XZ-CERT", Scope.DIRECTORY_READ))

    assert outsider.get("/api/v1/teams/XA-CERT/contacts").json()["contacts"] == api.PUBLIC
    assert len(outsider.get("/api/v1/whois?target=XA").json()["contacts"]) == 1


def test_contacts_read_are_recorded_and_certificates_are_not(reader: Any) -> None:
    from tansiq.audit.models import Entry

    reader.get("/api/v1/teams/XA-CERT/certificates")
    assert not Entry.objects.filter(item_kind="contacts").exists()

    reader.get("/api/v1/teams/XA-CERT/contacts")
    assert Entry.objects.filter(item_kind="contacts", item_id="XA-CERT").count() == 1


def test_certificates_are_handed_out_whole(guest: Any) -> None:
    from tansiq.members.actions.certificates import upload_certificate
    from tansiq.members.models import Team

    team = Team.objects.get(code="XA-CERT")
    upload_certificate(CERTIFICATE.read_bytes(), team=team, by=api.head("XA-CERT"), now=api.now())

    (held,) = guest.get("/api/v1/teams/XA-CERT/certificates").json()["certificates"]

    assert held["armored"].startswith("-----BEGIN PGP PUBLIC KEY BLOCK-----")
    assert (held["addresses"], held["current"], held["usable"]) == (["cert@xa.example"], True, True)


def test_map_has_every_state_with_its_status(guest: Any) -> None:
    countries = {row["country"]: row for row in guest.get("/api/v1/map").json()["countries"]}

    assert sum(row["state"] for row in countries.values()) == 57
    assert countries["XA"]["teams"] == ["XA-CERT"]
    assert countries["XA"]["categories"] == ["full"]
    assert countries["MA"]["names"]["fr"] == "Maroc"


def test_me_says_what_the_key_is(writer: Any) -> None:
    assert writer.get("/api/v1/me").json() == {
        "name": "key:XA-CERT/key-0",
        "team": "XA-CERT",
        "roles": ["keeper", "observer"],
        "seats": [],
        "scopes": ["directory:read", "directory:write"],
        "categories": ["full"],
        "community": True,
    }


def test_proposal_of_a_key_waits_for_the_secretariat(writer: Any, guest: Any) -> None:
    from tansiq.members.models import Claim

    answer = post(
        writer,
        "/api/v1/teams/XA-CERT/claims",
        {"kind": "cidr", "value": "198.51.100.0/24", "evidence": "Decree 7", "valid_from": "2026-01-01T00:00:00+03:00"},
    )

    stored = Claim.objects.get(value="198.51.100.0/24")
    assert answer.status_code == 201
    assert answer.json() == {
        "id": stored.pk,
        "team": "XA-CERT",
        "kind": "cidr",
        "value": "198.51.100.0/24",
        "state": "proposed",
        "valid_from": "2026-01-01T00:00:00+03:00",
        "valid_until": None,
    }
    assert (stored.verified, stored.source) == (False, "key:XA-CERT/key-0")
    assert "198.51.100.0/24" not in guest.get("/api/v1/teams/XA-CERT").content.decode()
    assert "198.51.100.0/24" in writer.get("/api/v1/teams/XA-CERT").content.decode()


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"value": "198.51.100.0/33"}, 400, "members.cidr.malformed"),
        ({"evidence": ""}, 400, "members.claim.no_evidence"),
        ({"kind": "planet"}, 400, "api.value.bad"),
        ({"value": None}, 400, "api.value.bad"),
        ({"more": 1}, 400, "api.value.bad"),
        ({"valid_from": "2026-01-01T00:00:00"}, 400, "api.value.bad"),
    ],
)
def test_proposal_with_a_mistake_is_refused_whole(writer: Any, change: dict[str, Any], status: int, code: str) -> None:
    from tansiq.members.models import Claim

    before = Claim.objects.count()
    good = {"kind": "cidr", "value": "198.51.100.0/24", "evidence": "Decree 7"}

    answer = post(writer, "/api/v1/teams/XA-CERT/claims", good | change)

    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert Claim.objects.count() == before


def test_answer_that_is_known_is_not_sent_again(guest: Any) -> None:
    first = guest.get("/api/v1/teams")

    again = guest.get("/api/v1/teams", headers={"if-none-match": first.headers["ETag"]})
    other = guest.get("/api/v1/teams?search=xa", headers={"if-none-match": first.headers["ETag"]})

    assert (again.status_code, again.content) == (304, b"")
    assert other.status_code == 200


def test_answer_to_a_key_is_kept_by_no_cache(reader: Any, guest: Any) -> None:
    assert reader.get("/api/v1/teams").headers["Cache-Control"] == "no-store"
    assert "Authorization" in guest.get("/api/v1/teams").headers["Vary"]


def test_teams_take_as_many_queries_whatever_the_page(guest: Any) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as one:
        guest.get("/api/v1/teams?limit=1")
    with CaptureQueriesContext(connection) as many:
        guest.get("/api/v1/teams?limit=500")

    assert len(one) == len(many)


def test_answers_have_the_shapes_that_are_described(guest: Any, reader: Any) -> None:
    """The library checks each answer against its shape; here, that no name of the facts is lost in the description."""
    from pydantic import TypeAdapter

    from tansiq.web.api import shapes

    whois = reader.get("/whois.json?target=XA").json()
    contact = next(iter(whois["contacts"]))

    assert set(whois) == set(shapes.WhoisAnswer.__annotations__)
    assert set(contact) <= set(shapes.WhoisContact.__annotations__)
    assert TypeAdapter(shapes.WhoisAnswer).validate_python(whois) == whois
