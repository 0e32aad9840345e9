"""JPCERT/CC: phishing URLs that it has confirmed, with the time in Japan and the brand imitated.

Published monthly at https://github.com/JPCERTCC/phishurl-list.
"""

from __future__ import annotations

import polars as pl

from tansiq.core.errors import N_
from tansiq.feeds.feed import Context, Delimited, Evidence, Feed, Sample
from tansiq.feeds.parsers.present import present
from tansiq.feeds.parsers.values import tell_apart


def translate(rows: pl.DataFrame, context: Context) -> pl.DataFrame:
    rows = present(rows, "URL", "description").rename({"description": "brand"})
    return tell_apart(rows, "URL")


def recognise(sample: Sample) -> Evidence | None:
    if sample.lines and sample.lines[0].strip() == "date,URL,description":
        return Evidence(98, N_("Its header is that of this feed."))
    return None


FEED = Feed(
    code="jpcert-phishurl",
    title="JPCERT/CC phishing URLs",
    licence="Published by JPCERT/CC, no licence stated",
    cadence_minutes=30 * 24 * 60,
    shape=Delimited(),
    columns={"observed_at": ("date",)},
    sure={"tag": "phishing"},
    zone="Asia/Tokyo",
    rsit_type="phishing",
    tlp="TLP:CLEAR",
    translate=translate,
    recognise=recognise,
)
