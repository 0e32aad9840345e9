"""What an X-ARF report must have, checked member by member. Returns the first thing wrong, or None.

X-ARF 3: https://github.com/abusix/xarf (generations 1, 2, 3, alpha, development); X-ARF 4: https://github.com/xarf/xarf-spec.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from ipaddress import ip_address
from typing import Any

Check = Callable[[Any], bool]
Members = Mapping[str, Any]

KINDS3 = {
    # Class -> its types, in lower case without hyphens.
    "activity": {
        "spam",
        "portscan",
        "loginattack",
        "dos",
        "ddos",
        "malware",
        "exploit",
        "harassment",
        "phishing",
        "botnet",
        "potentiallycompromisedaccount",
        "webcrawler",
        "copyright",
        "webhack",
        "infringement",
    },
    "content": {
        "malware",
        "phishing",
        "botnet",
        "copyright",
        "trademark",
        "childabuse",
        "harassment",
        "fraud",
        "spamvertised",
    },
    "vulnerability": {"openservice", "misconfiguration", "vulnerability"},
    "system": {"botnet", "malware", "compromised"},
}

VERSIONS3 = {"1", "2", "3", "3.0", "3.0.0", "alpha", "development"}
STRICT_URL = {"1", "2", "alpha"}
"""Generations in which content that is malware must say where it is."""

SEVERITIES = {"low", "medium", "high", "critical", "info", "informational", "none"}
PROTOCOLS = {
    "tcp",
    "udp",
    "icmp",
    "icmpv6",
    "sctp",
    "smtp",
    "http",
    "https",
    "dns",
    "gre",
    "esp",
    "quic",
    "dccp",
    "igmp",
    "ip",
}


def is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def is_any_text(value: Any) -> bool:
    return isinstance(value, str)


def is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def is_port(value: Any) -> bool:
    return is_count(value) and 1 <= value <= 65535


def is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def is_address(value: Any) -> bool:
    try:
        ip_address(value if isinstance(value, str) else "")
    except ValueError:
        return False
    return True


def is_email(value: Any) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"[^@\s]+@[^@\s.]+(?:\.[^@\s.]+)*", value))


def is_host(value: Any) -> bool:
    label = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
    return isinstance(value, str) and len(value) <= 253 and bool(re.fullmatch(rf"{label}(?:\.{label})*\.?", value))


def is_url(value: Any) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*:\S+", value))


def is_time(value: Any) -> bool:
    if not isinstance(value, str) or not re.match(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d", value):
        return False
    try:
        datetime.fromisoformat(value.replace("Z", "+00:00").replace("z", "+00:00"))
    except ValueError:
        return False
    return True


def is_scalars(value: Any) -> bool:
    return isinstance(value, dict) and not any(isinstance(v, dict | list) for v in value.values())


def is_asn(value: Any) -> bool:
    return is_count(value) and value < 1 << 32


def is_severity(value: Any) -> bool:
    return isinstance(value, str) and value.lower() in SEVERITIES


def is_protocol(value: Any) -> bool:
    return isinstance(value, str) and value.lower() in PROTOCOLS


def is_samples(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(item, dict)
        and is_text(item.get("ContentType"))
        and isinstance(item.get("Payload", item.get("Data")), str)
        and isinstance(item.get("Base64Encoded", True), bool)
        for item in value
    )


REPORT3: dict[str, Check] = {
    "Date": is_time,
    "FirstSeen": is_time,
    "LastSeen": is_time,
    "SourceIp": is_address,
    "DestinationIp": is_address,
    "SourcePort": is_port,
    "DestinationPort": is_port,
    "Port": is_port,
    "SourceUrl": is_url,
    "Url": is_url,
    "CourtOrder": is_any_text,
    "SmtpMailFromAddress": is_email,
    "SmtpRcptToAddress": is_email,
    "RpzDomain": is_host,
    "Domain": is_host,
    "ByteCount": is_count,
    "PacketCount": is_count,
    "FileSize": is_count,
    "AttackCount": is_count,
    "ServiceName": is_text,
    "ServiceVersion": is_any_text,
    "FileHash": is_any_text,
    "FileName": is_any_text,
    "MalwareName": is_text,
    "BotnetName": is_text,
    "ReportSubType": is_text,
    "ReporterCaseID": is_any_text,
    "ReporterNotes": is_any_text,
    "ReporterSeverity": is_severity,
    "Protocol": is_protocol,
    "TransportProtocol": is_protocol,
    "Samples": is_samples,
    "Attachment": is_samples,
    "Custom": is_scalars,
    "Ongoing": is_flag,
    "ASN": is_asn,
}

REPORTER3: dict[str, Check] = {
    "ReporterOrg": is_text,
    "ReporterOrgDomain": is_host,
    "ReporterOrgEmail": is_email,
    "ReporterContactEmail": is_email,
    "ReporterContactName": is_text,
    "ReporterContactPhone": is_text,
    "ReporterType": is_text,
}

COMPLAINANT3: dict[str, Check] = {
    "ComplainantOrg": is_text,
    "ComplainantOrgDomain": is_host,
    "ComplainantOrgEmail": is_email,
    "ComplainantContactEmail": is_email,
    "ComplainantContactName": is_text,
    "ComplainantContactPhone": is_text,
}


def kind3(report: Members) -> tuple[str, str]:
    """Class and type in lower case without hyphens: generations spell "Port-Scan" and "PortScan"."""
    return tuple(re.sub(r"[-_ ]", "", str(report.get(key, "")).lower()) for key in ("ReportClass", "ReportType"))  # type: ignore[return-value]


def wrong_member(values: Members, checks: Mapping[str, Check]) -> str | None:
    return next((name for name, check in checks.items() if name in values and not check(values[name])), None)


def wrong3(document: Members) -> str | None:
    """The first member of an X-ARF 3 report that is missing or wrong."""
    reporter, report = document.get("ReporterInfo"), document.get("Report")
    if str(document.get("Version")) not in VERSIONS3:
        return "Version"
    if not isinstance(reporter, dict):
        return "ReporterInfo"
    if not isinstance(document.get("OnBehalfOf", {}), dict):
        return "OnBehalfOf"
    if not isinstance(document.get("Disclosure", True), bool):
        return "Disclosure"
    if not isinstance(report, dict):
        return "Report"
    behalf = document.get("OnBehalfOf", {})
    return (
        wrong_reporter3(reporter)
        or wrong_member(behalf, COMPLAINANT3)
        or wrong_report3(report, str(document["Version"]))
    )


def wrong_reporter3(reporter: Members) -> str | None:
    """An organisation has a name, a domain and an address; a person (``ReporterType``) a name or an address."""
    if "ReporterType" in reporter:
        needed: tuple[str, ...] = ()
        if not reporter.keys() & {"ReporterOrg", "ReporterContactEmail", "ReporterContactName"}:
            return "ReporterInfo"
    else:
        needed = ("ReporterOrg", "ReporterOrgDomain", "ReporterOrgEmail")
    return next((name for name in needed if name not in reporter), None) or wrong_member(reporter, REPORTER3)


def wrong_report3(report: Members, version: str) -> str | None:
    class_, kind = kind3(report)
    if not is_text(report.get("ReportClass")) or class_ not in KINDS3:
        return "ReportClass"
    if not is_text(report.get("ReportType")) or kind not in KINDS3[class_]:
        return "ReportType"
    if "Date" not in report:
        return "Date"
    if not report.keys() & {"SourceIp", "SourceUrl", "Url", "Source", "DestinationIp", "RpzDomain"}:
        return "SourceIp"
    if kind == "openservice" and "ServiceName" not in report:
        return "ServiceName"
    if (class_, kind) == ("content", "malware") and version in STRICT_URL and "SourceUrl" not in report:
        return "SourceUrl"
    return wrong_member(report, REPORT3)


TYPES4 = {
    "connection": {
        "ddos",
        "infected_host",
        "login_attack",
        "port_scan",
        "reconnaissance",
        "scraping",
        "sql_injection",
        "vulnerability_scan",
    },
    "content": {
        "brand_infringement",
        "csam",
        "csem",
        "exposed_data",
        "fraud",
        "malware",
        "phishing",
        "remote_compromise",
        "suspicious_registration",
    },
    "copyright": {"copyright", "cyberlocker", "link_site", "p2p", "ugc_platform", "usenet"},
    "infrastructure": {"botnet", "bot", "compromised_server"},
    "messaging": {"bulk_messaging", "spam"},
    "reputation": {"blocklist", "threat_intelligence"},
    "vulnerability": {"cve", "misconfiguration", "open_service"},
}

UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
TAG = r"[a-z0-9][a-z0-9_+-]*:[a-z0-9][a-z0-9_+-]*"


def is_contact(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and is_text(value.get("org"))
        and is_email(value.get("contact"))
        and is_host(value.get("domain"))
    )


def is_evidence(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) <= 50
        and all(isinstance(v, dict) and is_text(v.get("content_type")) and is_any_text(v.get("payload")) for v in value)
    )


def is_tags(value: Any) -> bool:
    return isinstance(value, list) and len(value) <= 20 and all(re.fullmatch(TAG, str(tag)) for tag in value)


def is_share(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


CORE4: dict[str, Check] = {
    "xarf_version": lambda value: isinstance(value, str) and bool(re.fullmatch(r"4\.\d+\.\d+", value)),
    "report_id": lambda value: isinstance(value, str) and bool(re.fullmatch(UUID, value)),
    "timestamp": is_time,
    "reporter": is_contact,
    "sender": is_contact,
    "source_identifier": is_text,
    "category": lambda value: isinstance(value, str) and value in TYPES4,
    "type": is_text,
}

OPTIONAL4: dict[str, Check] = {
    "source_port": is_port,
    "destination_port": is_port,
    "destination_ip": is_address,
    "evidence": is_evidence,
    "tags": is_tags,
    "confidence": is_share,
    "first_seen": is_time,
    "last_seen": is_time,
    "url": is_url,
    "description": is_any_text,
}


def wrong4(document: Members) -> str | None:
    """The first core member of an X-ARF 4 report that is missing or wrong, or a type its category lacks."""
    missing = next((name for name in CORE4 if name not in document), None)
    if missing or (missing := wrong_member(document, CORE4) or wrong_member(document, OPTIONAL4)):
        return missing
    return None if document["type"] in TYPES4[document["category"]] else "type"
