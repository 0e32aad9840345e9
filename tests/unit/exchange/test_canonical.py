"""Canonical JSON written and hostile JSON refused: sections 1.1 to 1.4."""

from __future__ import annotations

import contextlib
import time
import tracemalloc
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from tansiq.exchange import canonical, values
from tansiq.exchange.canonical import BODY_LIMIT_BYTES
from tansiq.exchange.values import Unfit


def test_write_orders_names_by_utf16_as_rfc_8785_does() -> None:
    """RFC 8785 section 3.2.3 gives these names and this order."""
    value = {
        "\u20ac": "Euro Sign",
        "\r": "Carriage Return",
        "\ufb33": "Hebrew Letter Dalet With Dagesh",
        "1": "One",
        "\U0001f600": "Emoji: Grinning Face",
        "\u0080": "Control",
        "\u00f6": "Latin Small Letter O With Diaeresis",
    }

    written = canonical.write(value)

    assert list(canonical.read(written.encode()).values()) == [
        "Carriage Return",
        "One",
        "Control",
        "Latin Small Letter O With Diaeresis",
        "Euro Sign",
        "Emoji: Grinning Face",
        "Hebrew Letter Dalet With Dagesh",
    ]


def test_write_escapes_as_rfc_8785_does() -> None:
    """RFC 8785 section 3.2.2.2: the text of its example."""
    text = "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/"

    assert canonical.write(text) == '"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"'
    assert canonical.write("\b\t\n\f\r\x7f\u2028") == '"\\b\\t\\n\\f\\r\x7f\u2028"'


def test_write_leaves_no_space_and_knows_all_values() -> None:
    assert canonical.write({"b": [True, False, None, -1, 2**53 - 1], "a": {}}) == (
        '{"a":{},"b":[true,false,null,-1,9007199254740991]}'
    )


@pytest.mark.parametrize(
    "value", [1.0, 2**53, -(2**53), "\ud800", {"\udfff": 1}, {1: 1}, b"", float("nan"), datetime.now(UTC), {1, 2}]
)
def test_write_what_nobody_may_read_is_the_callers_fault(value: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        canonical.write([value])


def test_write_deeper_than_32_is_the_callers_fault() -> None:
    deepest: Any = []
    for _ in range(31):
        deepest = [deepest]

    assert canonical.write(deepest) == "[" * 32 + "]" * 32
    with pytest.raises(ValueError, match="deeper"):
        canonical.write([deepest])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b" [ 1 , -0 , true ] \r\n\t", [1, 0, True]),
        (b'"\\ud83d\\ude00\\/"', "😀/"),
        (b"[" * 32 + b"]" * 32, None),
        (b'"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\"[["', "[" * 40 + '"[['),
        (b"-9007199254740991", -(2**53 - 1)),
    ],
)
def test_read_json_that_obeys_is_what_it_says(text: bytes, value: Any) -> None:
    read = canonical.read(text)

    assert value is None or read == value


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b" ",
        b"\xef\xbb\xbf1",
        "1".encode("utf-16"),
        b"\xc0\x80",
        b'"\xed\xa0\x80"',  # half of a surrogate pair in UTF-8
        b'"\\ud83d"',
        b'["\\udc00\\ud800"]',
        b'{"\\ud800":1}',
        b'{"a":1,"b":2,"a":3}',
        b'{"a":1,"\\u0061":3}',
        b"1.0",
        b"1e3",
        b"-",
        b"01",
        b"+1",
        b"9007199254740992",
        b"-9007199254740992",
        b"1" * 10_000,
        b"NaN",
        b"-Infinity",
        b"1 1",
        b"{} ,",
        b'"\x01"',
        b'"a',
        b'"\\"',
        b'"\\x41"',
        b"[1,]",
        b"{a:1}",
        b"'a'",
        b"\x0b1",
        "٣".encode(),
        "\u00a01".encode(),
        b"[" * 33 + b"]" * 33,
        b"[" * 400_000,
        b'{"a":' * 100_000,
        b'"' + b"a" * BODY_LIMIT_BYTES + b'"',
        b"[" + b"]" * 100,
    ],
    ids=lambda text: repr(text[:24]),
)
def test_read_hostile_json_is_unfit(text: bytes) -> None:
    with pytest.raises(Unfit):
        canonical.read(text)


@pytest.mark.parametrize(
    "text",
    [
        b'["' + b'\\"' * 250_000,
        b'"' * 500_001,
        b'"\\' * 250_000,
        b"[" + b'"a",' * 100_000 + b'"',
        b"[" + b"1" * 500_000 + b"]",
        b"[" + b'{"":0},' * 74_000 + b"0]",
        b"[" + b"[]," * 170_000 + b"0]",
        b"[" + b"0," * 250_000 + b"0]",
        b'["' + "\U0001f600".encode() * 130_000 + b'"]',
        b'["' + b"\\ud83d\\ude00" * 43_000 + b'"]',
    ],
    ids=lambda text: repr(text[:24]),
)
def test_read_worst_texts_of_the_limit_take_little_time_and_memory(text: bytes) -> None:
    assert len(text) <= BODY_LIMIT_BYTES + 2000
    tracemalloc.start()
    began = time.process_time()

    with contextlib.suppress(Unfit):
        canonical.read_canonical(text)
    taken_seconds = time.process_time() - began
    _, most_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert most_bytes < 64 * BODY_LIMIT_BYTES
    assert taken_seconds < 5


def test_read_canonical_takes_no_other_text() -> None:
    assert canonical.read_canonical(b'{"a":1}') == {"a": 1}
    for other in (b'{"a": 1}', b'{"b":1,"a":1}', b'"\\/"', b'"\\u00E9"', b"-0", b'{"a":1}\n'):
        with pytest.raises(Unfit):
            canonical.read_canonical(other)


def test_length_prefixed_gives_no_two_lists_the_same_bytes() -> None:
    encoded = values.length_prefixed("t", "ab", 12, b"\xff")

    assert encoded == b"t\0" + bytes(7) + b"\x02ab" + bytes(7) + b"\x0212" + bytes(7) + b"\x01\xff"
    assert values.length_prefixed("t", "a", "b") != values.length_prefixed("t", "ab", "")
    assert values.length_prefixed("t") != values.length_prefixed("t", "")


def test_write_time_is_utc_and_cut_to_milliseconds() -> None:
    moment = datetime(2026, 3, 1, 2, 0, 0, 999_999, tzinfo=timezone(timedelta(hours=3)))

    assert values.write_time(moment) == "2026-02-28T23:00:00.999Z"
    assert values.read_time("2026-02-28T23:00:00.999Z") == values.whole_milliseconds(moment)
    assert values.write_time(values.read_time("0026-02-28T23:00:00.001Z")) == "0026-02-28T23:00:00.001Z"
    with pytest.raises(ValueError, match="zone"):
        values.write_time(datetime(2026, 3, 1))


@pytest.mark.parametrize("text", ["2026-02-28T23:00:00Z", "2026-02-28 23:00:00.000Z", "2026-02-28T24:00:00.000Z", ""])
def test_read_time_takes_one_form(text: str) -> None:
    with pytest.raises(Unfit):
        values.read_time(text)


@pytest.mark.parametrize("text", ["AA==", "A", "AB", "A+", "A\n", "é"])
def test_read_bytes_takes_the_canonical_form_only(text: str) -> None:
    assert values.read_bytes("AA") == b"\0"
    with pytest.raises(Unfit):
        values.read_bytes(text)


def test_new_id_is_a_uuid_of_version_7_in_order_of_time() -> None:
    first, second = (values.new_id(datetime(2026, 3, 1, 0, 0, second, tzinfo=UTC)) for second in (0, 1))

    assert values.UUID7.fullmatch(first)
    assert first < second


def test_new_incarnation_has_its_number() -> None:
    assert values.incarnation_number(values.new_incarnation(12)) == 12
    for bad in ("0-abcdefghijklmnop", "1-ABCDEFGHIJKLMNOP", "1-abcdefghijklmno0", "1-abc", ""):
        with pytest.raises(Unfit):
            values.incarnation_number(bad)
