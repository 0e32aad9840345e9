"""What goes into the lake and what it answers, as plain values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from tansiq.core.errors import N_, TansiqError


@dataclass(frozen=True, slots=True)
class Slice:
    """A run of lines of one report inside a batch: ``first_line`` up to, not including, ``end_line``, counted from 1.

    ``lines == blank + events + rejected`` always; ``events`` counts sightings, before the fold.
    """

    report_id: str
    feed: str
    first_line: int
    end_line: int
    lines: int
    blank: int
    events: int
    rejected: int
    complete: bool


@dataclass(frozen=True, slots=True)
class Progress:
    """What the lake holds of one report: the lines before ``end_line``. ``events - new`` are the repeats."""

    end_line: int
    blank: int
    events: int
    new: int
    rejected: int
    complete: bool


@dataclass(frozen=True, slots=True)
class Counted:
    """What one commit brought of one report: ``new`` events that the lake had not, ``repeats`` of known ones."""

    report_id: str
    new: int
    repeats: int


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events are asked for. All conditions must hold; None asks for no condition.

    Attributes:
        team, feed, rsit_class, rsit_type, country, malware, ip, severity: equal to (``ip`` in canonical text).
        asn: number of the autonomous system.
        since, until: aware, UTC; events whose [first_seen, last_seen] meets the half-open window [since, until).
        received_since, received_until: aware, UTC; events *first* received in this half-open window, so that
            consecutive windows have each event exactly once.
        unattributed: only events that no team answers for (none, tie, contested).
    """

    team: str | None = None
    feed: str | None = None
    rsit_class: str | None = None
    rsit_type: str | None = None
    country: str | None = None
    asn: int | None = None
    malware: str | None = None
    ip: str | None = None
    severity: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    received_since: datetime | None = None
    received_until: datetime | None = None
    unattributed: bool = False


@dataclass(frozen=True, slots=True)
class Compacted:
    """What a compaction did to the files of one day."""

    day: date
    files_before: int
    files_after: int
    rows_before: int
    rows_after: int


class Overtaken(TansiqError):
    """The lines of a slice are not the next ones of their report: somebody else has stored them, or earlier ones lack.

    Drop the staged batch, ask ``Lake.progress`` anew and go on from there.
    """

    code = "lake.overtaken"
    message = N_("Report {report_id} stands at line {end_line} in the lake, not at line {first_line}.")
    remedy = N_("Another process works on the same report; go on from where the lake stands.")
    transient = True


def check(slices: Sequence[Slice]) -> None:
    """Refuse slices that do not add up. A programmer's mistake, hence a ValueError."""
    if len({one.report_id for one in slices}) != len(slices):
        raise ValueError("a batch holds at most one slice of a report")
    for one in slices:
        if one.lines != one.blank + one.events + one.rejected:
            raise ValueError(f"lines are not blank + events + rejected in {one}")
        if one.first_line < 1 or one.end_line < one.first_line:
            raise ValueError(f"lines are counted from 1, the end is not before the start: {one}")
