"""What a digest says of a team's events: a few dozen figures out of any number of rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tansiq.notices.kinds import SEVERITIES

if TYPE_CHECKING:
    import polars as pl

RANK = {severity: rank for rank, severity in enumerate(SEVERITIES)}
"""critical 0, high 1, medium 2, low 3, info 4, not stated 5."""

TOP = 10


@dataclass(frozen=True, slots=True)
class Kind:
    """One line of a digest: events of one class, type, feed and severity."""

    rsit_class: str
    rsit_type: str
    feed: str
    severity: str
    events: int
    sightings: int
    addresses: int
    first_seen: datetime
    last_seen: datetime


@dataclass(frozen=True, slots=True)
class Subject:
    """An address, host or URL to look at first, with its worst kind."""

    subject: str
    rsit_class: str
    rsit_type: str
    severity: str
    malware: str
    events: int
    sightings: int


@dataclass(frozen=True, slots=True)
class Top:
    """A malware, or a network (``AS64496``, with its name), and how much of it there is."""

    name: str
    detail: str
    events: int
    addresses: int


@dataclass(frozen=True, slots=True)
class Way:
    """How many events were attributed this way, and how sure that is."""

    attributed_by: str
    events: int
    confidence_percent: int


@dataclass(frozen=True, slots=True)
class Summary:
    """Figures over the events of one team and period. ``addresses`` are distinct ones over all kinds."""

    events: int
    sightings: int
    addresses: int
    kinds: tuple[Kind, ...]
    subjects: tuple[Subject, ...]
    malware: tuple[Top, ...]
    networks: tuple[Top, ...]
    ways: tuple[Way, ...]

    def by_severity(self) -> dict[str, int]:
        """Events per severity, the worst first, absent ones left out."""
        totals = dict.fromkeys(SEVERITIES, 0)
        for kind in self.kinds:
            totals[kind.severity if kind.severity in totals else ""] += kind.events
        return {severity: n for severity, n in totals.items() if n}


def summarise(events: pl.LazyFrame) -> Summary:
    """Fold events (columns ``core.columns.STORED``, one row an event) into a summary.

    Runs on Polars' streaming engine: memory grows with the number of distinct addresses, not of rows.
    """
    import polars as pl

    total, kinds, subjects, malware, networks, ways = pl.collect_all(
        [
            events.select(
                pl.len().alias("events"),
                pl.col("count").cast(pl.UInt64).sum().alias("sightings"),
                pl.col("ip").drop_nulls().n_unique().alias("addresses"),
            ),
            _kinds(events),
            _subjects(events),
            _malware(events),
            _networks(events),
            _ways(events),
        ],
        engine="streaming",
    )
    figures = total.row(0, named=True)
    return Summary(
        events=figures["events"],
        sightings=figures["sightings"] or 0,
        addresses=figures["addresses"],
        kinds=tuple(Kind(**row) for row in kinds.to_dicts()),
        subjects=tuple(Subject(**row) for row in subjects.to_dicts()),
        malware=tuple(Top(**row) for row in malware.to_dicts()),
        networks=tuple(Top(**row) for row in networks.to_dicts()),
        ways=tuple(Way(**row) for row in ways.to_dicts()),
    )


def _text(name: str) -> pl.Expr:
    import polars as pl

    return pl.col(name).fill_null("")


def _rank() -> pl.Expr:
    import polars as pl

    return pl.col("severity").replace_strict(RANK, default=RANK[""], return_dtype=pl.UInt8)


def _measures() -> dict[str, Any]:
    import polars as pl

    return {
        "events": pl.len(),
        "sightings": pl.col("count").cast(pl.UInt64).sum(),
        "addresses": pl.col("ip").drop_nulls().n_unique(),
    }


def _kinds(events: pl.LazyFrame) -> pl.LazyFrame:
    import polars as pl

    names = ["rsit_class", "rsit_type", "feed", "severity"]
    return (
        events.group_by(*(_text(name) for name in names))
        .agg(**_measures(), first_seen=pl.col("first_seen").min(), last_seen=pl.col("last_seen").max())
        .sort(_rank(), pl.col("events"), *names[:3], descending=[False, True, False, False, False])
    )


def _subjects(events: pl.LazyFrame) -> pl.LazyFrame:
    """Worst severity first, then most sightings: the short list to start with."""
    import polars as pl

    measures = {"events": pl.len(), "sightings": pl.col("count").cast(pl.UInt64).sum()}
    return (
        events.with_columns(subject=pl.coalesce("ip", "hostname", "url"))
        .filter(pl.col("subject").is_not_null())
        .group_by("subject", *(_text(name) for name in ("rsit_class", "rsit_type", "severity")))
        .agg(malware=_text("malware").max(), **measures)
        .sort(_rank(), "sightings", "subject", "rsit_type", descending=[False, True, False, False])
        .head(TOP)
        .select("subject", "rsit_class", "rsit_type", "severity", "malware", "events", "sightings")
    )


def _malware(events: pl.LazyFrame) -> pl.LazyFrame:
    import polars as pl

    measures = _measures()
    return (
        events.filter(_text("malware") != "")
        .group_by(name="malware")
        .agg(detail=pl.lit(""), events=measures["events"], addresses=measures["addresses"])
        .sort("events", "name", descending=[True, False])
        .head(TOP)
    )


def _networks(events: pl.LazyFrame) -> pl.LazyFrame:
    import polars as pl

    measures = _measures()
    return (
        events.filter(pl.col("asn").is_not_null() & (pl.col("asn") > 0))
        .group_by("asn")
        .agg(detail=_text("as_name").max(), events=measures["events"], addresses=measures["addresses"])
        .sort("events", "asn", descending=[True, False])
        .head(TOP)
        .select(pl.format("AS{}", "asn").alias("name"), "detail", "events", "addresses")
    )


def _ways(events: pl.LazyFrame) -> pl.LazyFrame:
    import polars as pl

    return (
        events.group_by(_text("attributed_by"))
        .agg(
            events=pl.len(),
            confidence_percent=pl.col("confidence_percent")
            .cast(pl.Float64)
            .mean()
            .fill_null(0)
            .round(0)
            .cast(pl.Int64),
        )
        .sort("events", "attributed_by", descending=[True, False])
    )
