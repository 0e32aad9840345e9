"""Column and key names that many tools use, and the event column each is."""

from __future__ import annotations

import re
from collections.abc import Iterable

ORDER: dict[str, tuple[str, ...]] = {
    # Without case, blanks and punctuation; the likelier one first.
    "observed_at": (
        "timesource",
        "sourcetime",
        "timestamp",
        "observedat",
        "eventtime",
        "datetime",
        "datetimeutc",
        "time",
        "timeutc",
        "date",
        "filetimeutc",
        "datetimereceivedutc",
        "detectedat",
        "detectiontime",
        "seenat",
        "lastseen",
        "lastseenutc",
        "firstseen",
        "firstseenutc",
        "timeobservation",
        "observationtime",
        "dateadded",
        "adddate",
        "createdat",
        "ts",
    ),
    "ip": (
        "sourceip",
        "srcip",
        "ip",
        "ipaddress",
        "ipaddr",
        "ipv4",
        "ipv6",
        "ipsrc",
        "sourceaddress",
        "srcaddr",
        "address",
        "addr",
        "ipstr",
        "clientip",
        "remoteip",
        "attackerip",
        "hostip",
        "sourceipv4",
        "iocip",
        "indicatorip",
    ),
    "port": (
        "sourceport",
        "srcport",
        "port",
        "sport",
    ),
    "protocol": (
        "protocoltransport",
        "transportprotocol",
        "protocol",
        "proto",
        "transport",
    ),
    "hostname": (
        "sourcefqdn",
        "fqdn",
        "hostname",
        "host",
        "domain",
        "domainname",
        "sourcehost",
        "srchost",
        "sourcereversedns",
        "reversedns",
        "rdns",
        "ptr",
    ),
    "url": (
        "sourceurl",
        "url",
        "uri",
        "link",
        "maliciousurl",
        "phishingurl",
    ),
    "dst_ip": (
        "destinationip",
        "dstip",
        "destip",
        "targetip",
        "destinationaddress",
        "dstaddr",
        "ipdst",
    ),
    "dst_port": (
        "destinationport",
        "dstport",
        "destport",
        "targetport",
        "dport",
    ),
    "malware": (
        "malwarename",
        "malware",
        "malwarefamily",
        "infection",
        "family",
        "botnet",
        "threatname",
        "virus",
    ),
    "severity": (
        "severity",
        "priority",
        "threatlevel",
    ),
    "tag": (
        "classificationidentifier",
        "tag",
        "tags",
        "threattype",
        "attacktype",
        "category",
        "label",
        "eventtype",
        "type",
    ),
    "rsit_type": (
        "rsittype",
        "classificationtype",
        "rsit",
    ),
    "feed_asn": (
        "sourceasn",
        "asn",
        "asnumber",
        "sourceipasnnr",
        "srcasn",
        "autonomoussystem",
        "as",
    ),
    "feed_country": (
        "sourcegeolocationcc",
        "countrycode",
        "cc",
        "country",
        "geo",
        "sourcecountry",
        "sourcecountrycode",
        "sourceipcountrycode",
        "srcgeo",
    ),
}
EVENT_COLUMN = {word: name for name, words in ORDER.items() for word in words}


def plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def event_columns(names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Event column -> those of ``names`` that are known to mean it, the likelier first."""
    found: dict[str, list[str]] = {}
    for name in names:
        if column := EVENT_COLUMN.get(plain(name)):
            found.setdefault(column, []).append(name)
    return {column: tuple(sorted(given, key=lambda name: rank(column, name))) for column, given in found.items()}


def rank(column: str, name: str) -> int:
    return ORDER[column].index(plain(name))
