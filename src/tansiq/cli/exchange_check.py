"""``tansiq exchange check``: does each way to each peer work, and does somebody there look?"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tansiq.cli import node
from tansiq.cli.exchange_here import AsJson, here_or_complain, peers_or_complain
from tansiq.cli.exchange_words import word
from tansiq.cli.exchange_work import LOOK_SECONDS, Progress, Wait, at_work, closed
from tansiq.cli.speech import emit, harmless, say
from tansiq.core.errors import N_, TansiqError
from tansiq.core.language import _, ngettext

if TYPE_CHECKING:
    from tansiq.exchange.node.check_reports import PeerChecked, Round, WayChecked
    from tansiq.exchange.node.here import Here

SAID = {
    "waiting": N_("no receipt yet"),
    "overtaken": N_("a receipt came, but another way was used, too"),
    "silent": N_("no receipt"),
    "withheld": N_("was not allowed to leave"),
    "by_hand": N_("not exercised: files are carried by people"),
    "no_address": N_("not exercised: the roster has no mail address for it"),
    "not_mailed": N_("not exercised: this node sends no mails (TANSIQ_SMTP_URL, TANSIQ_EXCHANGE_MAIL)"),
    "no_server": N_("not exercised: this node has no message server (TANSIQ_BACKBONE_URL)"),
    "no_team": N_("not exercised: no team lives there"),
    "frozen": N_("not exercised: the link is frozen"),
}


class Unreached(TansiqError):
    code = "exchange.check.unreached"
    message = N_("No receipt came from {nodes}.")
    remedy = N_("Ask them by telephone. What comes later is shown by `tansiq exchange check --history`.")
    exit_code = 1
    transient = True


def check(
    nodes: Annotated[
        list[str] | None, typer.Argument(metavar="NODE…", help=_("Codes of nodes. Default: all peers."))
    ] = None,
    history: Annotated[bool, typer.Option("--history", help=_("Show former rounds, and begin none."))] = False,
    people: Annotated[
        bool, typer.Option("--people/--no-people", help=_("Ask the people on duty there to answer, too."))
    ] = True,
    wait: Wait = 90,
    json: AsJson = False,
) -> None:
    node.opened()
    now = datetime.now(UTC)
    here = here_or_complain(now)
    peers = peers_or_complain(here, nodes)
    from tansiq.exchange.node import check_reports, checking

    if history:
        checking.follow(now)
        for one in _former(here, peers if nodes else []):
            _tell(one, json=json)
        return
    from tansiq.members.viewers import operator

    begun = checking.begin(here, peers, by=operator(now=now), people=people, closed=closed(), now=now)
    with Progress(shown=not json) as progress:
        _follow_until_over(here, begun.pk, wait, progress)
    report = check_reports.report(here, begun.pk)
    _tell(report, json=json)
    if unreached := [one.peer for one in report.peers if one.exercised and not one.is_reached]:
        error = Unreached(nodes=", ".join(unreached))
        if json:
            raise typer.Exit(error.exit_code)
        raise error


def _former(here: Here, peers: Sequence[str]) -> list[Round]:
    from tansiq.exchange.node import check_reports

    if not peers:
        return check_reports.history(here)
    return [one for peer in peers for one in check_reports.history(here, peer)]


def _follow_until_over(here: Here, round_id: str, seconds: int, progress: Progress) -> None:
    """By this process, if nobody else works on the links."""
    from tansiq.exchange.node import serving

    def is_over() -> bool:
        from tansiq.exchange.node import check_reports, checking

        checking.follow(datetime.now(UTC))
        report = check_reports.report(here, round_id)
        progress.show(_progress(report))
        return not any(one.is_open for one in report.peers)

    if serving.served(datetime.now(UTC)) is None:
        with at_work() as rounds:
            rounds.until(is_over, within=timedelta(seconds=seconds), told=lambda _done: None)
        return
    ends = time.monotonic() + seconds
    while not is_over() and time.monotonic() < ends:
        time.sleep(LOOK_SECONDS)


def _progress(report: Round) -> str:
    ways = [way for one in report.peers for way in one.exercised]
    come = sum(way.receipt_at is not None for way in ways)
    return _("{come} of {all} receipts").format(come=come, all=len(ways))


def row_of(report: Round) -> dict[str, Any]:
    """As ``--json`` has it."""
    row = asdict(report)
    for said, one in zip(row["peers"], report.peers, strict=True):
        said |= {"reached": one.is_reached, "whole": one.is_whole}
        for way_said, way in zip(said["ways"], one.ways, strict=True):
            way_said["receipt_ms"] = way.receipt_ms
    return row


def _tell(report: Round, *, json: bool) -> None:
    if json:
        emit(row_of(report))
        return
    moment = report.begun_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    say(_("Communication check of {moment}, begun by {by}").format(moment=moment, by=report.by))
    for one in report.peers:
        for way in one.ways:
            said = (one.peer, word("LANES", way.lane), word("WAYS", way.way), _way_said(way))
            typer.echo("\t".join(map(harmless, said)))
        for line in _people_said(one):
            typer.echo(f"{harmless(one.peer)}\t{harmless(line)}")


def _way_said(way: WayChecked) -> str:
    if way.outcome == "received":
        return _("receipt after {milliseconds} ms").format(milliseconds=way.receipt_ms)
    return _(SAID[way.reason or way.outcome])


def _people_said(one: PeerChecked) -> list[str]:
    if not one.people_asked:
        return []
    if not one.seen:
        return [_("nobody has answered yet")]
    return [
        ngettext(
            "{person} of {team} answered after {minutes} minute",
            "{person} of {team} answered after {minutes} minutes",
            round(saw.minutes),
        ).format(person=saw.person, team=saw.team, minutes=saw.minutes)
        for saw in one.seen
    ]
