"""Opening the node that a command works on; with an empty home the first command sets it up, and asks nothing."""

from __future__ import annotations

import atexit
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import tansiq
from tansiq.cli import secrets
from tansiq.cli.trouble import HomeUnusable, why
from tansiq.core.home import Home


def home() -> Home:
    from tansiq import settings

    return settings.home()


@cache
def opened(*, pages: bool = False, sessions: bool = False) -> Home:
    """The node's home, its database at this program's version and the shipped directory in it.

    Args:
        pages: True in a process that shows them; all others load neither pages nor accounts, and start sooner.
        sessions: of those who are signed in: known even without pages.
    """
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tansiq.settings")
    here = present()
    draw_secrets(here)
    stamp = here.path / "version"
    wanted = f"{tansiq.__version__} {migrations()}"
    try:
        is_set_up = stamp.exists() and stamp.read_text() == wanted
        if is_set_up and not pages:
            without_pages(sessions=sessions)
        django.setup()
        atexit.register(leave_the_database)
        if not is_set_up:
            with alone(here.path / "setup.lock"):
                set_up(here)
                stamp.write_text(wanted)
    except OSError as error:
        raise HomeUnusable(folder=here.path, why=why(error)) from error
    return here


def without_pages(*, sessions: bool) -> None:
    from tansiq import settings

    settings.INSTALLED_APPS = [*settings.WITHOUT_PAGES, *(["django.contrib.sessions"] if sessions else [])]


def leave_the_database() -> None:
    """Say good-bye to PostgreSQL: a connection that is only dropped looks like a fault in its log and in ours."""
    from django.db import connections

    connections.close_all()


def present() -> Home:
    """The node's home, its folder made if it is not there."""
    here = home()
    try:
        here.path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise HomeUnusable(folder=here.path, why=why(error)) from error
    return here


def draw_secrets(here: Home) -> None:
    """What is missing of the node's secrets, before the framework asks for the first of them."""
    from tansiq import settings

    try:
        secrets.draw(here)
    except OSError as error:
        raise HomeUnusable(folder=here.path, why=why(error)) from error
    settings.SECRET_KEY = settings.secret_key(here.path)


def set_up(here: Home) -> None:
    from django.core.management import call_command

    from tansiq.members import actions

    here.path.chmod(secrets.PRIVATE_FOLDER)
    call_command("migrate", verbosity=0, interactive=False)
    actions.ship_directory()


def collect_static(here: Home) -> None:
    """What the pages' style, scripts and fonts are served from; at hand before the server starts."""
    from django.conf import settings

    from tansiq.web.statics import collect

    with alone(here.path / "setup.lock"):
        collect(here.static)
    settings.STATIC_ROOT = here.static


def migrations() -> str:
    """Changes when a migration is added: cheaper than asking the database at every command."""
    package = Path(tansiq.__file__).parent
    return ",".join(sorted(p.stem[:4] + p.parent.parent.name for p in package.glob("*/migrations/0*.py")))


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold the lock file: two first commands at once set the node up one after the other."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
