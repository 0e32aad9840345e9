"""Generic CSV and TSV: separator, header and columns told from the report, or declared by the person who ingests it."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from zoneinfo import available_timezones

import polars as pl

from tansiq.core.errors import N_, TansiqError
from tansiq.feeds.feed import Context, Delimited, Evidence, Feed, Sample
from tansiq.feeds.parsers import generic
from tansiq.feeds.parsers.known_names import event_columns
from tansiq.feeds.parsers.values import IPV4_LIKE, IPV6_LIKE, NAME_AND_PATH, NAME_LIKE, URL_LIKE
from tansiq.feeds.reading.cutting import header_names

COMMENTS = ("#", ";", "//")
SEPARATORS = ("\t", ";", "|", ",")

EVENT_COLUMNS = (
    "observed_at", "ip", "port", "protocol", "hostname", "url", "dst_ip", "dst_port",
    "malware", "severity", "tag", "rsit_type", "feed_asn", "feed_country",
)  # fmt: skip

TIME_LIKE = r"^(?:\d{4}[-/]\d\d[-/]\d\d(?:[ T].*)?|\d\d/[A-Z][a-z]{2}/\d{4}:.*|\d{10}(?:\.\d+)?|1[23]\d{16})$"
CONTENT = (
    ("observed_at", TIME_LIKE),
    ("ip", f"{IPV4_LIKE}|{IPV6_LIKE}|{IPV4_LIKE[:-1]}/\\d{{1,2}}$"),
    ("url", f"{URL_LIKE}|{NAME_AND_PATH}"),
    ("hostname", NAME_LIKE),
    ("feed_asn", r"^AS\d+$"),
    ("feed_country", r"^[A-Z]{2}$"),
)
"""What a column without a name is taken for, by what most of its values look like."""

SUBJECTS = ("observed_at", "ip", "url")


class BadMapping(TansiqError):
    code = "feeds.mapping.bad"
    message = N_("Column mapping {given} cannot be used because of {name}.")
    remedy = N_("Write NAME=COLUMN, NAME being one of {allowed}.")
    exit_code = 2


class UnknownColumn(TansiqError):
    code = "feeds.mapping.column"
    message = N_("Report {file} has no column {column}.")
    remedy = N_("Name one of {known}, or count it from 1.")
    exit_code = 2


class BadZone(TansiqError):
    code = "feeds.mapping.zone"
    message = N_("Time zone {zone} is not known.")
    remedy = N_("Use a name of the IANA list, such as Africa/Dakar or Asia/Riyadh.")
    exit_code = 2


class BadSeparator(TansiqError):
    code = "feeds.mapping.separator"
    message = N_("Separator {given} cannot be used.")
    remedy = N_("Name one character, or tab.")
    exit_code = 2


def with_mapping(feed: Feed, columns: Mapping[str, str], separator: str = "", zone: str = "") -> Feed:
    """The feed with what a person declares of one report.

    Args:
        columns: event column -> the report's column, by its name or its number from 1. Overrides what would be guessed.
        separator: one character, or "tab"; empty: told from the report.
        zone: IANA name for times without an offset; empty: the feed's own.

    Raises: BadMapping: a name that is no event column, or without a column; BadSeparator; BadZone. ``fit`` raises
        UnknownColumn when the report has no such column.
    """
    for name, column in columns.items():
        if name not in EVENT_COLUMNS or not column:
            given = ", ".join(f"{key}={value}" for key, value in columns.items())
            raise BadMapping(given=given, name=name, allowed=", ".join(EVENT_COLUMNS))
    if zone and zone not in available_timezones():
        raise BadZone(zone=zone)
    separator = {"tab": "\t", "\\t": "\t"}.get(separator, separator)
    if len(separator) > 1 or separator in ('"', "\n", "\r"):
        raise BadSeparator(given=separator)
    declared = {name: (column,) for name, column in columns.items()}
    shape = feed.shape
    if isinstance(shape, Delimited) and separator:
        shape = replace(shape, separator=separator)
    ready = replace(feed, shape=shape, columns={**feed.columns, **declared}, zone=zone or feed.zone)
    return replace(ready, fit=fit_declared if separator else feed.fit, recognise=as_declared)


def as_declared(sample: Sample) -> Evidence:
    return Evidence(100, N_("Its columns were declared by the person who ingests it."))


def fit(feed: Feed, sample: Sample) -> Feed:
    """Tell the separator, then the columns."""
    shape = feed.shape
    assert isinstance(shape, Delimited)
    return fit_declared(replace(feed, shape=replace(shape, separator=separator_of(records(sample)))), sample)


def fit_declared(feed: Feed, sample: Sample) -> Feed:
    """Tell the header line, or, where there is none, the columns by what is in them."""
    shape = feed.shape
    assert isinstance(shape, Delimited)
    lines = records(sample)
    rows = [cells(line, shape.separator) for line in lines]
    if not rows:
        return replace(feed, fit=None)
    names: tuple[str, ...] = ()
    wanted = {column for given in feed.columns.values() for column in given}
    if has_header(rows, wanted):
        found = list(header_names(lines[0], shape))
    elif commented := commented_header(sample, shape.separator, len(rows[0])):
        found, names = commented, tuple(commented)
    else:
        names = unnamed(rows)
        found = list(names)
    columns = {**event_columns(found), **{name: (name,) for name in found if name in EVENT_COLUMNS}}
    if not names:
        columns = {**by_content(rows, found, columns), **columns}
    for name, (column, *_) in feed.columns.items():
        columns[name] = (named_or_counted(column, found, sample),)
    taken = {name: tuple(n for n in given if n not in declared(feed, name)) for name, given in columns.items()}
    named = partial(with_event_names, columns={name: given for name, given in taken.items() if given})
    return replace(feed, shape=replace(shape, names=names), columns={}, translate=named, fit=None)


def declared(feed: Feed, event_column: str) -> set[str]:
    """Columns that a person gave to another event column than this one."""
    return {column for name, given in feed.columns.items() for column in given if name != event_column}


def named_or_counted(column: str, found: Sequence[str], sample: Sample) -> str:
    if column in found:
        return column
    if column.isdecimal() and 1 <= int(column) <= len(found):
        return found[int(column) - 1]
    raise UnknownColumn(file=sample.name, column=column, known=", ".join(found))


def records(sample: Sample) -> list[str]:
    return [line for line in sample.lines if line.strip() and not line.lstrip().startswith(COMMENTS)]


def separator_of(lines: Sequence[str]) -> str:
    """The mark that most lines have the same number of times, and most often."""

    def evenness(mark: str) -> tuple[int, int]:
        counts = Counter(len(cells(line, mark)) for line in lines)
        ((width, times),) = counts.most_common(1) or [(1, 0)]
        return (times if width > 1 else 0, width)

    return max(SEPARATORS, key=evenness) if lines else ","


def cells(line: str, separator: str) -> list[str]:
    try:
        return next(csv.reader([line.replace("\0", "")], delimiter=separator, skipinitialspace=True), [])
    except csv.Error:
        return line.split(separator)


def has_header(rows: Sequence[Sequence[str]], wanted: Collection[str] = ()) -> bool:
    """Whether the first row is names: none that is itself an address, URL or time, and at least one that is known, or
    wanted by a person, or stands above addresses."""
    first = [cell.strip() for cell in rows[0]]
    if any(re.match(pattern, cell) for cell in first for name, pattern in CONTENT if name in SUBJECTS):
        return False
    return bool(event_columns(first)) or bool(set(first) & set(wanted)) or "ip" in unnamed(rows[1:])


def by_content(
    rows: Sequence[Sequence[str]], found: Sequence[str], known: Mapping[str, tuple[str, ...]]
) -> dict[str, tuple[str, ...]]:
    """Subjects that no name tells, by what the columns under unknown names hold."""
    taken = {name for given in known.values() for name in given}
    guessed = dict(zip(unnamed(rows[1:]), found, strict=False))
    return {name: (guessed[name],) for name in SUBJECTS if name in guessed and guessed[name] not in taken}


def commented_header(sample: Sample, separator: str, width: int) -> list[str]:
    """The names in a comment line ("# Host,Path") of as many fields as the records have."""
    for line in sample.lines:
        if line.lstrip().startswith(COMMENTS):
            names = [name.strip() for name in cells(line.lstrip().lstrip("#;/ "), separator)]
            if len(names) == width > 1 and event_columns(names):
                return names
    return []


def unnamed(rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Names for the columns of a report without a header: each event column goes to the first that looks like it."""
    if not rows:
        return ()
    width = Counter(len(row) for row in rows).most_common(1)[0][0]
    names = [f"column_{place}" for place in range(1, width + 1)]
    for name, pattern in CONTENT:
        for place in range(width):
            values = [row[place].strip() for row in rows if len(row) == width]
            said = [value for value in values if value and value not in generic.NOTHING]
            like = sum(1 for value in said if re.match(pattern, value))
            if names[place].startswith("column_") and said and like * 2 > len(said):
                names[place] = name
                break
    return tuple(names)


def with_event_names(rows: pl.DataFrame, context: Context, *, columns: Mapping[str, tuple[str, ...]]) -> pl.DataFrame:
    """Give each event column its value; of several columns the first that says something."""
    present = {name: [n for n in given if n in rows.columns] for name, given in columns.items()}
    used = {n for given in present.values() for n in given}
    rest = [n for n in rows.columns if n not in used and n not in present]
    return generic.translate(
        rows.select(*rest, *(pl.coalesce(given).alias(name) for name, given in present.items() if given)), context
    )


def translate(rows: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Of a report that nobody has looked at before: by the names of its columns alone."""
    return with_event_names(rows, context, columns=event_columns(n for n in rows.columns if n != "line_number"))


def recognise(sample: Sample) -> Evidence | None:
    lines = records(sample)
    if not lines:
        return None
    mark = separator_of(lines)
    rows = [cells(line, mark) for line in lines]
    even = sum(1 for row in rows if len(row) == len(rows[0])) / len(rows)
    if len(rows[0]) < 2 or even < 0.5:
        return None
    if has_header(rows) or commented_header(sample, mark, len(rows[0])):
        return Evidence(45, N_("It is a table whose header has well-known column names."))
    if set(unnamed(rows)) & {"ip", "url", "hostname"}:
        return Evidence(30, N_("It is a table without a header; its columns are told by what is in them."))
    return None


FEED = Feed(
    code="csv",
    title="CSV or TSV with common column names, or a declared mapping",
    licence="Whatever its source says",
    cadence_minutes=60,
    shape=Delimited(comments=COMMENTS),
    translate=translate,
    recognise=recognise,
    fit=fit,
)
