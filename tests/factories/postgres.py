"""A PostgreSQL server of one's own, where Debian's server is installed, and a database in it for every node of a test.

``TANSIQ_TEST_DATABASE=postgresql`` has the tests that use a database use these.
"""

from __future__ import annotations

import itertools
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

WANTED = os.environ.get("TANSIQ_TEST_DATABASE", "sqlite") == "postgresql"
MARK = ".database"
"""In a node's folder: the name of its database and the folder it was made for. A copy of the folder tells by it."""


class Cluster:
    """A running server.

    Attributes:
        address: of the database that is there from the start, ``postgresql://user@host:port/postgres``.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self._numbers = itertools.count(1)
        self._of: dict[Path, str] = {}

    def create(self, *, like: str = "") -> str:
        """Name of a new database: empty, or with all that another has, to which nobody may be connected."""
        name = f"node{next(self._numbers)}"
        self._do(f'CREATE DATABASE {name} TEMPLATE "{like or "template0"}"')
        return name

    def url(self, name: str) -> str:
        return self.address.rpartition("/")[0] + f"/{name}"

    def of(self, home: Path) -> str:
        """Address of a node's database. A folder copied from another node's gets a copy of that node's database; one
        not seen before gets an empty one."""
        mark = home / MARK
        if mark.exists():
            name, path = mark.read_text().split("\n")
            if path != str(home):
                name = self.create(like=name)
                mark.write_text(f"{name}\n{home}")
            self._of[home] = name
        elif home not in self._of:
            self._of[home] = self.create()
        return self.url(self._of[home])

    def settle(self, home: Path) -> None:
        """Have copies of the folder be copies of its database, too."""
        self.of(home)
        (home / MARK).write_text(f"{self._of[home]}\n{home}")

    def drop(self, folder: Path) -> None:
        """The databases of nodes below a folder."""
        for home in [home for home in self._of if home.is_relative_to(folder)]:
            self._do(f"DROP DATABASE IF EXISTS {self._of.pop(home)} WITH (FORCE)")

    def _do(self, statement: str) -> None:
        import psycopg

        with psycopg.connect(self.address, autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def cluster() -> Iterator[Cluster | None]:
    """A private server on a port of loopback, in a folder of its own; None where the programs are missing."""
    initdb, pg_ctl = program("initdb"), program("pg_ctl")
    if not initdb or not pg_ctl:
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix="tansiq-postgres-"))  # a short path, as sockets need, that others may enter
    as_user: list[str] = []
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        as_user = ["runuser", "-u", "postgres", "--"]
        shutil.chown(folder, "postgres", "postgres")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def server(*command: str) -> None:
        subprocess.run([*as_user, *command], check=True, cwd="/", stdout=subprocess.DEVNULL)

    data = str(folder / "cluster")
    server(initdb, "-D", data, "-A", "trust", "-U", "tansiq", "--no-sync", "--encoding", "UTF8", "--locale", "C.UTF-8")
    where = f"-k {folder} -c listen_addresses=127.0.0.1 -p {port} -c fsync=off -c full_page_writes=off"
    server(pg_ctl, "-D", data, "-w", "-l", f"{data}/log", "-o", where, "start")
    try:
        yield Cluster(f"postgresql://tansiq@127.0.0.1:{port}/postgres")
    finally:
        server(pg_ctl, "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def program(name: str) -> str | None:
    """One of PostgreSQL's server, which Debian keeps out of the path."""
    places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return shutil.which(name) or (str(places[-1]) if places else None)


running: Cluster | None = None
"""Of this run, when its tests are to run on PostgreSQL."""


def url_of(home: Path) -> str:
    """Address of a node's database; empty: SQLite, in the node's folder."""
    return running.of(home) if running else ""


def execute(home: Path, statement: str) -> None:
    """Change a node's database behind the program's back."""
    if url := url_of(home):
        import psycopg

        with psycopg.connect(url) as connection:
            connection.execute(statement)  # type: ignore[arg-type]
        return
    import sqlite3

    with sqlite3.connect(home / "tansiq.sqlite3") as database:
        database.execute(statement)
    database.close()


def described(url: str) -> dict[str, object]:
    """A database's entry among Django's settings."""
    parts = urlsplit(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": parts.username,
        "HOST": parts.hostname,
        "PORT": str(parts.port),
        "OPTIONS": {},
    }
