from __future__ import annotations

from typing import Any

import pytest

from tansiq.core.rsit import CLASS_OF_TYPE
from tansiq.feeds.feed import Refused
from tansiq.feeds.parsers.xarf import PAYLOAD_CHARACTERS, RSIT3, RSIT4, record
from tansiq.feeds.parsers.xarf_checks import KINDS3, TYPES4, wrong3, wrong4


def version_3(**changes: Any) -> dict[str, Any]:
    report = {
        "ReportClass": "Activity",
        "ReportType": "Spam",
        "Date": "2026-01-01T00:00:00Z",
        "SourceIp": "192.0.2.1",
        "SourcePort": 25,
    }
    reporter = {"ReporterOrg": "XA-CERT", "ReporterOrgDomain": "xa.example", "ReporterOrgEmail": "abuse@xa.example"}
    merged = {name: value for name, value in (report | changes).items() if value is not ...}
    return {"Version": "3", "ReporterInfo": reporter, "Disclosure": True, "Report": merged}


def version_4(**changes: Any) -> dict[str, Any]:
    who = {"org": "XA-CERT", "contact": "abuse@xa.example", "domain": "xa.example"}
    item = {
        "xarf_version": "4.2.0",
        "report_id": "00000000-0000-4000-8000-000000000001",
        "timestamp": "2026-01-01T00:00:00Z",
        "reporter": who,
        "sender": who,
        "source_identifier": "192.0.2.1",
        "category": "connection",
        "type": "port_scan",
    }
    return {name: value for name, value in (item | changes).items() if value is not ...}


def test_right_reports_have_nothing_wrong() -> None:
    assert wrong3(version_3()) is None
    assert wrong4(version_4()) is None


@pytest.mark.parametrize(
    ("changes", "member"),
    [
        ({"Date": ...}, "Date"),
        ({"Date": "yesterday"}, "Date"),
        ({"SourceIp": "not an address"}, "SourceIp"),
        ({"SourceIp": ...}, "SourceIp"),
        ({"SourcePort": 0}, "SourcePort"),
        ({"SourcePort": True}, "SourcePort"),
        ({"DestinationPort": 70000}, "DestinationPort"),
        ({"ReportClass": "Meh"}, "ReportClass"),
        ({"ReportType": 5}, "ReportType"),
        ({"ReportType": "OpenService"}, "ReportType"),
        ({"SmtpMailFromAddress": "nobody"}, "SmtpMailFromAddress"),
        ({"ByteCount": -1}, "ByteCount"),
        ({"Samples": {}}, "Samples"),
        ({"Samples": [{"Payload": "x"}]}, "Samples"),
        ({"Custom": {"a": [1]}}, "Custom"),
        ({"Custom": {"a": {"b": 1}}}, "Custom"),
        ({"RpzDomain": "not a name"}, "RpzDomain"),
        ({"ReporterSeverity": "Rare"}, "ReporterSeverity"),
    ],
)
def test_wrong_member_of_version_3_is_named(changes: dict[str, Any], member: str) -> None:
    assert wrong3(version_3(**changes)) == member


@pytest.mark.parametrize(
    ("changes", "member"),
    [
        *(
            ({name: ...}, name)
            for name in ("report_id", "timestamp", "reporter", "sender", "source_identifier", "type")
        ),
        ({"xarf_version": "3.0.0"}, "xarf_version"),
        ({"report_id": "1"}, "report_id"),
        ({"category": "nothing"}, "category"),
        ({"category": ["connection"]}, "category"),
        ({"type": "phishing"}, "type"),
        ({"source_port": 0}, "source_port"),
        ({"reporter": {"org": "XA-CERT"}}, "reporter"),
        ({"evidence": [{"payload": "x"}]}, "evidence"),
        ({"tags": ["no namespace"]}, "tags"),
        ({"confidence": 2}, "confidence"),
    ],
)
def test_wrong_member_of_version_4_is_named(changes: dict[str, Any], member: str) -> None:
    assert wrong4(version_4(**changes)) == member


@pytest.mark.parametrize("item", [{}, {"Version": "9"}, {"Version": []}, {"xarf_version": 4}, version_4(type={})])
def test_report_that_is_none_is_refused(item: dict[str, Any]) -> None:
    found = record(item)

    assert isinstance(found, Refused)
    assert found.reason == "record.invalid"


def test_every_kind_has_a_type_of_the_taxonomy() -> None:
    kinds3 = {(class_, kind) for class_, kinds in KINDS3.items() for kind in kinds}
    kinds4 = {kind for kinds in TYPES4.values() for kind in kinds}

    assert set(RSIT3) == kinds3
    assert set(RSIT4) == kinds4
    assert set(RSIT3.values()) | set(RSIT4.values()) <= set(CLASS_OF_TYPE)


def test_payload_of_evidence_is_cut() -> None:
    found = record(version_4(evidence=[{"content_type": "text/plain", "payload": "x" * 10_000}]))

    assert isinstance(found, dict)
    assert len(found["evidence"] or "") < PAYLOAD_CHARACTERS + 100


@pytest.mark.parametrize(
    ("source", "column"), [("192.0.2.1", "ip"), ("c2.example", "hostname"), ("AS64496 and more", "source_identifier")]
)
def test_source_goes_where_it_belongs(source: str, column: str) -> None:
    found = record(version_4(source_identifier=source))

    assert isinstance(found, dict)
    assert [name for name in ("ip", "hostname", "source_identifier") if found.get(name)] == [column]
