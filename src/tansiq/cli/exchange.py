"""``tansiq exchange``: the node's links to its peers, and the process that works on them."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from tansiq.cli import hub, node
from tansiq.cli.speech import emit, harmless, say
from tansiq.core.errors import N_, TansiqError
from tansiq.core.language import _, ngettext

if TYPE_CHECKING:
    from tansiq.exchange.node.here import Here
    from tansiq.exchange.node.status import LinkState, Status

NAME = "exchange"

AsJson = Annotated[bool, typer.Option("--json", help=_("JSON on standard output."))]


class NoRoster(TansiqError):
    code = "exchange.no_roster"
    message = N_("This node belongs to no federation yet: it has no roster that names it.")
    remedy = N_("Hand over the file of `tansiq roster request`, and take the roster with `tansiq roster accept`.")
    exit_code = 2


def app() -> typer.Typer:
    desk = typer.Typer(no_args_is_help=True, help=_("The links between this node and its peers."))
    example = _("Example: {command}")
    desk.command(
        "status",
        help=_("Show every link: heard when, what waits, what is parked, whether both sides are equal.")
        + "\n\n"
        + example.format(command="tansiq exchange status --json"),
    )(status)
    desk.command(
        "serve",
        help=_("Run the exchange alone: receive, send, compare. `tansiq up` starts it as one of its parts.")
        + "\n\n"
        + example.format(command="tansiq exchange serve"),
    )(serve)
    return desk


def here_or_complain(now: datetime) -> Here:
    """This node under its roster. Raises: NoRoster, and what is wrong with its keys."""
    home = node.opened()
    from tansiq.exchange.node import rosters

    here = rosters.here(home, now=now)
    if here is None:
        raise NoRoster
    return here


def serve() -> None:
    home = node.opened()
    from tansiq import settings
    from tansiq.workers.exchange import Servers, serving
    from tansiq.workers.waiting import signals

    apply = (lambda: hub.apply(home, hub.named())) if hub.is_hub() else None
    with signals() as heard:
        serving(
            home,
            Servers(hub.urls() if hub.is_hub() or settings.BACKBONE_URL else (), hub.authority(), apply),
            smtp=settings.SMTP,
            sender=settings.EXCHANGE_MAIL,
            account=settings.EXCHANGE_IMAP,
            until=heard,
        )


def status(json: AsJson = False) -> None:
    now = datetime.now(UTC)
    here = here_or_complain(now)
    from tansiq.exchange.node.status import status as stand

    stood = stand(here)
    if json:
        emit(asdict(stood))
    else:
        _tell(stood, now)


def _tell(stood: Status, now: datetime) -> None:
    say(_("Node {code}, realm {realm}, epoch {epoch}.").format(code=stood.code, realm=stood.realm, epoch=stood.epoch))
    if stood.held_since:
        say(
            _("Held since {moment}: its peers are asked what it said since the backup.").format(moment=stood.held_since)
        )
    for link in stood.links:
        typer.echo(harmless("\t".join(_columns(link, now))))


def _columns(link: LinkState, now: datetime) -> list[str]:
    waiting = sum(backlog.count for backlog in link.backlog.values())
    parked, quarantined = sum(link.parked.values()), sum(link.quarantined.values())
    told = [
        ngettext("{count} waits", "{count} wait", waiting).format(count=waiting),
        _("{count} parked").format(count=parked),
        _("{count} quarantined").format(count=quarantined),
        _("equal at {moment}").format(moment=_moment(link.equal_at)) if link.equal_at else _("not compared yet"),
    ]
    if link.frozen_at:
        told.append(_("frozen since {moment}").format(moment=_moment(link.frozen_at)))
    heard = _("heard {ago} ago").format(ago=_ago(now - link.heard_at)) if link.heard_at else _("never heard")
    return [link.peer, heard, *told, *link.alarms]


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def _ago(span: timedelta) -> str:
    """Whole units: a duty officer wants to know whether it is seconds or days."""
    seconds = int(span.total_seconds())
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
