"""Take a report in exactly as received: copied, hashed, kept. The same bytes collected twice are one report."""

from __future__ import annotations

import hashlib
import os
import shutil
import uuid
from concurrent.futures import Executor, Future
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tansiq.core.errors import N_, TansiqError
from tansiq.feeds.reading.streams import NotAFile, UnreadableReport, reason, verify

LEFTOVER_DAYS = 7


class StillWritten(TansiqError):
    code = "feeds.report.still_written"
    message = N_("Report {file} changed while it was read: somebody is still writing it.")
    remedy = N_("Ingest it again when it is complete.")
    exit_code = 3
    transient = True


class NoRoom(TansiqError):
    code = "storage.full"
    message = N_("{file} could not be stored: {why}.")
    remedy = N_("Free some space under {folder} and run the same command again; what was stored stays.")
    exit_code = 4


@dataclass(frozen=True, slots=True)
class Collected:
    """A report in the node's keeping.

    Attributes:
        name: as it was called when it was received.
        copy: a path to the bytes from the first moment on, until ``release``.
        identity: resolves to the report's id (SHA-256, hex) once the bytes are hashed and durable under that name.
    """

    name: str
    copy: Path
    size_bytes: int
    modified_at: datetime
    identity: Future[str]

    @property
    def report_id(self) -> str:
        return self.identity.result()

    def release(self) -> None:
        """The bytes are needed no more under their first path; they stay under that of their hash."""
        self.identity.exception()
        self.copy.unlink(missing_ok=True)


def stored_at(store: Path, report_id: str) -> Path:
    return store / report_id[:2] / report_id


def collect(source: Path, store: Path, executor: Executor) -> Collected:
    """Copy the report into ``store`` and have it hashed and synced beside the work that follows.

    Raises: UnreadableReport, NotAFile, StillWritten, NoRoom. Packed reports are read to their end first: one cut in
        half is refused here, before any of its lines is stored.
    """
    name = str(source)
    try:
        before = source.stat()
    except OSError as error:
        raise UnreadableReport(file=name, why=reason(error)) from error
    if not source.is_file():
        raise NotAFile(file=name)
    incoming = store / "incoming" / uuid.uuid4().hex
    copy(source, incoming, name)
    after = source.stat()
    if (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
        incoming.unlink()
        raise StillWritten(file=name)
    try:
        verify(incoming, name=name)
    except TansiqError:
        incoming.unlink()
        raise
    modified_at = datetime.fromtimestamp(before.st_mtime, UTC)
    return Collected(name, incoming, before.st_size, modified_at, executor.submit(keep, incoming, store))


def copy(source: Path, target: Path, name: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with source.open("rb") as reading:
            try:
                with target.open("xb") as writing:
                    shutil.copyfileobj(reading, writing, 8 << 20)
            except OSError as error:
                target.unlink(missing_ok=True)
                raise NoRoom(file=name, why=reason(error), folder=target.parent) from error
    except OSError as error:
        raise UnreadableReport(file=name, why=reason(error)) from error


def keep(incoming: Path, store: Path) -> str:
    """Hash the copy, make it durable, and link it to the place that its hash names."""
    with incoming.open("rb") as file:
        report_id = hashlib.file_digest(file, "sha256").hexdigest()
        place = stored_at(store, report_id)
        if place.exists():
            return report_id
        os.fsync(file.fileno())
    place.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        os.link(incoming, place)
    folder = os.open(place.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return report_id


def remove_leftovers(store: Path, *, now: datetime) -> None:
    """First copies that a killed process left; what they hold is linked elsewhere, or was never stored."""
    for path in (store / "incoming").glob("*"):
        with suppress(FileNotFoundError):
            if now.timestamp() - path.stat().st_mtime > LEFTOVER_DAYS * 86_400:
                path.unlink()
