"""What each kind of Shadowserver report means: its RSIT type and its usual severity, by name, by header, by tag.

The facts come from the publisher's list of report types and default severities
(https://github.com/The-Shadowserver-Foundation/report_schema) and the RSIT definitions: a service that answers larger
than it is asked is a ``ddos-amplifier``, one that gives away what it stores ``information-disclosure``, one that should
not face the Internet ``potentially-unwanted-accessible``.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TABLE = Path(__file__).with_name("shadowserver_reports.csv")


@dataclass(frozen=True, slots=True)
class Report:
    """One kind of report; ``mark`` is a header column that no other kind has ("" where there is none)."""

    report: str
    rsit_type: str
    severity: str
    mark: str


FORMER_NAMES = {
    # Names of before 2021 -> today's.
    "dns_openresolver": "scan_dns",
    "drone": "event4_sinkhole",
    "botnet_drone": "event4_sinkhole",
    "sinkhole_http_drone": "event4_sinkhole_http",
    "hp_http_scan": "event4_honeypot_http_scan",
    "hp_ics_scan": "event4_honeypot_ics_scan",
    "microsoft_sinkhole": "event4_microsoft_sinkhole",
    "ddos_participant": "event4_ddos_participant",
    "darknet": "event4_honeypot_darknet",
    "caida": "event4_ip_spoofer",
    "cwsandbox_url": "sandbox_url",
    "compromised_website": "compromised_website",
    "blacklist": "blocklist",
    "outdated_dnssec_key": "scan_dns",
    "netis_router": "scan_netis_router",
    "cisco_smart_install": "scan_cisco_smart_install",
}

TYPE_OF_TAG = {
    # Tags that name a condition rather than the service a scan report is about.
    "botnet": "infected-system",
    "sinkhole": "infected-system",
    "iot": "infected-system",
    "openrdp": "potentially-unwanted-accessible",
    "exposed-mysql": "potentially-unwanted-accessible",
    "opensnmp": "ddos-amplifier",
    "opendns": "ddos-amplifier",
    "openresolver": "ddos-amplifier",
    "ddos-amplifier": "ddos-amplifier",
    "ssl-freak": "weak-crypto",
    "ssl-poodle": "weak-crypto",
    "brute-force": "brute-force",
    "phishing": "phishing",
    "webshell": "system-compromise",
    "compromised": "system-compromise",
    "cyclops-blink": "infected-system",
    "spam": "spam",
    "scanner": "scanner",
    "ddos": "ddos",
    "c2": "c2-server",
    "malware": "malware-distribution",
    "ntpversion": "ddos-amplifier",
    "socks4": "potentially-unwanted-accessible",
    "socks5": "potentially-unwanted-accessible",
    "telnet-alt": "potentially-unwanted-accessible",
}


@cache
def reports() -> dict[str, Report]:
    with TABLE.open(encoding="utf-8", newline="") as table:
        return {row["report"]: Report(**row) for row in csv.DictReader(table)}


@cache
def types_of_tags() -> dict[str, str]:
    """Tag -> RSIT type. A scan report tags its rows with the service, so its own name says what the tag means."""
    services = {name.removeprefix("scan_").replace("_", "-"): report.rsit_type for name, report in reports().items()}
    return services | TYPE_OF_TAG


def named(file_name: str) -> Report | None:
    """By a file name such as ``2024-07-04-scan_dns-XA-asn.csv`` or ``scan_dns.csv``; None where it says nothing."""
    match = re.match(r"(?:\d{4}-\d\d-\d\d-)?([a-z0-9_]+)(?:[-.].*)?$", file_name.lower())
    if not match:
        return None
    name = re.sub(r"^(scan|population)6_", r"\1_", match[1])
    name = re.sub(r"^event6_", "event4_", name)
    name = re.sub(r"^event_", "event4_", name)
    known = reports()
    return known.get(FORMER_NAMES.get(name, name)) or known.get(name.removesuffix("6"))


def marked(columns: list[str]) -> Report | None:
    """By the header alone."""
    present = set(columns)
    return next((report for report in reports().values() if report.mark and report.mark in present), None)
