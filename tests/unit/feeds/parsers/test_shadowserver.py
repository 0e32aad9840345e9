from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest

from tansiq.core.rsit import CLASS_OF_TYPE
from tansiq.feeds.feed import Context
from tansiq.feeds.parsers.shadowserver import of_tags, translate
from tansiq.feeds.parsers.shadowserver_reports import FORMER_NAMES, named, reports, types_of_tags

NAMELESS = Context("events.csv", datetime(2026, 1, 1, tzinfo=UTC))


def rows(**columns: list[str | None]) -> pl.DataFrame:
    height = len(next(iter(columns.values())))
    table = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))
    return table.with_columns(line_number=pl.int_range(2, height + 2, dtype=pl.UInt64))


@pytest.mark.parametrize(
    ("file_name", "report"),
    [
        ("2026-01-01-scan_rdp-XA-asn.csv", "scan_rdp"),
        ("2026-01-01-scan_rdp-123-XA-asn-delayed.csv", "scan_rdp"),
        ("scan_rdp.csv", "scan_rdp"),
        ("2026-01-01-scan6_rdp-XA.csv", "scan_rdp"),
        ("event6_sinkhole_http.csv", "event4_sinkhole_http"),
        ("device_id6.csv", "device_id"),
        ("2015-01-01-dns_openresolver-sample-asn.csv", "scan_dns"),
        ("2019-09-04-drone-sample.csv", "event4_sinkhole"),
    ],
)
def test_report_is_named_by_its_file(file_name: str, report: str) -> None:
    found = named(file_name)

    assert found is not None
    assert found.report == report


@pytest.mark.parametrize("file_name", ["events.csv", "", "2026-01-01-nobody_knows-XA.csv", "réseau.csv"])
def test_report_with_another_file_name_is_not_named(file_name: str) -> None:
    assert named(file_name) is None


def test_every_report_and_every_tag_has_a_type_of_the_taxonomy() -> None:
    types = {report.rsit_type for report in reports().values()} | set(types_of_tags().values())

    assert types <= set(CLASS_OF_TYPE)
    assert set(FORMER_NAMES.values()) <= set(reports())


def test_every_mark_belongs_to_one_report() -> None:
    marks = [report.mark for report in reports().values() if report.mark]

    assert len(marks) == len(set(marks))


@pytest.mark.parametrize(
    ("tag", "rsit_type"),
    [
        ("botnet", "infected-system"),
        ("sinkhole", "infected-system"),
        ("ssl-freak", "weak-crypto"),
        ("openrdp", "potentially-unwanted-accessible"),
        ("opensnmp", "ddos-amplifier"),
        ("opendns", "ddos-amplifier"),
        ("exposed-mysql", "potentially-unwanted-accessible"),
        ("brute-force", "brute-force"),
        ("ddos-amplifier", "ddos-amplifier"),
        ("phishing", "phishing"),
        ("webshell", "system-compromise"),
        ("CVE-2023-4966", "vulnerable-system"),
        ("iot", "infected-system"),
        ("spam", "spam"),
        ("smtp;cve-2021-0001", "other"),
        ("nobody-knows, telnet", "potentially-unwanted-accessible"),
        ("nobody-knows", None),
        (None, None),
    ],
)
def test_tag_gives_the_type_of_its_first_known_word(tag: str | None, rsit_type: str | None) -> None:
    found = of_tags(pl.Series("tag", [tag, "phishing"], dtype=pl.String))

    assert found.to_list() == [rsit_type, "phishing"]


def test_rows_of_a_named_report_have_its_type_and_its_usual_severity() -> None:
    given = rows(ip=["192.0.2.1", "192.0.2.2"], severity=["low", None], tag=["phishing", None])

    found = translate(given, Context("scan_telnet.csv", NAMELESS.dated_at))

    assert found["rsit_type"].to_list() == ["potentially-unwanted-accessible"] * 2
    assert found["severity"].to_list() == ["low", "medium"]


def test_rows_of_a_report_without_a_name_are_told_by_a_column_that_only_it_has() -> None:
    found = translate(rows(ip=["192.0.2.1"], freak_vulnerable=["Y"]), NAMELESS)

    assert found["rsit_type"].to_list() == ["weak-crypto"]


def test_rows_of_an_unknown_report_are_told_by_tag_then_by_infection() -> None:
    given = rows(tag=["spam", "?", None, None], infection=["necurs", "necurs", "necurs", None])

    found = translate(given, NAMELESS)

    assert found["rsit_type"].to_list() == ["spam", "infected-system", "infected-system", None]


def test_report_of_targets_is_about_the_target() -> None:
    given = rows(src_ip=["198.51.100.1"], src_port=["1"], dst_ip=["192.0.2.1"], dst_port=["80"], dst_asn=["64496"])

    found = translate(given, Context("event4_honeypot_ddos_target.csv", NAMELESS.dated_at)).row(0, named=True)

    assert (found["ip"], found["port"], found["asn"]) == ("192.0.2.1", "80", "64496")
    assert (found["dst_ip"], found["from_ip"], found["from_port"]) == ("192.0.2.1", "198.51.100.1", "1")


def test_special_report_that_says_compromised_is_a_compromise() -> None:
    found = translate(
        rows(ip=["192.0.2.1"] * 2, status=["likely compromised", "vulnerable"]),
        Context("special.csv", NAMELESS.dated_at),
    )

    assert found["rsit_type"].to_list() == ["system-compromise", "vulnerable-system"]


def test_no_rows_stay_no_rows() -> None:
    found = translate(rows(ip=[], tag=[], infection=[], family=[]), NAMELESS)

    assert found.height == 0
    assert found.schema["rsit_type"] == pl.String


def test_names_of_columns_are_read_in_any_case() -> None:
    found = translate(rows(IP=["192.0.2.1"], Tag=["spam"]), NAMELESS)

    assert found.select("ip", "rsit_type").row(0) == ("192.0.2.1", "spam")
