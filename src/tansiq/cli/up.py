"""``tansiq up``: the whole node on one machine: portal, workers, message server."""

from __future__ import annotations

import fcntl
import http.client
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from tansiq.cli import backbone, first_start, hub, node
from tansiq.cli.apart import apart
from tansiq.cli.processes import Node, Part, log
from tansiq.cli.web import PortTaken, must_be_free
from tansiq.core.errors import N_, TansiqError
from tansiq.core.home import Home
from tansiq.core.language import _

UMASK = 0o077
GLANCE_SECONDS = 0.1  # how often we look whether the portal answers already
ANSWER_SECONDS = 5.0
PATIENCE_SECONDS = 60.0
RELEASE_SECONDS = 5.0  # parts of an `up` that was killed may still be ending


class AlreadyUp(TansiqError):
    code = "up.running"
    message = N_("This node is running already: process {pid}, {address}.")
    remedy = N_("Stop it with Ctrl-C where it runs, or name another folder in TANSIQ_HOME for a second node.")


def up(
    code: Annotated[str, typer.Option("--code", metavar="CODE", help=_("Code of the node, at its first start."))] = "",
    name: Annotated[str, typer.Option("--name", metavar="NAME", help=_("Name of the node, at its first start."))] = "",
    language: Annotated[
        str, typer.Option("--language", metavar="ar|en|fr", help=_("Language of the node, at its first start."))
    ] = "",
    team: Annotated[
        str, typer.Option("--team", metavar="TEAM", help=_("Home team of the node, if its code is another."))
    ] = "",
    secretariat: Annotated[
        bool, typer.Option("--secretariat", help=_("The home team is the federation's Secretariat."))
    ] = False,
    port: Annotated[
        int | None, typer.Option("--port", metavar="PORT", min=1, max=65535, help=_("Port of the portal."))
    ] = None,
    access_log: Annotated[bool, typer.Option("--access-log", help=_("Say every request on standard error."))] = False,
) -> None:
    os.umask(UMASK)
    if port:
        os.environ["TANSIQ_PORT"] = str(port)
    home = node.present()
    with alone(home) as unclean:
        free_the_port(patient=unclean)
        wishes = first_start.Wishes(code, name, language, team, secretariat)
        this = apart(lambda: opened(wishes))
        run(home, this, lambda: introduce(home, this), access_log=access_log)


def opened(wishes: first_start.Wishes) -> first_start.Named:
    """The node set up if it is new. It loads what this process, which only looks after others, does without."""
    node.opened()
    return first_start.named(wishes, now=datetime.now(UTC))


def run(home: Home, this: first_start.Named, told: Callable[[], bool], *, access_log: bool = False) -> None:
    """Keep the node's processes running until a signal says to end. The caller holds ``alone``.

    Args:
        told: called once the portal answers; the node goes on if it returns True.
    """
    from tansiq.workers.waiting import signals

    everything = Node(parts(home, this.code, access_log=access_log), dict(os.environ))
    with signals() as heard:
        try:
            everything.start()
            if everything.look_after(heard, until=answering(), every=GLANCE_SECONDS) and told():
                everything.look_after(heard, until=lambda: False)
        finally:
            log(_("Stopping."))
            everything.stop()
    log(_("Stopped."))


def parts(home: Home, code: str, *, access_log: bool) -> list[Part]:
    """In the order in which they start. The message server comes first and goes last."""
    from tansiq import settings

    wanted = []
    if not settings.BACKBONE_URL or settings.BACKBONE_LISTEN:
        server = str(backbone.program(settings.NATS_SERVER))
        wanted.append(Part(N_("message server"), lambda: [server, "--config", str(configured(home, code))], 10.0))
    wanted.append(Part(N_("worker"), lambda: ours("work")))
    wanted.append(Part(N_("exchange"), lambda: ours("exchange", "serve")))
    wanted.append(Part(N_("web server"), lambda: ours("web", *(["--access-log"] if access_log else []))))
    return wanted


def configured(home: Home, code: str) -> Path:
    """The file that the message server reads, written anew. A hub's has the members of its roster, in the database."""

    def write() -> Path:
        node.opened()
        return backbone.configure(home, code)

    return apart(write) if hub.is_hub() else backbone.configure(home, code)


def ours(*arguments: str) -> list[str]:
    """This program again, whatever lies in the current folder."""
    return [sys.executable, "-P", "-m", "tansiq", *arguments]


class answering:
    """Whether the portal answers by now; gives up looking after a minute, for then there is something to read."""

    def __init__(self) -> None:
        self.since = time.monotonic()

    def __call__(self) -> bool:
        return answers() or time.monotonic() - self.since > PATIENCE_SECONDS


def answers(port: int | None = None) -> bool:
    """Whether the portal's server takes a request; what it says does not matter here."""
    return status("/", port) is not None


def status(path: str, port: int | None = None) -> int | None:
    """What the portal says to a request for a page; None when it does not answer."""
    from tansiq import settings

    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.BIND, settings.BIND)
    connection = http.client.HTTPConnection(host, port or settings.PORT, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", path, headers={"Host": settings.HOST})
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException):
        return None
    else:
        return answer.status
    finally:
        connection.close()


def introduce(home: Home, this: first_start.Named) -> bool:
    from tansiq import settings

    log(_("Node {code}, {name}, in {folder}.").format(code=this.code, name=this.name, folder=home.path))
    log(_("The portal is at {address}. Ctrl-C stops the node.").format(address=settings.ADDRESS))
    if this.token:
        log(_("The first administrator's way in, once, within {hours} hours:").format(hours=this.hours))
        typer.echo(link(this.token))
        sys.stdout.flush()
    return True


def link(token: str) -> str:
    """Where the holder of a one-time token comes in."""
    from tansiq import settings

    return f"{settings.ADDRESS}/enter/{token}/"


@contextmanager
def alone(home: Home) -> Iterator[bool]:
    """Be the only ``up`` of this folder while inside. Yields whether the one before was killed.

    Raises: AlreadyUp.
    """
    from tansiq import settings

    with home.running.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyUp(**said_in(lock)) from None
        lock.seek(0)
        unclean = bool(lock.read())
        lock.truncate(0)
        json.dump({"pid": os.getpid(), "address": settings.ADDRESS, "port": settings.PORT}, lock)
        lock.flush()
        yield unclean
        lock.truncate(0)


def port_of(home: Home) -> int:
    """Where the node that runs in this folder listens: not always where this process would."""
    from tansiq import settings

    try:
        return int(json.loads(home.running.read_text())["port"])
    except (OSError, ValueError, KeyError, TypeError):
        return settings.PORT


def said_in(lock: Any) -> dict[str, Any]:
    lock.seek(0)
    try:
        said = json.loads(lock.read())
        return {"pid": said["pid"], "address": said["address"]}
    except (ValueError, KeyError, TypeError):  # it is only just starting
        return {"pid": "?", "address": "?"}


def free_the_port(*, patient: bool) -> None:
    """Raises: PortTaken, PortRefused. After an ``up`` that was killed its server gets a moment to end."""
    from tansiq import settings

    until = time.monotonic() + (RELEASE_SECONDS if patient else 0)
    while True:
        try:
            return must_be_free(settings.BIND, settings.PORT)
        except PortTaken:
            if time.monotonic() >= until:
                raise
            time.sleep(GLANCE_SECONDS)
