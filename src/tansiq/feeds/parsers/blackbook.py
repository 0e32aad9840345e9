"""Blackbook: domains of malware, with the family, the day each was added and the list it came from.

Published daily at https://github.com/stamparm/blackbook.
"""

from __future__ import annotations

import polars as pl

from tansiq.core.errors import N_
from tansiq.feeds.feed import Context, Delimited, Evidence, Feed, Sample
from tansiq.feeds.parsers.present import present
from tansiq.feeds.parsers.values import tell_apart

HEADER = "Domain,Malware,Date added,Source"


def translate(rows: pl.DataFrame, context: Context) -> pl.DataFrame:
    return tell_apart(present(rows, "Domain"), "Domain")


def recognise(sample: Sample) -> Evidence | None:
    if sample.lines and sample.lines[0].strip().lower() == HEADER.lower():
        return Evidence(98, N_("Its header is that of this feed."))
    return None


FEED = Feed(
    code="blackbook",
    title="Blackbook: malware domains",
    licence="Public domain",
    cadence_minutes=24 * 60,
    shape=Delimited(),
    columns={"observed_at": ("Date added",), "malware": ("Malware",)},
    sure={"tag": "malware-domain"},
    rsit_type="c2-server",
    tlp="TLP:CLEAR",
    translate=translate,
    recognise=recognise,
)
