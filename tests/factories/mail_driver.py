"""A program: the exchange of one node without its threads, by a clock that the caller moves. See ``mail_node``.

Reads commands from standard input, one JSON list a line, and answers each with one JSON value.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from tansiq.cli import node

HOME = node.opened()

from django.db import connection  # noqa: E402

from tansiq import settings  # noqa: E402
from tansiq.cli import exchange_work  # noqa: E402
from tansiq.core.marking import Audience, Marking, Tlp  # noqa: E402
from tansiq.exchange import imap  # noqa: E402
from tansiq.exchange.body import Lane, State  # noqa: E402
from tansiq.exchange.imap import MailboxRefused, MailboxUnusable  # noqa: E402
from tansiq.exchange.kinds import KNOWN, Kind, Said  # noqa: E402
from tansiq.exchange.models import OutChannel, Position, RecallOrder, Sent, Waiting, WayHeard  # noqa: E402
from tansiq.exchange.node import publishing  # noqa: E402
from tansiq.workers.exchange import Line, MailReader, post_by, service_of  # noqa: E402

BEGAN = datetime.fromisoformat(sys.argv[1])
AHEAD = timedelta()


def clock() -> datetime:
    """It stands still, so that a test says to the second when something is due."""
    return BEGAN + AHEAD


def applied(said: Said, _now: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO mail_applied (object, n) VALUES (%s, %s)", [said.object, said.version.n])


def withdrawn(identifier: str, _now: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO mail_applied (object, n) VALUES (%s, 0)", [identifier])


def register() -> None:
    for lane in Lane:
        kind = Kind(f"mail.{lane}", 1, lane, lambda payload: True, applied, withdrawn, self_contained=True)
        KNOWN.register(kind)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS mail_applied (object TEXT NOT NULL, n INTEGER NOT NULL)")


register()
LINE = Line(HOME, exchange_work.servers()) if settings.BACKBONE_URL else None
POST = post_by(settings.SMTP, settings.EXCHANGE_MAIL) if settings.SMTP and settings.EXCHANGE_MAIL else None
SERVICE = service_of(HOME, backbone=LINE, post=POST, clock=clock)
READER = MailReader(SERVICE, settings.EXCHANGE_IMAP) if settings.EXCHANGE_IMAP else None


def publish(lane: str, name: str, count: int, teams: list[str], words: str = "words") -> int:
    here = SERVICE.here()
    assert here is not None
    marking = Marking(Tlp.AMBER_STRICT, here.team, Audience.of(teams=teams))
    changes = [
        publishing.Change(
            kind=f"mail.{lane}", name=f"{name}.{number}", payload={"text": words}, markings=[marking], team=here.team
        )
        for number in range(count)
    ]
    return len(publishing.publish_all(here, changes, clock()))


def turn(ahead_seconds: float) -> dict[str, Any]:
    """Take what came, keep house, send what is due; ``ahead_seconds``: after the test began."""
    global AHEAD
    AHEAD = timedelta(seconds=ahead_seconds)
    here = SERVICE.here()
    assert here is not None
    said: dict[str, Any] = {"mails": 0, "mailbox": "none"}
    if LINE is not None:
        said["received"] = sum(SERVICE.receive(here, lane, 0.3) for lane in Lane)
    if READER is not None:
        try:
            said |= {"mails": READER.look(), "mailbox": "read"}
        except (MailboxUnusable, MailboxRefused) as error:
            said["mailbox"] = error.code
    here = SERVICE.here()
    assert here is not None
    SERVICE.look_after(here)
    said["sent"] = sum(SERVICE.turn(here, lane) for lane in Lane)
    return said


def facts() -> dict[str, Any]:
    """What was done here, and what is on its way."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT object, n FROM mail_applied ORDER BY object, n")
        rows = [list(row) for row in cursor.fetchall()]
    here = SERVICE.here()
    waiting = Waiting.objects.exclude(state=State.REFUSED.value)
    return {
        "applied": rows,
        "uncovered": {one.peer + " " + one.lane: one.waiting_bodies for one in OutChannel.objects.order_by("pk")},
        "mailed": list(
            Sent.objects.filter(statement__kind__startswith="mail.").order_by("pk").values_list("mailed", flat=True)
        ),
        "positions": Position.objects.count(),
        "waiting": list(waiting.order_by("pk").values_list("object", "state", "reason")),
        "recalls": list(RecallOrder.objects.order_by("pk").values_list("peer", "outcome")),
        "ways": {f"{one.peer} {one.way}": one.failure for one in WayHeard.objects.order_by("peer", "way")},
        "epoch": here.epoch if here else 0,
    }


def die_before_taking_out() -> None:
    """From now on the process is killed when the content of mails was stored and they are to be taken out."""

    def stored(_self: object, _letters: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    imap.Session.stored = stored  # type: ignore[method-assign, assignment]


def die_before_handing_in() -> None:
    """From now on the process is killed when a body is noted as mailed and before a server has it."""
    post_office = SERVICE.post

    def post(address: str, lane: Lane, sealed: Sequence[bytes]) -> bool:
        if Sent.objects.filter(mailed__gt=0).exists():
            os.kill(os.getpid(), signal.SIGKILL)
        return post_office is not None and post_office(address, lane, sealed)

    SERVICE.post = post


COMMANDS: dict[str, Callable[..., Any]] = {
    "publish": publish,
    "turn": turn,
    "facts": facts,
    "die_before_taking_out": die_before_taking_out,
    "die_before_handing_in": die_before_handing_in,
}


def main() -> None:
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        print(json.dumps(COMMANDS[name](*arguments)), flush=True)


if __name__ == "__main__":
    main()
