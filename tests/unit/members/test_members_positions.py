"""Lines of values in a TOML document."""

from __future__ import annotations

import pytest

from tansiq.members.positions import nearest, rows


@pytest.mark.parametrize(
    ("document", "path", "row"),
    [
        ("a = 1\nb = 2", ("b",), 2),
        ("# [x]\n\n[t]\r\na.b = 1", ("t", "a", "b"), 4),
        ("[[t]]\n[[t]]\nv = 1", ("t", 1, "v"), 3),
        ("[[t]]\n[t.s]\nv = 1\n[[t.l]]\n[[t.l]]\nw = 1", ("t", 0, "l", 1, "w"), 6),
        ('a = [\n  1, # ], 2\n  "x]",\n  [\n3,4]]', ("a", 2, 1), 5),
        ('a = """\none\n\\""" two""""\nb = 1', ("b",), 4),
        ("a = '''\n' ''\n'''\nb = { c = 'd}', e = 1 }", ("b", "e"), 4),
        ('"a b" . \'c"\' = 1\n"\\u0041" = 2', ("A",), 2),
        ('"a b" . \'c"\' = 1', ("a b", 'c"'), 1),
        ("a = 1979-05-27 07:32:00 # when\nb = -inf", ("b",), 2),
    ],
)
def test_rows_of_value_is_the_line_it_starts_on(document: str, path: tuple[str | int, ...], row: int) -> None:
    assert rows(document)[path] == row


def test_nearest_of_missing_value_is_what_is_around_it() -> None:
    known = rows("\n[[t]]\na = 1\n")

    assert nearest(("t", 0, "missing", 3), known) == 2


def test_nearest_of_nothing_known_is_none() -> None:
    assert nearest(("t",), {}) is None
