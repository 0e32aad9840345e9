"""abuse.ch Feodo Tracker's web page: botnet servers in an HTML table, its columns told by their headings."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser

import polars as pl

from tansiq.core.errors import N_
from tansiq.feeds.feed import Context, Document, Evidence, Feed, Refused, Sample
from tansiq.feeds.parsers.values import tell_apart

c = pl.col


class Table(HTMLParser):
    """Collects the cells of every table row, as text."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.in_cell = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th") and self.rows:
            self.rows[-1].append("")
            self.in_cell = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th", "tr", "table"):
            self.in_cell = False

    def handle_data(self, data: str) -> None:
        if self.in_cell:
            self.rows[-1][-1] += data


def records(data: bytes) -> Iterator[dict[str, str] | Refused]:
    """The rows under the first row of headings that has a Host; a row of another width is refused."""
    table = Table()
    table.feed(data.decode("utf-8", "replace"))
    table.close()
    names: list[str] = []
    for cells in table.rows:
        cells = [" ".join(cell.split()) for cell in cells]
        if "Host" in cells:
            names = cells
        elif names and len(cells) == len(names):
            yield dict(zip(names, cells, strict=True))
        elif names and cells:
            reason = "fields.missing" if len(cells) < len(names) else "fields.extra"
            yield Refused(reason, " | ".join(cells).encode())


def translate(rows: pl.DataFrame, context: Context) -> pl.DataFrame:
    if "Host" not in rows.columns:
        return rows
    rows = tell_apart(rows, "Host")
    if "Network (ASN)" not in rows.columns:
        return rows
    network = c("Network (ASN)")
    return rows.with_columns(
        feed_asn=network.str.extract(r"^AS(\d+)"), as_name=network.str.extract(r"^AS\d+\s+(.+)$")
    ).drop("Network (ASN)")


def recognise(sample: Sample) -> Evidence | None:
    text = sample.head.decode("utf-8", "replace")
    if "<html" in text[:2000].lower() and "Feodo Tracker" in text:
        return Evidence(96, N_("It is the page of this tracker."))
    return None


FEED = Feed(
    code="feodotracker",
    title="abuse.ch Feodo Tracker: botnet servers",
    licence="CC0-1.0",
    cadence_minutes=60,
    shape=Document(records, limit_bytes=32 << 20),
    columns={
        "observed_at": ("Firstseen (UTC)", "Firstseen", "First seen (UTC)"),
        "malware": ("Malware",),
        "feed_country": ("Country",),
    },
    sure={"tag": "c2", "severity": "high"},
    rsit_type="c2-server",
    tlp="TLP:CLEAR",
    translate=translate,
    recognise=recognise,
)
