"""The file for a stick, written: a ZIP archive without compression (section 16, File). Read by ``bundle``.

Written beside its place and renamed when the medium has it all, so that half a file is never taken for one.
"""

from __future__ import annotations

import errno
import os
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tansiq.core.errors import N_, TansiqError
from tansiq.exchange.parts import HEADER_NAME, MOST_ENTRIES, Chunk, ForNode, Header, Part, RosterText

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
_NOT_ALLOWED = (errno.EROFS, errno.EACCES, errno.EPERM)
_FIRST_DAY = (1980, 1, 1, 0, 0, 0)  # ZIP knows none before
_GROUPS = (RosterText, ForNode, Chunk)


class MediumFull(TansiqError):
    code = "exchange.file.full"
    message = N_("{path} was not written: no room is left there.")
    remedy = N_("Free some space or use a larger medium, then export again.")
    exit_code = 4


class MediumNotWritable(TansiqError):
    code = "exchange.file.not_writable"
    message = N_("{path} was not written: the medium or the folder may not be written to.")
    remedy = N_("Look for the medium's write protection, or name a folder that may be written to.")
    exit_code = 4


class TooLargeForMedium(TansiqError):
    code = "exchange.file.too_large"
    message = N_("{path} was not written: the medium takes no file of that size.")
    remedy = N_("Export for fewer nodes at a time, or format the medium as exFAT: FAT32 ends at 4 GB.")
    exit_code = 4


class NotWritten(TansiqError):
    code = "exchange.file.not_written"
    message = N_("{path} was not written: {why}.")
    remedy = N_("Name a file in a folder that exists, on a medium that works.")
    exit_code = 4


@dataclass(frozen=True, slots=True)
class Written:
    """What the file came to hold.

    Attributes:
        sealed: how many sealed bodies and requests, by the code of the node that they are for.
    """

    path: Path
    size_bytes: int
    sealed: dict[str, int]
    rosters: int
    chunks: int


class _Source(Exception):
    """Wraps an error of whoever gives the parts, which says nothing of the medium."""


def write(path: Path, header: Header, parts: Iterable[Part]) -> Written:
    """Write a file, one part in memory at a time. The same parts give the same bytes.

    Args:
        path: replaced, once the new one is whole on the medium.
        parts: rosters in ascending order, then what is for nodes, for each in the order to be taken, then chunks.

    Raises: MediumFull, MediumNotWritable, TooLargeForMedium, NotWritten; ValueError, for parts in another order, one
        that comes twice, more than 200,000 or one to a node that ``header`` does not name: the caller's own fault. In
        each case nothing is left behind.
    """
    if path.is_dir():
        raise NotWritten(path=path, why=os.strerror(errno.EISDIR))
    beside = path.with_name(f".{path.name}.part")
    counts: Counter[object] = Counter()
    try:
        with _telling(path):
            size = _written(beside, header, parts, counts)
            beside.replace(path)
            _settle(path.parent)
    except BaseException:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise
    sealed = {code: counts[code] for code in header.to}
    return Written(path, size, sealed, counts[RosterText], counts[Chunk])


def _written(place: Path, header: Header, parts: Iterable[Part], counts: Counter[object]) -> int:
    place.unlink(missing_ok=True)  # of an export that was killed, or a link of somebody's that leads elsewhere
    with place.open("xb") as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
            archive.writestr(_entry(HEADER_NAME), header.written())
            for name, data in _named(_guarded(parts), header, counts):
                archive.writestr(_entry(name), data)
        file.flush()
        os.fsync(file.fileno())
        return file.tell()


def _named(parts: Iterable[Part], header: Header, counts: Counter[object]) -> Iterator[tuple[str, bytes]]:
    """Each part with its entry's name; ``counts`` are by kind, by code and by (code, lane)."""
    names: set[str] = {HEADER_NAME}
    group = 0
    for part in parts:
        kind = type(part)
        if _GROUPS.index(kind) < group or len(names) >= MOST_ENTRIES:
            raise ValueError("parts in another order, or too many")
        group = _GROUPS.index(kind)
        counts[kind] += 1
        name = _name(part, header, counts)
        if name in names:
            raise ValueError(f"{name} twice")
        names.add(name)
        yield name, part.data


def _name(part: Part, header: Header, counts: Counter[object]) -> str:
    if isinstance(part, RosterText):
        return f"rosters/{part.epoch}.json"
    if isinstance(part, Chunk):
        return f"blobs/{part.digest}/{part.index}"
    if part.to not in header.to:
        raise ValueError(f"{part.to} is none of the nodes that the file is for")
    counts[part.to] += 1
    counts[part.to, part.lane] += 1
    return f"{part.to}/{part.lane}/{counts[part.to, part.lane]}.pgp"


def _guarded(parts: Iterable[Part]) -> Iterator[Part]:
    try:
        yield from parts
    except OSError as error:
        raise _Source from error


def _entry(name: str) -> zipfile.ZipInfo:
    """The same on every system and at any time."""
    entry = zipfile.ZipInfo(name, _FIRST_DAY)
    entry.create_system = 3
    entry.external_attr = 0o600 << 16
    return entry


def _settle(folder: Path) -> None:
    """Have the medium keep the new name. Some file systems of sticks cannot be asked to."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def _telling(path: Path) -> Iterator[None]:
    """Errors of the medium, in words; those of whoever gives the parts as they are."""
    try:
        yield
    except _Source as source:
        assert source.__cause__ is not None
        raise source.__cause__ from None
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise MediumFull(path=path) from error
        if error.errno in _NOT_ALLOWED:
            raise MediumNotWritable(path=path) from error
        if error.errno == errno.EFBIG:
            raise TooLargeForMedium(path=path) from error
        raise NotWritten(path=path, why=error.strerror or str(error)) from error
