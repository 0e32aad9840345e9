"""``tansiq audit``: who did what to which item, and whether the record still holds."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from tansiq.cli import node
from tansiq.cli.events import a_time
from tansiq.cli.speech import complain, emit, harmless, say, worded
from tansiq.core.errors import N_, TansiqError
from tansiq.core.language import _, ngettext

if TYPE_CHECKING:
    from tansiq.audit.queries import Row
    from tansiq.audit.verify import Verdict

NAME = "audit"

AsJson = Annotated[bool, typer.Option("--json", help=_("JSON on standard output."))]


class ChainBroken(TansiqError):
    code = "audit.chain.broken"
    message = N_("The audit record is broken at row {number}. {fault}")
    remedy = N_("Keep a copy of the database as it is, compare it with the last backup, and tell the Secretariat.")


class BadItem(TansiqError):
    code = "audit.item.bad"
    message = N_("{value} names no item.")
    remedy = N_("Write kind and code with a colon between them (team:XA-CERT), or a kind alone (team).")
    exit_code = 2


class BadCode(TansiqError):
    code = "audit.code.bad"
    message = N_("{value} is no code.")
    remedy = N_("Use letters, digits and the signs : . _ / + - without spaces, for instance request-of-the-person.")
    exit_code = 2


def app() -> typer.Typer:
    desk = typer.Typer(no_args_is_help=True, help=_("Who did what to which item, when, and why."))
    example = _("Example: {command}")
    desk.command(
        "verify",
        help=_("Recompute the whole record and name the first broken row, if any.")
        + "\n\n"
        + example.format(command="tansiq audit verify --json"),
    )(verify)
    desk.command(
        "list",
        help=_("Show rows of the record, the newest first: those that the node's home team may see.")
        + "\n\n"
        + example.format(command="tansiq audit list --item team:XA-CERT --since 7d"),
    )(list_)
    desk.command(
        "head",
        help=_("Show number and hash of the last row. Note them elsewhere: `verify` can hold the record against them.")
        + "\n\n"
        + example.format(command="tansiq audit head --json"),
    )(head)
    desk.command(
        "erase-reason",
        help=_("Erase the reason that somebody gave with a row. The row stays, and the erasure is recorded.")
        + "\n\n"
        + example.format(command="tansiq audit erase-reason 4711 --because request-of-the-person"),
    )(erase_reason)
    return desk


def verify(
    noted_hash: Annotated[
        str | None, typer.Option("--head", metavar="HASH", help=_("A hash as `tansiq audit head` printed it."))
    ] = None,
    noted_number: Annotated[
        int | None, typer.Option("--number", metavar="N", help=_("The number printed beside that hash."))
    ] = None,
    json: AsJson = False,
) -> None:
    node.opened()
    from tansiq.audit.verify import noted
    from tansiq.audit.verify import verify as verified

    verdict = verified(against=noted(noted_number, noted_hash))
    broken = _broken(verdict)
    if json:
        said = {"number": broken.values["number"], "fault": broken.values["named"]} if broken else None
        emit(
            {
                "holds": broken is None,
                "rows": verdict.rows,
                "number": verdict.number,
                "hash": verdict.hash,
                "guarded": verdict.guarded,
                "broken": said | worded(broken) if broken and said else None,
            }
        )
    else:
        _tell(verdict, broken)
    if broken:
        raise typer.Exit(broken.exit_code)


def _broken(verdict: Verdict) -> ChainBroken | None:
    from tansiq.audit.words import FAULTS

    if verdict.broken is None:
        return None
    number, fault = verdict.broken.number, verdict.broken.fault
    return ChainBroken(number=number, fault=_(FAULTS[fault]).format(number=number), named=fault.value)


def _tell(verdict: Verdict, broken: ChainBroken | None) -> None:
    if not verdict.guarded:
        say(_("The database no longer refuses changes of the record: its triggers are gone."))
    if broken:
        complain(broken)
        return
    typer.echo(
        ngettext(
            "The audit record holds: {count} row. The last one is {number}, {hash}.",
            "The audit record holds: {count} rows. The last one is {number}, {hash}.",
            verdict.rows,
        ).format(count=verdict.rows, number=verdict.number, hash=verdict.hash)
    )


def head(json: AsJson = False) -> None:
    node.opened()
    from tansiq.audit import queries

    last = queries.head()
    if json:
        emit(asdict(last))
    else:
        typer.echo(f"{last.number} {last.hash}")


def list_(
    item: Annotated[
        str | None, typer.Option(metavar="KIND[:CODE]", help=_("The item, or a kind: team:XA-CERT, team."))
    ] = None,
    by: Annotated[str | None, typer.Option(metavar="WHO", help=_("Who acted, as the rows write it."))] = None,
    verb: Annotated[
        str | None, typer.Option(metavar="VERB", help=_("What was done; with a dot at its end, all that begin so."))
    ] = None,
    since: Annotated[str | None, typer.Option(help=_("First moment: a date, a time, or an age such as 7d."))] = None,
    until: Annotated[str | None, typer.Option(help=_("First moment that is left out."))] = None,
    before: Annotated[int | None, typer.Option(metavar="N", help=_("Rows of lower numbers only."))] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help=_("How many rows at most."))] = 50,
    json: AsJson = False,
) -> None:
    now = datetime.now(UTC)
    asked = {
        "item": _item(item),
        "by": by,
        "verb": verb,
        "since": a_time("since", since, now=now),
        "until": a_time("until", until, now=now),
        "before": before,
    }
    node.opened()
    from tansiq.audit import queries
    from tansiq.members.viewers import operator

    for row in queries.entries(operator(), now=now, limit=limit, **asked):
        if json:
            emit(asdict(row) | {"at": row.at.isoformat()})
        else:
            typer.echo(harmless(_line(row)))


def _item(text: str | None) -> tuple[str, str] | None:
    """Raises: BadItem."""
    if text is None:
        return None
    from tansiq.audit import form

    kind, _colon, identity = text.partition(":")
    try:
        return form.item((kind, identity or "all"))[0], identity
    except form.NotRecordable:
        raise BadItem(value=text[:80]) from None


def _line(row: Row) -> str:
    values = " ".join(f"{name}={_shown(value)}" for name, value in row.values.items())
    why = {"none": "", "given": row.why, "withheld": _("(reason withheld)"), "erased": _("(reason erased)")}[row.reason]
    acting = f"{row.who} ({row.team})" if row.team else row.who
    words = (str(row.number), f"{row.at:%Y-%m-%dT%H:%M:%SZ}", acting, row.verb, f"{row.item_kind}:{row.item_id}")
    return "  ".join(filter(None, (*words, values, " ".join(why.split()))))


def _shown(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def erase_reason(
    number: Annotated[int, typer.Argument(metavar="NUMBER", help=_("The row's number."))],
    because: Annotated[str, typer.Option(metavar="CODE", help=_("Why, as a code without spaces."))],
) -> None:
    node.opened()
    from tansiq.audit import actions, form
    from tansiq.members.viewers import operator

    try:
        form.code("because", because)
    except form.NotRecordable:
        raise BadCode(value=because[:80]) from None
    erasure = actions.erase_reason(number, by=operator(), now=datetime.now(UTC), because=because)
    typer.echo(_("The reason of row {number} is erased; row {erasure} says so.").format(
        number=number, erasure=erasure.number))  # fmt: skip
