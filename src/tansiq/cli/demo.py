"""``tansiq demo``: the main job, end to end, on sample data, in a home of its own."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from tansiq.cli import node
from tansiq.core.home import Home
from tansiq.core.language import _, ngettext

if TYPE_CHECKING:
    from tansiq.addresses.table import AddressTable

SHOWN = 5


def demo() -> None:
    os.environ.setdefault("TANSIQ_HOME", str(Path("demo").absolute()))
    home = node.opened()
    now = datetime.now(UTC)
    heading(_("A node of its own in {folder}").format(folder=home.path))
    table = address_table(home, now)
    files = sample(home, table, now)
    typed("feeds", "ingest", "auto", *map(str, files), shown=f"tansiq feeds ingest auto {files[0].parent}/*")
    typed("members", "whois", "MA")
    typed("events", "query", "--rsit", "phishing", "--limit", str(SHOWN))
    typed("events", "count", "--by", "severity,rsit_type")
    typed("notices", "digest")
    what_next(home, now)


def heading(text: str) -> None:
    typer.echo(f"\n== {text}")


def address_table(home: Home, now: datetime) -> AddressTable:
    """The node's own table; on a fresh machine the bundled one, and how old that is."""
    from tansiq.addresses.build import build_bundled
    from tansiq.addresses.table import AddressTable, publish

    table = AddressTable.current(home.tables)
    if table is None:
        table = build_bundled().table
        publish(table, home.tables, now=now)
    days = (now.date() - table.as_of).days
    age = ngettext("{count} day old", "{count} days old", days).format(count=days)
    typer.echo(_("Address table as of {day} ({age}).").format(day=table.as_of, age=age))
    typer.echo(_("A newer one: {command}").format(command="tansiq geo update"))
    return table


def sample(home: Home, table: AddressTable, now: datetime) -> list[Path]:
    from tansiq.members.models import Country
    from tansiq.workers.sample import LINES, write_sample

    states = list(Country.objects.order_by("alpha2").values_list("alpha2", flat=True))
    files = write_sample(table, states, home.path / "sample", today=now.date())
    heading(_("{lines:,} lines of sample data").format(lines=LINES))
    words = ngettext("{count} report file in {folder}", "{count} report files in {folder}", len(files))
    typer.echo(words.format(count=len(files), folder=home.path / "sample"))
    typer.echo(_("The addresses are drawn at random from real allocations; the events are invented."))
    return files


def typed(*arguments: str, shown: str = "") -> None:
    """Run a command of this program as if it were typed, and show what was typed."""
    from tansiq.cli import build

    heading(shown or " ".join(("tansiq", *arguments)))
    if code := build()(list(arguments), standalone_mode=False):
        raise typer.Exit(code)


def what_next(home: Home, now: datetime) -> None:
    from tansiq.notices.period import Period

    heading(_("What next"))
    page = home.digests / Period.day_of(now).label / "MA-MACERT" / "digest.html"
    typer.echo(_("Open a digest in a browser: {file}").format(file=page))
    typer.echo(_("Go on with this node: {command}").format(command=f"export TANSIQ_HOME={home.path}"))
    typer.echo(_("Read: {file}").format(file="docs/tutorials/first-hour.md"))
    typer.echo(_("To forget all of it, delete {folder}.").format(folder=home.path))
