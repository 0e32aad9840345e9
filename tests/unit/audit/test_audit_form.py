"""What may stand in a row, and what may not."""

from __future__ import annotations

from datetime import UTC, date, datetime
from types import SimpleNamespace

import pytest

from tansiq.audit import form
from tansiq.core.viewer import Role


@pytest.mark.parametrize(
    "value",
    [
        "XA-CERT", "P-4F7K2M", "192.0.2.0/24", "2001:db8::/32", "::1/128", "AS64496", "gov.example", "a" * 64,
        "system:digest", "key:XA-CERT/siem", "7C1F09AB", "2026-03-01T12:00:00+00:00",
    ],
)  # fmt: skip
def test_code_of_an_identifier_passes_as_it_is(value: str) -> None:
    assert form.code("it", value) == value


@pytest.mark.parametrize(
    "value",
    [
        "", "amina@cert.example", "Amina Haddad", "أمينة", "line\nbreak", "trailing\n", "-rf", "+33123456789",
        "a" * 201, "tab\there", "nul\x00", "<amina>", "éa",
    ],
)  # fmt: skip
def test_code_of_people_and_sentences_is_refused_without_quoting_them(value: str) -> None:
    with pytest.raises(form.NotRecordable) as refused:
        form.code("it", value)

    assert not value.strip("-+a\n") or value not in str(refused.value)


@pytest.mark.parametrize("value", ["recorded", "Team.changed", "team.", ".changed", "team changed", "team.é", ""])
def test_verb_without_dot_or_form_is_refused(value: str) -> None:
    with pytest.raises(form.NotRecordable):
        form.verb(value)


def test_facts_are_json_of_one_form() -> None:
    values = {
        "team": "XA-CERT",
        "count": 3,
        "verified": True,
        "role": Role.HEAD,
        "none": None,
        "empty": "",
        "on": date(2026, 3, 1),
        "at": datetime(2026, 3, 1, 12, tzinfo=UTC),
        "codes": {"b", "a"},
        "numbers": (2, 1),
    }

    assert form.facts(values) == (
        '{"at":"2026-03-01T12:00:00.000000Z","codes":["a","b"],"count":3,"empty":"","none":null,'
        '"numbers":[2,1],"on":"2026-03-01","role":"head","team":"XA-CERT","verified":true}'
    )


@pytest.mark.parametrize(
    "value",
    [
        "amina@cert.example", "two words", 1.5, b"bytes", {"nested": 1}, [["deep"]], ["two words"], 2**63,
        list(range(1001)), datetime(2026, 3, 1, 12),
    ],
)  # fmt: skip
def test_facts_of_anything_else_are_refused(value: object) -> None:
    with pytest.raises(ValueError):
        form.facts({"it": value})


def test_item_of_a_pair_is_the_pair() -> None:
    assert form.item(("contact", 7)) == ("contact", "7")


def test_item_of_a_stored_object_is_its_model_and_code() -> None:
    team = SimpleNamespace(_meta=SimpleNamespace(model_name="team"), code="XA-CERT", pk=4)
    contact = SimpleNamespace(_meta=SimpleNamespace(model_name="contact"), pk=7)

    assert (form.item(team), form.item(contact)) == (("team", "XA-CERT"), ("contact", "7"))


def test_item_not_stored_yet_is_refused() -> None:
    with pytest.raises(form.NotRecordable, match="neither code nor primary key"):
        form.item(SimpleNamespace(_meta=SimpleNamespace(model_name="contact"), pk=None))


def test_item_whose_id_is_an_address_of_mail_is_refused() -> None:
    with pytest.raises(form.NotRecordable):
        form.item(("person", "amina@cert.example"))


def test_reason_longer_than_a_page_is_refused() -> None:
    with pytest.raises(form.NotRecordable):
        form.reason("x" * 2001)
