"""``tansiq feeds``: reports in."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tansiq.cli import geo, node
from tansiq.cli.speech import emit, harmless, say, worded
from tansiq.cli.trouble import heed_interrupts
from tansiq.core.language import _, ngettext

if TYPE_CHECKING:
    from tansiq.feeds.feed import Feed
    from tansiq.workers.ingest import Report

NAME = "feeds"
NAME_LENGTH = 1024
COUNTS = ("lines", "blank", "events", "new", "repeats", "rejected")


def app() -> typer.Typer:
    desk = typer.Typer(no_args_is_help=True, help=_("Reports: take them in, recognise them, list the known feeds."))
    desk.command(
        help=_("Store the events of report files with the team that answers for each."),
        epilog=_("Example: tansiq feeds ingest auto reports/*.csv.gz"),
    )(ingest)
    desk.command(
        help=_("Say which feed a file looks like, and why."), epilog=_("Example: tansiq feeds detect report.csv")
    )(detect)
    desk.command("list", help=_("The known feeds."), epilog=_("Example: tansiq feeds list --json"))(list_feeds)
    return desk


def ingest(
    feed: Annotated[str, typer.Argument(help=_("Code of the feed, or auto to recognise each file by its head."))],
    files: Annotated[list[Path], typer.Argument(help=_("Report files; gzip, zip and zstd are unpacked."))],
    json: Annotated[bool, typer.Option("--json", help=_("One JSON object on standard output."))] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=_("Do everything but store."))] = False,
    columns: Annotated[
        list[str], typer.Option("--map", help=_("Feed csv: which column holds what, for instance ip=SourceIp."))
    ] = [],  # noqa: B006
    separator: Annotated[str, typer.Option(help=_("Feed csv: what stands between two fields."))] = "",
    zone: Annotated[str, typer.Option(help=_("Feed csv: time zone of times without an offset, Asia/Riyadh."))] = "",
) -> None:
    keep_memory()
    heed_interrupts()
    here = node.opened()
    from tansiq import settings
    from tansiq.feeds import intake
    from tansiq.feeds.choice import named
    from tansiq.workers.ingest import ingest as run

    kind = named(feed)
    if columns or separator or zone:
        kind = declared(kind, columns, separator, zone)
    begun = monotonic()
    with Display(files, shown=not json and sys.stderr.isatty()) as display:
        now = datetime.now(UTC)
        reports = run(
            here, files, feed=kind, now=now, block_bytes=settings.BLOCK_BYTES, dry_run=dry_run, watch=display.show
        )
    seconds = monotonic() - begun
    if not dry_run:
        intake.record(report_rows(reports, now))
    result = summary(reports, seconds)
    if json:
        emit(result)
    else:
        tell(result, dry_run=dry_run)
    if result["totals"]["events"]:
        geo.remind_of_table(here)
    if codes := [report.error.exit_code for report in reports if report.error]:
        raise typer.Exit(max(codes))


def keep_memory() -> None:
    """Let the column engine keep the memory of one block for the next: giving it back and asking for it anew took a
    third of an ingest. Read when the engine is loaded, hence before its import."""
    os.environ.setdefault("_RJEM_MALLOC_CONF", "dirty_decay_ms:2000,muzzy_decay_ms:2000")


def declared(kind: Feed | None, columns: Sequence[str], separator: str, zone: str) -> Feed:
    """The feed with the columns that the user names; ``csv`` where no feed was named."""
    from tansiq.feeds.choice import named
    from tansiq.feeds.parsers.delimited import with_mapping

    given = [pair.partition("=") for pair in ",".join(columns).split(",") if pair.strip()]
    pairs = {name.strip(): column.strip() for name, _equals, column in given}
    return with_mapping(kind or named("csv"), pairs, separator=separator, zone=zone)


def report_rows(reports: Sequence[Report], now: datetime) -> list[dict[str, Any]]:
    stored = {report.report_id: report for report in reports if not report.error and not report.twin}
    return [
        {
            "report_id": report_id,
            "name": named_in_database(report.file),
            "feed": report.feed.code if report.feed else "",
            "size_bytes": report.collected.source.size_bytes if report.collected else 0,
            "received_at": now,
        }
        | {name: getattr(report, name) for name in ("lines", "blank", "events", "rejected")}
        for report_id, report in stored.items()
    ]


def named_in_database(file: str) -> str:
    """The end of a long path; bytes that are no UTF-8 become replacement characters, which a database takes."""
    return os.fsencode(file).decode(errors="replace")[-NAME_LENGTH:]


def summary(reports: Sequence[Report], seconds: float) -> dict[str, Any]:
    """The scripts' contract: docs/reference/command-line.md."""
    rows = []
    for report in reports:
        row = {"file": report.file, "feed": report.feed.code if report.feed else None}
        row |= {name: getattr(report, name) for name in COUNTS} | {"seconds": round(report.seconds, 3)}
        if report.error:
            row["error"] = worded(report.error)
        rows.append(row)
    totals = {name: sum(row[name] for row in rows) for name in COUNTS}
    return {"reports": rows, "totals": totals, "seconds": round(seconds, 3)}


def tell(result: dict[str, Any], *, dry_run: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(markup=False, highlight=False)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(_("Report"), overflow="fold")
    table.add_column(_("Feed"))
    for title in (_("Lines"), _("Blank"), _("Events"), _("New"), _("Repeats"), _("Rejected")):
        table.add_column(title, justify="right")
    shown = result["reports"] if len(result["reports"]) <= 30 else []
    for row in shown:
        table.add_row(harmless(row["file"]), row["feed"] or "", *(f"{row[name]:,}" for name in COUNTS))
    table.add_row(_("Total"), "", *(f"{result['totals'][name]:,}" for name in COUNTS), style="bold")
    console.print(table)
    for row in result["reports"]:
        if "error" in row:
            say(" ".join(filter(None, (row["error"]["message"], row["error"]["remedy"]))))
    rate = result["totals"]["lines"] / max(result["seconds"], 0.001)
    console.print(_("{seconds:.1f} s, {rate:,.0f} lines/s.").format(seconds=result["seconds"], rate=rate))
    if dry_run:
        console.print(_("Dry run: nothing was stored."))
    elif result["totals"]["rejected"]:
        count = result["totals"]["rejected"]
        console.print(
            ngettext(
                "{count} line was rejected; see it with: tansiq events rejects",
                "{count} lines were rejected; see them with: tansiq events rejects",
                count,
            ).format(count=f"{count:,}")
        )


class Display:
    """Progress on a terminal: bytes done, lines a second, what remains, rejects. Silent elsewhere."""

    def __init__(self, files: Sequence[Path], *, shown: bool) -> None:
        self.shown = shown
        self.sizes = {str(file): file.stat().st_size for file in files if shown and file.is_file()}

    def __enter__(self) -> Display:
        if self.shown:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

            self.begun = monotonic()
            self.reports: dict[str, Report] = {}
            self.progress = Progress(
                BarColumn(),
                TextColumn("{task.percentage:>3.0f}%"),
                TextColumn("{task.fields[words]}"),
                TimeRemainingColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self.progress.start()
            self.task = self.progress.add_task("", total=sum(self.sizes.values()) or 1, words="")
        return self

    def __exit__(self, *failure: object) -> None:
        if self.shown:
            self.progress.stop()

    def show(self, report: Report) -> None:
        if not self.shown:
            return
        self.reports[report.file] = report
        lines = sum(one.lines for one in self.reports.values())
        rejected = sum(one.rejected for one in self.reports.values())
        done = sum(self.sizes.get(one.file, 0) * one.share for one in self.reports.values())
        words = _("{lines:,} lines, {rate:,.0f} lines/s, {rejected:,} rejected").format(
            lines=lines, rate=lines / max(monotonic() - self.begun, 0.001), rejected=rejected
        )
        self.progress.update(self.task, completed=done, words=words)


def detect(
    file: Annotated[Path, typer.Argument(help=_("A report file."))],
    json: Annotated[bool, typer.Option("--json", help=_("One JSON object on standard output."))] = False,
) -> None:
    from tansiq.feeds.choice import Unrecognised
    from tansiq.feeds.detect import detect as look
    from tansiq.feeds.parse import sample

    found = [{"feed": code, "percent": seen.percent, "why": _(seen.why)} for code, seen in look(sample(file))]
    if not found:
        raise Unrecognised(file=file)
    if json:
        emit({"file": str(file), "feed": found[0]["feed"], "why": found[0]["why"], "candidates": found})
        return
    for one in found:
        print(f"{one['feed']}  {one['percent']} %  {one['why']}")  # noqa: T201


def list_feeds(json: Annotated[bool, typer.Option("--json", help=_("JSON, one feed a line."))] = False) -> None:
    from tansiq.feeds.catalogue import FEEDS

    shown = ("title", "licence", "tlp", "cadence_minutes")
    for feed in FEEDS.values():
        if json:
            emit({"feed": feed.code} | {name: getattr(feed, name) for name in shown})
        else:
            print(f"{feed.code:24} {feed.title}")  # noqa: T201
