"""``tansiq exchange send`` and ``compare``: the links worked on from the command line."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from tansiq.cli import hub, node
from tansiq.cli.exchange_here import AsJson, NodeCode, here_or_complain, peer_or_complain
from tansiq.cli.speech import emit, say
from tansiq.core.errors import N_, TansiqError
from tansiq.core.language import _, ngettext

if TYPE_CHECKING:
    from tansiq.exchange.models import Comparison
    from tansiq.exchange.node.here import Here
    from tansiq.exchange.sending import Way
    from tansiq.workers.exchange import Servers
    from tansiq.workers.exchange_round import Done, Rounds

LOOK_SECONDS = 0.5
TROUBLE = {
    "away": N_("nobody answers"),
    "refused": N_("it refuses this node, or shows a wrong certificate"),
    "exchange.mailbox.unusable": N_("its server does not answer; it is tried again"),
    "exchange.mailbox.refused": N_("its server refuses; see TANSIQ_EXCHANGE_IMAP_URL and `tansiq doctor`"),
}
Wait = Annotated[int, typer.Option("--wait", metavar="SECONDS", min=0, max=86400, help=_("Wait at most so long."))]


class NoAnswer(TansiqError):
    code = "exchange.compare.no_answer"
    message = N_("{node} did not answer within {seconds} seconds: nothing is known of what differs.")
    remedy = N_("The comparison stays wanted and is made as soon as both nodes run. See `tansiq exchange status`.")
    exit_code = 1
    transient = True


def servers() -> Servers:
    """How this node reaches the backbone; where it is the hub itself, by its own address."""
    from tansiq import settings
    from tansiq.workers.exchange import Servers

    return Servers(hub.urls() if hub.is_hub() or settings.BACKBONE_URL else (), hub.authority())


def closed() -> dict[Way, str]:
    """Ways to other nodes that the settings do not open, and why."""
    from tansiq import settings
    from tansiq.exchange.node import checking

    has_server = hub.is_hub() or bool(settings.BACKBONE_URL)
    return checking.closed(has_server=has_server, has_post=bool(settings.SMTP and settings.EXCHANGE_MAIL))


@contextmanager
def at_work() -> Iterator[Rounds]:
    """This node's links, for this process alone. Raises: AlreadyServed, NoRoster."""
    home = node.opened()
    here_or_complain(datetime.now(UTC))
    from tansiq import settings
    from tansiq.workers.exchange_round import opened

    with opened(
        home, servers(), smtp=settings.SMTP, sender=settings.EXCHANGE_MAIL, account=settings.EXCHANGE_IMAP
    ) as rounds:
        yield rounds


class Progress:
    """One line on a terminal that is written anew; silent elsewhere, and where standard output is for a program."""

    def __init__(self, *, shown: bool) -> None:
        self.shown = shown and sys.stderr.isatty()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_failure: object) -> None:
        self.show("")

    def show(self, text: str) -> None:
        if self.shown:
            sys.stderr.write(f"\r\x1b[K{text}")
            sys.stderr.flush()


# ---- send


def send(wait: Wait = 10, json: AsJson = False) -> None:
    with Progress(shown=not json) as progress, at_work() as rounds:
        from tansiq.workers.exchange_round import is_quiet

        def is_over() -> bool:
            here = rounds.service.here()
            return here is None or is_quiet(here)

        rounds.until(is_over, within=timedelta(seconds=wait), told=lambda done: progress.show(_moved(done)))
    if json:
        emit(asdict(rounds.done))
        return
    say(_moved(rounds.done))
    for line in _trouble(rounds.done):
        say(line)


def _moved(done: Done) -> str:
    return _("Received {received} and {mails} mails, sent {sent}; {waiting} without a receipt.").format(
        received=done.received, mails=done.mails, sent=done.sent, waiting=done.waiting
    )


def _trouble(done: Done) -> Iterator[str]:
    if done.backbone == "none" and done.mailbox == "none":
        yield _("Neither a message server nor a mailbox is set, so nothing but files can come to this node.")
    elif done.backbone not in ("none", "connected"):
        yield _("There is no connection to the message server ({reason}).").format(
            reason=_(TROUBLE.get(done.backbone, done.backbone))
        )
    if done.mailbox not in ("none", "read"):
        yield _("The mailbox could not be read ({reason}).").format(reason=_(TROUBLE.get(done.mailbox, done.mailbox)))


# ---- compare


def compare(peer: NodeCode, wait: Wait = 300, json: AsJson = False) -> None:
    node.opened()
    asked_at = datetime.now(UTC)
    here = here_or_complain(asked_at)
    peer = peer_or_complain(here, peer)
    from tansiq.exchange.node import comparing, serving

    comparing.want(here, peer, asked_at)
    with Progress(shown=not json) as progress:
        work = _work_until if serving.served(asked_at) is None else _watch_until
        work(lambda: all(_ended(peer, asked_at, outward=one) for one in (True, False)), wait, progress, peer)
    ended = _ended(peer, asked_at, outward=True)
    if ended is None:
        raise NoAnswer(node=peer, seconds=wait)
    row = _row(here, ended, _ended(peer, asked_at, outward=False))
    if json:
        emit(row)
    else:
        typer.echo(_outcome(row))


def _work_until(is_over: Callable[[], object], seconds: int, progress: Progress, peer: str) -> None:
    """Nobody else works on the links: this process does. A little longer, so that the last word leaves, too."""
    with at_work() as rounds:
        rounds.until(
            lambda: bool(is_over()),
            within=timedelta(seconds=seconds),
            told=lambda _done: progress.show(_comparing(peer)),
        )
        rounds.turn()


def _watch_until(is_over: Callable[[], object], seconds: int, progress: Progress, peer: str) -> None:
    from django.db import close_old_connections

    ends = time.monotonic() + seconds
    while not is_over() and time.monotonic() < ends:
        progress.show(_comparing(peer))
        time.sleep(LOOK_SECONDS)
        close_old_connections()


def _comparing(peer: str) -> str:
    """How far the comparison of now is, as the tables say."""
    from tansiq.exchange.models import Comparison

    row = Comparison.objects.filter(peer=peer, outward=True, ended_at=None).order_by("-began_at").first()
    if row is None:
        return _("{node}: waiting for the next comparison; there is at most one a minute.").format(node=peer)
    return _("{node}: turn {turn}.").format(node=peer, turn=row.turn)


def _ended(peer: str, since: datetime, *, outward: bool) -> Comparison | None:
    from tansiq.exchange.models import Comparison

    rows = Comparison.objects.filter(peer=peer, outward=outward, began_at__gte=since, equal__isnull=False)
    return rows.exclude(ended_at=None).order_by("-began_at").first()


def _row(here: Here, ended: Comparison, other: Comparison | None) -> dict[str, object]:
    """``other``: the direction that the peer compared; None: it has not answered the wish for it."""
    from tansiq.exchange.models import Link

    link = Link.objects.filter(pk=ended.peer).first()
    return {
        "node": here.code,
        "peer": ended.peer,
        "equal": ended.equal,
        "missing": ended.missing,
        "extra": ended.extra,
        "different": ended.different,
        "in_flight": ended.in_flight,
        "repaired": ended.missing + ended.extra + ended.different,
        "turns": ended.turn,
        "seconds": round((ended.ended_at - ended.began_at).total_seconds(), 3),
        "ended_at": ended.ended_at,
        "peer_equal": other.equal if other else None,
        "peer_differences": other.different if other else None,
        "equal_at": link.equal_at if link else None,
    }


def _outcome(row: dict[str, object]) -> str:
    if row["equal"]:
        return _("{peer} has of this node what it should have: equal at {ended_at}.").format(
            peer=row["peer"], ended_at=f"{row['ended_at']:%Y-%m-%d %H:%M} UTC"
        )
    if not row["repaired"]:
        count = int(str(row["in_flight"]))
        return ngettext(
            "{peer}: {in_flight} object differs, and is on its way. Compare again when it has arrived.",
            "{peer}: {in_flight} objects differ, and are on their way. Compare again when they have arrived.",
            count,
        ).format_map(row)
    return ngettext(
        "{peer}: {repaired} object differed and is repaired: it was sent or recalled ({missing} missing, "
        "{different} older, {extra} too many). Compare again when it has arrived.",
        "{peer}: {repaired} objects differed and are repaired: they were sent or recalled ({missing} missing, "
        "{different} older, {extra} too many). Compare again when they have arrived.",
        int(str(row["repaired"])),
    ).format_map(row)
