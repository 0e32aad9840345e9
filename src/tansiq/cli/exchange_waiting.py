"""``tansiq exchange waiting``, ``retry``, ``refuse``, ``waive``, ``restore``: what a person decides about the links."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tansiq.cli import node
from tansiq.cli.exchange_here import AsJson, NodeCode, here_or_complain, look, peer_or_complain
from tansiq.cli.exchange_words import word
from tansiq.cli.speech import emit, harmless, rfc3339, say
from tansiq.core.errors import N_, TansiqError
from tansiq.core.language import _

if TYPE_CHECKING:
    from tansiq.exchange.node.listing import WaitingRow
    from tansiq.exchange.node.looking import Look

Number = Annotated[int, typer.Argument(metavar="NUMBER", help=_("As `waiting` lists it."))]


class NotDeclared(TansiqError):
    code = "exchange.restore.not_declared"
    message = N_("Nothing was changed. A node that is declared restored is silent until its peers have answered.")
    remedy = N_("If this database is an old backup, say so with `--yes`.")
    exit_code = 2


class NoReason(TansiqError):
    code = "exchange.waive.no_reason"
    message = N_("A reason is needed for not waiting for a node: it is kept in the record.")
    remedy = N_("Say it with `--reason`.")
    exit_code = 2


# ---- what waits


def waiting(
    peer: Annotated[str, typer.Option(metavar="NODE", help=_("Of one peer only."))] = "",
    content: Annotated[
        int | None, typer.Option(metavar="NUMBER", help=_("Show what is in one, if its marking lets you."))
    ] = None,
    json: AsJson = False,
) -> None:
    now = datetime.now(UTC)
    looking = look(now)
    looking.may.require()
    if content is not None:
        _show(looking, content, json=json)
        return
    rows = [_row(entry) for entry in _rows(looking, peer.upper())] + _bodies(looking, peer.upper())
    if not rows and peer:
        peer_or_complain(here_or_complain(now), peer)
    for row in rows:
        if json:
            emit(row)
        else:
            typer.echo("\t".join(harmless(str(value)) for value in _columns(row)))
    if not (rows or json):
        say(_("Nothing waits."))


def _rows(looking: Look, peer: str) -> list[WaitingRow]:
    from tansiq.exchange.node import listing

    rows, before = [], None
    while True:
        page = listing.waiting(looking, peer=peer, before=before)
        rows += page.rows
        if page.older is None:
            return rows
        before = page.older


def _row(entry: WaitingRow) -> dict[str, Any]:
    return {
        "number": entry.number,
        "peer": entry.peer,
        "lane": entry.lane,
        "position": entry.position,
        "kind": entry.kind,
        "object": entry.object,
        "version": list(entry.version),
        "team": entry.team,
        "size_bytes": entry.size_bytes,
        "state": entry.state,
        "reason": entry.reason,
        "way": entry.way,
        "arrived_at": rfc3339(entry.arrived_at),
        "may_decide": bool(entry.may),
    }


def _columns(row: dict[str, Any]) -> list[Any]:
    said = [word("LANES", row["lane"]), word("STATES", row["state"]), word("REASONS", row["reason"])]
    columns = [row["number"] or "-", row["peer"], *said, row["arrived_at"]]
    if row["number"] is None:
        return columns
    return [*columns, row["kind"], row["object"], ".".join(map(str, row["version"])), f"{row['size_bytes']} B"]


def _bodies(looking: Look, peer: str) -> list[dict[str, Any]]:
    """What waits as a whole, for a roster or for the time."""
    from tansiq.exchange.node import listing

    found = listing.parked_bodies(looking, peer=peer)
    return [
        {
            "number": None,
            "peer": one["peer"],
            "lane": one["lane"],
            "state": "parked",
            "reason": one["reason"],
            "epoch": one["epoch"],
            "way": one["way"],
            "arrived_at": rfc3339(one["arrived_at"]),
        }
        for one in found
    ]


def _show(looking: Look, number: int, *, json: bool) -> None:
    """Raises: NotWaiting; NotAllowed, where the sharing decision says no."""
    from tansiq.exchange.node import listing
    from tansiq.exchange.node.settling import NotWaiting

    entry = listing.waiting_one(looking, number)
    if entry is None:
        raise NotWaiting(number=number)
    entry.may.require()
    found = listing.content(looking, entry)
    if found is None:
        raise NotWaiting(number=number)
    if json:
        sent_at = rfc3339(found.sent_at) if found.sent_at else None
        emit(_row(entry) | {"person": found.person, "sent_at": sent_at, "payload": found.payload})
    else:
        for line in found.payload.splitlines():
            typer.echo(harmless(line))


def retry(number: Number, json: AsJson = False) -> None:
    _decided(number, "retried", json=json)


def refuse(number: Number, json: AsJson = False) -> None:
    _decided(number, "refused", json=json)


def _decided(number: int, what: str, *, json: bool) -> None:
    """Raises: NotWaiting, NotAllowed."""
    looking = look(datetime.now(UTC))
    from tansiq.exchange.models import Waiting
    from tansiq.exchange.node import attending

    (attending.retry if what == "retried" else attending.refuse)(looking, number)
    row = Waiting.objects.filter(pk=number).values("state", "reason").first()
    became = {"number": number, "done": what, "state": row["state"] if row else "applied"}
    became["reason"] = row["reason"] if row else ""
    if json:
        emit(became)
    elif what == "refused":
        say(_("{number} is refused for good; its sender is told.").format(number=number))
    elif row is None:
        say(_("{number} was tried again, and is applied.").format(number=number))
    else:
        say(_("{number} was tried again, and waits still: {state}, {reason}.").format(
            number=number, state=word("STATES", row["state"]), reason=word("REASONS", row["reason"])))  # fmt: skip


# ---- held


def waive(
    peer: NodeCode,
    reason: Annotated[str, typer.Option(metavar="TEXT", help=_("Why its answer is not waited for."))] = "",
    json: AsJson = False,
) -> None:
    now = datetime.now(UTC)
    here = here_or_complain(now)
    peer = peer_or_complain(here, peer)
    if not reason.strip():
        raise NoReason
    from tansiq.exchange.node import attending, holding

    attending.waive(look(now), peer, reason=reason)
    left = sorted(holding.waiting_for(here)) if holding.is_held() else []
    if json:
        emit({"waived": peer, "held": holding.is_held(), "waiting_for": left})
    elif holding.is_held():
        say(_("{node} is not waited for. This node is held until these have answered: {nodes}.").format(
            node=peer, nodes=", ".join(left)))  # fmt: skip
    else:
        say(_("{node} is not waited for. This node is not held any more: it sends and receives.").format(node=peer))


def restore(
    yes: Annotated[bool, typer.Option("--yes", help=_("Do not ask whether it is meant."))] = False,
    json: AsJson = False,
) -> None:
    """Raises: AlreadyServed, NotDeclared, NoRoster."""
    node.opened()
    now = datetime.now(UTC)
    here = here_or_complain(now)
    from django.db import transaction

    from tansiq.audit import actions as audit
    from tansiq.exchange.node import holding, serving
    from tansiq.members.viewers import operator

    serving.must_be_free(now)
    if not (yes or _is_meant()):
        raise NotDeclared
    with transaction.atomic():
        holding.restore(here, now)
        audit.record("exchange.restored", ("node", here.code), by=operator(now=now), now=now)
    left = sorted(holding.waiting_for(here)) if holding.is_held() else []
    if json:
        emit({"node": here.code, "held": holding.is_held(), "waiting_for": left})
    elif left:
        say(_("This node is held: it says nothing new until these have answered: {nodes}. Start it now.").format(
            nodes=", ".join(left)))  # fmt: skip
    else:
        say(_("This node has no peers to ask, and is not held."))


def _is_meant() -> bool:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    question = _("Is this database an older backup? The node is silent until its peers have answered.")
    try:
        return typer.confirm(question, default=False, err=True)
    except typer.Abort:
        raise KeyboardInterrupt from None
