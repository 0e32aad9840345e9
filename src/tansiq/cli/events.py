"""Events as they lie in the lake: list, count, what was rejected, compaction."""

from __future__ import annotations

import os
import re
import shutil
import sys
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tansiq.cli import geo, node
from tansiq.cli.conditions import Conditions, a_day, a_time, understood  # noqa: F401  other desks take a_time here
from tansiq.cli.known import require_known
from tansiq.cli.speech import emit, say
from tansiq.core.errors import N_, TansiqError
from tansiq.core.language import _, ngettext

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import polars as pl

    from tansiq.lake import Filter, Lake

NAME = "events"
SHOWN = 50  # rows of a table for people, unless --limit says otherwise
COLUMNS = ("last_seen", "team", "rsit_type", "ip", "port", "hostname", "url", "asn", "country", "malware", "count")


class OneForm(TansiqError):
    code = "events.form.many"
    message = N_("Only one of --json, --csv and --parquet can be written at a time.")
    remedy = N_("Run the command once for each.")
    exit_code = 2


class Unwritable(TansiqError):
    code = "events.file.unwritable"
    message = N_("{file} cannot be written.")
    remedy = N_("Check that its folder exists and that you may write there.")
    exit_code = 4


def app() -> typer.Typer:
    desk = typer.Typer(no_args_is_help=True, help=_("Events in the lake: list and count them, see rejected lines."))
    desk.command("query", help=_("List events, newest first. Example: tansiq events query --team XA-CERT --since 7d"))(
        query
    )
    desk.command("count", help=_("Count events by columns. Example: tansiq events count --by team,rsit_type"))(count)
    desk.command("rejects", help=_("Show lines that were not understood. Example: tansiq events rejects 5f2a"))(rejects)
    desk.command("compact", help=_("Merge the files of days into few. Example: tansiq events compact 2026-01-31"))(
        compact
    )
    return desk


Team = Annotated[str | None, typer.Option(help=_("Code of the team that answers; none: nobody does."))]
Feed = Annotated[str | None, typer.Option(help=_("Name of the feed."))]
Rsit = Annotated[str | None, typer.Option(help=_("RSIT class or type."))]
Country = Annotated[str | None, typer.Option(help=_("Country, two letters."))]
Asn = Annotated[str | None, typer.Option(help=_("Number of the autonomous system."))]
Malware = Annotated[str | None, typer.Option(help=_("Name of the malware."))]
Ip = Annotated[str | None, typer.Option(help=_("Address."))]
Since = Annotated[str | None, typer.Option(help=_("Seen at or after: a date, a time, or how long ago (7d, 24h)."))]
Until = Annotated[str | None, typer.Option(help=_("Seen before: a date, a time, or how long ago."))]
Limit = Annotated[int | None, typer.Option(min=1, max=1 << 40, help=_("At most so many."))]
AsJson = Annotated[bool, typer.Option("--json", help=_("One JSON object a line."))]


def query(
    team: Team = None,
    feed: Feed = None,
    rsit: Rsit = None,
    country: Country = None,
    asn: Asn = None,
    malware: Malware = None,
    ip: Ip = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = None,
    as_json: AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help=_("CSV with a header."))] = False,
    parquet: Annotated[Path | None, typer.Option(help=_("Write a Parquet file."))] = None,
) -> None:
    if as_json + as_csv + (parquet is not None) > 1:
        raise OneForm
    asked = understood(Conditions(team, feed, rsit, country, asn, malware, ip, since, until), now=datetime.now(UTC))
    with lake() as events:
        require_known(events, asked)
        if parquet:
            number = written(events, asked, parquet, limit)
            say(ngettext("{n} event written to {file}.", "{n} events written to {file}.", number).format(
                n=number, file=parquet))  # fmt: skip
        elif as_json or as_csv:
            stream(events, asked, "json" if as_json else "csv", limit)
        else:
            show(events, asked, limit or SHOWN)
        remind_of_table(events)


def count(
    by: Annotated[str, typer.Option(help=_("Columns, separated by commas; day counts by day."))] = "",
    team: Team = None,
    feed: Feed = None,
    rsit: Rsit = None,
    country: Country = None,
    asn: Asn = None,
    malware: Malware = None,
    ip: Ip = None,
    since: Since = None,
    until: Until = None,
    as_json: AsJson = False,
) -> None:
    asked = understood(Conditions(team, feed, rsit, country, asn, malware, ip, since, until), now=datetime.now(UTC))
    columns = list(dict.fromkeys(name.strip() for name in by.split(",") if name.strip()))
    with lake() as events:
        require_known(events, asked)
        counted = events.count(asked, columns)
        if as_json:
            ndjson(counted)
        else:
            table(counted)
        remind_of_table(events)


def rejects(
    report: Annotated[str | None, typer.Argument(help=_("Id of the report, or its beginning."))] = None,
    limit: Limit = None,
    as_json: AsJson = False,
) -> None:
    with lake() as events:
        lines = events.rejects(report, limit=limit if as_json else (limit or SHOWN) + 1)
    if as_json:
        ndjson(texts(lines))
        return
    table(texts(lines[: limit or SHOWN]).select("report_id", "line_number", "reason", "raw", "raw_base64"))
    if len(lines) > (limit or SHOWN):
        say(_("There are more; --limit shows them."))


def compact(
    days: Annotated[
        list[str] | None, typer.Argument(help=_("Days (2026-01-31); all of them if none is named."))
    ] = None,
    as_json: AsJson = False,
) -> None:
    wanted = [a_day(day) for day in days or []]
    with lake() as events:
        for day in wanted or events.days():
            if not (done := events.compact(day)):
                continue
            if as_json:
                emit({"day": day.isoformat(), "files_before": done.files_before, "files_after": done.files_after,
                      "rows_before": done.rows_before, "rows_after": done.rows_after})  # fmt: skip
            else:
                words = _("{day}: {before} files became {after}.")
                say(words.format(day=day, before=done.files_before, after=done.files_after))
        events.tidy()


@contextmanager
def lake() -> Iterator[Lake]:
    from tansiq.lake import Lake

    with Lake.open(node.present()) as opened:
        yield opened


def remind_of_table(events: Lake) -> None:
    """Of a lake that holds something: an empty one is told nothing by an address table either."""
    if events.days():
        geo.remind_of_table(node.home())


def written(events: Lake, asked: Filter, file: Path, limit: int | None) -> int:
    try:
        return events.export(asked, str(file.absolute()), "parquet", limit=limit)
    except (OSError, UnicodeEncodeError) as error:  # the latter: a file name that is no UTF-8
        raise Unwritable(file=file) from error


def stream(events: Lake, asked: Filter, form: Any, limit: int | None) -> None:
    """Rows to standard output as they come. A pipe lies between, since opening it as a file would truncate it."""
    source, sink = os.pipe()
    failure: list[BaseException] = []

    def write() -> None:
        try:
            events.export(asked, f"/dev/fd/{sink}", form, limit=limit)
        except BaseException as error:  # handed to the thread that speaks
            failure.append(error)
        finally:
            os.close(sink)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        with open(source, "rb") as rows:  # noqa: PTH123
            shutil.copyfileobj(rows, sys.stdout.buffer, 1 << 18)
        sys.stdout.buffer.flush()
    finally:
        writer.join()
    if failure:
        raise failure[0]


def show(events: Lake, asked: Filter, limit: int) -> None:
    """The newest as a table, and how many there are besides."""
    found = events.query(asked, columns=COLUMNS, limit=limit)
    table(found)
    more = int(events.count(asked)["events"][0]) - len(found)
    if more > 0:
        say(
            ngettext("{n} more; see --limit, --json, --csv.", "{n} more; see --limit, --json, --csv.", more).format(
                n=more
            )
        )


def table(rows: pl.DataFrame) -> None:
    from rich.console import Console
    from rich.table import Table

    drawn = Table(box=None, pad_edge=False)
    for name in rows.columns:
        drawn.add_column(name, overflow="fold", justify="right" if rows.schema[name].is_numeric() else "left")
    for row in rows.iter_rows(named=True):
        drawn.add_row(*(cell(name, value) for name, value in row.items()))
    Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else 200).print(drawn)


def cell(name: str, value: Any) -> str:
    """A value as people may see it: never a live link, never a control sequence for their terminal."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    text = str(value)
    if name in ("url", "hostname"):
        text = re.sub(r"^http", "hxxp", text, flags=re.IGNORECASE).replace(".", "[.]")
    return "".join(sign if sign.isprintable() else f"\\x{ord(sign):02x}" for sign in text[:500])


def texts(rejected: pl.DataFrame) -> pl.DataFrame:
    """``raw`` as text where it is UTF-8, else in base64 beside it."""
    import polars as pl

    encoded = pl.when(pl.col("text").is_null()).then(pl.col("raw").bin.encode("base64"))
    return rejected.with_columns(pl.col("text").alias("raw"), encoded.alias("raw_base64")).drop("text")


def ndjson(rows: pl.DataFrame) -> None:
    """Rows as NDJSON on standard output, in columns: no Python for each."""
    import polars as pl

    times: Sequence[str] = [name for name, kind in rows.schema.items() if isinstance(kind, pl.Datetime)]
    days = [name for name, kind in rows.schema.items() if kind == pl.Date]
    spoken = rows.with_columns(
        *(pl.col(name).dt.strftime("%Y-%m-%dT%H:%M:%S%.fZ") for name in times),
        *(pl.col(name).dt.strftime("%Y-%m-%d") for name in days),
    )
    for part in spoken.iter_slices(50_000):  # written here and not by the engine, whose errors have no number
        sys.stdout.buffer.write(part.write_ndjson().encode())
    sys.stdout.buffer.flush()
