"""Columns that a report may lack although its format has them."""

from __future__ import annotations

import polars as pl


def present(rows: pl.DataFrame, *names: str) -> pl.DataFrame:
    """The rows with every one of ``names`` as a column; one that the report lacks says nothing."""
    return rows.with_columns(pl.lit(None, pl.String).alias(name) for name in names if name not in rows.columns)
