"""Shodan banners: JSON lines, one service each. https://datapedia.shodan.io/"""

from __future__ import annotations

import polars as pl

from tansiq.core.errors import N_
from tansiq.feeds.feed import Context, Evidence, Feed, JsonLines, Sample

c = pl.col


def translate(rows: pl.DataFrame, context: Context) -> pl.DataFrame:
    """The first host name; a service with known vulnerabilities is a vulnerable system, any other is just there."""
    record = c("record")
    vulnerable = record.str.contains('"vulns":', literal=True) & record.str.json_path_match("$.vulns").is_not_null()
    kind = pl.when(vulnerable).then(pl.lit("vulnerable-system")).otherwise(pl.lit("other"))
    return rows.with_columns(hostname=record.str.json_path_match("$.hostnames[0]"), rsit_type=kind)


def recognise(sample: Sample) -> Evidence | None:
    if any('"_shodan"' in line and '"ip_str"' in line for line in sample.lines[:5]):
        return Evidence(97, N_("Its keys are those of Shodan banners."))
    return None


FEED = Feed(
    code="shodan",
    title="Shodan banners",
    licence="By subscription",
    cadence_minutes=24 * 60,
    shape=JsonLines(
        {
            "time": "$.timestamp",
            "ip": "$.ip_str",
            "port": "$.port",
            "protocol": "$.transport",
            "feed_asn": "$.asn",
            "feed_country": "$.location.country_code",
            "tag": "$._shodan.module",
        }
    ),
    columns={"observed_at": ("time",)},
    sure={"severity": "info"},
    rsit_type="other",
    translate=translate,
    recognise=recognise,
)
