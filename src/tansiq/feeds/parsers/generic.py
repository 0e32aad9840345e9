"""What the generic feeds (CSV, JSON) make of their columns once each is named as its event column."""

from __future__ import annotations

import polars as pl

from tansiq.feeds.feed import Context
from tansiq.feeds.parsers.kinds import types_of_words
from tansiq.feeds.parsers.networks import split_networks

c = pl.col

NOTHING = ("-", "--", "?", "null", "NULL", "None", "none", "N/A", "n/a", "nan", "(null)")
"""What tools write for an empty field."""


def translate(rows: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Strip, drop what says nothing, split networks, give hosts and URLs their place, find the RSIT type.

    The type is the one named, else what the tag means, else an infection where malware is named.
    """
    texts = [name for name, kind in rows.schema.items() if kind == pl.String and name != "record"]
    stripped = c(texts).str.strip_chars()
    rows = rows.with_columns(pl.when(~stripped.is_in(["", *NOTHING])).then(stripped).name.keep()) if texts else rows
    rows = scheme_added(split_networks(rows, "ip"))
    return rows.with_columns(rsit_type=kind(rows))


def scheme_added(rows: pl.DataFrame) -> pl.DataFrame:
    """A URL written without its scheme is an http one."""
    if "url" not in rows.columns:
        return rows
    bare = c("url").str.contains("://").not_() & c("url").str.contains(r"^[^\s/]+\.[^\s/]+")
    return rows.with_columns(url=pl.when(bare).then("http://" + c("url")).otherwise("url"))


def kind(rows: pl.DataFrame) -> pl.Expr:
    said = [pl.lit(types_of_words(rows[name])) for name in ("rsit_type", "tag") if name in rows.columns]
    if "malware" in rows.columns:
        said.append(pl.when(c("malware").is_not_null()).then(pl.lit("infected-system")))
    return pl.coalesce(*said, pl.lit(None, pl.String))
