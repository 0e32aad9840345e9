"""Microsoft: CTIP infected machines (a JSON array, or JSON lines from Azure) and malicious URLs known to Bing.

Described in Microsoft's Government Security Program, Cyber Threat Intelligence Program.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import polars as pl

from tansiq.core.errors import N_
from tansiq.feeds.feed import Context, Document, Evidence, Feed, JsonLines, Refused, Sample
from tansiq.feeds.parsers.json_records import flat, objects

c = pl.col

AZURE = {
    "time": "$.DateTimeReceivedUtc",
    "ip": "$.SourceIp",
    "port": "$.SourcePort",
    "dst_ip": "$.DestinationIp",
    "dst_port": "$.DestinationPort",
    "feed_asn": "$.SourceIpInfo.SourceIpAsnNumber",
    "feed_country": "$.SourceIpInfo.SourceIpCountryCode",
    "threat": "$.ThreatCode",
    "family": "$.Malware",
    "tag": "$.DataFeed",
}


def lower_keys(data: bytes) -> Iterator[dict[str, str | None] | Refused]:
    for item in objects(data):
        yield item if isinstance(item, Refused) else {key.lower(): value for key, value in flat(item).items()}


def ctip(rows: pl.DataFrame, context: Context) -> pl.DataFrame:
    """The first of several destinations; 0.0.0.0 and texts that are no address say nothing."""
    for name in ("networkdestinationipv4", "dst_ip"):
        if name in rows.columns:
            address = c(name).str.extract(r"^\s*(\d{1,3}(?:\.\d{1,3}){3})\s*(?:,|$)")
            rows = rows.with_columns(dst_ip=pl.when(address != "0.0.0.0").then(address))
    return rows


def fit(feed: Feed, sample: Sample) -> Feed:
    start = sample.head.lstrip(b"\xef\xbb\xbf \t\r\n")
    return replace(feed, shape=JsonLines(AZURE), fit=None) if start.startswith(b"{") else feed


def recognise_ctip(sample: Sample) -> Evidence | None:
    text = sample.head.decode("utf-8", "replace").lower()
    if '"threatcode"' in text and '"datetimereceivedutc"' in text:
        return Evidence(96, N_("Its keys are those of Microsoft's CTIP."))
    if '"networksourceipv4"' in text and '"indicatorthreattype"' in text:
        return Evidence(96, N_("Its keys are those of Microsoft's CTIP."))
    return None


def recognise_bing(sample: Sample) -> Evidence | None:
    text = sample.head.decode("utf-8", "replace").lower()
    if '"indicatorprovider"' in text and '"maliciousurl"' in text:
        return Evidence(96, N_("Its keys are those of Bing's malicious URLs."))
    return None


CTIP = Feed(
    code="microsoft-ctip",
    title="Microsoft CTIP: infected machines",
    licence="For members of Microsoft's programme; not to be passed on beyond the constituency",
    cadence_minutes=60,
    shape=Document(lower_keys),
    columns={
        "observed_at": ("time", "firstreporteddatetime"),
        "ip": ("ip", "networksourceipv4", "networksourceipv6"),
        "port": ("port", "networksourceport"),
        "dst_port": ("dst_port", "networkdestinationport"),
        "malware": ("threat", "externalid", "family"),
        "tag": ("tag", "indicatorthreattype"),
        "feed_asn": ("feed_asn", "networksourceasn"),
        "feed_country": ("feed_country",),
    },
    ignored=("hostname", "useragent"),
    rsit_type="infected-system",
    translate=ctip,
    recognise=recognise_ctip,
    fit=fit,
)

BING = Feed(
    code="microsoft-bing",
    title="Bing: malicious URLs",
    licence="For members of Microsoft's programme",
    cadence_minutes=60,
    shape=Document(lower_keys),
    columns={
        "observed_at": ("lastreporteddatetime", "firstreporteddatetime"),
        "ip": ("networkdestinationipv4", "networkdestinationipv6"),
        "port": ("networkdestinationport",),
        "url": ("url",),
        "feed_asn": ("networkdestinationasn",),
        "tag": ("indicatorthreattype",),
    },
    rsit_type="malware-distribution",
    recognise=recognise_bing,
)
