"""Take a report in exactly as received: copied, hashed, kept. The same bytes collected twice are one report.

A large report is read while it is still being copied: nothing of it is stored before the copy is known to be good.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import shutil
import uuid
from concurrent.futures import Executor, Future
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tansiq.core.errors import N_, TansiqError
from tansiq.feeds.reading.streams import NotAFile, UnreadableReport, reason, verify

LEFTOVER_DAYS = 7
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


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
class Source:
    """A report where it was found, and how it looked before its first byte was read."""

    path: Path
    size_bytes: int
    modified_ns: int

    @classmethod
    def at(cls, path: Path) -> Source:
        """Raises: UnreadableReport, NotAFile."""
        try:
            found = path.stat()
        except OSError as error:
            raise UnreadableReport(file=path, why=reason(error)) from error
        if not path.is_file():
            raise NotAFile(file=path)
        return cls(path, found.st_size, found.st_mtime_ns)

    def require_unchanged(self) -> None:
        found = self.path.stat()
        if (found.st_size, found.st_mtime_ns) != (self.size_bytes, self.modified_ns):
            raise StillWritten(file=self.path)


@dataclass(frozen=True, slots=True)
class Collected:
    """A report on its way into the node's keeping. Each step follows the one before, beside other work.

    Attributes:
        copy: where its bytes are copied to, until ``release``.
        copied: done when the copy is whole, its source unchanged, and a packed report unpacks to its end.
        identity: the report's id (SHA-256, hex) of the copy.
        kept: done when the bytes are durable under that name; nothing of the report may be committed before.
    """

    source: Source
    copy: Path
    copied: Future[None]
    identity: Future[str]
    kept: Future[None]

    @property
    def modified_at(self) -> datetime:
        return datetime.fromtimestamp(self.source.modified_ns / 1e9, UTC)

    @property
    def report_id(self) -> str:
        """Raises: StillWritten, UnreadableReport, NoRoom: what is wrong with the report."""
        return self.identity.result()

    def open(self) -> io.BufferedReader:
        return io.BufferedReader(Handover(self), 1 << 20)

    def release(self) -> None:
        """The bytes are needed no more under their first path; they stay under that of their hash."""
        self.kept.exception()
        self.copy.unlink(missing_ok=True)


def collect(path: Path, store: Path, executor: Executor) -> Collected:
    """Have the report copied into ``store``, hashed and synced by ``executor``, which keeps the order of its tasks.

    Raises: UnreadableReport, NotAFile, at once; what goes wrong later is in ``copied``.
    """
    source = Source.at(path)
    copy = store / "incoming" / uuid.uuid4().hex
    copied = executor.submit(copy_of, source, copy)
    identity = executor.submit(lambda: hashed(copy, copied))
    kept = executor.submit(lambda: keep(copy, stored_at(store, identity.result())))
    return Collected(source, copy, copied, identity, kept)


def stored_at(store: Path, report_id: str) -> Path:
    return store / report_id[:2] / report_id


def copy_of(source: Source, copy: Path) -> None:
    """Raises: UnreadableReport, NoRoom, StillWritten; then no copy is left."""
    try:
        written(source.path, copy)
        source.require_unchanged()
        # Read to its end now, so that a packed report cut in half is refused before any of its lines is stored.
        verify(copy, name=str(source.path))
    except BaseException:
        copy.unlink(missing_ok=True)
        raise


def written(source: Path, copy: Path) -> None:
    try:
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, copy)  # within the kernel where it can
    except OSError as error:
        if error.filename == str(source) and error.errno not in NO_ROOM:  # a full disk is reported under either name
            raise UnreadableReport(file=source, why=reason(error)) from error
        raise NoRoom(file=source, why=reason(error), folder=copy.parent) from error


def hashed(copy: Path, copied: Future[None]) -> str:
    copied.result()
    with copy.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def keep(copy: Path, place: Path) -> None:
    """Make the copy durable and link it to the place that its hash names."""
    if place.exists():
        return
    with copy.open("rb") as file:
        os.fsync(file.fileno())
    place.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        os.link(copy, place)
    folder = os.open(place.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def remove_leftovers(store: Path, *, now: datetime) -> None:
    """First copies that a killed process left; what they hold is linked elsewhere, or was never stored."""
    for path in (store / "incoming").glob("*"):
        with suppress(FileNotFoundError):
            if now.timestamp() - path.stat().st_mtime > LEFTOVER_DAYS * 86_400:
                path.unlink()


class Handover(io.RawIOBase):
    """The report's bytes: from its source while it is copied, from the copy as soon as that is whole.

    What was read from the source is what the copy holds: the source is seen to be unchanged after the last read of it.
    """

    def __init__(self, collected: Collected) -> None:
        self.collected = collected
        self.file = collected.source.path.open("rb", buffering=0)
        self.handed_over = False

    def readinto(self, buffer: Any, /) -> int | None:
        if not self.handed_over and self.collected.copied.done():
            self.collected.copied.result()
            self.collected.source.require_unchanged()
            place = self.file.tell()
            self.file.close()
            self.file = self.collected.copy.open("rb", buffering=0)
            self.file.seek(place)
            self.handed_over = True
        return self.file.readinto(buffer)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return self.file.seek(offset, whence)

    def tell(self) -> int:
        return self.file.tell()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        self.file.close()
        super().close()
