from __future__ import annotations

import json

import pytest

from tansiq.feeds.feed import Document, JsonLines, Refused
from tansiq.feeds.parse import sample_of
from tansiq.feeds.parsers import intelmq, jsonl, misp
from tansiq.feeds.parsers.json_records import TEXT_CHARACTERS, flat, objects


@pytest.mark.parametrize("data", [b"", b"{", b"[" * 100_000, b"\xff\xfe{", b'{"a":'])
def test_document_that_is_no_json_is_one_refused_record(data: bytes) -> None:
    found = list(objects(data))

    assert [type(item) for item in found] == [Refused]
    assert found[0].reason == "json.invalid"


def test_things_in_an_array_that_are_no_objects_are_refused() -> None:
    found = list(objects(b'[{"a":1}, 2, "b", null]'))

    assert [item.reason if isinstance(item, Refused) else item for item in found] == [{"a": 1}, *["record.invalid"] * 3]


def test_nested_members_are_named_by_their_path() -> None:
    item = {"a": {"b": {"c": 1}}, "d": [1, "é"], "e": None, "f": "", "g": True}

    assert flat(item) == {"a.b.c": "1", "d": '[1, "é"]', "e": None, "f": None, "g": "true"}


def test_long_text_is_cut() -> None:
    found = flat({"a": "x" * (TEXT_CHARACTERS + 1)})["a"]

    assert found == "x" * TEXT_CHARACTERS + "…"


def test_lone_surrogate_does_not_spoil_the_record() -> None:
    (item,) = objects(b'{"a":"\\ud800"}')

    assert flat(item) == {"a": "?"}


def test_json_lines_are_looked_into_only_where_the_sample_has_keys() -> None:
    line = json.dumps({"src_ip": "192.0.2.1", "x": 1, "dst": {"ip": "198.51.100.1"}})

    shape = jsonl.FEED.fitted(sample_of(line.encode() + b"\n", "a.jsonl")).shape

    assert isinstance(shape, JsonLines)
    assert shape.paths == {"ip/0": "$['src_ip']", "dst_ip/0": "$['dst']['ip']"}


@pytest.mark.parametrize("text", ['[\n{"ip":"192.0.2.1"}\n]', '{\n"events": []\n}'])
def test_json_document_is_read_as_one(text: str) -> None:
    assert isinstance(jsonl.FEED.fitted(sample_of(text.encode(), "a.json")).shape, Document)


def test_intelmq_keys_are_looked_for_flat_or_nested_as_the_sample_has_them() -> None:
    flat_keys = intelmq.FEED.fitted(sample_of(b'{"source.ip":"192.0.2.1"}\n', "a")).shape
    nested = intelmq.FEED.fitted(sample_of(b'{"source":{"ip":"192.0.2.1"}}\n', "a")).shape

    assert isinstance(flat_keys, JsonLines)
    assert isinstance(nested, JsonLines)
    assert flat_keys.paths["source.ip"] == "$['source.ip']"
    assert nested.paths["source.ip"] == "$['source']['ip']"


def test_misp_attribute_of_two_parts_gives_both() -> None:
    item = {"type": "domain|ip", "category": "Network activity", "value": "c2.example|192.0.2.1"}

    found = misp.attribute(item, {})

    assert isinstance(found, dict)
    assert (found["hostname"], found["ip"], found["rsit_type"]) == ("c2.example", "192.0.2.1", "c2-server")


@pytest.mark.parametrize(
    "data",
    [
        b'{"response":[{"Event":{"info":"x","Attribute":[{"type":"ip-src","value":"192.0.2.1"}]}}]}',
        b'{"Event":{"info":"x","Attribute":[{"type":"ip-src","value":"192.0.2.1"}]}}',
    ],
)
def test_misp_events_are_found_in_every_wrapping(data: bytes) -> None:
    (found,) = misp.records(data)

    assert isinstance(found, dict)
    assert found["ip"] == "192.0.2.1"
