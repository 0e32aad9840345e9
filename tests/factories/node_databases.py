"""Databases of nodes that live in one test's process, each its own: their whole content can be kept and put back.

Of SQLite they are in memory. Where ``TANSIQ_TEST_DATABASE`` says so they are PostgreSQL's, and used again by the nodes
that come after: to make one takes a tenth of a second, and a run makes thousands.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from factories import postgres as servers

_ALL_SEQUENCES = "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public'"
_ALL_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"

_free: list[str] = []
"""Names of databases of PostgreSQL that nobody uses."""


@contextmanager
def on(connection: Any) -> Iterator[None]:
    """Whatever asks for the database within, in this thread, gets this one."""
    from django.db import DEFAULT_DB_ALIAS, connections

    before = connections[DEFAULT_DB_ALIAS]
    connections[DEFAULT_DB_ALIAS] = connection
    try:
        yield
    finally:
        connections[DEFAULT_DB_ALIAS] = before


def new(content: bytes | None = None) -> Any:
    """A connection to a database that nobody else has, with this content; None: the tables, and nothing in them."""
    connection = _in_memory() if servers.running is None else to(_free.pop() if _free else _created())
    put(connection, _empty(connection.vendor) if content is None else content)
    return connection


def another(connection: Any) -> Any:
    """One more connection to a database of PostgreSQL, for another thread."""
    return to(connection.settings_dict["NAME"])


def leave(connection: Any) -> None:
    """Nobody uses it any more."""
    if connection.connection is not None:
        connection.connection.close()
    if connection.vendor == "postgresql":
        _free.append(connection.settings_dict["NAME"])


def content_of(connection: Any) -> bytes:
    if connection.vendor == "sqlite":
        return bytes(connection.connection.serialize())
    found: dict[str, bytes] = {}
    with connection.connection.cursor() as cursor:
        for table in _tables(cursor):
            with cursor.copy(f'COPY "{table}" TO STDOUT BINARY') as copy:
                rows = b"".join(bytes(part) for part in copy)
            if len(rows) > len(_NO_ROWS):
                found[table] = rows
        sequences = dict(cursor.execute(_ALL_SEQUENCES).fetchall())
    return pickle.dumps((found, sequences))


def put(connection: Any, content: bytes) -> None:
    """Instead of whatever is there."""
    if connection.vendor == "sqlite":
        connection.connection.deserialize(content)
        return
    rows_of, sequences = pickle.loads(content)
    with connection.connection.cursor() as cursor:
        text = "SET session_replication_role = replica;"  # neither order nor references matter meanwhile
        text += "".join(f'DELETE FROM "{table}";' for table in _tables(cursor))
        text += "".join(
            f"SELECT setval('\"{name}\"', {last or 1}, {last is not None});" for name, last in sequences.items()
        )
        cursor.execute(text)
        for table, rows in rows_of.items():
            with cursor.copy(f'COPY "{table}" FROM STDIN BINARY') as copy:
                copy.write(rows)
        cursor.execute("SET session_replication_role = DEFAULT")


_NO_ROWS = b"PGCOPY\n\xff\r\n\0" + bytes(8) + b"\xff\xff"
_known: dict[str, bytes | str] = {}
"""What was made once: of each kind of database the content without rows; the name of one with tables."""


def _empty(vendor: str) -> bytes:
    if vendor not in _known:
        connection = _in_memory() if vendor == "sqlite" else to(_created())
        with on(connection):
            if vendor == "sqlite":
                _migrate()
            _known[vendor] = content_of(connection)
        leave(connection)
    return _known[vendor]  # type: ignore[return-value]


def _created() -> str:
    """Name of a new database of PostgreSQL with the tables."""
    assert servers.running is not None
    if "template" not in _known:
        template = servers.running.create()
        connection = to(template)
        with on(connection):
            _migrate()
        connection.close()  # nobody may be connected to what is copied
        _known["template"] = template
    return servers.running.create(like=_known["template"])  # type: ignore[arg-type]


def _migrate() -> None:
    """The tables of the exchange and of the audit log."""
    from django.core.management import call_command

    for desk in ("audit", "exchange"):
        call_command("migrate", desk, verbosity=0, interactive=False)


def _tables(cursor: Any) -> list[str]:
    return [table for (table,) in cursor.execute(_ALL_TABLES).fetchall() if table != "django_migrations"]


def _in_memory() -> Any:
    from django.db import DEFAULT_DB_ALIAS, connections
    from django.db.backends.sqlite3.base import DatabaseWrapper

    described = {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": ":memory:",
        "OPTIONS": {"transaction_mode": "IMMEDIATE"},
    }
    connection = DatabaseWrapper(connections[DEFAULT_DB_ALIAS].settings_dict | described, DEFAULT_DB_ALIAS)
    connection.ensure_connection()
    return connection


def to(name: str) -> Any:
    """A connection to a database of PostgreSQL."""
    from django.db import DEFAULT_DB_ALIAS, connections
    from django.db.backends.postgresql.base import DatabaseWrapper

    assert servers.running is not None
    described = servers.described(servers.running.url(name))
    connection = DatabaseWrapper(connections[DEFAULT_DB_ALIAS].settings_dict | described, DEFAULT_DB_ALIAS)
    connection.ensure_connection()
    return connection
