"""``tansiq backbone``: the federation's message server, where this node is its hub."""

from __future__ import annotations

import re
import secrets as chance
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tansiq.cli import hub, node, secrets
from tansiq.cli.speech import emit, harmless, say
from tansiq.core.errors import N_, TansiqError
from tansiq.core.language import _

if TYPE_CHECKING:
    from tansiq.exchange.administration import Changes, Filling

NAME = "backbone"
ROUTES = 6222
SERVER = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,62}=([A-Za-z0-9][A-Za-z0-9.-]*|\[[0-9A-Fa-f:.]+\])")
"""A name, by which its file is called, and a host, as the configuration has them."""

AsJson = Annotated[bool, typer.Option("--json", help=_("JSON on standard output."))]


class NoHub(TansiqError):
    code = "backbone.no_hub"
    message = N_("This node is not its federation's backbone.")
    remedy = N_("Name in TANSIQ_BACKBONE_LISTEN the address and port at which its message server is to listen.")
    exit_code = 2


class BadServers(TansiqError):
    code = "backbone.servers"
    message = N_("{value} does not name three servers.")
    remedy = N_(
        "Give --server three times, each with another name, of letters, digits and hyphens: "
        "--server one=backbone1.example."
    )
    exit_code = 2


def app() -> typer.Typer:
    desk = typer.Typer(no_args_is_help=True, help=_("The message server of a federation, on its hub."))
    example = _("Example: {command}")
    for name, verb, text, command in (
        (
            "config",
            config,
            _("Write the message server's configuration from the roster and have it applied without a restart."),
            "tansiq backbone config --dry-run",
        ),
        (
            "cluster",
            cluster,
            _("Write the configurations of three servers that hold everything three times."),
            "tansiq backbone cluster --server one=b1.example --server two=b2.example --server three=b3.example",
        ),
        ("show", show, _("Show what waits: recipient, lane, sender, messages."), "tansiq backbone show --json"),
    ):
        desk.command(name, help=text + "\n\n" + example.format(command=command))(verb)
    return desk


def config(
    dry_run: Annotated[bool, typer.Option("--dry-run", help=_("Print the configuration and change nothing."))] = False,
    json: AsJson = False,
) -> None:
    home = node.opened()
    if not hub.is_hub() and (dry_run or not hub.administers(home)):
        raise NoHub()
    if dry_run:
        typer.echo(hub.text(home, hub.named()), nl=False)
        return
    changes = hub.apply(home, hub.named())
    if json:
        emit({name: getattr(changes, name) for name in changes.__slots__})
    else:
        _tell(changes)


def _tell(changes: Changes) -> None:
    if not any(getattr(changes, name) for name in changes.__slots__):
        say(_("The streams are as the roster wants them: nothing was changed."))
    for what, streams in (
        (_("made"), changes.created),
        (_("changed"), changes.changed),
        (_("deleted"), changes.deleted),
        (_("purged"), [f"{stream} {sender}" for stream, sender in changes.purged]),
    ):
        for stream in streams:
            typer.echo("\t".join(map(harmless, (what, stream))))


def cluster(
    server: Annotated[list[str], typer.Option(metavar="NAME=HOST", help=_("One of the three, by name and host."))],
    store: Annotated[Path, typer.Option(metavar="FOLDER", help=_("Where each keeps its messages."))] = Path(
        "/var/lib/backbone"
    ),
    tls: Annotated[Path, typer.Option(metavar="FOLDER", help=_("Where each has cert.pem, key.pem and ca.pem."))] = Path(
        "/etc/backbone"
    ),
    out: Annotated[Path, typer.Option(metavar="FOLDER", help=_("Where to write the three files."))] = Path(),
) -> None:
    home = node.opened()
    named = dict(one.split("=", 1) for one in server if SERVER.fullmatch(one))
    if len(server) != 3 or len(named) != 3:
        raise BadServers(value=", ".join(server))
    file = home.secrets / "backbone.cluster"
    if not file.exists():
        secrets.write(file, chance.token_urlsafe(32))
    routes = [f"{host}:{ROUTES}" for host in named.values()]
    for name in named:
        text = hub.clustered(home, name, store=store, tls=tls, routes=routes, password=file.read_text().strip())
        secrets.write(out / f"{name}.conf", text)
        say(_("{file} is written; it holds a password.").format(file=out / f"{name}.conf"))


def show(json: AsJson = False) -> None:
    home = node.opened()
    if not hub.administers(home):
        raise NoHub()
    for one in hub.waiting(home):
        if json:
            emit({name: getattr(one, name) for name in one.__slots__})
        else:
            typer.echo(_line(one))


def _line(one: Filling) -> str:
    return "\t".join(map(harmless, (one.to, one.lane, one.sender, str(one.messages))))
