from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from tansiq.core.columns import STORED
from tansiq.core.rsit import TYPES_OF_CLASS
from tansiq.notices.kinds import ADVICE, CLASSES, SEVERITIES, TYPES
from tansiq.notices.summary import TOP, Kind, Subject, Top, Way, summarise

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def events(*rows: dict[str, Any]) -> pl.LazyFrame:
    usual = {
        "rsit_class": "malicious-code",
        "rsit_type": "infected-system",
        "feed": "sinkhole",
        "severity": "high",
        "ip": "192.0.2.7",
        "count": 1,
        "first_seen": NOON,
        "last_seen": NOON,
        "attributed_by": "cidr",
        "confidence_percent": 95,
    }
    return pl.LazyFrame([usual | row for row in rows], schema=STORED)


def test_summary_of_no_events_is_empty() -> None:
    found = summarise(events())

    assert (found.events, found.sightings, found.addresses) == (0, 0, 0)
    assert (found.kinds, found.subjects, found.malware, found.networks, found.ways) == ((), (), (), (), ())
    assert found.by_severity() == {}


def test_summary_of_one_kind_counts_events_sightings_and_distinct_addresses() -> None:
    later = NOON + timedelta(hours=3)

    found = summarise(
        events({"count": 3}, {"count": 2, "port": 23, "last_seen": later}, {"ip": None, "hostname": "www.gov.example"})
    )

    assert (found.events, found.sightings, found.addresses) == (3, 6, 1)
    assert found.kinds == (Kind("malicious-code", "infected-system", "sinkhole", "high", 3, 6, 1, NOON, later),)


def test_summary_puts_the_worst_severity_first_then_the_most_events() -> None:
    found = summarise(
        events(
            *[{"severity": "low"}] * 5,
            {"severity": None},
            {"severity": "info"},
            {"severity": "critical"},
            *[{"severity": "high", "rsit_type": "c2-server"}] * 2,
            {"severity": "high"},
            {"severity": "medium"},
        )
    )

    order = [(kind.severity, kind.rsit_type, kind.events) for kind in found.kinds]
    assert order == [
        ("critical", "infected-system", 1),
        ("high", "c2-server", 2),
        ("high", "infected-system", 1),
        ("medium", "infected-system", 1),
        ("low", "infected-system", 5),
        ("info", "infected-system", 1),
        ("", "infected-system", 1),
    ]
    assert list(found.by_severity().items()) == [
        ("critical", 1),
        ("high", 3),
        ("medium", 1),
        ("low", 5),
        ("info", 1),
        ("", 1),
    ]


def test_summary_with_a_severity_nobody_knows_counts_it_as_not_stated() -> None:
    found = summarise(events({"severity": "catastrophic"}, {"severity": "low"}))

    assert [kind.severity for kind in found.kinds] == ["low", "catastrophic"]
    assert found.by_severity() == {"low": 1, "": 1}


def test_summary_lists_the_subjects_to_look_at_first() -> None:
    found = summarise(
        events(
            {"ip": "192.0.2.1", "severity": "low", "count": 900},
            {"ip": "192.0.2.2", "count": 1, "malware": "mirai"},
            {"ip": None, "hostname": "www.gov.example", "count": 2},
            {"ip": None, "url": "http://gov.example/", "count": 3},
            {"ip": None},
        )
    )

    assert found.subjects == (
        Subject("http://gov.example/", "malicious-code", "infected-system", "high", "", 1, 3),
        Subject("www.gov.example", "malicious-code", "infected-system", "high", "", 1, 2),
        Subject("192.0.2.2", "malicious-code", "infected-system", "high", "mirai", 1, 1),
        Subject("192.0.2.1", "malicious-code", "infected-system", "low", "", 1, 900),
    )


def test_summary_of_many_subjects_keeps_the_first_ten() -> None:
    found = summarise(events(*({"ip": f"192.0.2.{n}", "count": n} for n in range(1, 30))))

    assert [subject.subject for subject in found.subjects] == [f"192.0.2.{n}" for n in range(29, 29 - TOP, -1)]


def test_summary_ranks_malware_networks_and_ways_by_events() -> None:
    found = summarise(
        events(
            {"malware": "mirai", "asn": 64496, "as_name": "EXAMPLE-NET"},
            {"malware": "mirai", "asn": 64497, "ip": "192.0.2.8"},
            {"malware": "qakbot", "asn": 64496, "as_name": "EXAMPLE-NET"},
            {"asn": 0, "attributed_by": "country", "confidence_percent": 60},
            {"attributed_by": "country", "confidence_percent": 40},
        )
    )

    assert found.malware == (Top("mirai", "", 2, 2), Top("qakbot", "", 1, 1))
    assert found.networks == (Top("AS64496", "EXAMPLE-NET", 2, 1), Top("AS64497", "", 1, 1))
    assert found.ways == (Way("cidr", 3, 95), Way("country", 2, 50))


def test_words_exist_for_every_class_and_type_of_the_taxonomy() -> None:
    assert set(CLASSES) == set(TYPES_OF_CLASS)
    assert set(TYPES) == {type_ for types in TYPES_OF_CLASS.values() for type_ in types}
    assert set(ADVICE) == set(CLASSES) - {"test"}
    assert list(SEVERITIES) == ["critical", "high", "medium", "low", "info", ""]
