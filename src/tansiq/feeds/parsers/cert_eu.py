"""CERT-EU's automated feeds: CSV with columns in words."""

from __future__ import annotations

import polars as pl

from tansiq.core.errors import N_
from tansiq.feeds.feed import Context, Delimited, Evidence, Feed, Sample
from tansiq.feeds.parsers.kinds import types_of_words


def translate(rows: pl.DataFrame, context: Context) -> pl.DataFrame:
    return rows.with_columns(types_of_words(rows["type"]).alias("rsit_type")) if "type" in rows.columns else rows


def recognise(sample: Sample) -> Evidence | None:
    if sample.lines and sample.lines[0].startswith("feed code,source ip,source time"):
        return Evidence(98, N_("Its header is that of this feed."))
    return None


FEED = Feed(
    code="cert-eu",
    title="CERT-EU feeds",
    licence="By agreement with CERT-EU",
    cadence_minutes=60,
    shape=Delimited(),
    columns={
        "observed_at": ("source time", "observation time"),
        "ip": ("source ip",),
        "port": ("source port",),
        "protocol": ("protocol",),
        "hostname": ("domain name",),
        "url": ("url",),
        "dst_port": ("destination port",),
        "tag": ("type",),
        "feed_asn": ("source asn",),
        "feed_country": ("source cc",),
    },
    translate=translate,
    recognise=recognise,
)
