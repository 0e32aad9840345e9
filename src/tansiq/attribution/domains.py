"""Claimed domains, matched in columns: the longest claimed suffix of each name, on label boundaries."""

from __future__ import annotations

import numpy as np
import polars as pl

from tansiq.addresses.names import registered_domains
from tansiq.attribution.register import Numbers


class ClaimedDomains:
    """The claimed domains and their timelines.

    A claim lies either at or above the registered domain of a host, or below it. The first is decided once for each
    distinct registered domain, and there are far fewer of those than hosts. Only hosts of the few registered domains
    that have claims below them (``ministry.gov.example`` under ``gov.example``, were that one a registered domain)
    are looked at in full, as are hosts that are a public suffix themselves.

    Args:
        names: m distinct domains (A-labels, lower case).
        timelines: aligned with them.
    """

    def __init__(self, names: pl.Series, timelines: Numbers) -> None:
        self._claims = pl.DataFrame({"tail": names, "timeline": pl.Series(timelines, dtype=pl.UInt32)})
        self._label_counts = sorted((names.str.count_matches(".", literal=True) + 1).unique(), reverse=True)
        registered = registered_domains(names)
        self._divided = registered.filter(registered != names).unique()

    def timelines_of(self, hosts: pl.Series, registered: pl.Series) -> Numbers:
        """The timeline of the longest claimed suffix of each host, 0 for none.

        Args:
            hosts: n host names, null for none.
            registered: their registered domains, null for none.
        """
        if self._claims.is_empty():
            return np.zeros(len(hosts), np.uint32)
        found = self._look_up(registered)
        in_full = registered.is_in(self._divided.implode()).fill_null(False) | (
            registered.is_null() & hosts.is_not_null()
        )
        rows = np.flatnonzero(in_full.to_numpy())
        if len(rows):
            found[rows] = self._look_up(hosts.gather(rows))
        return found

    def _look_up(self, names: pl.Series) -> Numbers:
        matched = self._match(names.drop_nulls().unique())
        found = names.to_frame("name").join(matched, on="name", how="left", maintain_order="left")
        return found["timeline"].fill_null(0).to_numpy(writable=True)

    def _match(self, names: pl.Series) -> pl.DataFrame:
        """Of distinct names, those under a claim, each with the timeline of its longest claimed suffix."""
        open_names = names.rename("name").to_frame()
        matched = []
        for labels in self._label_counts:
            tail = pl.col("name").str.extract(rf"((?:[^.]+\.){{{labels - 1}}}[^.]+)$")
            matched.append(open_names.with_columns(tail=tail).join(self._claims, on="tail").select("name", "timeline"))
            open_names = open_names.join(matched[-1], on="name", how="anti")
        return pl.concat(matched)
