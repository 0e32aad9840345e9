"""X-ARF abuse reports, versions 3 (all generations) and 4: one JSON object, an array, or one object a line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tansiq.core.errors import N_
from tansiq.feeds.feed import Document, Evidence, Feed, Refused, Sample
from tansiq.feeds.parsers.json_records import flat, objects, refused
from tansiq.feeds.parsers.xarf_checks import is_address, is_host, kind3, wrong3, wrong4

PAYLOAD_CHARACTERS = 1024
"""How much of an evidence's payload is kept beside the event; the stored report has all of it."""

RSIT3 = {
    ("activity", "spam"): "spam",
    ("activity", "portscan"): "scanner",
    ("activity", "loginattack"): "brute-force",
    ("activity", "dos"): "dos",
    ("activity", "ddos"): "ddos",
    ("activity", "malware"): "infected-system",
    ("activity", "exploit"): "exploit",
    ("activity", "webhack"): "exploit",
    ("activity", "harassment"): "harmful-speech",
    ("activity", "phishing"): "phishing",
    ("activity", "botnet"): "infected-system",
    ("activity", "copyright"): "copyright",
    ("activity", "infringement"): "copyright",
    ("activity", "webcrawler"): "scanner",
    ("activity", "potentiallycompromisedaccount"): "unprivileged-account-compromise",
    ("content", "malware"): "malware-distribution",
    ("content", "phishing"): "phishing",
    ("content", "botnet"): "infected-system",
    ("content", "copyright"): "copyright",
    ("content", "trademark"): "copyright",
    ("content", "childabuse"): "violence",
    ("content", "harassment"): "harmful-speech",
    ("content", "fraud"): "masquerade",
    ("content", "spamvertised"): "spam",
    ("vulnerability", "openservice"): "potentially-unwanted-accessible",
    ("vulnerability", "misconfiguration"): "vulnerable-system",
    ("vulnerability", "vulnerability"): "vulnerable-system",
    ("system", "botnet"): "infected-system",
    ("system", "malware"): "infected-system",
    ("system", "compromised"): "system-compromise",
}

RSIT4 = {
    "ddos": "ddos",
    "infected_host": "infected-system",
    "login_attack": "brute-force",
    "port_scan": "scanner",
    "reconnaissance": "scanner",
    "scraping": "scanner",
    "sql_injection": "exploit",
    "vulnerability_scan": "scanner",
    "brand_infringement": "masquerade",
    "csam": "violence",
    "csem": "violence",
    "exposed_data": "data-leak",
    "fraud": "masquerade",
    "malware": "malware-distribution",
    "phishing": "phishing",
    "remote_compromise": "system-compromise",
    "suspicious_registration": "masquerade",
    "copyright": "copyright",
    "cyberlocker": "copyright",
    "link_site": "copyright",
    "p2p": "copyright",
    "ugc_platform": "copyright",
    "usenet": "copyright",
    "botnet": "infected-system",
    "bot": "infected-system",
    "compromised_server": "system-compromise",
    "bulk_messaging": "spam",
    "spam": "spam",
    "blocklist": "other",
    "threat_intelligence": "undetermined",
    "cve": "vulnerable-system",
    "misconfiguration": "vulnerable-system",
    "open_service": "potentially-unwanted-accessible",
}

THREAT4 = {
    "command_and_control": "c2-server",
    "c2": "c2-server",
    "malware": "malware-distribution",
    "phishing": "phishing",
    "botnet": "infected-system",
    "scanner": "scanner",
}

Columns = dict[str, str | None]


def records(data: bytes) -> Iterator[Columns | Refused]:
    parts = [part for part in data.splitlines() if part.strip()]
    lines = len(parts) > 1 and all(part.lstrip().startswith(b"{") and part.rstrip().endswith(b"}") for part in parts)
    for part in parts if lines else [data]:
        for item in objects(part):
            yield item if isinstance(item, Refused) else record(item)


def record(item: dict[str, Any]) -> Columns | Refused:
    """One report as columns; refused where it does not follow its version's rules."""
    version4 = "xarf_version" in item
    if wrong4(item) if version4 else wrong3(item):
        return refused(item)
    return version_4(item) if version4 else version_3(item)


def version_3(item: dict[str, Any]) -> Columns:
    report = dict(item["Report"])
    source, more = within(report, "Source"), within(report, "AdditionalInfo")
    class_, kind = kind3(report)
    for name in ("Samples", "Attachment"):
        if name in report:
            report[name] = bounded(report[name], "Payload", "Data")
    victim = report.get("DestinationIp") if not (report.get("SourceIp") or report.get("SourceUrl")) else None
    return flat({"Report": report, "ReporterInfo": item["ReporterInfo"], "OnBehalfOf": item.get("OnBehalfOf", {})}) | {
        "observed_at": report["Date"],
        "rsit_type": RSIT3.get((class_, kind), "undetermined"),
        "tag": kind,
        "ip": report.get("SourceIp") or source.get("IP") or victim,
        "port": number(report.get("SourcePort") or source.get("Port")),
        "url": report.get("SourceUrl") or report.get("Url") or source.get("URL"),
        "dst_ip": report.get("DestinationIp"),
        "dst_port": number(report.get("DestinationPort")),
        "protocol": report.get("TransportProtocol") or report.get("Protocol"),
        "malware": report.get("MalwareName") or report.get("BotnetName") or more.get("MalwareFamily"),
        "severity": report.get("ReporterSeverity"),
    }


def version_4(item: dict[str, Any]) -> Columns:
    source = item["source_identifier"]
    kind = RSIT4.get(item["type"], "undetermined")
    if item["type"] == "threat_intelligence":
        kind = THREAT4.get(str(item.get("threat_type", "")).lower(), kind)
    shown = {**item, "evidence": bounded(item.get("evidence", []), "payload")}
    tagged = next((tag.partition(":")[2] for tag in item.get("tags", []) if tag.startswith("malware:")), None)
    return flat({name: value for name, value in shown.items() if name not in ("timestamp", "source_identifier")}) | {
        "observed_at": item["timestamp"],
        "rsit_type": kind,
        "tag": item["type"],
        "ip": source if is_address(source) else None,
        "hostname": source if is_host(source) and not is_address(source) else None,
        "source_identifier": None if is_address(source) or is_host(source) else source,
        "port": number(item.get("source_port")),
        "url": item.get("url") or item.get("infringing_url") or (source if "://" in source else None),
        "dst_ip": item.get("destination_ip"),
        "dst_port": number(item.get("destination_port")),
        "protocol": item.get("protocol"),
        "malware": str(item.get("malware_family") or item.get("malware_name") or tagged or "") or None,
        "severity": item.get("severity"),
    }


def within(report: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The member when it is an object, else an empty one."""
    value = report.get(name)
    return value if isinstance(value, dict) else {}


def number(value: Any) -> str | None:
    return str(value) if isinstance(value, int) else None


def bounded(items: list[dict[str, Any]], *payloads: str) -> list[dict[str, Any]]:
    """Evidence with its payload cut: a screenshot does not belong beside every event."""
    return [
        {
            name: value[:PAYLOAD_CHARACTERS] if name in payloads and isinstance(value, str) else value
            for name, value in i.items()
        }
        for i in items
    ]


def recognise(sample: Sample) -> Evidence | None:
    text = sample.head.decode("utf-8", "replace")
    if re.search(r'"xarf_version"\s*:', text):
        return Evidence(98, N_("It says that it is an X-ARF report."))
    if re.search(r'"Version"\s*:', text) and (
        '"ReporterInfo"' in text or re.search(r'"Report(?:Class|Type)"\s*:', text)
    ):
        return Evidence(95, N_("Its keys are those of X-ARF 3."))
    return None


FEED = Feed(
    code="xarf",
    title="X-ARF abuse reports, versions 3 and 4",
    licence="Whatever its source says",
    cadence_minutes=60,
    shape=Document(records),
    recognise=recognise,
)
