"""What a feed is: the value that a parser module declares (``FEED``), and the shapes its reports come in.

A parser is three steps (docs/how-to/add-a-feed.md): ``feeds/parsers/<name>.py`` with a ``FEED``, a golden case, a line
in ``feeds/catalogue.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import polars as pl


@dataclass(frozen=True, slots=True)
class Delimited:
    """One record a line, fields between separators, quoted where need be (RFC 4180, but never across lines).

    Attributes:
        names: column names where the report has no header line; empty: the first line that is no comment names them.
        comments: a line that starts so is no record. Empty for feeds that have none: there such a line is a reject.
        heading: a prefix that marks a comment line holding the column names ("#category|address|…").
    """

    separator: str = ","
    names: tuple[str, ...] = ()
    comments: tuple[str, ...] = ()
    heading: str = ""
    quote: str = '"'


@dataclass(frozen=True, slots=True)
class Plain:
    """One value a line, in the column ``value``; what follows a ``note`` mark goes to the column ``note``."""

    comments: tuple[str, ...] = ("#", ";", "//")
    notes: tuple[str, ...] = (" #", "\t#", " ;", "\t;")


@dataclass(frozen=True, slots=True)
class JsonLines:
    """One JSON object a line.

    Attributes:
        paths: column name -> JSON path within the object, e.g. {"ip": "$.source_ip"}. The members that no path names
            go to ``extra``, nested ones as they are.
    """

    paths: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Document:
    """A report that is one document (a JSON object or array, an HTML page): read whole, bounded in size.

    ``records`` yields one mapping (column -> text, or None) a record; a ``Refused`` for a record that cannot be
    read. A record's ordinal (from 1) stands where a line-based feed has its line number, and ``lines`` counts records.
    """

    records: Callable[[bytes], Iterable[Mapping[str, Any] | Refused]]
    limit_bytes: int = 256 << 20


@dataclass(frozen=True, slots=True)
class Refused:
    """A record of a document that is no event, and why (a code of ``feeds.rejects``)."""

    reason: str
    raw: bytes


Shape = Delimited | Plain | JsonLines | Document


@dataclass(frozen=True, slots=True)
class Context:
    """What is known of a report beside its lines.

    Attributes:
        name: file name as received, without folder and compression suffix.
        dated_at: the report's own date (UTC), used for records without a time: from its head lines
            (``Feed.date_pattern``), else its file or folder name, else the file's modification time.
    """

    name: str
    dated_at: datetime


@dataclass(frozen=True, slots=True)
class Sample:
    """The beginning of a report, decompressed: what a feed is recognised by.

    Attributes:
        name: file name without folder and compression suffix.
        head: up to 64 KiB.
        lines: its whole lines as text, without line ends; at most 200.
    """

    name: str
    head: bytes
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why a report looks like one of a feed, and how sure that is (1-100)."""

    percent: int
    why: str


def nothing_known(sample: Sample) -> Evidence | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A stream of reports of one kind.

    Attributes:
        code: stable name ("shadowserver"); part of every event's identity.
        columns: event column -> the feed's columns that may hold it, the first present one wins. Event columns are
            the text ones of ``core.columns.PARSED``: observed_at, ip, port, protocol, hostname, url, dst_ip, dst_port,
            malware, severity, tag, rsit_type, feed_asn, feed_country. What no entry names goes to ``extra``.
        ignored: feed columns that neither an event column nor ``extra`` should keep.
        zone: time zone of times without an offset (IANA name).
        rsit_type: of events for which ``translate`` says nothing else.
        translate: pure function on the cut columns (text, null where empty; plus ``line_number``) before the mapping;
            it may add columns under event names, and a column ``reject`` (a reason code, null for good rows).
        date_pattern: regular expression with one group, found in the head of a report: its date.
        sure: attributes asserted for every event of the feed (tag, malware, severity, protocol…).
        fit: for feeds whose reports differ in shape (separator, header, lines or one document): the feed as one report
            needs it, told by its sample. Called once a report, before its first line is cut.
    """

    code: str
    title: str
    licence: str
    cadence_minutes: int
    shape: Shape
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    sure: Mapping[str, str] = field(default_factory=dict)
    zone: str = "UTC"
    rsit_type: str = "undetermined"
    tlp: str = "TLP:AMBER"
    translate: Callable[[pl.DataFrame, Context], pl.DataFrame] | None = None
    date_pattern: str = ""
    recognise: Callable[[Sample], Evidence | None] = nothing_known
    fit: Callable[[Feed, Sample], Feed] | None = None

    def fitted(self, sample: Sample) -> Feed:
        return self.fit(self, sample) if self.fit else self

    @property
    def marking_id(self) -> str:
        """Names the default marking of the feed's events until the sharing desk keeps markings of its own."""
        return f"{self.tlp}/{self.code}"
