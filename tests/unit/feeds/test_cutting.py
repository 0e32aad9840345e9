from __future__ import annotations

import polars as pl
import pytest

from tansiq.feeds.feed import Delimited, JsonLines, Plain
from tansiq.feeds.reading.blocks import Block
from tansiq.feeds.reading.cutting import cut, header_names

ABC = ("a", "b", "c")


def cut_one(line: str, shape: Delimited | None = None) -> tuple[object, ...] | str:
    found = cut(Block(1, line.encode()), shape or Delimited(), ABC)
    assert found.columns.height + found.refused.height + found.blank == 1
    return found.columns.row(0)[1:] if found.columns.height else found.refused["reason"].item()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('"1","2","3"', ("1", "2", "3")),
        ("1,2,3", ("1", "2", "3")),
        ('1,"2,5",3', ("1", "2,5", "3")),
        ('"1","","3"', ("1", None, "3")),
        (",,", (None, None, None)),
        ('"1","say ""hi""","3"', ("1", 'say "hi"', "3")),
        ('"1","a"",""b","3"', ("1", 'a","b', "3")),
        ('5" disk,6" disk,x', ('5" disk', '6" disk', "x")),
        ('"é","ا","3"', ("é", "ا", "3")),
        ('"1","2"', "fields.missing"),
        ("1,2", "fields.missing"),
        ('"1","2","3","4"', "fields.extra"),
        ("1,2,3,4", "fields.extra"),
        ('"1","2,"3"', "quote.unbalanced"),
        ('"1","2","3', "quote.unbalanced"),
        ('"1"x,"2","3"', "quote.unbalanced"),
    ],
)
def test_delimited_line_is_cut_or_refused_with_its_reason(line: str, expected: object) -> None:
    assert cut_one(line) == expected


def test_one_stray_quote_spoils_its_own_line_only() -> None:
    good = b'"192.0.2.1","tcp","80"\n'
    data = good * 10_000 + b'"192.0.2.2","tcp,"80"\n' + good * 10_000

    found = cut(Block(1, data), Delimited(), ABC)

    assert found.columns.height == 20_000
    assert found.refused.rows() == [(10_001, "quote.unbalanced")]


def test_lines_cut_in_different_ways_keep_their_order() -> None:
    data = b'1,2,3\n"4","5","6"\n7,"8,",9\n\n"10","11","12"\n'

    found = cut(Block(1, data), Delimited(), ABC)

    assert found.columns.rows() == [
        (1, "1", "2", "3"),
        (2, "4", "5", "6"),
        (3, "7", "8,", "9"),
        (5, "10", "11", "12"),
    ]
    assert found.blank == 1


def test_comment_is_no_record_only_where_the_feed_has_comments() -> None:
    with_comments = cut(Block(1, b" # said aside\n1,2,3\n"), Delimited(comments=("#",)), ABC)
    without = cut(Block(1, b"# garbage\n1,2,3\n"), Delimited(), ABC)

    assert (with_comments.blank, with_comments.refused.height) == (1, 0)
    assert (without.blank, without.refused.rows()) == (0, [(1, "fields.missing")])


@pytest.mark.parametrize(("separator", "line"), [("\t", "1\t2,5\t3"), ("|", '1|"2|5"|3'), (";", "1;2,5;3")])
def test_other_separators_are_cut_alike(separator: str, line: str) -> None:
    cells = cut_one(line, Delimited(separator=separator))

    assert cells == ("1", line.split(separator, 1)[1].rsplit(separator, 1)[0].strip('"'), "3")


def test_header_names_are_unique_and_never_empty() -> None:
    names = header_names('"ip", port,,ip,"line_number"', Delimited())

    assert names == ["ip", "port", "column_3", "ip_", "line_number_"]


def test_plain_line_keeps_its_note_apart() -> None:
    found = cut(Block(1, b"# list\n192.0.2.1  # mail server\nhttp://x.example/#part\n\n2001:db8::1 ; v6\n"), Plain())

    assert found.columns.rows() == [
        (2, "192.0.2.1", "mail server"),
        (3, "http://x.example/#part", None),
        (5, "2001:db8::1", "v6"),
    ]
    assert found.blank == 2


def test_json_lines_give_named_members_and_refuse_what_is_no_object() -> None:
    shape = JsonLines({"ip": "$.ip", "port": "$.at.port", "dotted": "$['source.ip']"})
    data = b'{"ip":"192.0.2.1","at":{"port":80}}\n{"ip":\n[1]\n\n{"source.ip":"192.0.2.2","ip":null}\n'

    found = cut(Block(1, data), shape)

    assert found.columns.select("line_number", "ip", "port", "dotted").rows() == [
        (1, "192.0.2.1", "80", None),
        (5, None, None, "192.0.2.2"),
    ]
    assert found.refused.rows() == [(2, "json.invalid"), (3, "json.invalid")]
    assert found.blank == 1


def test_json_lines_whose_members_change_their_kind_are_still_read() -> None:
    data = b'{"ip":"192.0.2.1","tag":"x"}\n{"ip":"192.0.2.2","tag":{"deep":[1]}}\n'

    found = cut(Block(1, data), JsonLines({"ip": "$.ip", "tag": "$.tag"}))

    assert found.columns["ip"].to_list() == ["192.0.2.1", "192.0.2.2"]
    assert found.columns.get_column("tag").dtype == pl.String
