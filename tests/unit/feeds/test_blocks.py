from __future__ import annotations

import io
from itertools import accumulate

import pytest

from tansiq.feeds.reading import blocks as blocks_module
from tansiq.feeds.reading.blocks import Block, Transcoded, blocks


def lines_of(data: bytes) -> list[str]:
    return Block(1, data).lines()["line"].to_list()


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"a\nb\n", ["a", "b"]),
        (b"a\r\nb\r\n", ["a", "b"]),
        (b"a\n\n\nb", ["a", "", "", "b"]),
        (b"\n\n", ["", ""]),
        (b"\xef\xbb\xbfa\n", ["a"]),
        (b"a\0b\n\0\n", ["ab", ""]),
        (b"a\x0bb\x0cc\x1cd\xc2\x85e\n", ["a\x0bb\x0cc\x1cd\x85e"]),
        ("مرحبا\n".encode(), ["مرحبا"]),
        (b"caf\xe9\nna\xc3\xafve\n", ["café", "naïve"]),
    ],
    ids=[
        "lf",
        "crlf",
        "no last end",
        "blank",
        "byte order mark",
        "nul",
        "no other line ends",
        "arabic",
        "windows-1252",
    ],
)
def test_lines_of_a_block_are_its_physical_lines(data: bytes, expected: list[str]) -> None:
    block = Block(1, data)

    lines = block.lines()

    assert lines["line"].to_list() == expected
    assert lines["line_number"].to_list() == list(range(1, len(expected) + 1))
    assert block.line_count == len(expected)


def test_byte_order_mark_later_than_the_first_line_is_kept() -> None:
    lines = Block(7, b"\xef\xbb\xbfa\n").lines()

    assert lines.rows() == [(7, "\ufeffa")]


def test_raw_is_the_line_as_received() -> None:
    block = Block(5, b"first\r\ncaf\xe9\0\nlast")

    assert [block.raw(number) for number in (5, 6, 7)] == [b"first", b"caf\xe9\0", b"last"]


@pytest.mark.parametrize("block_bytes", [1, 2, 3, 7, 100])
def test_blocks_of_any_size_hold_the_same_lines(block_bytes: int) -> None:
    data = b"one\ntwo\n\nthree\r\nfour"

    found = list(blocks(io.BytesIO(data), block_bytes=block_bytes))

    assert b"".join(block.data for block in found) == data
    assert all(block.data.endswith(b"\n") for block in found[:-1])
    assert [block.first_line for block in found] == list(accumulate((b.line_count for b in found[:-1]), initial=1))
    assert found[-1].end_line == 6


def test_line_beyond_the_limit_is_set_aside_and_the_next_lines_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks_module, "LINE_LIMIT_BYTES", 100)
    monkeypatch.setattr(blocks_module, "KEPT_BYTES", 10)
    data = b"before\n" + b"x" * 10_000 + b"\nafter\n"

    found = list(blocks(io.BytesIO(data), block_bytes=64))

    assert [(b.first_line, b.data, b.oversized) for b in found if b.oversized] == [(1, b"before\n", {2: b"x" * 10})]
    assert found[-1].first_line == 3
    assert found[-1].data == b"after\n"


def test_utf16_is_read_as_utf8_line_by_line() -> None:
    stream = Transcoded(io.BytesIO("ا,b\nc,d\n".encode("utf-16")))

    found = list(blocks(stream, block_bytes=4))

    assert b"".join(block.data for block in found).decode() == "ا,b\nc,d\n"
    assert sum(block.line_count for block in found) == 2
