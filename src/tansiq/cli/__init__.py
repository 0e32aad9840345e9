"""The command line: ``tansiq <desk> <verb>``. Rows on standard output, talk on standard error.

Heavy libraries are imported inside the verbs, so that a short question (whois) gets a short wait.
"""

from __future__ import annotations

import os
import sys

import typer

from tansiq.cli.speech import complain
from tansiq.core import language
from tansiq.core.errors import TansiqError
from tansiq.core.language import _


def build() -> typer.Typer:
    from tansiq.cli import demo, events, feeds, geo, members, notices

    app = typer.Typer(
        name="tansiq",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        help=_("The platform on which a federation of national CERTs works."),
    )
    for desk in (members, geo, feeds, events, notices):
        app.add_typer(desk.app(), name=desk.NAME)
    app.command(help=_("A seeded federation and 200,000 sample lines to play with."))(demo.demo)
    return app


def main() -> None:
    language.speak(language.from_environment(os.environ))
    try:
        build()()
    except TansiqError as error:
        complain(error)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # The reader (head, less) has enough. Python would complain once more while closing standard output.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
