"""``tansiq web``: the portal's server, one process behind a listener. ``tansiq up`` starts it as one of its parts."""

from __future__ import annotations

import errno
import gc
import logging
import os
import socket
from collections.abc import Callable
from typing import Annotated, Any

import typer

from tansiq.cli import node
from tansiq.cli.apart import apart
from tansiq.cli.trouble import why
from tansiq.core.errors import N_, TansiqError
from tansiq.core.language import _

STOP_SECONDS = 5
LOG_TO = {"class": "logging.StreamHandler", "stream": "ext://sys.stderr"}


class PortTaken(TansiqError):
    code = "web.port.taken"
    message = N_("Port {port} of {host} is in use by another program.")
    remedy = N_("Stop that program, or choose another port with --port or TANSIQ_PORT.")


class PortRefused(TansiqError):
    code = "web.port.refused"
    message = N_("The portal cannot listen at port {port} of {host}: {why}.")
    remedy = N_("Choose a port above 1023 with --port or TANSIQ_PORT, and an address of this machine in TANSIQ_BIND.")


def web(
    port: Annotated[
        int | None, typer.Option("--port", metavar="PORT", min=1, max=65535, help=_("Port to listen at."))
    ] = None,
    access_log: Annotated[bool, typer.Option("--access-log", help=_("Say every request on standard error."))] = False,
) -> None:
    if port:
        os.environ["TANSIQ_PORT"] = str(port)
    apart(ready)
    from tansiq import settings

    must_be_free(settings.BIND, settings.PORT)
    serve(settings.BIND, settings.PORT, settings.WEB_THREADS, access_log=access_log)


def ready() -> None:
    """The node set up, what its pages are made of at hand."""
    node.collect_static(node.opened(pages=True))


def serve(host: str, port: int, threads: int, *, access_log: bool) -> None:
    """Answer until SIGTERM or SIGINT. One process with few threads: SQLite has one writer, and memory is counted."""
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    Granian(
        "tansiq.web.wsgi:application",
        host,
        port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=threads,
        log_level=LogLevels.warning,
        log_dictconfig={"handlers": {"console": LOG_TO, "access": LOG_TO}, "formatters": {}},
        log_access=access_log,
        workers_kill_timeout=STOP_SECONDS,
    ).serve(target_loader=application, wrap_loader=False)


def application() -> Callable[..., Any]:
    """Runs in the worker process: ends with its parent, loads the portal and what its first page needs."""
    from tansiq.workers.parent import tied_to

    tied_to(os.getppid())()
    logging.getLogger("django.request").setLevel(logging.ERROR)  # not a line for every page that is not there
    ready()
    from django.urls import get_resolver

    from tansiq.web.wsgi import application

    get_resolver().check()  # loads all pages, which otherwise the first request would wait for
    # What is loaded now stays. The collector need not walk it again: that takes 0.1 s, and met one page in twenty.
    gc.collect()
    gc.freeze()
    return application


def must_be_free(host: str, port: int) -> None:
    """Raises: PortTaken, PortRefused. The server itself would share a port with whoever else is willing to."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise PortTaken(host=host, port=port) from error
            raise PortRefused(host=host, port=port, why=why(error)) from error
