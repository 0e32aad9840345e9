"""A compiled attribution table on disk: raw arrays and lines of text, opened in a millisecond by mapping them.

One folder holds ``columns.bin``, raw arrays and lines of UTF-8 text one behind the other, and ``about.json``, which
says where each begins. A pointer file beside the folders names the current one. Writers build a new folder and move
the pointer; who has the old one open keeps it.

The standard library alone, so that a single question does not wait for column engines to load. The table is a cache
of this machine: its numbers are in the machine's own byte order, little-endian wherever Tansiq runs.
"""

from __future__ import annotations

import json
import mmap
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal, overload

from tansiq.core.errors import N_, TansiqError

FORMAT: Final = 1
"""Raise it when the files or the rule change: tables compiled by an older program are then compiled anew."""

Code = Literal["B", "H", "I", "Q", "q"]

ARRAYS: Final[dict[str, Code]] = {
    # The address space in disjoint ranges: rows of IPv4, then of IPv6, then one row for "no known address".
    "v4_start": "Q",
    "v6_start": "Q",
    "v6_start_low": "Q",
    "range_as": "I",  # row of the AS that announces it, 0 none
    "range_country": "H",  # its country, 0 none
    "range_length": "B",  # of the announced prefix, 255 none
    "range_block": "I",  # the most specific claimed network around it, 0 none
    # Claimed networks. Row 0 is none.
    "block_length": "B",  # counted in its own family's bits
    "block_parent": "I",  # the nearest claimed network around it
    "block_timeline": "I",
    # Autonomous systems, ascending. Row 0 is none.
    "as_number": "I",
    "as_country": "H",
    "as_timeline": "I",
    # Countries, in the order of about.json. Row 0 is none.
    "country_timeline": "I",
    # Claimed domains, ascending by their bytes.
    "domain_timeline": "I",
    # A timeline is the number of the one verdict it always gives; or, above CHANGING, a run of turns.
    "timeline_turns": "I",  # where the turns of each changing timeline begin, and where the last one's end
    "turn_at": "q",  # microseconds since 1970
    "turn_verdict": "I",
    "verdict_way": "B",  # place in verdicts.WAYS
    "verdict_team": "I",  # place in about.json, 0 none
    "verdict_percent": "B",
    "verdict_by_feed": "I",  # the same verdict on the word of the feed
}
CHANGING: Final = 1 << 31
NO_CLAIM_ROW, UNKNOWN_ADDRESS_ROW, NO_SUBJECT_ROW = range(3)
"""The verdicts that say why there is none; a level that gives the first leaves the event to the next level."""

TEXTS: Final = ("range_prefix", "as_name", "domain", "verdict_reason")

_ABOUT = "about.json"
_COLUMNS = "columns.bin"
_POINTER = "attribution.json"
_NAME = "attribution-"
_KEPT = 2


class TableDamaged(TansiqError):
    """Files of a compiled table are missing or cut short."""

    code = "attribution.table.damaged"
    message = N_("The compiled attribution table {folder} is damaged: {file}.")
    remedy = N_("Delete that folder and run the command again: the table is compiled anew.")
    exit_code = 4


class TableNotWritten(TansiqError):
    """The disk took no new table."""

    code = "attribution.table.not_written"
    message = N_("The attribution table was not written to {folder}: {reason}. The one used so far is unchanged.")
    remedy = N_("Make room on that disk or check its permissions, then run the command again.")
    exit_code = 4
    transient = True


class Lines(Sequence[str]):
    """The rows of a text column, each decoded when asked for."""

    def __init__(self, text: memoryview[int], ends: memoryview[int]) -> None:
        self._text, self._ends = text, ends

    def __len__(self) -> int:
        return len(self._ends)

    @overload
    def __getitem__(self, row: int) -> str: ...
    @overload
    def __getitem__(self, row: slice) -> Sequence[str]: ...
    def __getitem__(self, row: int | slice) -> str | Sequence[str]:
        if isinstance(row, slice):
            return [self[each] for each in range(*row.indices(len(self)))]
        start = self._ends[row - 1] + 1 if row else 0
        return str(self._text[start : self._ends[row]], "utf-8")


class Folder:
    """An opened table: ``about``, and its columns by name.

    The columns are mapped at once: what is open stays whole when the folder is replaced or removed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.about: dict[str, Any] = json.loads((path / _ABOUT).read_bytes())
        except (OSError, ValueError) as error:
            raise TableDamaged(folder=path, file=_ABOUT) from error
        if self.about.get("format") != FORMAT:
            raise TableDamaged(folder=path, file=_ABOUT)
        try:
            with (path / _COLUMNS).open("rb") as file:
                self._columns = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        except (OSError, ValueError) as error:
            raise TableDamaged(folder=path, file=_COLUMNS) from error
        if len(self._columns) != self.about["size_bytes"]:
            raise TableDamaged(folder=path, file=_COLUMNS)

    def array(self, name: str) -> memoryview[int]:
        return self._part(name).cast(ARRAYS[name])

    def text(self, name: str) -> Lines:
        return Lines(self._part(name), self._part(f"{name}_ends").cast("Q"))

    def text_bytes(self, name: str) -> bytes:
        """All lines of a text column, each with its newline."""
        return self._part(name).tobytes()

    def _part(self, name: str) -> memoryview[int]:
        start, end = self.about["parts"][name]
        return self._columns[start:end]


def write(into: Path, *, about: Mapping[str, Any], parts: Mapping[str, bytes]) -> None:
    """Write a table durably and give it its name last: nobody ever sees half of one.

    Args:
        parts: arrays by the names of ``ARRAYS``; texts by those of ``TEXTS``, and with ``_ends`` where their lines end.

    Raises: TableNotWritten: disk full or no permission; nothing is left behind.
    """
    places, columns = _laid_out(parts)
    draft = into.with_name(f".{into.name}.{os.getpid()}")
    facts = {**about, "format": FORMAT, "parts": places, "size_bytes": len(columns)}
    try:
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        _write_synced(draft / _COLUMNS, columns)
        _write_synced(draft / _ABOUT, _json(facts))
        sync(draft)
        if into.exists():
            shutil.rmtree(into)
        draft.rename(into)
        sync(into.parent)
    except OSError as error:
        shutil.rmtree(draft, ignore_errors=True)
        raise TableNotWritten(folder=into, reason=error.strerror or error) from error


def _laid_out(parts: Mapping[str, bytes]) -> tuple[dict[str, tuple[int, int]], bytes]:
    """One part behind the other, each beginning at a multiple of 8 as arrays like it."""
    places: dict[str, tuple[int, int]] = {}
    columns = bytearray()
    for name, content in parts.items():
        places[name] = (len(columns), len(columns) + len(content))
        columns += content + bytes(-len(content) % 8)
    return places, bytes(columns)


class Pointer:
    """The file that names the current table. A reader that opened an older one may keep it as long as it likes."""

    def __init__(self, tables: Path) -> None:
        self.tables = tables

    def read(self) -> dict[str, Any]:
        """What the pointer says; empty when there is none, or none that this program can use."""
        try:
            found: dict[str, Any] = json.loads((self.tables / _POINTER).read_bytes())
        except (OSError, ValueError):
            return {}
        return found if found.get("format") == FORMAT else {}

    def open(self) -> Folder | None:
        """The current table; None when nothing is compiled yet, or what is cannot be used."""
        for _attempt in range(_KEPT):
            try:
                return Folder(self.tables / self.read()["folder"])
            except KeyError:
                return None
            except TableDamaged:
                continue  # perhaps removed between the two steps: the pointer has moved on, then
        return None

    def move(self, folder: str, **facts: Any) -> None:
        """Name another folder as the current one, atomically and durably, and remove the outdated ones."""
        draft = self.tables / f".{_POINTER}.{os.getpid()}"
        try:
            _write_synced(draft, _json({"folder": folder, "format": FORMAT, **facts}))
            draft.replace(self.tables / _POINTER)
            sync(self.tables)
        except OSError as error:
            raise TableNotWritten(folder=self.tables / folder, reason=error.strerror or error) from error
        self._remove_outdated(current=folder)

    def _remove_outdated(self, *, current: str) -> None:
        """All but the newest tables, and what writers that were killed left of theirs."""
        newest = (self.tables / current).stat().st_mtime_ns
        others = [path for path in self.tables.glob(f"{_NAME}*") if path.is_dir() and path.name != current]
        others.sort(key=lambda path: path.stat().st_mtime_ns, reverse=True)
        for path in others[_KEPT - 1 :]:
            shutil.rmtree(path, ignore_errors=True)
        for draft in self.tables.glob(f".{_NAME}*"):
            if draft.stat().st_mtime_ns < newest:
                shutil.rmtree(draft, ignore_errors=True)


def folder_name(claims_version: int, addresses: str) -> str:
    return f"{_NAME}{claims_version}-{addresses}"


def sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_synced(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1).encode()
