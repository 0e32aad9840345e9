"""IPsum: suspicious addresses with the number of lists each is on, and its cuts by level (a plain list each).

Published daily at https://github.com/stamparm/ipsum.
"""

from __future__ import annotations

import re
from dataclasses import replace

import polars as pl

from tansiq.core.errors import N_
from tansiq.feeds.feed import Context, Delimited, Evidence, Feed, Plain, Sample

c = pl.col

LEVEL = re.compile(r"(?:ipsum[-_.]?)?level[-_]?(\d)\b")
LAST_UPDATE = r"# Last update:\s*(.+)"


def translate(rows: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Severity by the number of lists; in a cut by level, whose lines have no number, by the level itself."""
    if "lists" not in rows.columns:
        level = LEVEL.search(context.name.lower())
        rows = rows.rename({"value": "ip"}).with_columns(lists_at_least=pl.lit(level[1] if level else None, pl.String))
    lists = pl.coalesce(c("^lists(_at_least)?$")).cast(pl.UInt32, strict=False)
    severity = pl.when(lists >= 8).then(pl.lit("high")).when(lists >= 3).then(pl.lit("medium")).otherwise(pl.lit("low"))
    return rows.with_columns(severity=severity)


def fit(feed: Feed, sample: Sample) -> Feed:
    records = [line for line in sample.lines if line.strip() and not line.startswith("#")]
    if records and not any("\t" in line for line in records):
        return replace(feed, shape=Plain(comments=("#",)), fit=None)
    return feed


def recognise(sample: Sample) -> Evidence | None:
    if any("IPsum Threat Intelligence" in line for line in sample.lines[:10]):
        return Evidence(99, N_("Its first lines name it."))
    if LEVEL.match(sample.name.lower()) and re.fullmatch(r"[\d.]+", sample.lines[0] if sample.lines else ""):
        return Evidence(85, N_("It is a list of single values and has the name of this list."))
    return None


FEED = Feed(
    code="ipsum",
    title="IPsum: addresses on several block lists",
    licence="Unlicense (public domain)",
    cadence_minutes=24 * 60,
    shape=Delimited(separator="\t", names=("ip", "lists"), comments=("#",), quote=""),
    columns={"ip": ("ip",)},
    sure={"tag": "blocklist"},
    rsit_type="undetermined",
    tlp="TLP:CLEAR",
    translate=translate,
    date_pattern=LAST_UPDATE,
    recognise=recognise,
    fit=fit,
)
