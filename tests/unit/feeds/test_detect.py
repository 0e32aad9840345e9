from __future__ import annotations

import pytest

from tansiq.core.rsit import CLASS_OF_TYPE
from tansiq.feeds.catalogue import ALL, FEEDS
from tansiq.feeds.detect import detect, looks_like
from tansiq.feeds.parse import sample_of
from tansiq.feeds.parsers.delimited import EVENT_COLUMNS

BENCH_HEADER = (
    "timestamp,severity,ip,protocol,port,asn,geo,region,city,hostname,naics,sector,tag,infection,family,"
    "dst_ip,dst_port,dst_asn,dst_geo,application,version,event_id"
)


def test_codes_of_feeds_are_unique() -> None:
    assert len(FEEDS) == len(ALL)


@pytest.mark.parametrize("feed", ALL, ids=lambda feed: feed.code)
def test_feed_says_all_that_the_documents_tell(feed: object) -> None:
    assert feed.title and feed.licence and feed.cadence_minutes > 0  # type: ignore[attr-defined]
    assert feed.rsit_type in CLASS_OF_TYPE  # type: ignore[attr-defined]
    assert set(feed.columns) <= set(EVENT_COLUMNS)  # type: ignore[attr-defined]
    assert set(feed.sure) <= set(EVENT_COLUMNS)  # type: ignore[attr-defined]
    assert feed.tlp in ("TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED")  # type: ignore[attr-defined]


def test_header_of_shadowserver_is_enough_whatever_the_file_is_called() -> None:
    found = detect(sample_of(BENCH_HEADER.encode() + b"\n", "events.csv"))

    assert found[0][0] == "shadowserver"
    assert found[0][1].percent >= 90
    assert found[0][1].why


@pytest.mark.parametrize("text", ["a letter\nof some lines\n", "\n\n", "<html><body>503</body></html>\n"])
def test_report_of_nobody_is_not_recognised(text: str) -> None:
    assert detect(sample_of(text.encode(), "a.txt")) == []


def test_likelier_feeds_come_first() -> None:
    found = detect(sample_of(BENCH_HEADER.encode() + b"\n", "scan_rdp.csv"))

    assert [evidence.percent for _, evidence in found] == sorted((e.percent for _, e in found), reverse=True)
    assert len(found) > 1


def test_report_looks_like_its_own_feed_and_not_like_another() -> None:
    sample = sample_of(BENCH_HEADER.encode() + b"\n", "events.csv")

    assert looks_like(FEEDS["shadowserver"], sample)
    assert looks_like(FEEDS["csv"], sample)
    assert not looks_like(FEEDS["xarf"], sample)
    assert not looks_like(FEEDS["plain"], sample)


@pytest.mark.parametrize(
    "header",
    [
        "timestamp,ip,port,protocol,asn,geo,tag",
        "Timestamp,IP,Port,ASN,Geo,Tag",
        "detection_time,src_ip,src_port,asn,tag,severity",
    ],
)
def test_header_of_shadowserver_with_missing_or_renamed_columns_is_still_told(header: str) -> None:
    assert detect(sample_of(header.encode() + b"\n", "a.csv"))[0][0] == "shadowserver"
