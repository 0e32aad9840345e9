"""docs/reference/feeds.md says what the catalogue says: ``make golden`` writes it anew."""

from __future__ import annotations

from pathlib import Path

from tansiq.feeds.catalogue import ALL
from tansiq.feeds.feed import Delimited, Document, Feed, JsonLines, Shape
from tansiq.feeds.parsers.shadowserver_reports import reports, types_of_tags
from tansiq.feeds.rejects import REASONS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "feeds.md"

HEAD = """# Feeds

Generated from the catalogue (`src/tansiq/feeds/catalogue.py`): `make golden` writes it anew.

`tansiq feeds detect FILE` names the feed of a report and says why; `tansiq feeds ingest auto FILE…` asks it for each.
How to add one: [add a feed](../how-to/add-a-feed.md).

## All feeds

| code | what | form | RSIT type unless a row says otherwise | zone of times | marking | every | licence |
|---|---|---|---|---|---|---|---|
"""

COLUMNS = """
## Where the columns of an event come from

The first column named that says something wins. Every column of a report that is not named here is kept in `extra`. A
feed that is not listed works its columns out row by row (lists of values, packed fields, whole documents) or, as `csv`
and `jsonl`, from the names that a report has.

"""

REPORTS = """
## Shadowserver: kinds of reports

A kind is told by the file's name (`2026-01-01-scan_rdp-….csv`, with or without the 6 of IPv6), else by a column that
only it has, else row by row by the tag, else by an infection. The severity is used where a row has none. In a report of
DDoS targets the target (`dst_ip`) is the subject; the source is kept in `extra` as `from_ip`.

| report | RSIT type | severity | told by the column |
|---|---|---|---|
"""

TAGS = """
### Tags

| tag | RSIT type |
|---|---|
| cve-… | vulnerable-system |
"""

REJECTS = """
## Why a line is rejected

A rejected line is kept with its number, its reason and its bytes (`tansiq events rejects REPORT`).

| reason | what it means |
|---|---|
"""


def form(shape: Shape) -> str:
    if isinstance(shape, Delimited):
        named = {",": "commas", "\t": "tabs", "|": "bars", ";": "semicolons"}[shape.separator]
        return f"lines, {named}, {'no header' if shape.names else 'header'}"
    if isinstance(shape, JsonLines):
        return "JSON lines"
    return "one document" if isinstance(shape, Document) else "one value a line"


def period(minutes: int) -> str:
    return (
        f"{minutes // 1440} d"
        if minutes % 1440 == 0
        else f"{minutes // 60} h"
        if minutes % 60 == 0
        else f"{minutes} min"
    )


def row(feed: Feed) -> str:
    shape = form(feed.shape) + (", told by the report" if feed.fit else "")
    cells = (
        f"`{feed.code}`",
        feed.title,
        shape,
        feed.rsit_type,
        feed.zone,
        feed.tlp,
        period(feed.cadence_minutes),
        feed.licence,
    )
    return "| " + " | ".join(cells) + " |\n"


def columns(feed: Feed) -> str:
    lines = [f"- `{name}`: {', '.join(f'`{source}`' for source in sources)}" for name, sources in feed.columns.items()]
    lines += [f"- `{name}` is always `{value}` where a row says nothing else" for name, value in feed.sure.items()]
    return f"### {feed.code}\n\n" + "\n".join(lines) + "\n\n"


def page() -> str:
    kinds = "".join(
        f"| {r.report} | {r.rsit_type} | {r.severity or '—'} | {r.mark and f'`{r.mark}`'} |\n"
        for r in reports().values()
    )
    tags = "".join(f"| {tag} | {kind} |\n" for tag, kind in sorted(types_of_tags().items()))
    reasons = "".join(f"| `{code}` | {words} |\n" for code, words in REASONS.items())
    told = "".join(columns(feed) for feed in ALL if feed.columns or feed.sure).rstrip() + "\n"
    return HEAD + "".join(map(row, ALL)) + COLUMNS + told + REPORTS + kinds + TAGS + tags + REJECTS + reasons


def test_reference_of_feeds_is_what_the_catalogue_says(regenerate: bool) -> None:
    if regenerate:
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(page(), encoding="utf-8")

    assert PAGE.read_text(encoding="utf-8") == page()
