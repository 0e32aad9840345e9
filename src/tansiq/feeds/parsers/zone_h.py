"""Zone-H: defaced web sites; accepted and pending ones differ in their columns."""

from __future__ import annotations

import polars as pl

from tansiq.core.errors import N_
from tansiq.feeds.feed import Context, Delimited, Evidence, Feed, Sample
from tansiq.feeds.parsers.present import present
from tansiq.feeds.parsers.values import tell_apart


def translate(rows: pl.DataFrame, context: Context) -> pl.DataFrame:
    """``domain`` holds a URL, or a bare name; the address has a column of its own."""
    rows = present(rows, "domain")
    site = tell_apart(rows.select("line_number", "domain"), "domain")
    return rows.with_columns(site["url"], site["hostname"]).drop("domain")


def recognise(sample: Sample) -> Evidence | None:
    header = sample.lines[0] if sample.lines else ""
    if all(f'"{name}"' in header for name in ("add_date", "attacker", "hackmode", "defacement_id")):
        return Evidence(98, N_("Its header is that of this feed."))
    return None


FEED = Feed(
    code="zone-h",
    title="Zone-H: defaced web sites",
    licence="By agreement, zone-h.org",
    cadence_minutes=60,
    shape=Delimited(),
    columns={"observed_at": ("add_date",), "ip": ("ip_address",), "feed_country": ("country_code",)},
    sure={"tag": "defacement", "severity": "high"},
    rsit_type="unauthorised-information-modification",
    translate=translate,
    recognise=recognise,
)
