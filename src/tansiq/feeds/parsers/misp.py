"""MISP events and attributes as JSON: each attribute that is an address, a host name or a URL.

Format: https://www.misp-standard.org/rfc/misp-standard-core.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tansiq.core.errors import N_
from tansiq.feeds.feed import Document, Evidence, Feed, Refused, Sample
from tansiq.feeds.parsers.json_records import objects, refused, text
from tansiq.feeds.parsers.kinds import vocabulary

Columns = dict[str, str | None]

WHAT = {
    # Attribute type -> event columns of the parts of its value ("192.0.2.1|443").
    "ip-src": ("ip",),
    "ip-dst": ("ip",),
    "ip-src|port": ("ip", "port"),
    "ip-dst|port": ("ip", "port"),
    "domain": ("hostname",),
    "hostname": ("hostname",),
    "hostname|port": ("hostname", "port"),
    "domain|ip": ("hostname", "ip"),
    "url": ("url",),
    "uri": ("url",),
}

KIND_OF_CATEGORY = {
    "Payload delivery": "malware-distribution",
    "Payload installation": "malware-distribution",
    "Network activity": "c2-server",
    "Financial fraud": "phishing",
}

THREAT_LEVELS = {"1": "high", "2": "medium", "3": "low"}


def records(data: bytes) -> Iterator[Columns | Refused]:
    for item in objects(data, "response"):
        if isinstance(item, Refused):
            yield item
            continue
        item = item.get("Event", item.get("Attribute", item)) if len(item) == 1 else item
        if isinstance(item, dict) and "value" in item and "type" in item:
            yield attribute(item, {})
        elif isinstance(item, dict) and isinstance(item.get("Attribute", []), list) and "info" in item:
            yield from event(item)
        else:
            yield refused(item)


def event(item: Mapping[str, Any]) -> Iterator[Columns | Refused]:
    """The event's own attributes, then those of its objects."""
    inside = [part.get("Attribute", []) for part in listed(item.get("Object")) if isinstance(part, dict)]
    for part in [*listed(item.get("Attribute")), *(a for attributes in inside for a in listed(attributes))]:
        yield attribute(part, item) if isinstance(part, dict) else refused(part)


def attribute(item: Mapping[str, Any], around: Mapping[str, Any]) -> Columns | Refused:
    """One attribute as columns. Deleted ones are refused, and those that name nothing on the network."""
    if item.get("deleted") in (True, "1", 1):
        return refused(item)
    names = WHAT.get(str(item.get("type")))
    if names is None:
        return refused(item, "value.unknown")
    tags = tags_of(item) + tags_of(around)
    columns: Columns = dict(zip(names, re.split(r"\|", str(item.get("value", "")).strip()), strict=False))
    return columns | {
        "observed_at": text(item.get("timestamp") or around.get("timestamp")),
        "rsit_type": kind(tags, str(item.get("category", ""))),
        "malware": malware(tags, around),
        "severity": THREAT_LEVELS.get(str(around.get("threat_level_id"))),
        "tag": text(item.get("category")),
        "tags": text(tags or None),
        "attribute": text(item.get("uuid")),
        "event": text(around.get("uuid") or item.get("event_id")),
        "info": text(around.get("info")),
        "comment": text(item.get("comment")),
    }


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def tags_of(item: Mapping[str, Any]) -> list[str]:
    return [str(tag["name"]) for tag in listed(item.get("Tag")) if isinstance(tag, dict) and "name" in tag]


def kind(tags: list[str], category: str) -> str | None:
    """By a tag of the RSIT or eCSIRT taxonomy, else by the attribute's category."""
    for tag in tags:
        match = re.fullmatch(r'rsit:[\w-]+="([\w-]+)"', tag.strip().lower())
        if match and match[1] in vocabulary():
            return vocabulary()[match[1]]
    if category in KIND_OF_CATEGORY:
        return KIND_OF_CATEGORY[category]
    for tag in tags:
        match = re.fullmatch(r'ecsirt:[\w-]+="([\w-]+)"', tag.strip().lower())
        if match and match[1] in vocabulary():
            return vocabulary()[match[1]]
    return None


def malware(tags: list[str], around: Mapping[str, Any]) -> str | None:
    """The family a galaxy tag names, else the event's attribute of category "Payload type"."""
    for tag in tags:
        if match := re.fullmatch(r'misp-galaxy:(?:malpedia|botnet|ransomware|tool|rat|banker|stealer)="([^"]+)"', tag):
            return match[1]
    for item in listed(around.get("Attribute")):
        if isinstance(item, dict) and item.get("category") == "Payload type" and item.get("value"):
            return str(item["value"])
    return None


def recognise(sample: Sample) -> Evidence | None:
    text_ = sample.head.decode("utf-8", "replace")
    if '"Attribute"' in text_ and ('"Orgc"' in text_ or '"threat_level_id"' in text_):
        return Evidence(95, N_("Its keys are those of a MISP event."))
    if '"to_ids"' in text_ and '"category"' in text_ and '"value"' in text_:
        return Evidence(92, N_("Its keys are those of MISP attributes."))
    return None


FEED = Feed(
    code="misp",
    title="MISP events and attributes",
    licence="Whatever its source says",
    cadence_minutes=60,
    shape=Document(records),
    recognise=recognise,
)
