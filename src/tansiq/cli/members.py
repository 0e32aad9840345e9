"""``tansiq members``: who is in the federation, and who answers for what."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tansiq.cli import geo, node
from tansiq.cli import members_words as words
from tansiq.cli.held import say_held, say_if_held
from tansiq.cli.speech import complain, emit, say, worded
from tansiq.core.claims import TeamCard
from tansiq.core.errors import N_, TansiqError
from tansiq.core.language import _, ngettext

if TYPE_CHECKING:
    from tansiq.attribution.whois import Whois
    from tansiq.members.actions import Imported
    from tansiq.members.mistakes import BadStatement

NAME = "members"
_SHOWN_OVERLAPS = 20


class NothingCompiled(TansiqError):
    code = "members.whois.nothing_compiled"
    message = N_("There is no table to answer from, and none could be made.")
    remedy = N_("Run `tansiq doctor`, or see what `tansiq members list` says.")


def app() -> typer.Typer:
    desk = typer.Typer(no_args_is_help=True, help=_("Teams and what they answer for."))
    desk.command(
        "import",
        help=_("Take over teams, and what the register keeps of them, from a TOML file.")
        + "\n\n"
        + _("Example: {command}").format(command="tansiq members import teams.toml --dry-run"),
    )(import_)
    desk.command(
        "export",
        help=_("Write the register, or one team of it, as a TOML file that `import` takes back.")
        + "\n\n"
        + _("Example: {command}").format(command="tansiq members export --team XA-CERT > teams.toml"),
    )(export)
    desk.command(
        "whois",
        help=_("Say who answers for an address, prefix, AS number, domain, URL or country, and why.")
        + "\n\n"
        + _("Example: {command}").format(command="tansiq members whois 192.0.2.7 AS64496 gov.example MA"),
    )(whois)
    desk.command(
        "move",
        help=_("Carry a guest team's data to the node to which the roster moves it: written here, taken in there.")
        + "\n\n"
        + _("Example: {command}").format(command="tansiq members move XG-CERT --to XG --out xg.zip"),
    )(move)
    desk.command(
        "list",
        help=_("Show the directory.") + "\n\n" + _("Example: {command}").format(command="tansiq members list --json"),
    )(list_)
    return desk


def import_(
    file: Annotated[Path, typer.Argument(help=_("A file as docs/reference/members-toml.md describes it."))],
    json: Annotated[bool, typer.Option("--json", help=_("One JSON object on standard output."))] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=_("Check and count, change nothing."))] = False,
) -> None:
    from tansiq.members.document import document
    from tansiq.members.mistakes import BadStatement
    from tansiq.members.statement import read

    try:
        statement = read(document(file))
    except BadStatement as refused:
        _refuse(refused, file, json=json)
        raise typer.Exit(refused.exit_code) from None
    except TansiqError as error:
        if json:
            emit({"errors": [{"row": None, "team": "", "field": "", **worded(error)}]})
        else:
            complain(error)
        raise typer.Exit(error.exit_code) from None
    home = node.opened()
    from tansiq.members.actions import import_statement

    try:
        imported = import_statement(statement, now=datetime.now(UTC), dry_run=dry_run)
    except BadStatement as refused:  # what only the register can know
        _refuse(refused, file, json=json)
        raise typer.Exit(refused.exit_code) from None
    if not dry_run:
        from tansiq.workers.tables import refresh

        refresh(home)
    _report(imported, json=json, dry_run=dry_run)


class UnknownTeam(TansiqError):
    code = "members.team.unknown"
    message = N_("There is no team {team} in the register.")
    remedy = N_("See `tansiq members list`.")
    exit_code = 2


def export(
    team: Annotated[str, typer.Option("--team", metavar="CODE", help=_("One team; otherwise all."))] = "",
) -> None:
    node.opened()
    from tansiq.members import queries, viewers
    from tansiq.members.written import written

    now = datetime.now(UTC)
    stated = queries.export(viewers.operator(now=now), now=now, team=team)
    if team and not stated:
        raise UnknownTeam(team=team)
    say_if_held()
    typer.echo(written(stated), nl=False)


class MoveWhich(TansiqError):
    code = "members.move.which"
    message = N_("A team is either written for another node, or taken in from one, or awaited no longer.")
    remedy = N_(
        "Name `--to NODE --out FILE` where it lived; where it lives now `--from NODE --in FILE`, or, where nothing can "
        "be had, `--without REASON`."
    )
    exit_code = 2


def move(
    team: Annotated[str, typer.Argument(metavar="TEAM", help=_("The team's code."))],
    to: Annotated[str, typer.Option("--to", metavar="NODE", help=_("The node to which it moves."))] = "",
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help=_("Where to write the file."))] = None,
    sender: Annotated[str, typer.Option("--from", metavar="NODE", help=_("The node where it lived."))] = "",
    source: Annotated[
        Path | None, typer.Option("--in", metavar="FILE", help=_("The file that was written there."))
    ] = None,
    without: Annotated[
        str, typer.Option("--without", metavar="REASON", help=_("Why nothing can be had from there: wait no longer."))
    ] = "",
    json: Annotated[bool, typer.Option("--json", help=_("JSON on standard output."))] = False,
) -> None:
    if [bool(to and out), bool(sender and source), bool(without.strip())].count(True) != 1:
        raise MoveWhich()
    from tansiq.cli.exchange import here_or_complain

    team, to, sender = team.upper(), to.upper(), sender.upper()
    now = datetime.now(UTC)
    here = here_or_complain(now)
    from tansiq.exchange import bundle, file
    from tansiq.exchange.body import Lane
    from tansiq.exchange.node import moving
    from tansiq.exchange.parts import ForNode, Header
    from tansiq.members import viewers

    by = viewers.operator(now=now)
    if out is not None:
        header = Header.of(realm=here.realm, sender=here.code, made_at=now, to=[to])
        sealed = moving.packed(here, team, to, by=by, now=now)
        done = file.write(out, header, (ForNode(to, Lane.BULK, data) for data in sealed))
        said: dict[str, object] = {"file": str(done.path), "size_bytes": done.size_bytes, "team": team, "to": to}
        told = _("{file} holds the data of {team}, sealed for {node}.").format(file=out, team=team, node=to)
    elif without:
        taken = moving.waived(here, team, by=by, reason=without, now=now)
        said = {"team": team, "objects": taken.objects, "versions": 0, "profiles": 0}
        told = _("{team} lives here without its data: {objects} objects said anew.").format(**said)
    else:
        assert source is not None
        with bundle.opened(source, realm=here.realm) as opened:
            data = [part.data for part in opened.parts(here=here.code) if isinstance(part, ForNode)]
        taken = moving.taken(here, team, sender, data, by=by, now=now)
        said = {"team": team, "objects": taken.objects, "versions": taken.versions, "profiles": taken.profiles}
        told = _("{team} lives here now: {objects} objects said anew, {versions} versions kept.").format(**said)
    emit(said) if json else say(told)


def _refuse(refused: BadStatement, file: Path, *, json: bool) -> None:
    if json:
        located = ({"row": m.row, "team": m.team, "field": m.field, **worded(m.error)} for m in refused.mistakes)
        emit({"errors": list(located)})
        return
    for mistake in refused.mistakes:
        error = worded(mistake.error)
        place = " ".join(filter(None, (mistake.team, mistake.field)))
        say(
            f"{file}:{mistake.row or '?'}: {place + ': ' if place else ''}{error['message']} {error['remedy']}".rstrip()
        )
    count = len(refused.mistakes)
    say(
        ngettext("{count} mistake; nothing was imported.", "{count} mistakes; nothing was imported.", count).format(
            count=count
        )
    )


def _report(imported: Imported, *, json: bool, dry_run: bool) -> None:
    counts = imported.counts
    overlaps = [words.overlap_row(located) for located in imported.overlaps]
    if json:
        emit(
            {
                "teams": counts.teams,
                "claims": counts.claims,
                "claims_new": counts.claims_new,
                "claims_changed": counts.claims_changed,
                "claims_ended": counts.claims_ended,
                "superseded": len(counts.superseded),
                "superseded_claims": [{"country": claim.value, "team": claim.team} for claim in counts.superseded],
                "roster_claims_ended": [
                    {"kind": claim.kind, "value": claim.value, "team": claim.team} for claim in counts.of_roster
                ],
                "contacts": counts.contacts,
                "claims_version": counts.claims_version,
                "overlaps": overlaps,
                "dry_run": dry_run,
            }
        )
        return
    for line in words.summary(counts, dry_run=dry_run):
        typer.echo(line)
    for row in overlaps[:_SHOWN_OVERLAPS]:
        say(_("Line {line}: {message} {remedy}").format(line=row["row"], message=row["message"], remedy=row["remedy"]))
    if (more := len(overlaps) - _SHOWN_OVERLAPS) > 0:
        say(
            ngettext("{count} more overlap; see --json.", "{count} more overlaps; see --json.", more).format(count=more)
        )


def whois(
    targets: Annotated[
        list[str], typer.Argument(metavar="TARGET…", help=_("What to look up; - reads targets from standard input."))
    ],
    json: Annotated[bool, typer.Option("--json", help=_("One JSON object a line."))] = False,
) -> None:
    book = _book()
    cards = {} if json else _cards()
    now = datetime.now(UTC)
    worst = 0
    unanswered = False
    for target in _each(targets):
        try:
            answer = book.answer(target, now=now)
        except TansiqError as error:
            worst = error.exit_code
            if json:
                emit({"target": target, "error": worded(error)})
            else:
                complain(error)
            continue
        unanswered |= answer["team"] is None
        if json:
            emit(answer)
        else:
            typer.echo(words.card(answer, cards.get(answer["team"])))
    say_held(_held_since())
    if unanswered:
        geo.remind_of_table(node.home())
    raise typer.Exit(worst)


def _each(targets: list[str]) -> Iterator[str]:
    for target in targets:
        if target != "-":
            yield target
            continue
        for line in sys.stdin.buffer:
            if text := line.decode(errors="replace").strip():
                yield text


def _book() -> Whois:
    """The compiled table; made first on a node that has none. A cold look-up loads nothing heavy: it may take 0.5 s."""
    from tansiq.attribution.whois import Whois

    if book := Whois.open(node.home().tables):
        return book
    home = node.opened()
    from tansiq.workers.tables import refresh

    refresh(home)
    if book := Whois.open(home.tables):
        return book
    raise NothingCompiled()


def _cards() -> dict[str, TeamCard]:
    """Names of the teams, from the same compiled table."""
    from tansiq.attribution.folder import Pointer

    folder = Pointer(node.home().tables).open()
    return {card["code"]: TeamCard(**card) for card in folder.about["cards"]} if folder else {}


def _held_since() -> datetime | None:
    """Of the node, when the table was compiled: no database is opened for an answer."""
    from tansiq.attribution.folder import Pointer

    said = Pointer(node.home().tables).read().get("held_since")
    return datetime.fromisoformat(said) if said else None


def list_(json: Annotated[bool, typer.Option("--json", help=_("One JSON object a line."))] = False) -> None:
    node.opened()
    from tansiq.members.queries import directory

    entries = directory(now=datetime.now(UTC))
    say_if_held()
    if json:
        for entry in entries:
            emit(words.entry_row(entry))
        return
    for line in words.entry_lines(entries):
        typer.echo(line)
