"""The command line: ``tansiq <desk> <verb>``. Rows on standard output, talk on standard error.

Heavy libraries are imported inside the verbs, so that a short question (whois) gets a short wait.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

from tansiq.cli.speech import complain, emit, worded
from tansiq.cli.trouble import understood
from tansiq.core import language
from tansiq.core.errors import TansiqError
from tansiq.core.language import _

if TYPE_CHECKING:
    import typer

INTERRUPTED = 130
READER_GONE = 141


def build() -> typer.Typer:
    import typer

    from tansiq.cli import (
        audit,
        backbone_verbs,
        demo,
        doctor,
        events,
        exchange,
        exchange_roster,
        feeds,
        geo,
        lab,
        members,
        notices,
        up,
        web,
        work,
    )

    app = typer.Typer(
        name="tansiq",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        help=_("The platform on which a federation of national CERTs works."),
    )
    for desk in (members, exchange, exchange_roster, backbone_verbs, geo, feeds, events, notices, audit, lab):
        app.add_typer(desk.app(), name=desk.NAME)
    app.command(help=example(_("Start the whole node here: portal, worker, message server."), "tansiq up"))(up.up)
    app.command(help=example(_("Run the portal's server alone."), "tansiq web --port 8421"))(web.web)
    app.command(help=example(_("Run the worker alone: mail, reminders, daily checks."), "tansiq work"))(work.work)
    app.command(help=example(_("Say what is wrong with this installation."), "tansiq doctor --json"))(doctor.doctor)
    app.command(help=_("A seeded federation and 200,000 sample lines to play with."))(demo.demo)
    return app


def example(text: str, command: str) -> str:
    return text + "\n\n" + _("Example: {command}").format(command=command)


def main() -> None:
    whole_streams()
    language.speak(language.from_environment(os.environ))
    try:
        command()
    except KeyboardInterrupt:
        leave_to(INTERRUPTED)
    except Exception as error:
        if isinstance(error.__cause__, KeyboardInterrupt):  # as DuckDB words it
            leave_to(INTERRUPTED)
        if broken_pipe(error):
            leave_to(READER_GONE)
        known = error if isinstance(error, TansiqError) else understood(error)
        if known is None:
            raise
        refuse(known)


def command() -> NoReturn:
    """Do what the arguments ask.

    Raises: SystemExit, when all that was written has left; TansiqError, of which the usage errors are some.
    """
    try:
        sys.exit(done())
    except SystemExit as stop:
        if isinstance(stop.__context__, OSError) and broken_pipe(stop.__context__):  # the framework makes 1 of it
            raise stop.__context__ from None
        sys.stdout.flush()
        raise


def done() -> int:
    """The exit code of what the arguments ask for. The framework keeps its own sentences to itself."""
    from tansiq.cli import dress, usage

    if dress.may_show_help(sys.argv[1:]):
        dress.dress_help()
    app = build()
    from typer._click.exceptions import ClickException, NoArgsIsHelpError

    take_over_interrupts()
    try:
        code = app(standalone_mode=False)
    except NoArgsIsHelpError as page:  # shown already
        return page.exit_code
    except ClickException as error:
        raise usage.mistake(error) from None
    return code if isinstance(code, int) else 0


def take_over_interrupts() -> None:
    """From here on Ctrl-C is an exception, which lets verbs leave nothing behind; so far it ended the process."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def refuse(error: TansiqError) -> NoReturn:
    """Say what is wrong, to scripts as an object on standard output if that can be written, and end."""
    try:
        if "--json" in sys.argv[1:]:
            emit({"error": worded(error)})
        sys.stdout.flush()
    except OSError:
        complain(error)
        leave_to(error.exit_code)
    if "--json" not in sys.argv[1:]:
        complain(error)
    sys.exit(error.exit_code)


def whole_streams() -> None:
    """Open what the caller has closed (``>&-``), lest the next file opened takes its number; output is UTF-8 always.

    A file name that is no UTF-8 leaves as ``\\udcXX``: in JSON an escape from which its bytes can be had again.
    """
    while (opened := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(opened)
    sys.stdin = sys.stdin or open(0)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w")  # noqa: SIM115
    # Always with a buffer: without one (PYTHONUNBUFFERED) Python leaves out what a pipe does not take at once.
    sys.stdout = open(1, "w", encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115


def broken_pipe(error: BaseException | None) -> bool:
    return isinstance(error, OSError) and error.errno == errno.EPIPE


def leave_to(code: int) -> NoReturn:
    """End without a word. What standard output still holds goes nowhere: Python would complain while closing it."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    sys.exit(code)
