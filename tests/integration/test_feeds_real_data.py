"""Every report of the data folder, with the counts that a person finds who opens it.

The numbers were counted with ``wc -l`` and by reading the files, not printed by the program. ``blank`` counts blank,
comment and header lines; a document's records stand for its lines. The folder may not be copied into the project:
without it these tests are skipped.
"""

from __future__ import annotations

import csv
import gzip
import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from ipaddress import ip_address
from pathlib import Path

import polars as pl
import pytest

from tansiq.feeds.catalogue import FEEDS
from tansiq.feeds.detect import detect
from tansiq.feeds.parse import parse, sample

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "feeds"
NO_FEEDS = ("abuse-mail", "mail-samples", "schemas", "report_schema", "malware-names")
"""Mails (another desk's), schemas and names: no reports."""

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"needs the real reports in {DATA}")


@dataclass(frozen=True)
class Expected:
    feed: str
    lines: int
    blank: int
    events: int
    rejected: dict[str, int] = field(default_factory=dict)


def lines_of(names: str, folder: str, feed: str, lines: int, blank: int, rejected: str = "") -> dict[str, Expected]:
    """The same counts for several files: all lines that are not blank are events, or all are rejects."""
    records = lines - blank
    refused = {rejected: records} if rejected else {}
    return {f"{folder}/{n}": Expected(feed, lines, blank, 0 if rejected else records, refused) for n in names.split()}


def header_and(rows: int, names: str) -> dict[str, Expected]:
    """Shadowserver reports: a header and so many rows, all of them events."""
    files = " ".join(f"{name}.csv" for name in names.split())
    return lines_of(files, "shadowserver/reports", "shadowserver", rows + 1, 1)


SHADOWSERVER = {
    **header_and(2, "scan_adb scan_cwmp scan_ftp scan_http scan_isakmp scan_smtp_vulnerable scan_telnet"),
    **header_and(
        3,
        "blocklist device_id event4_honeypot_ddos_target event4_sinkhole_dns malware_url sandbox_dns scan_amqp "
        "scan_chargen scan_coap scan_ddos_middlebox scan_docker scan_elasticsearch scan_ldap_tcp scan_mqtt_anon "
        "scan_mysql scan_netbios scan_ntp scan_portmapper scan_qotd scan_rdpeudp scan_rsync scan_slp scan_socks "
        "scan_ssh scan_stun scan_ubiquiti scan_ws_discovery special",
    ),
    **header_and(5, "event4_microsoft_sinkhole_http event4_sinkhole_http_referer"),
    **header_and(6, "event4_honeypot_brute_force event4_ip_spoofer"),
    **header_and(9, "scan_radmin"),
    **header_and(10, "scan_mongodb"),
    **header_and(45, "scan_ssl_freak"),
    **header_and(95, "scan_ipmi"),
    # Its header names 60 columns, each of its three rows has the first 59 of them.
    **header_and(3, "event4_honeypot_ddos"),
    # A quotation mark inside a field is written \\" in these, as programs do that know no rule of CSV.
    **header_and(3, "population_http_proxy scan_http_vulnerable scan_mdns"),
}

SAMPLES = {
    "blocklistde/imap.txt": Expected("blocklist-de", 6, 0, 6),
    "cert_eu/example.csv": Expected("cert-eu", 3, 1, 2),
    # Two comments and an empty line; two comments.
    "cymru/certname_20190327.txt": Expected("cymru", 38, 3, 35),
    "cymru/infected_20171031.txt": Expected("cymru", 11, 2, 9),
    "cznic/example_proki.json": Expected("cznic-proki", 1, 0, 1),
    # The header is a comment; the host stands in the row without an address.
    "generic/compose_fields.csv": Expected("csv", 2, 1, 1),
    "generic/data_type.csv": Expected("csv", 2, 1, 1),
    # Four rows with an address, one of them without a URL.
    "generic/empty_src_url.csv": Expected("csv", 5, 1, 4),
    # 21 columns; the first row has 16 fields.
    "generic/extra_regex.csv": Expected("csv", 3, 1, 1, {"fields.missing": 1}),
    # No header; a dash for an address, and a dot for a host, say nothing, and each row names the other.
    "generic/invalid_sample_report.csv": Expected("csv", 4, 0, 4),
    # A header, an address, a network, and a row that starts as comments do.
    "generic/multivalue_columns.csv": Expected("csv", 4, 2, 2),
    # Tabs; eleven lines of comments and blanks around two records.
    "generic/sample_report.csv": Expected("csv", 13, 11, 2),
    # Scripts: comments, two entries; comments, commands, one entry.
    "generic/test_filter_blacklist.csv": Expected("ipset", 6, 4, 2),
    "generic/test_filter_whitelist_ipset.csv": Expected("ipset", 9, 8, 1),
    "html_table/feodotracker.html": Expected("feodotracker", 2, 0, 2),
    "microsoft/bingmurls.json": Expected("microsoft-bing", 2, 0, 2),
    "microsoft/ctip.txt": Expected("microsoft-ctip", 5, 0, 5),
    "microsoft/ctip_azure.txt": Expected("microsoft-ctip", 6, 0, 6),
    "misp/misp_attribute.json": Expected("misp", 1, 0, 1),
    # A URL, and the text "Locky", which is nothing on the network (it names the malware of the other).
    "misp/misp_event.json": Expected("misp", 2, 0, 1, {"value.unknown": 1}),
    "openphish/feed.txt": Expected("openphish", 2, 0, 2),
    "shodan/tests.json": Expected("shodan", 7, 0, 7),
    "spamhaus/asndrop.txt": Expected("spamhaus-asndrop", 6, 4, 2),
    # The header is a comment, as is the last line.
    "spamhaus/cert.txt": Expected("spamhaus-cert", 21, 2, 19),
    "spamhaus/drop.txt": Expected("spamhaus-drop", 6, 4, 2),
    "zoneh/defacement_accepted.csv": Expected("zone-h", 3, 1, 2),
    "zoneh/defacement_accepted_RECONSTRUCTED.csv": Expected("zone-h", 2, 1, 1),
    "zoneh/defacement_pending.csv": Expected("zone-h", 2, 1, 1),
}

LISTS = {
    "blackbook/blackbook-20240901.csv.gz": Expected("blackbook", 18152, 1, 18151),
    "ipsum/ipsum-20260822.txt.gz": Expected("ipsum", 120437, 7, 120430),
    "ipsum/level-3-20260822.txt": Expected("ipsum", 14217, 0, 14217),
    "ipsum/level-5-20260822.txt": Expected("ipsum", 1413, 0, 1413),
    "ipsum/level-8-20260822.txt": Expected("ipsum", 23, 0, 23),
    "jpcert-phishurl/202509.csv": Expected("jpcert-phishurl", 2784, 1, 2783),
    "jpcert-phishurl/202510.csv": Expected("jpcert-phishurl", 5819, 1, 5818),
    "plain-lists-20260816/abuse-ch-ipblocklist.txt.gz": Expected("abuse-ch-ipblocklist", 7980, 0, 7980),
    "plain-lists-20260816/alienvault.txt": Expected("alienvault", 609, 0, 609),
    "plain-lists-20260816/binarydefense.txt": Expected("binarydefense", 865, 0, 865),
    "plain-lists-20260816/cobaltstrike_ips.txt": Expected("cobaltstrike-ips", 2087, 0, 2087),
    "plain-lists-20260816/compromised-ips.txt": Expected("compromised-ips", 551, 0, 551),
    "plain-lists-20260816/log4j.txt.gz": Expected("log4j", 25292, 0, 25292),
    "plain-lists-20260816/rutgers.txt": Expected("rutgers", 1494, 0, 1494),
    "plain-lists-20260816/sans.txt.gz": Expected("sans", 19779, 0, 19779),
    "plain-lists-20260816/sip.txt": Expected("sip", 2011, 0, 2011),
    "plain-lists-20260816/threatfox.txt": Expected("threatfox", 2967, 0, 2967),
    "plain-lists-20260816/tor-exit.txt": Expected("tor-exit", 3384, 0, 3384),
}

GOOD3 = {
    "positive-1": "botnet_sample ddos_sample malware_sample openservice_sample_minimal portscan_sample "
    "rpz_sample_additional_fields trademark_sample",
    "positive-2": "copyright_sample loginattack_sample malware_sample openservice_sample_minimal phishing_sample "
    "rpz_sample spam_sample",
    "positive-alpha": "botnet_sample ddos_sample malware_sample phishing_sample rpz_sample spam_sample",
    **dict.fromkeys(
        ("positive-3", "positive-development"),
        "botnet_sample ddos_sample exploit_sample_minimal harassment_sample_image loginattack_sample malware_no_url "
        "openservice_sample openservice_sample_optional_api_info portscan_sample potentially_compromised_sample "
        "reporter_info_minimal reporter_info_person rpz_sample_additional_fields trademark_sample",
    ),
}
BAD3 = (
    "additional_fields byte_count destination emails file_info host_name ip missing_report missing_reporter "
    "missing_reporter_props2 missing_url openservice openservice3 openservice_missing_service "
    "report_class_report_type report_part reporter_metadata sample type"
)
GOOD4 = (
    "connection-ddos connection-login-attack connection-reconnaissance connection-sql-injection "
    "content-brand-infringement content-fraud content-phishing content-suspicious-registration copyright-cyberlocker "
    "copyright-p2p copyright-usenet infrastructure-compromised-server messaging-spam reputation-threat-intelligence "
    "vulnerability-misconfiguration"
)


def json_files(names: str, prefix: str = "") -> str:
    return " ".join(f"{prefix}{name}.json" for name in names.split())


XARF = {
    **lines_of(json_files(GOOD4), "xarf/v4", "xarf", 1, 0),
    **lines_of(json_files(BAD3, "invalid_"), "xarf/v3/negative-1", "xarf", 1, 0, "record.invalid"),
    **lines_of("botnet_v3_sample.json phishing_v3_sample.json", "xarf/v3-by-xarf-org", "xarf", 1, 0),
}
for generation, names in GOOD3.items():
    XARF |= lines_of(json_files(names), f"xarf/v3/{generation}", "xarf", 1, 0)

EXPECTED = SHADOWSERVER | {f"intelmq-samples/{name}": e for name, e in SAMPLES.items()} | LISTS | XARF


def read(name: str, code: str) -> tuple[Expected, pl.DataFrame]:
    """What the report gives when it is read as the feed: its counts, its events."""
    path = DATA / name
    feed = FEEDS[code].fitted(sample(path))
    parts = list(parse(path, feed, block_bytes=1 << 20, modified_at=datetime(2026, 1, 1, tzinfo=UTC)))
    events, rejects = pl.concat([p.events for p in parts]), pl.concat([p.rejects for p in parts])
    reasons = dict(Counter(rejects["reason"].to_list()))
    return Expected(code, sum(p.lines for p in parts), sum(p.blank for p in parts), events.height, reasons), events


def test_table_names_every_report_of_the_data_folder() -> None:
    files = (path.relative_to(DATA) for path in DATA.rglob("*") if path.is_file())

    assert {str(path) for path in files if not set(path.parts) & set(NO_FEEDS)} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_report_of_the_field_is_recognised_and_counted(name: str) -> None:
    code = detect(sample(DATA / name))[0][0]

    counts, _ = read(name, code)

    assert counts == EXPECTED[name]
    assert counts.lines == counts.blank + counts.events + sum(counts.rejected.values())


@pytest.mark.parametrize("name", [name for name in LISTS if "ipsum" in name or "plain-lists" in name])
def test_list_of_addresses_gives_each_address_of_each_line(name: str) -> None:
    opener = gzip.open if name.endswith(".gz") else open
    with opener(DATA / name, "rt") as lines:
        written = [line.split()[0] for line in lines if not line.startswith("#")]

    _, events = read(name, EXPECTED[name].feed)

    assert events["ip"].to_list() == [str(ip_address(text)) for text in written]


@pytest.mark.parametrize(
    ("name", "day"),
    [("ipsum/ipsum-20260822.txt.gz", date(2026, 8, 22)), ("plain-lists-20260816/sip.txt", date(2026, 8, 16))],
)
def test_list_without_times_is_dated_by_its_head_or_its_folder(name: str, day: date) -> None:
    _, events = read(name, EXPECTED[name].feed)

    assert events["observed_at"].dt.date().unique().to_list() == [day]


def test_blackbook_agrees_with_the_csv_reader_of_the_standard_library() -> None:
    with gzip.open(DATA / "blackbook/blackbook-20240901.csv.gz", "rt", encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))

    _, events = read("blackbook/blackbook-20240901.csv.gz", "blackbook")

    values = events.select(pl.coalesce("hostname", "ip")).to_series().to_list()
    assert values == [row["Domain"].strip().lower().rstrip(".") for row in rows]
    assert events["observed_at"].dt.date().to_list() == [date.fromisoformat(row["Date added"]) for row in rows]


def test_times_of_jpcert_are_read_in_japan() -> None:
    _, events = read("jpcert-phishurl/202509.csv", "jpcert-phishurl")

    assert events["observed_at"][0] == datetime(2025, 9, 1, 2, 10, tzinfo=UTC)
    assert events["url"][0] == "https://jbaeszfj.com/"
    assert json.loads(events["extra"][0]) == {"brand": "みずほ銀行"}


def test_shadowserver_rows_keep_address_ports_and_both_ends() -> None:
    _, events = read("shadowserver/reports/event4_microsoft_sinkhole_http.csv", "shadowserver")

    first = events.row(0, named=True)
    found = {name: first[name] for name in ("ip", "port", "dst_ip", "dst_port", "malware", "severity", "rsit_type")}
    assert found == {
        "ip": "31.206.1.2", "port": 49245, "dst_ip": "40.121.206.97", "dst_port": 80, "malware": "necurs",
        "severity": "critical", "rsit_type": "infected-system",
    }  # fmt: skip
    assert (first["feed_asn"], first["feed_country"], first["protocol"]) == (8386, "TR", "tcp")


def test_evidence_of_an_abuse_report_is_kept_without_its_payload() -> None:
    _, events = read("xarf/v3-by-xarf-org/phishing_v3_sample.json", "xarf")

    assert len(events["extra"][0]) < 3000
    assert events["url"][0] == "https://malicious-example.net/banking-login/"
