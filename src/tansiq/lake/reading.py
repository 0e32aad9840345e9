"""What a reader sees: each event once, whichever batches its sightings came in.

Rows of one ``event_id`` in different batches are folded: ``count`` is summed, ``first_seen``, ``last_seen`` and
``received_at`` (when the event was first heard of) are minimum, maximum and minimum, everything else is the canonical
sighting's (see ``fold``). All rows of an event lie in one UTC day.

The fold is skipped where ``batch_days`` knows that no batch of the days asked for repeated an event of another.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, cast

import duckdb
import polars as pl

from tansiq.core.columns import STORED
from tansiq.core.errors import N_, TansiqError
from tansiq.lake.catalogue import TYPES, Catalogue, Cursor, DiskFull, Frame, out_of_space, quoted, statement
from tansiq.lake.values import Filter

Form = Literal["json", "csv", "parquet"]

OF_THE_ID = ("feed", "rsit_class", "rsit_type", "ip", "malware")
"""Equal in all sightings of an event, so that a condition on them may come before the fold."""
OF_THE_TABLES = ("team", "country", "asn")
"""Follow from the claim and address tables: equal in all sightings that one pair of tables attributed."""
OF_THE_SIGHTING = ("severity",)
SAME = (*OF_THE_ID, "ip_version", "port", "protocol", "hostname", "url", "domain", "dst_ip", "dst_port", "tag")
"""All columns that the id, or what follows from it alone, fixes."""

SUMMARIES = {
    "count": "sum(count)",
    "observed_at": "min(observed_at)",
    "first_seen": "min(first_seen)",
    "last_seen": "max(last_seen)",
    "received_at": "min(received_at)",
}
COUNTABLE = ("day", *(name for name in STORED if name not in ("event_id", "count", "extra")))


class UnknownColumn(TansiqError):
    code = "lake.column.unknown"
    message = N_("Events have no column {name} to count by.")
    remedy = N_("Use some of: {allowed}.")
    exit_code = 2


@dataclass(frozen=True, slots=True)
class Plan:
    """How a filter is answered: rows that match ``before`` are folded or not, then ``after`` decides."""

    before: str
    after: str
    folded: bool
    same: tuple[str, ...] = SAME  # columns that all sightings of an event agree on


@contextmanager
def reading(catalogue: Catalogue) -> Iterator[Cursor]:
    """A cursor on one snapshot. Raises: LakeDamaged; DiskFull: no room for what does not fit into memory."""
    cursor = catalogue.cursor()
    try:
        cursor.execute("BEGIN")
        with catalogue.room():
            yield cursor
    finally:
        cursor.close()


@contextmanager
def writing(catalogue: Catalogue, place: str) -> Iterator[None]:
    """Tell trouble with the place that is written to from trouble with the lake. Raises: DiskFull, OSError."""
    try:
        yield
    except duckdb.IOException as error:
        if out_of_space(error):
            raise DiskFull(path=place) from error
        if catalogue.names_own_file(error):
            raise
        raise OSError(errno.EIO, os.strerror(errno.EIO), place) from error


def plan(cursor: Cursor, asked: Filter) -> Plan:
    """Decide, from what the batches said of the days concerned, what may be asked before the fold."""
    days = day_conditions(asked)
    repeats, bases = facts(cursor, asked)
    before = [*days, *equal(asked, OF_THE_ID)]
    after = window(asked)
    late = [*equal(asked, OF_THE_TABLES), *(["team IS NULL"] if asked.unattributed else [])]
    sighting = equal(asked, OF_THE_SIGHTING)
    if not repeats:
        return Plan(conjunction([*before, *late, *sighting, *after]), "true", False)
    if bases <= 1:
        return Plan(conjunction([*before, *late]), conjunction([*sighting, *after]), True, (*SAME, *OF_THE_TABLES))
    return Plan(conjunction(before), conjunction([*late, *sighting, *after]), True)


def facts(cursor: Cursor, asked: Filter) -> tuple[bool, int]:
    """Of the days asked for: does any batch repeat another's events, and under how many tables were they attributed."""
    conditions = [
        f"day {sign} {quoted(at.date().isoformat())}::DATE"
        for sign, at in ((">=", asked.since), ("<=", last_moment(asked.until)))
        if at
    ]
    row = cursor.execute(statement("facts").format(conditions=conjunction(conditions))).fetchone()
    assert row is not None
    return bool(row[0]), int(row[1])


def last_moment(until: datetime | None) -> datetime | None:
    return until - timedelta(microseconds=1) if until else None


def day_conditions(asked: Filter) -> list[str]:
    """Whole days that can hold the events: an event's sightings never leave its day."""
    conditions = []
    if asked.since:
        conditions.append(f"observed_at >= {moment(midnight(asked.since))}")
    if last := last_moment(asked.until):
        conditions.append(f"observed_at < {moment(midnight(last) + timedelta(days=1))}")
    return conditions + received_days(asked)


def received_days(asked: Filter) -> list[str]:
    """Of a received window: the span of the days of which something came in then."""
    bounds = []
    if asked.received_since:
        bounds.append(f"received_last >= {moment(asked.received_since)}")
    if asked.received_until:
        bounds.append(f"received_first < {moment(asked.received_until)}")
    return [statement("received_days").format(bounds=conjunction(bounds)).strip()] if bounds else []


def window(asked: Filter) -> list[str]:
    """What the folded event must meet besides its day."""
    conditions = []
    if asked.since and asked.since != midnight(asked.since):
        conditions.append(f"last_seen >= {moment(asked.since)}")
    if asked.until and asked.until != midnight(asked.until):
        conditions.append(f"first_seen < {moment(asked.until)}")
    if asked.received_since:
        conditions.append(f"received_at >= {moment(asked.received_since)}")
    if asked.received_until:
        conditions.append(f"received_at < {moment(asked.received_until)}")
    return conditions


def equal(asked: Filter, names: Sequence[str]) -> list[str]:
    conditions = []
    for name in names:
        value = getattr(asked, name)
        if value is not None:
            conditions.append(f"{name} = {value if isinstance(value, int) else quoted(value)}")
    return conditions


def conjunction(conditions: Sequence[str]) -> str:
    return " AND ".join(conditions) or "true"


def midnight(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def moment(at: datetime) -> str:
    return f"TIMESTAMPTZ {quoted(at.astimezone(UTC).isoformat())}"


def events(cursor: Cursor, asked: Filter, columns: Sequence[str]) -> str:
    """The query whose rows are the events asked for, with these columns of STORED."""
    return planned(plan(cursor, asked), columns)


def planned(how: Plan, columns: Sequence[str]) -> str:
    listed = ", ".join(columns)
    if not how.folded:
        return statement("plain").format(columns=listed, conditions=how.before)
    needed = dict.fromkeys([*columns, *mentioned(how.after)])
    rest = [name for name in needed if name not in SUMMARIES and name != "event_id"]
    if set(rest) <= set(how.same):
        return statement("narrow").format(
            columns=listed,
            same="".join(f", {name}" for name in rest),
            summaries="".join(f", {SUMMARIES[name]} AS {name}" for name in needed if name in SUMMARIES),
            before=how.before,
            after=how.after,
        )
    return statement("folded").format(
        columns=listed,
        plain=", ".join(needed),
        summaries=over_sightings(needed),
        before=how.before,
        after=how.after,
    )


def over_sightings(columns: Iterable[str]) -> str:
    """The columns of the canonical row, the summaries over all rows of its event."""
    return ", ".join(
        f"({SUMMARIES[name]} OVER sightings)::{TYPES[STORED[name].base_type()]} AS {name}"
        if name in SUMMARIES
        else name
        for name in columns
    )


def mentioned(condition: str) -> list[str]:
    words = set(condition.replace("(", " ").split())
    return [name for name in STORED if name in words]


def query(catalogue: Catalogue, asked: Filter, columns: Sequence[str], limit: int | None) -> pl.DataFrame:
    with reading(catalogue) as cursor:
        how = plan(cursor, asked)
        text = planned(how, columns) if limit is None else newest(cursor, how, columns, limit)
        return pl.DataFrame(cursor.sql(text))


def newest(cursor: Cursor, how: Plan, columns: Sequence[str], limit: int) -> str:
    """The query for the newest events: their ids are found in few columns, the rest is read of these few alone."""
    narrow = planned(how, ["event_id", "first_seen", "last_seen"])
    chosen = pl.DataFrame(cursor.sql(statement("newest").format(events=narrow, limit=limit)))
    cursor.register("chosen", Frame(chosen.select("event_id")))
    epoch = datetime.fromtimestamp(0, UTC)
    return statement("chosen").format(
        columns=", ".join(columns),
        summaries=over_sightings(dict.fromkeys([*columns, "last_seen", "event_id"])),
        before=how.before,
        first=moment(cast(datetime, chosen["first_seen"].min()) if chosen.height else epoch),
        last=moment(cast(datetime, chosen["last_seen"].max()) if chosen.height else epoch),
    )


def count(catalogue: Catalogue, asked: Filter, by: Sequence[str]) -> pl.DataFrame:
    for name in by:
        if name not in COUNTABLE:
            raise UnknownColumn(name=name, allowed=", ".join(COUNTABLE))
    columns = list(dict.fromkeys(["count", *("observed_at" if name == "day" else name for name in by)]))
    keys = "".join(f"{'observed_at::DATE AS day' if name == 'day' else name}, " for name in by)
    with reading(catalogue) as cursor:
        text = statement("count").format(keys=keys, events=events(cursor, asked, columns))
        return pl.DataFrame(cursor.sql(text))


def feeds(catalogue: Catalogue) -> set[str]:
    with reading(catalogue) as cursor:
        return {row[0] for row in cursor.execute("SELECT DISTINCT feed FROM lake.slices").fetchall()}


def export(
    catalogue: Catalogue, asked: Filter, path: str, form: Form, columns: Sequence[str], limit: int | None
) -> int:
    """Write the events to a file or a pipe with flat memory; how many they were."""
    options = {
        "json": "FORMAT json, USE_TMP_FILE false",
        "csv": "FORMAT csv, HEADER, USE_TMP_FILE false",
        "parquet": "FORMAT parquet, COMPRESSION zstd",
    }
    with reading(catalogue) as cursor:
        if limit is None:
            inner = events(cursor, asked, columns)
        else:
            inner = newest(cursor, plan(cursor, asked), columns, limit)
        shown = "*" if form == "parquet" else ", ".join(spoken(name, form) for name in columns)
        with writing(catalogue, path):
            copy = f"COPY (SELECT {shown} FROM ({inner})) TO {quoted(path)} ({options[form]})"
            row = cursor.execute(copy).fetchone()
    return int(row[0]) if row else 0


def export_by_team(catalogue: Catalogue, asked: Filter, folder: str) -> None:
    """Write the events as Parquet with the types of STORED, one folder a team, with flat memory."""
    with reading(catalogue) as cursor:
        inner = events(cursor, asked, list(STORED))
        # Read again at once and then removed: quick to write counts for more than small.
        options = "FORMAT parquet, COMPRESSION lz4, PARTITION_BY (team), WRITE_PARTITION_COLUMNS true"
        with writing(catalogue, folder):
            cursor.execute(f"COPY ({inner}) TO {quoted(folder)} ({options})")


def spoken(name: str, form: Form) -> str:
    """A column as text formats have it: ids in hexadecimal, times RFC 3339 in UTC, ``extra`` as an object in JSON."""
    kind = STORED[name]
    if name == "event_id":
        return "lower(hex(event_id)) AS event_id"
    if name == "extra" and form == "json":
        return "extra::JSON AS extra"
    if isinstance(kind, pl.Datetime):
        whole, parts = quoted("%Y-%m-%dT%H:%M:%SZ"), quoted("%Y-%m-%dT%H:%M:%S.%fZ")
        return f"strftime({name}, CASE WHEN epoch_us({name}) % 1000000 = 0 THEN {whole} ELSE {parts} END) AS {name}"
    return name
