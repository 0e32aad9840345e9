"""The one door to DuckDB: extensions by path, the DuckLake catalogue, transactions that are tried again whole.

The catalogue is a SQLite file (write-ahead log, synchronous) or a PostgreSQL schema; what follows is the same for both.
Every write moves the one row of ``head`` and DuckLake's own retries are off: of two writers that began from the same
snapshot the second always fails, and its whole transaction runs again *from its look-ups* under the newer snapshot.
"""

from __future__ import annotations

import fcntl
import importlib
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import polars as pl

from tansiq.core.columns import REJECTED, SCHEMA_VERSION, STORED
from tansiq.core.errors import N_, TansiqError
from tansiq.core.home import Home

T = TypeVar("T")
Cursor = duckdb.DuckDBPyConnection

SECONDS_TO_RETRY = 60.0
POSTGRES = ("postgresql://", "postgres://")

TYPES: dict[Any, str] = {
    pl.Binary: "BLOB",
    pl.String: "VARCHAR",
    pl.Date: "DATE",
    pl.Datetime: "TIMESTAMP WITH TIME ZONE",
    pl.UInt8: "UTINYINT",
    pl.UInt16: "USMALLINT",
    pl.UInt32: "UINTEGER",
    pl.UInt64: "UBIGINT",
}


class ExtensionMissing(TansiqError):
    code = "lake.extension.missing"
    message = N_("The DuckDB extension {name} for DuckDB {version} is not installed.")
    remedy = N_("Run `make install` again; it installs the pinned versions together.")


class LakeMissing(TansiqError):
    code = "lake.missing"
    message = N_("There is no event lake at {catalogue}.")
    remedy = N_("Check TANSIQ_HOME, TANSIQ_LAKE and TANSIQ_LAKE_CATALOGUE, or take in a first report.")
    exit_code = 3


class LakeUnreadable(TansiqError):
    code = "lake.unreadable"
    message = N_("The catalogue of the event lake at {catalogue} cannot be opened: {why}.")
    remedy = N_("Check that it exists, may be read and written, and is the lake's; or restore it from a backup.")
    exit_code = 4


class LakeNewer(TansiqError):
    code = "lake.newer"
    message = N_("The event lake at {catalogue} has schema {found}; this program knows schema {known} and older.")
    remedy = N_("Use the newer version of the program that wrote it.")
    exit_code = 4


class LakeBusy(TansiqError):
    code = "lake.busy"
    message = N_("The event lake was changed by others again and again for {seconds} seconds.")
    remedy = N_("Try again; if it stays so, run fewer processes that write to it.")
    exit_code = 4
    transient = True


class DiskFull(TansiqError):
    code = "lake.disk.full"
    message = N_("No room is left for the event lake at {path}.")
    remedy = N_("Free some space there and run the same command again; nothing was stored by halves.")
    exit_code = 4
    transient = True


class LakeDamaged(TansiqError):
    code = "lake.damaged"
    message = N_("A file of the event lake is missing or damaged: {why}.")
    remedy = N_("Restore the lake's folder from a backup that is as old as its catalogue, or newer.")
    exit_code = 4


@cache
def statement(name: str) -> str:
    """The text of ``sql/<name>.sql``."""
    return (Path(__file__).parent / "sql" / f"{name}.sql").read_text(encoding="utf-8")


def columns(schema: dict[str, pl.DataType]) -> str:
    return ", ".join(f'"{name}" {TYPES[kind.base_type()]}' for name, kind in schema.items())


class Frame:
    """Hands a Polars frame to DuckDB as an Arrow stream (its own way needs pyarrow)."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self.frame = frame

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.frame.__arrow_c_stream__(requested_schema)


class Catalogue:
    """The attached lake. One per process; every thread works on a cursor of its own."""

    def __init__(self, home: Home, *, create: bool, memory_mb: int) -> None:
        self.home = home
        self.postgres = home.lake_catalogue.startswith(POSTGRES)
        self.shown = "PostgreSQL" if self.postgres else home.lake_catalogue
        if not create and not self.postgres and not Path(home.lake_catalogue).exists():
            raise LakeMissing(catalogue=self.shown)
        for folder in (home.lake, home.staging):
            folder.mkdir(parents=True, exist_ok=True)
        self._writing = threading.Lock()
        self._connection = self._connect(memory_mb)
        with self._alone():
            self._attach()
            with self.room():
                self._prepare(create)

    def cursor(self) -> Cursor:
        """A connection of its own for one thread; close it."""
        cursor = self._connection.cursor()
        cursor.execute("SET TimeZone = 'UTC'")
        return cursor

    def close(self) -> None:
        self._connection.close()

    def write(self, work: Callable[[Cursor], T], *, then: Callable[[], None] = lambda: None) -> T:
        """Run ``work`` in one transaction that moves the head; on a conflict run it again, from its beginning.

        ``then`` runs once it is committed, before the next writer of this process.

        Raises: LakeBusy, DiskFull, LakeDamaged; whatever ``work`` raises rolls back and passes through.
        """
        until = time.monotonic() + SECONDS_TO_RETRY
        attempt = 0
        with self._writing, self.room():
            while True:
                try:
                    with self._alone():
                        result = self._once(work)
                    then()
                    return result
                except duckdb.Error as error:
                    if out_of_space(error) or not conflict(error):
                        raise
                    if time.monotonic() > until:
                        raise LakeBusy(seconds=int(SECONDS_TO_RETRY)) from error
                attempt += 1
                time.sleep(random.uniform(0, min(0.5, 0.01 * 2 ** min(attempt, 6))))

    def maintain(self, statements: Iterable[str]) -> None:
        """Run statements that are transactions of their own and can wait: those that somebody disturbs are left out."""
        with self._writing, self._alone():
            cursor = self.cursor()
            try:
                for text in statements:
                    try:
                        with self.room():
                            cursor.execute(text).fetchall()
                    except duckdb.Error as error:
                        if not conflict(error):
                            raise
            finally:
                cursor.close()

    @contextmanager
    def room(self) -> Iterator[None]:
        """Turn the engine's words for a full disk into DiskFull, for a file of the lake that fails into LakeDamaged."""
        try:
            yield
        except duckdb.Error as error:
            if out_of_space(error):
                raise DiskFull(path=self.home.lake) from error
            if self.names_own_file(error):
                raise LakeDamaged(why=" ".join(str(error).split())) from error
            raise

    def names_own_file(self, error: duckdb.Error) -> bool:
        return f"{self.home.lake}/" in str(error)

    def _once(self, work: Callable[[Cursor], T]) -> T:
        cursor = self.cursor()
        try:
            cursor.execute("BEGIN")
            cursor.execute("UPDATE lake.head SET moves = moves + 1")
            result = work(cursor)
            cursor.execute("COMMIT")
            return result
        finally:
            cursor.close()  # rolls back what is not committed

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One writer of this machine at a time: a courtesy that saves vain attempts, correctness does not need it."""
        with (self.home.staging / "commit.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _connect(self, memory_mb: int) -> duckdb.DuckDBPyConnection:
        spill = self.home.staging / "spill"
        connection = duckdb.connect(
            ":memory:",
            config={
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
                "memory_limit": f"{memory_mb}MB",
                "preserve_insertion_order": "false",
                "temp_directory": str(spill),
            },
        )
        names = ("ducklake", "postgres_scanner" if self.postgres else "sqlite_scanner")
        for name in names:
            connection.execute(f"LOAD {quoted(str(extension(name)))}")
        connection.execute("SET ducklake_max_retry_count = 0")
        return connection

    def _attach(self) -> None:
        options = {"DATA_PATH": quoted(f"{self.home.lake}/"), "OVERRIDE_DATA_PATH": "true"}
        if self.postgres:
            where = f"ducklake:postgres:{self.home.lake_catalogue}"
            options["METADATA_SCHEMA"] = quoted("tansiq_lake")
        else:
            where = f"ducklake:sqlite:{self.home.lake_catalogue}"
            options |= {"META_JOURNAL_MODE": quoted("WAL"), "META_BUSY_TIMEOUT": "30000"}
        given = ", ".join(f"{name} {value}" for name, value in options.items())
        try:
            self._connection.execute(f"ATTACH {quoted(where)} AS lake ({given})")
        except duckdb.Error as error:
            if out_of_space(error):
                raise DiskFull(path=self.home.lake) from error
            # DuckDB's own words may hold the address with its password: only the kind of failure is passed on.
            raise LakeUnreadable(catalogue=self.shown, why=type(error).__name__) from None

    def _prepare(self, create: bool) -> None:
        """Make the tables of a new lake; refuse one that a newer program wrote.

        The row of ``head`` is written last: a lake without it is one whose making was interrupted, and is finished.
        """
        cursor = self.cursor()
        try:
            tables = cursor.execute("SELECT 1 FROM duckdb_tables() WHERE database_name = 'lake'").fetchone()
            row = cursor.execute("SELECT schema_version FROM lake.head").fetchone() if tables else None
            if row is None and not create:
                raise LakeMissing(catalogue=self.shown)
            if not tables:
                self._make_tables(cursor)
            if row is None:
                self._make_head(cursor)
            elif row[0] > SCHEMA_VERSION:
                raise LakeNewer(catalogue=self.shown, found=row[0], known=SCHEMA_VERSION)
        finally:
            cursor.close()

    def _make_tables(self, cursor: Cursor) -> None:
        text = statement("schema").format(events=columns(STORED), rejects=columns(REJECTED), version=SCHEMA_VERSION)
        cursor.execute("BEGIN")
        cursor.execute(text)
        cursor.execute("COMMIT")

    def _make_head(self, cursor: Cursor) -> None:
        # Events and rejects are files that we write and sync ourselves; the small tables live in the catalogue.
        for table, rows in (("events", 0), ("rejects", 0), ("head", MANY), ("slices", MANY), ("batch_days", MANY)):
            cursor.execute(f"CALL lake.set_option('data_inlining_row_limit', {rows}, table_name => '{table}')")
        cursor.execute(statement("first_head").format(version=SCHEMA_VERSION))


MANY = 10_000_000


def extension(name: str) -> Path:
    """Where the wheel of the extension keeps it."""
    package = f"duckdb_extension_{name}"
    try:
        root = Path(str(importlib.import_module(package).__file__)).parent
    except ImportError as error:
        raise ExtensionMissing(name=name, version=duckdb.__version__) from error
    path = root / "extensions" / f"v{duckdb.__version__}" / f"{name}.duckdb_extension"
    if not path.exists():
        raise ExtensionMissing(name=name, version=duckdb.__version__)
    return path


def quoted(text: str) -> str:
    """A SQL string literal, for the statements that take no parameters."""
    return "'" + text.replace("'", "''") + "'"


def out_of_space(error: Exception) -> bool:
    text = str(error).lower()
    return any(sign in text for sign in ("no space left", "disk is full", "disk full", "file too large", "disk quota"))


def conflict(error: duckdb.Error) -> bool:
    """Whether somebody else committed first, so that the same work done again can succeed."""
    text = str(error).lower()
    signs = ("conflict", "database is locked", "max_retry_count", "maximum retry count", "unique constraint")
    return any(sign in text for sign in (*signs, "primary key constraint", "could not serialize", "deadlock"))
