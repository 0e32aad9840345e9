from __future__ import annotations

import pytest

from tansiq.feeds.feed import Delimited, Feed, Sample
from tansiq.feeds.parse import sample_of
from tansiq.feeds.parsers.delimited import FEED, BadMapping, BadSeparator, BadZone, UnknownColumn, with_mapping


def report(text: str, name: str = "export.csv") -> Sample:
    return sample_of(text.encode(), name)


def shape_of(feed: Feed) -> Delimited:
    assert isinstance(feed.shape, Delimited)
    return feed.shape


@pytest.mark.parametrize(
    ("text", "separator"),
    [
        ("ip,port\n192.0.2.1,1\n", ","),
        ("ip;port\n192.0.2.1;1\n", ";"),
        ("ip\tport\n192.0.2.1\t1\n", "\t"),
        ("ip|port\n192.0.2.1|1\n", "|"),
    ],
)
def test_separator_is_told_by_the_report(text: str, separator: str) -> None:
    assert shape_of(FEED.fitted(report(text))).separator == separator


def test_separator_inside_quotes_is_not_counted() -> None:
    text = 'ip;note\n192.0.2.1;"a, b, c"\n192.0.2.2;"d, e, f"\n'

    assert shape_of(FEED.fitted(report(text))).separator == ";"


def test_header_line_is_left_to_the_reader() -> None:
    assert shape_of(FEED.fitted(report("Source IP,Port\n192.0.2.1,1\n"))).names == ()


def test_header_in_a_comment_names_the_columns() -> None:
    assert shape_of(FEED.fitted(report("# Host,Path\none.example,/a\n"))).names == ("Host", "Path")


def test_columns_without_names_are_told_by_their_content() -> None:
    text = "2026-01-01 00:00:00,x,192.0.2.1,one.example,AS64496\n2026-01-01 00:00:01,y,192.0.2.2,-,AS64496\n"

    names = shape_of(FEED.fitted(report(text))).names

    assert names == ("observed_at", "column_2", "ip", "hostname", "feed_asn")


def test_declared_mapping_names_columns_by_name_or_number() -> None:
    feed = with_mapping(FEED, {"ip": "Angreifer", "observed_at": "3"}, separator=";", zone="Asia/Riyadh")

    fitted = feed.fitted(report("Angreifer;Ziel;Wann\n192.0.2.1;198.51.100.1;2026-01-01 03:00:00\n"))

    assert fitted.zone == "Asia/Riyadh"
    assert shape_of(fitted).separator == ";"
    assert fitted.translate is not None
    assert fitted.translate.keywords["columns"] == {"ip": ("Angreifer",), "observed_at": ("Wann",)}  # type: ignore[attr-defined]


def test_declared_column_is_no_other_column_any_more() -> None:
    feed = with_mapping(FEED, {"tag": "host"})

    fitted = feed.fitted(report("ip,host\n192.0.2.1,x\n"))

    assert fitted.translate.keywords["columns"] == {"ip": ("ip",), "tag": ("host",)}  # type: ignore[union-attr]


def test_declared_report_is_never_held_to_be_another_feeds() -> None:
    feed = with_mapping(FEED, {"ip": "1"})

    assert feed.recognise(report("# nothing\n")) is not None


def test_fitting_twice_is_fitting_once() -> None:
    sample = report("ip;port\n192.0.2.1;1\n")
    once = FEED.fitted(sample)

    assert once.fitted(sample) == once


def test_mapping_to_something_unknown_is_refused_with_the_choice() -> None:
    with pytest.raises(BadMapping, match=r"because of address.*observed_at, ip"):
        with_mapping(FEED, {"address": "x"})


@pytest.mark.parametrize("separator", ["::", '"', "\n"])
def test_separator_that_is_no_single_character_is_refused(separator: str) -> None:
    with pytest.raises(BadSeparator):
        with_mapping(FEED, {}, separator=separator)


@pytest.mark.parametrize("text", ["\n\n", "# only a comment\n", "no table at all\nbut two lines\n"])
def test_report_that_is_no_table_is_not_recognised(text: str) -> None:
    assert FEED.recognise(report(text)) is None


def test_addresses_under_an_unknown_name_are_found() -> None:
    fitted = FEED.fitted(report("Angreifer,Bemerkung\n192.0.2.1,x\n192.0.2.2,y\n"))

    assert shape_of(fitted).names == ()
    assert fitted.translate.keywords["columns"] == {"ip": ("Angreifer",)}  # type: ignore[union-attr]


def test_mapping_without_a_column_is_refused() -> None:
    with pytest.raises(BadMapping):
        with_mapping(FEED, {"ip": ""})


def test_time_zone_that_nobody_knows_is_refused() -> None:
    with pytest.raises(BadZone, match="Asia/Nowhere"):
        with_mapping(FEED, {}, zone="Asia/Nowhere")


@pytest.mark.parametrize("column", ["sourceip", "4", "0"])
def test_declared_column_that_the_report_lacks_is_named_with_those_it_has(column: str) -> None:
    feed = with_mapping(FEED, {"ip": column})

    with pytest.raises(UnknownColumn, match=rf"export.csv has no column {column}\. Name one of ip, port, note"):
        feed.fitted(report("ip,port,note\n192.0.2.1,1,x\n"))


def test_columns_without_a_name_or_with_a_repeated_one_can_be_counted() -> None:
    feed = with_mapping(FEED, {"dst_ip": "2", "hostname": "4"})

    fitted = feed.fitted(report("ip,,x,x\n192.0.2.1,198.51.100.1,a,one.example\n"))

    columns = fitted.translate.keywords["columns"]  # type: ignore[union-attr]
    assert columns == {"ip": ("ip",), "dst_ip": ("column_2",), "hostname": ("x_",)}
