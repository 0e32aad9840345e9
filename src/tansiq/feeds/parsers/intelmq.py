"""IntelMQ events: JSON, one a line or an array of them, keys flat ("source.ip") or nested.

Field names: https://docs.intelmq.org/latest/user/event/ (IntelMQ's data harmonisation).
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import polars as pl

from tansiq.core.errors import N_
from tansiq.feeds.feed import Context, Document, Evidence, Feed, JsonLines, Sample
from tansiq.feeds.parsers.json_records import records
from tansiq.feeds.parsers.kinds import types_of_words

c = pl.col

COLUMNS: dict[str, tuple[str, ...]] = {
    "observed_at": ("time.source", "time.observation"),
    "ip": ("source.ip",),
    "port": ("source.port",),
    "protocol": ("protocol.transport",),
    "hostname": ("source.fqdn", "source.reverse_dns"),
    "url": ("source.url",),
    "dst_ip": ("destination.ip",),
    "dst_port": ("destination.port",),
    "malware": ("malware.name",),
    "severity": ("event_description.severity", "extra.severity"),
    "tag": ("classification.identifier",),
    "feed_asn": ("source.asn",),
    "feed_country": ("source.geolocation.cc",),
}
NAMES = (*dict.fromkeys(name for names in COLUMNS.values() for name in names), "source.network", "classification.type")


def translate(rows: pl.DataFrame, context: Context) -> pl.DataFrame:
    """RSIT type from ``classification.type``, older words included; a network alone gives its first address."""
    if "classification.type" in rows.columns:
        kind = types_of_words(rows["classification.type"])
        rows = rows.with_columns(kind.alias("rsit_type"))
    if "source.network" in rows.columns:
        given = c("source.ip") if "source.ip" in rows.columns else pl.lit(None, pl.String)
        rows = rows.with_columns(ip=pl.coalesce(given, c("source.network").str.extract(r"^([0-9A-Fa-f.:]+)/\d+$")))
    return rows


def flat_path(name: str) -> str:
    return f"$['{name}']"


def nested_path(name: str) -> str:
    return "$" + "".join(f"['{step}']" for step in name.split("."))


def fit(feed: Feed, sample: Sample) -> Feed:
    """Lines or one document; flat keys or nested ones."""
    first = first_object(sample)
    if first is None:
        return replace(feed, shape=Document(records), fit=None)
    nested = any(isinstance(first.get(key), dict) for key in ("source", "classification", "time", "feed"))
    path = nested_path if nested else flat_path
    return replace(feed, shape=JsonLines({name: path(name) for name in NAMES}), fit=None)


def first_object(sample: Sample) -> dict[str, Any] | None:
    """The first line that is a whole object; None when the report is a document of many lines, or an array."""
    for line in [line for line in sample.lines if line.strip()][:10]:
        if line.lstrip().startswith("["):
            return None
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict) and not isinstance(value.get("data"), list):
            return value
    return None


def recognise(sample: Sample) -> Evidence | None:
    text = sample.head.decode("utf-8", "replace")
    flat_keys = sum(f'"{key}"' in text for key in ("classification.type", "source.ip", "time.source", "feed.name"))
    if flat_keys >= 2:
        return Evidence(93, N_("Its keys are those of IntelMQ events."))
    first = first_object(sample) or {}
    if isinstance(first.get("classification"), dict) and isinstance(first.get("source"), dict):
        return Evidence(90, N_("Its keys are those of IntelMQ events."))
    return None


FEED = Feed(
    code="intelmq",
    title="IntelMQ events",
    licence="Whatever its source says",
    cadence_minutes=60,
    shape=JsonLines({name: flat_path(name) for name in NAMES}),
    columns=COLUMNS,
    translate=translate,
    recognise=recognise,
    fit=fit,
)
