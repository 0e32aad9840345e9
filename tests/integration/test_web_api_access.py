"""Who is let in by the API, for what, and how a refusal is told."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest

from factories import api, signin
from tansiq.core.viewer import Role, Scope

pytestmark = pytest.mark.usefixtures("database")

GOOD = {"kind": "cidr", "value": "198.51.100.0/24", "evidence": "Decree 7"}
CLAIMS = "/api/v1/teams/XA-CERT/claims"
READING = (
    "/api/v1/whois?target=XA",
    "/api/v1/teams",
    "/api/v1/teams/XA-CERT",
    "/api/v1/teams/XA-CERT/contacts",
    "/api/v1/teams/XA-CERT/certificates",
    "/api/v1/map",
)


@pytest.fixture(autouse=True)
def registered(database: None) -> None:
    api.registered()


def told(answer: Any) -> tuple[int, str]:
    assert answer.headers["Content-Type"].startswith("application/json")
    error = answer.json()["error"]
    assert set(error) == {"code", "message", "remedy"}
    return answer.status_code, error["code"]


def post(client: Any, path: str, body: object, **headers: str) -> Any:
    return client.post(path, json.dumps(body), content_type="application/json", headers=headers)


def revoked(secret: str) -> None:
    from tansiq.members.actions.keys import revoke_key
    from tansiq.members.models import ApiKey

    key = ApiKey.objects.select_related("team").get(prefix=secret.split("_")[1])
    revoke_key(key, by=api.head(key.team.code), now=api.now())


def expired(secret: str) -> None:
    from tansiq.members.models import ApiKey

    before = api.now() - timedelta(days=1)
    ApiKey.objects.filter(prefix=secret.split("_")[1]).update(expires_at=before, created_at=before - timedelta(days=1))


@pytest.mark.parametrize("path", READING)
def test_reading_is_open_to_guests_and_to_keys_with_the_scope(path: str) -> None:
    reader = api.program(api.key("XF-CERT", Scope.DIRECTORY_READ))

    assert api.program().get(path).status_code == 200
    assert reader.get(path).status_code == 200


@pytest.mark.parametrize("path", READING)
def test_reading_with_a_key_without_the_scope_is_refused(path: str) -> None:
    other = api.program(api.key("XF-CERT", Scope.EVENTS_READ))

    assert told(other.get(path)) == (403, "sharing.key.scope")


def test_keys_that_are_not_valid_get_one_and_the_same_answer() -> None:
    good = api.key("XF-CERT", Scope.DIRECTORY_READ)
    old, taken = api.key("XF-CERT", Scope.DIRECTORY_READ), api.key("XF-CERT", Scope.DIRECTORY_READ)
    elsewhere = api.key("XF-CERT", Scope.DIRECTORY_READ, addresses=["198.51.100.0/24"])
    expired(old)
    revoked(taken)

    answers = [
        api.program(secret).get("/api/v1/teams")
        for secret in (good[:-1] + ("A" if good[-1] != "A" else "B"), "tansiq_x", "é", old, taken, elsewhere)
    ]

    assert {told(answer) for answer in answers} == {(401, "members.key.not_valid")}
    assert len({answer.content for answer in answers}) == 1
    assert {answer.headers["WWW-Authenticate"] for answer in answers} == {"Bearer"}
    assert api.program(good).get("/api/v1/teams").status_code == 200
    assert api.program(elsewhere, address="198.51.100.9").get("/api/v1/teams").status_code == 200


@pytest.mark.parametrize("header", ["Basic eDp5", "Bearer", "Bearer ", "tansiq_x", "Digest username=x"])
def test_other_ways_of_authorization_are_no_guest(header: str) -> None:
    assert told(api.program().get("/api/v1/teams", headers={"authorization": header})) == (401, "members.key.not_valid")


def test_key_goes_before_the_browsers_session() -> None:
    amina = signin.signed_in(signin.with_app(signin.person("amina@cert.example")))
    wrong = {"authorization": "Bearer wrong"}

    assert amina.get("/api/v1/me").json()["team"] == "XA-CERT"
    assert told(amina.get("/api/v1/me", headers=wrong)) == (401, "members.key.not_valid")


def test_use_of_a_key_is_remembered_to_the_hour() -> None:
    from tansiq.members.models import ApiKey

    api.program(api.key("XF-CERT", Scope.DIRECTORY_READ)).get("/api/v1/map")

    used = ApiKey.objects.get().last_used_at
    assert used is not None
    assert (used.minute, used.second) == (0, 0)


def test_me_and_proposals_are_not_for_guests() -> None:
    assert told(api.program().get("/api/v1/me")) == (401, "api.key_needed")
    assert told(post(api.program(), CLAIMS, GOOD)) == (401, "api.key_needed")


@pytest.mark.parametrize(
    ("scopes", "more", "code"),
    [
        ((Scope.DIRECTORY_READ,), {}, "sharing.key.read_only"),
        ((Scope.DIRECTORY_READ,), {"read_only": True}, "sharing.key.read_only"),
        ((Scope.EVENTS_WRITE,), {}, "sharing.key.scope"),
    ],
)
def test_proposal_by_a_key_that_may_not_is_refused(scopes: tuple[Scope, ...], more: dict[str, Any], code: str) -> None:
    client = api.program(api.key("XA-CERT", *scopes, **more))

    assert told(post(client, CLAIMS, GOOD)) == (403, code)


def test_proposal_for_another_team_is_refused_and_for_none_not_found() -> None:
    writer = api.program(api.key("XF-CERT", Scope.DIRECTORY_WRITE))

    assert told(post(writer, CLAIMS, GOOD)) == (403, "members.claim.not_keeper")
    assert told(post(writer, "/api/v1/teams/XZ-CERT/claims", GOOD)) == (404, "api.not_found")


def test_key_that_proposes_ends_no_claim() -> None:
    from tansiq.core.decision import NotAllowed
    from tansiq.members.actions.claims import end_claim
    from tansiq.members.key_viewers import viewer_of_key
    from tansiq.members.models import Claim

    viewer = viewer_of_key(api.key("XA-CERT", Scope.DIRECTORY_WRITE), address=api.HERE, now=api.now())
    claim = Claim.objects.select_related("team").get(team__code="XA-CERT", kind="asn")

    with pytest.raises(NotAllowed) as refused:
        end_claim(claim, by=viewer, now=api.now())

    assert refused.value.values["reason"] == "members.claim.by_key"


def test_session_changes_something_only_with_the_pages_token() -> None:
    from django.test import Client

    somebody = signin.with_app(signin.person("karim@cert.example", Role.KEEPER))
    cookies = signin.signed_in(somebody).cookies
    client = Client(enforce_csrf_checks=True, REMOTE_ADDR=api.HERE, HTTP_HOST="localhost")
    client.cookies = cookies
    client.get("/")

    assert told(post(client, CLAIMS, GOOD)) == (403, "api.forged")
    assert told(post(client, "/api/v1/whois", {"targets": ["XA"]})) == (403, "api.forged")

    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', client.get("/whois/").content.decode())
    assert found is not None
    assert post(client, CLAIMS, GOOD, **{"x-csrftoken": found[1]}).status_code == 201


def test_half_signed_in_session_is_a_guest() -> None:
    somebody = signin.with_app(signin.person("amina@cert.example"))
    client = signin.browser()
    signin.try_password(client, somebody.email)

    assert told(client.get("/api/v1/me")) == (401, "api.key_needed")
    assert client.get("/api/v1/teams/XA-CERT/contacts").json()["contacts"] == api.PUBLIC


@pytest.mark.parametrize("language", ["ar", "en", "fr"])
def test_refusal_is_told_in_the_language_asked_for(language: str) -> None:
    from tansiq.attribution.targets import BadTarget
    from tansiq.core.language import catalogue

    answer = api.program(language=language).get("/api/v1/whois?target=nonsense")

    assert answer.headers["Content-Language"] == language
    assert told(answer) == (400, "attribution.target.bad")
    assert answer.json()["error"]["message"] == catalogue(language).gettext(BadTarget.message).format(target="nonsense")


@pytest.mark.parametrize("method", ["get", "post", "put", "delete", "options"])
@pytest.mark.parametrize("path", ["/api/", "/api/v1", "/api/v1/", "/api/v2/teams", "/api/v1/teams/", "/api/v1/x"])
def test_unknown_path_is_json_by_every_method(method: str, path: str) -> None:
    answer = getattr(api.program(), method)(path)

    assert told(answer) == (404, "api.not_found")


def test_other_method_names_those_that_are_answered() -> None:
    answer = api.program().delete("/api/v1/whois")

    assert told(answer) == (405, "api.method")
    assert answer.headers["Allow"] == "GET, HEAD, POST"


def test_head_is_get_without_a_body() -> None:
    client = api.program()

    head, get = client.head("/api/v1/map"), client.get("/api/v1/map")

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["ETag"] == get.headers["ETag"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("", 400, "api.value.missing"),
        ("{", 400, "api.body.unreadable"),
        ("[" * 100_000, 400, "api.body.unreadable"),
        (b"\xff\xfe", 400, "api.body.unreadable"),
        ("[]", 400, "api.value.bad"),
        ("null", 400, "api.value.bad"),
        ("{}", 400, "api.value.missing"),
        ('{"targets": []}', 400, "api.value.bad"),
        ('{"targets": "XA"}', 400, "api.value.bad"),
        ('{"targets": [7]}', 400, "api.value.bad"),
        ('{"targets": ["\\ud800"]}', 400, "api.value.bad"),
        ('{"targets": ["XA"], "more": 1}', 400, "api.value.bad"),
        (json.dumps({"targets": ["XA"] * 1001}), 400, "api.value.bad"),
        (json.dumps({"targets": ["x" * 2049]}), 400, "api.value.bad"),
        ('{"targets": ["' + "x" * 3_000_000 + '"]}', 413, "api.body.too_large"),
    ],
)
def test_body_that_cannot_be_used_is_refused_whole(body: str | bytes, status: int, code: str) -> None:
    answer = api.program().generic("POST", "/api/v1/whois", body, content_type="application/json")

    assert told(answer) == (status, code)
    assert len(answer.content) < 1000


def test_wrong_host_is_told_as_json() -> None:
    answer = api.program().get("/api/v1/teams", headers={"host": "evil.example"})

    assert told(answer) == (400, "api.bad_request")


def test_what_breaks_is_told_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    from tansiq.members.queries import pages

    def breaks(*_args: Any, **_named: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(pages, "map_entries", breaks)

    assert told(api.program(raise_request_exception=False).get("/api/v1/map")) == (500, "api.broken")


def test_node_without_a_table_says_to_come_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    from django.conf import settings

    from tansiq.core.home import Home

    monkeypatch.setattr(settings, "HOME", Home(path=tmp_path, lake=tmp_path, lake_catalogue=""))

    assert told(api.program().get("/api/v1/whois?target=XA")) == (503, "whois.nothing_compiled")
