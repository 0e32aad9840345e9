"""``tansiq geo``: which prefix, AS and country an address belongs to."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tansiq.cli import node
from tansiq.cli.speech import complain, emit, say, worded
from tansiq.core.errors import N_, TansiqError
from tansiq.core.home import Home
from tansiq.core.language import _, ngettext

if TYPE_CHECKING:
    from tansiq.addresses.build import BuildResult, Skipped
    from tansiq.addresses.table import AddressTable

NAME = "geo"
_SHOWN = 20


class NoSuchFolder(TansiqError):
    code = "geo.from.missing"
    message = N_("{folder} is not there or cannot be read.")
    remedy = N_("Name a folder (or a file) with registry statistics, route tables, prefix lists or MMDB files.")
    exit_code = 3


class OneSourceOnly(TansiqError):
    code = "geo.update.two_sources"
    message = N_("--from and --bundled exclude each other.")
    remedy = N_("Give one of the two, or neither to ask the registries.")
    exit_code = 2


def app() -> typer.Typer:
    desk = typer.Typer(no_args_is_help=True, help=_("Prefix, AS number and country of every address."))
    desk.command(
        "update",
        help=_("Compile a new address table: from the registries, from local files, or from what is bundled.")
        + "\n\n"
        + _("Example: {command}").format(command="tansiq geo update --from /srv/tables --json"),
    )(update)
    desk.command(
        "status",
        help=_("Say how old the address table is, and what it was made from.")
        + "\n\n"
        + _("Example: {command}").format(command="tansiq geo status --json"),
    )(status)
    return desk


def update(
    folder: Annotated[
        Path | None, typer.Option("--from", metavar="FOLDER", help=_("Read local copies, all below this folder."))
    ] = None,
    bundled: Annotated[bool, typer.Option("--bundled", help=_("Use the old tables that came along."))] = False,
    json: Annotated[bool, typer.Option("--json", help=_("One JSON object on standard output."))] = False,
) -> None:
    from tansiq.addresses.build import NothingUsable
    from tansiq.addresses.table import publish

    try:
        home = node.opened()
        from tansiq.workers.tables import refresh  # models load only into a node that is set up

        result = _built(home, folder, bundled=bundled)
        publish(result.table, home.tables, now=datetime.now(UTC))
        refresh(home)
    except TansiqError as error:
        _refuse(error, error.skipped if isinstance(error, NothingUsable) else [], json=json)
        raise typer.Exit(error.exit_code) from None
    facts = _facts(result.table) | {"skipped": _worded(result.skipped)}
    if json:
        emit(facts)
    else:
        _tell_skipped(result.skipped)
        _tell(result.table)


def remind_of_table(home: Home) -> None:
    """Say, where it is so, that nothing can be found out about addresses. Loads nothing heavy."""
    from tansiq.attribution.folder import Pointer

    if Pointer(home.tables).read().get("addresses", "none") == "none":
        say(
            _(
                "There is no address table yet: without it no address has a network, an AS number or a country. "
                "Run `tansiq geo update`."
            )
        )


def _built(home: Home, folder: Path | None, *, bundled: bool) -> BuildResult:
    from tansiq.addresses.build import build, build_bundled

    if folder and bundled:
        raise OneSourceOnly()
    if bundled:
        return build_bundled()
    if folder:
        if not folder.exists():
            raise NoSuchFolder(folder=folder)
        return build([folder], progress=_progress)
    return _fetched(home)


def _fetched(home: Home) -> BuildResult:
    """Ask all five registries: a table that lacks one of them would silently lose a part of the world."""
    from tansiq import settings
    from tansiq.addresses.build import build
    from tansiq.addresses.fetch import REGISTRIES, fetch

    urls = settings.text("TANSIQ_REGISTRIES", " ".join(REGISTRIES)).split()
    into = home.path / "downloads" / "registries"
    fetch(urls, into, progress=lambda url, size: _show(f"{url} {size >> 10} kB"))
    _show("")
    result = build([into], progress=_progress)
    if result.skipped:
        raise result.skipped[0].error
    return result


def _progress(file: Path) -> None:
    _show(file.name)


def _show(text: str) -> None:
    """One line that is written over, on a terminal only."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{text[:100]}")
        sys.stderr.flush()


def status(
    json: Annotated[bool, typer.Option("--json", help=_("One JSON object on standard output."))] = False,
) -> None:
    from tansiq.addresses.table import AddressTable

    table = AddressTable.current(node.opened().tables)
    if json:
        emit(_facts(table) | {"age_days": _age(table.as_of)} if table else {"as_of": None, "sources": []})
    elif table:
        _tell(table)
        for source in table.sources[:_SHOWN]:
            rows = ngettext("{count} row", "{count} rows", source["rows"]).format(count=source["rows"])
            typer.echo(f"  {source['date']}  {source['format']:<13}{rows:>16}  {source['file']}")
        if (more := len(table.sources) - _SHOWN) > 0:
            typer.echo(
                "  " + ngettext("{count} more; see --json.", "{count} more; see --json.", more).format(count=more)
            )
    else:
        typer.echo(_("There is no address table yet. Run `tansiq geo update`."))


def _facts(table: AddressTable) -> dict[str, Any]:
    return {**table.counts, "as_of": table.as_of.isoformat(), "sources": table.sources}


def _age(day: date) -> int:
    return (datetime.now(UTC).date() - day).days


def _tell(table: AddressTable) -> None:
    _show("")
    days = max(_age(table.as_of), 0)
    age = ngettext("{count} day old", "{count} days old", days).format(count=days)
    typer.echo(_("Address table as of {day} ({age}).").format(day=table.as_of, age=age))
    typer.echo(
        _("{prefixes4} IPv4 and {prefixes6} IPv6 prefixes, {asns} AS numbers, {countries} countries.").format(
            **table.counts
        )
    )


def _tell_skipped(skipped: list[Skipped]) -> None:
    _show("")
    for row in _worded(skipped[:_SHOWN]):
        say(_("Left aside: {file}. {reason}").format(**row))
    if (more := len(skipped) - _SHOWN) > 0:
        say(ngettext("{count} more; see --json.", "{count} more; see --json.", more).format(count=more))


def _worded(skipped: list[Skipped]) -> list[dict[str, str]]:
    return [{"file": one.file, "reason": worded(one.error)["message"]} for one in skipped]


def _refuse(error: TansiqError, skipped: list[Skipped], *, json: bool) -> None:
    if json:
        emit({"error": worded(error), "skipped": _worded(skipped)})
        return
    _tell_skipped(skipped)
    complain(error)
