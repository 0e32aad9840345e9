"""``tansiq demo``: the main job, end to end, on sample data, then the federation in the browser; in its own home."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tansiq.cli import backbone, node, up
from tansiq.cli.first_start import Named
from tansiq.core.errors import N_, TansiqError
from tansiq.core.home import Home
from tansiq.core.language import _, ngettext, spoken

if TYPE_CHECKING:
    from tansiq.addresses.table import AddressTable
    from tansiq.workers.sample_people import WayIn

SHOWN = 5
USUAL_PORT = 8420
OK = 200
PAGES = ("/", "/teams/", "/map/", "/whois/?target=MA", "/account/login/")


class PageMissing(TansiqError):
    code = "demo.page.missing"
    message = N_("The portal answered the page {path} with {status}.")
    remedy = N_("Run `tansiq doctor` in the same folder, and see what was said above.")


def demo(
    serve: Annotated[
        bool, typer.Option("--serve", help=_("Only serve the federation of an earlier demo in the browser."))
    ] = False,
) -> None:
    os.environ.setdefault("TANSIQ_HOME", str(Path("demo").absolute()))
    if "TANSIQ_PORT" not in os.environ:
        os.environ["TANSIQ_PORT"] = str(backbone.free_port(USUAL_PORT))
    os.environ.setdefault("TANSIQ_SECOND_FACTOR", "optional")  # of invented people, on this machine alone
    if serve:
        in_browser()
        return
    main_job()
    sys.stdout.flush()
    # In a process of its own: what the main job used of memory is given back.
    os.execv(sys.executable, up.ours("demo", "--serve"))


def main_job() -> None:
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


def in_browser() -> None:
    """The seeded federation as pages: for as long as somebody looks on, or checked once where nobody can."""
    os.umask(up.UMASK)
    home = node.present()
    with up.alone(home) as unclean:
        up.free_the_port(patient=unclean)
        node.opened()
        from tansiq.members.models import Node
        from tansiq.workers.sample_people import people

        ways = people(language=spoken(), now=datetime.now(UTC))
        this = Node.objects.get()

        def told() -> bool:
            show(ways)
            return looked_at() or not checked(ways)

        node.leave_the_database()
        up.run(home, Named(this.code, this.name, ""), told)


def show(ways: Sequence[WayIn]) -> None:
    from tansiq import settings

    heading(_("The federation in your browser: {address}").format(address=settings.ADDRESS))
    typer.echo(_("Sign in as one of these invented people. Each link works once; the next demo makes new ones."))
    for way in ways:
        typer.echo(
            f"{way.who.team:<12} {way.who.post.value:<14} {way.who.language}  {way.who.name:<16} {up.link(way.token)}"
        )
    typer.echo(_("Only this demonstration lets people in without a second factor."))
    if looked_at():
        typer.echo(_("Ctrl-C stops it."))
    sys.stdout.flush()


def looked_at() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def checked(ways: Sequence[WayIn]) -> bool:
    """That the pages answer. Returns: True. Raises: PageMissing."""
    for path in (*PAGES, f"/enter/{ways[0].token}/"):
        if (status := up.status(path)) != OK:
            raise PageMissing(path=path, status=status or "-")
    typer.echo(_("No terminal here, so the portal was only checked: its pages answer."))
    typer.echo(_("To look at it: {command}").format(command="tansiq demo --serve"))
    return True


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
