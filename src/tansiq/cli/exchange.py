"""``tansiq exchange``: the node's links to its peers, and the process that works on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import typer

from tansiq.cli import exchange_check, exchange_files, exchange_waiting, exchange_work, hub, node
from tansiq.cli.exchange_here import AsJson, here_or_complain
from tansiq.cli.exchange_words import alarm_said, word
from tansiq.cli.speech import emit, harmless, say
from tansiq.core.language import _, ngettext

if TYPE_CHECKING:
    from tansiq.exchange.node.standing import LinkState, Status, WayState

NAME = "exchange"
Verb = tuple[str, Callable[..., None], str, str]
"""Its name, what does it, what that is, an example."""


def app() -> typer.Typer:
    desk = typer.Typer(no_args_is_help=True, help=_("The links between this node and its peers."))
    for name, verb, text, command in (*_of_links(), *_of_what_waits(), *_of_files(), *_of_a_restore()):
        desk.command(name, help=text + "\n\n" + _("Example: {command}").format(command=command))(verb)
    return desk


def _of_links() -> tuple[Verb, ...]:
    return (
        (
            "status",
            status,
            _("Show every link: heard when, what waits, what is parked, whether both sides are equal."),
            "tansiq exchange status --json",
        ),
        (
            "serve",
            serve,
            _("Run the exchange alone: receive, send, compare. `tansiq up` starts it as one of its parts."),
            "tansiq exchange serve",
        ),
        (
            "send",
            exchange_work.send,
            _("Make one whole round by every way, for a node on which no service runs: take what is there, send."),
            "tansiq exchange send",
        ),
        (
            "check",
            exchange_check.check,
            _("Check each way to each peer, and whether somebody there looks."),
            "tansiq exchange check XB --json",
        ),
        (
            "compare",
            exchange_work.compare,
            _("Compare with a peer, object by object, and repair what differs."),
            "tansiq exchange compare XB",
        ),
    )


def _of_what_waits() -> tuple[Verb, ...]:
    return (
        (
            "waiting",
            exchange_waiting.waiting,
            _("List what came and is not applied: parked or quarantined, with the reason; headers only."),
            "tansiq exchange waiting --json",
        ),
        (
            "retry",
            exchange_waiting.retry,
            _("Try something that waits again. Only who may see it may."),
            "tansiq exchange retry 17",
        ),
        (
            "refuse",
            exchange_waiting.refuse,
            _("Refuse something that waits, for good. Only who may see it may."),
            "tansiq exchange refuse 17",
        ),
    )


def _of_files() -> tuple[Verb, ...]:
    return (
        (
            "export",
            exchange_files.export,
            _("Write all that nodes have not acknowledged into a file, to be carried to them."),
            "tansiq exchange export stick.zip --to XB --to XC",
        ),
        (
            "import",
            exchange_files.import_files,
            _("Take in what files from other nodes hold for this one. Doing it twice changes nothing."),
            "tansiq exchange import stick.zip",
        ),
    )


def _of_a_restore() -> tuple[Verb, ...]:
    return (
        (
            "waive",
            exchange_waiting.waive,
            _("Do not wait for a peer while this node is held after a restore, and say why."),
            'tansiq exchange waive XB --reason "away until May"',
        ),
        (
            "restore",
            exchange_waiting.restore,
            _("Say that this database is an old backup, before the node starts again: it asks its peers first."),
            "tansiq exchange restore --yes",
        ),
    )


def serve() -> None:
    home = node.opened()
    from dataclasses import replace

    from tansiq import settings
    from tansiq.workers import memory
    from tansiq.workers.exchange import serving
    from tansiq.workers.waiting import signals

    apply = (lambda: hub.apply(home, hub.named())) if hub.is_hub() else None
    memory.share_among_threads()
    with signals() as heard:
        serving(
            home,
            replace(exchange_work.servers(), apply=apply),
            smtp=settings.SMTP,
            sender=settings.EXCHANGE_MAIL,
            account=settings.EXCHANGE_IMAP,
            until=heard,
        )


def status(json: AsJson = False) -> None:
    now = datetime.now(UTC)
    here = here_or_complain(now)
    from tansiq.exchange.node.status import status as stand

    stood = stand(here, now=now)
    if json:
        emit(row_of(stood))
    else:
        _tell(stood, now)


def row_of(stood: Status) -> dict[str, Any]:
    """As ``--json`` has it: units in the names, since JSON has none."""
    row = asdict(stood)
    for link in row["links"]:
        link["clock_offset_ms"] = link.pop("clock_offset")
    return row


def _tell(stood: Status, now: datetime) -> None:
    say(_("Node {code}, realm {realm}, epoch {epoch}.").format(code=stood.code, realm=stood.realm, epoch=stood.epoch))
    if stood.held_since:
        for line in _held(stood, stood.held_since):
            say(line)
    for alarm in stood.alarms:
        said = _("Alarm since {moment}: {said}")
        say(said.format(moment=_moment(alarm.since), said=alarm_said(alarm)))
    for link in stood.links:
        typer.echo("\t".join(map(harmless, _columns(link, now))))


def _held(stood: Status, since: datetime) -> Iterator[str]:
    yield _("Held since {moment}: its peers are asked what it said since the backup.").format(moment=_moment(since))
    if stood.held_because:
        yield word("HELD", stood.held_because)
    if asked := [link.peer for link in stood.links if link.asking and not link.waived]:
        yield _("It waits for: {nodes}.").format(nodes=", ".join(asked))


def _columns(link: LinkState, now: datetime) -> list[str]:
    waiting = sum(backlog.count for backlog in link.backlog.values())
    parked, quarantined = sum(link.parked.values()), sum(link.quarantined.values())
    heard = _("heard {ago} ago").format(ago=_ago(now - link.heard_at)) if link.heard_at else _("never heard")
    told = [
        ngettext("{count} waits", "{count} wait", waiting).format(count=waiting),
        _("{count} parked").format(count=parked),
        _("{count} quarantined").format(count=quarantined),
        _equal(link),
        *(_way(way, now) for way in link.ways),
    ]
    if link.is_clock_wrong and link.clock_offset is not None:
        told.append(_clock(link.clock_offset))
    if link.recalls_open:
        told.append(_recalls(link))
    if link.version:
        told.append(link.version)
    if link.frozen_at:
        told.append(_("frozen since {moment}").format(moment=_moment(link.frozen_at)))
    return [link.peer, word("STANDINGS", link.standing(now)), heard, *told]


def _equal(link: LinkState) -> str:
    if link.is_equal and link.equal_at:
        return _("equal at {moment}").format(moment=_moment(link.equal_at))
    if link.equal_at and link.not_equal_since:
        return _("not known to be equal since {moment}").format(moment=_moment(link.not_equal_since))
    if link.compared_at:
        return _("different when compared at {moment}").format(moment=_moment(link.compared_at))
    return _("not compared yet")


def _way(way: WayState, now: datetime) -> str:
    if way.reaches(now):
        said = _("{way}: reached")
    elif way.failure:
        said = _("{way}: {failure}")
    else:
        said = _("{way}: not lately")
    return said.format(way=word("WAYS", way.way), failure=word("FAILURES", way.failure))


def _clock(offset: timedelta) -> str:
    said = _("its clock {span} ahead") if offset > timedelta(0) else _("its clock {span} behind")
    return said.format(span=_ago(abs(offset)))


def _recalls(link: LinkState) -> str:
    if link.recalls_unreachable:
        text = ngettext("{count} recall unreachable", "{count} recalls unreachable", link.recalls_unreachable)
        return text.format(count=link.recalls_unreachable)
    text = ngettext("{count} recall not answered yet", "{count} recalls not answered yet", link.recalls_open)
    return text.format(count=link.recalls_open)


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def _ago(span: timedelta) -> str:
    """Whole units: a duty officer wants to know whether it is seconds or days."""
    seconds = int(span.total_seconds())
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
