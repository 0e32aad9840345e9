"""``tansiq notices``: telling each team what was received for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tansiq.cli import node
from tansiq.cli.events import a_time, lake
from tansiq.cli.speech import emit, say
from tansiq.core.language import _, ngettext, spoken

if TYPE_CHECKING:
    from tansiq.notices.digest import Written
    from tansiq.notices.period import Period

NAME = "notices"


def app() -> typer.Typer:
    desk = typer.Typer(no_args_is_help=True, help=_("Digests: telling each team what was received for it."))
    desk.callback()(lambda: None)  # with a single verb Typer would leave out its name
    desk.command(
        "digest",
        help=_("Write one digest a team for the events first received in a period; without one, today (UTC).")
        + "\n\n"
        + _("Example: {command}").format(command="tansiq notices digest --since 2026-11-21 --until 2026-11-22"),
    )(digest)
    return desk


def digest(
    team: Annotated[
        list[str] | None, typer.Option("--team", metavar="TEAM", help=_("Only this team; may be given several times."))
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help=_("Start of the period: date, RFC 3339, 7d, 24h."))
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help=_("End of the period, itself outside."))
    ] = None,
    into: Annotated[
        Path | None,
        typer.Option("--into", metavar="FOLDER", help=_("Where the digests go; else the node's own folder.")),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help=_("One JSON object a digest on standard output."))] = False,
) -> None:
    from tansiq.notices.period import Period

    home = node.opened()
    now = datetime.now(UTC)
    period = Period.asked(a_time("since", since, now=now), a_time("until", until, now=now), now=now)
    total = 0
    for one in written(period, team or [], into or home.digests, now=now):
        total += 1
        if json:
            emit(facts(one, period))
        else:
            typer.echo(line(one))
    if not json:
        folder = (into or home.digests) / period.label
        say(
            ngettext("{count} digest in {folder}", "{count} digests in {folder}", total).format(
                count=total, folder=folder
            )
        )


def written(period: Period, only: Sequence[str], into: Path, *, now: datetime) -> Iterator[Written]:
    from tansiq.members import queries
    from tansiq.notices.digest import Digester

    teams = {card.code: card for card in queries.team_cards()}
    with lake() as events:
        yield from Digester(events, period, teams, into, spoken(), now).write(only)


def line(one: Written) -> str:
    """A row for people: team, events, folder."""
    events = ngettext("{number} event", "{number} events", one.events).format(number=one.events)
    return f"{one.team or '_triage':<20} {events:>16}  {one.folder}"


def facts(one: Written, period: Period) -> dict[str, Any]:
    """The object that scripts rely on (docs/reference/command-line.md)."""
    row: dict[str, Any] = {
        "team": one.team,
        "language": one.language,
        "since": rfc3339(period.since),
        "until": rfc3339(period.until),
        "folder": str(one.folder),
        "files": list(one.files),
        "events": one.events,
        "sightings": one.sightings,
        "addresses": one.addresses,
        "triage": one.triage,
    }
    return row if one.team else row | {"unattributed": one.unattributed}


def rfc3339(time: datetime) -> str:
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")
