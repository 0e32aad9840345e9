"""JSON lines with keys that many tools use, flat or one level deep; or one document of such objects."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import polars as pl

from tansiq.core.errors import N_
from tansiq.feeds.feed import Context, Document, Evidence, Feed, JsonLines, Sample
from tansiq.feeds.parsers import generic
from tansiq.feeds.parsers.json_records import records
from tansiq.feeds.parsers.known_names import event_columns

c = pl.col


def translate(rows: pl.DataFrame, context: Context) -> pl.DataFrame:
    """In a document, columns get their event's names here; lines have them from their paths."""
    if "record" not in rows.columns:
        found = event_columns(name for name in rows.columns if name != "line_number")
        rows = rows.with_columns(pl.coalesce(names).alias(column) for column, names in found.items())
    else:
        columns = {name.partition("/")[0]: name for name in rows.columns if "/" in name}
        parts = {column: [n for n in rows.columns if n.startswith(f"{column}/")] for column in columns}
        rows = rows.select(
            "line_number", "record", *(pl.coalesce(names).alias(column) for column, names in parts.items())
        )
    return generic.translate(rows, context)


def fit(feed: Feed, sample: Sample) -> Feed:
    """Only the keys that the sample has are looked for: each path costs a pass over the lines."""
    objects = whole_lines(sample)
    if not objects:
        return replace(feed, shape=Document(records), fit=None)
    places = {".".join(place): place for item in objects for place in leaves(item)}
    found = event_columns(places)
    paths = {
        f"{column}/{order}": "$" + "".join(f"['{step}']" for step in places[name])
        for column, names in found.items()
        for order, name in enumerate(names)
    }
    return replace(feed, shape=JsonLines(paths), fit=None)


def leaves(item: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """The places of an object's plain values, at most one level down."""
    found: list[tuple[str, ...]] = []
    for key, value in item.items():
        if isinstance(value, dict):
            found += [(key, inner) for inner, leaf in value.items() if not isinstance(leaf, dict | list)]
        elif not isinstance(value, list) or key.lower() in ("tag", "tags"):
            found.append((key,))
    return [place for place in found if not any("'" in step or not step for step in place)]


def whole_lines(sample: Sample) -> list[dict[str, Any]]:
    """The objects among the sample's lines; empty for a document, whose lines are pieces of objects."""
    lines = [line for line in sample.lines if line.strip()]
    if not lines or lines[0].lstrip().startswith("["):
        return []
    found = []
    for line in lines:
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict) and not any(
            isinstance(value.get(key), list) for key in ("data", "events", "results")
        ):
            found.append(value)
    return found


def recognise(sample: Sample) -> Evidence | None:
    if len(whole_lines(sample)) * 2 > len(sample.lines):
        return Evidence(35, N_("Most of its lines are JSON objects."))
    if sample.head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"[", b"{"):
        return Evidence(20, N_("It looks like a JSON document."))
    return None


FEED = Feed(
    code="jsonl",
    title="JSON lines with common keys",
    licence="Whatever its source says",
    cadence_minutes=60,
    shape=JsonLines({}),
    translate=translate,
    recognise=recognise,
    fit=fit,
)
