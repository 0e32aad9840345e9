"""The OpenAPI document is whole, and true: every operation of it answers as it says, whatever is sent."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from factories import api
from tansiq.core.viewer import Scope

pytestmark = pytest.mark.usefixtures("database")

EVERYWHERE = {"400", "401", "403", "429"}


@pytest.fixture
def document() -> dict[str, Any]:
    return api.program().get("/api/v1/openapi.json").json()


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(method, path, one) for path, methods in document["paths"].items() for method, one in methods.items()]


def references(value: object) -> set[str]:
    if isinstance(value, dict):
        found = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return found.union(*map(references, value.values()))
    return set().union(*map(references, value)) if isinstance(value, list) else set()


def test_document_names_every_operation_once(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    assert (document["info"]["title"], document["info"]["version"]) == ("Tansiq", "1")
    assert {(method, path, one["operationId"]) for method, path, one in operations(document)} == {
        ("get", "/api/v1/whois", "whois"),
        ("post", "/api/v1/whois", "whois_all"),
        ("get", "/api/v1/teams", "teams"),
        ("get", "/api/v1/teams/{code}", "team"),
        ("get", "/api/v1/teams/{code}/contacts", "contacts"),
        ("get", "/api/v1/teams/{code}/certificates", "certificates"),
        ("post", "/api/v1/teams/{code}/claims", "propose_claim"),
        ("get", "/api/v1/map", "map"),
        ("get", "/api/v1/exchange/links", "links"),
        ("get", "/api/v1/me", "me"),
    }


def test_document_says_of_every_operation_what_it_is_and_how_it_refuses(document: dict[str, Any]) -> None:
    tags = {tag["name"] for tag in document["tags"]}
    for _method, path, one in operations(document):
        assert one["summary"] and one["description"], path
        assert set(one["tags"]) <= tags and one["tags"], path
        assert set(one["responses"]) > EVERYWHERE, path
        for status, answer in one["responses"].items():
            shape = answer["content"]["application/json"]["schema"]
            assert answer["description"], path
            assert (shape == {"$ref": "#/components/schemas/Error"}) == (int(status) >= 400), (path, status)


def test_document_says_who_may_ask(document: dict[str, Any]) -> None:
    said = {one["operationId"]: one["security"] for _method, _path, one in operations(document)}

    reading = [{"Key": ["directory:read"]}, {"Session": []}, {}]
    writing = [{"Key": ["directory:write"]}, {"Session": []}]
    assert said.pop("propose_claim") == writing
    assert said.pop("me") == [{"Key": []}, {"Session": []}]
    assert said.pop("links") == [{"Key": ["exchange:read"]}, {"Session": []}]
    assert all(ways == reading for ways in said.values())
    schemes = document["components"]["securitySchemes"]
    assert (schemes["Key"]["type"], schemes["Key"]["scheme"]) == ("http", "bearer")
    assert (schemes["Session"]["type"], schemes["Session"]["in"]) == ("apiKey", "cookie")


def test_document_refers_to_what_it_has_and_names_every_part_of_a_path(document: dict[str, Any]) -> None:
    schemas = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}

    assert references(document) <= schemas
    for _method, path, one in operations(document):
        named = {row["name"] for row in one["parameters"] if row["in"] == "path"}
        assert named == set(re.findall(r"{(\w+)}", path))
        assert all(row["required"] for row in one["parameters"] if row["in"] == "path")
        assert len({(row["in"], row["name"]) for row in one["parameters"]}) == len(one["parameters"])


def test_document_is_served_as_it_is_to_everybody_and_not_twice(document: dict[str, Any]) -> None:
    client = api.program()

    first = client.get("/api/v1/openapi.json")
    again = client.get("/api/v1/openapi.json", headers={"if-none-match": first.headers["ETag"]})

    assert first.headers["Content-Type"].startswith("application/json")
    assert again.status_code == 304


GETS = (
    "/api/v1/whois",
    "/api/v1/teams",
    "/api/v1/teams/{code}",
    "/api/v1/teams/{code}/contacts",
    "/api/v1/teams/{code}/certificates",
    "/api/v1/map",
    "/api/v1/me",
)
NAMES = ("target", "search", "category", "country", "limit", "offset", "code", "page")
ANYTHING = st.one_of(
    st.text(max_size=60),
    st.sampled_from(["XA", "192.0.2.7", "::1", "AS0", "-1", "1e9", "9" * 30, "none", "full", "\x00", "‮", "[[]"]),
)


@pytest.fixture(scope="module")
def clients(_connected: None) -> Any:
    """A guest and a key, whose pace is not what is looked at here."""
    from django.db import transaction

    from tansiq.web.api.pace import PACE

    with transaction.atomic():
        api.registered()
        yield api.program(), api.program(api.key("XF-CERT", Scope.DIRECTORY_READ)), PACE
        transaction.set_rollback(True)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from(GETS),
    code=ANYTHING.filter(bool),
    wishes=st.dictionaries(st.sampled_from(NAMES), ANYTHING, max_size=4),
    language=st.sampled_from(["ar", "en", "fr", "xx", "*", ";q="]),
    known=st.booleans(),
)
def test_no_question_breaks_anything_and_every_refusal_has_one_shape(
    clients: Any, path: str, code: str, wishes: dict[str, str], language: str, known: bool
) -> None:
    from urllib.parse import quote

    guest, key, pace = clients
    pace.forget()

    asked = path.replace("{code}", quote(code, safe=""))
    answer = (key if known else guest).get(asked, wishes, headers={"accept-language": language})

    assert answer.status_code in (200, 400, 401, 404)
    assert answer.headers["Content-Type"].startswith("application/json")
    if answer.status_code != 200:
        assert set(answer.json()["error"]) == {"code", "message", "remedy"}
        assert all(isinstance(said, str) for said in answer.json()["error"].values())
