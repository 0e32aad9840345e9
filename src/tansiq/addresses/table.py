"""The compiled address table: prefix, origin AS and country of every address, on disk as plain columns."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import IO, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tansiq.addresses.ranges import Ranges, whole
from tansiq.core.errors import N_, TansiqError

FORMAT = 1
NO_PREFIX = 255
POINTER = "addresses.json"
ABANDONED_SECONDS = 86_400
KEPT = 2  # older tables stay for those who still have them open


class BrokenTable(TansiqError):
    code = "addresses.table.broken"
    message = N_("The address table {folder} cannot be read: {reason}.")
    remedy = N_("Make it anew with `tansiq geo update`.")
    exit_code = 3


class TableNotWritten(TansiqError):
    code = "addresses.table.not_written"
    message = N_("The address table was not written to {folder}: {reason}. The table used so far is unchanged.")
    remedy = N_("Make room on that disk or check its permissions, then run `tansiq geo update` again.")
    exit_code = 4
    transient = True


@dataclass(frozen=True, slots=True)
class Space:
    """One address family: disjoint ranges and what is known of each.

    Attributes:
        asn: UInt32, origin AS of the announced prefix, 0 for none.
        prefix_length: UInt8, of the announced prefix, else of the registered block; 255 for none. The network is the
            range's start with the bits after it set to zero.
        country: UInt16, index into ``AddressTable.countries``, 0 for none.
    """

    ranges: Ranges
    asn: NDArray[np.uint32]
    prefix_length: NDArray[np.uint8]
    country: NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class AsNames:
    """Name of each AS: ``asn`` ascending (UInt32), ``name`` beside it (text)."""

    asn: NDArray[np.uint32]
    name: pl.Series


@dataclass(frozen=True, slots=True)
class AsCountries:
    """Registered country of each AS: ``asn`` ascending (UInt32), ``country`` an index into the table's countries."""

    asn: NDArray[np.uint32]
    country: NDArray[np.uint16]

    def of(self, asn: NDArray[np.uint32]) -> NDArray[np.uint16]:
        """The country index of each AS, 0 for none."""
        if not len(self.asn):
            return np.zeros(len(asn), np.uint16)
        row = np.minimum(np.searchsorted(self.asn, asn), len(self.asn) - 1)
        return np.where(self.asn[row] == asn, self.country[row], np.uint16(0))


@dataclass(frozen=True, slots=True)
class AddressTable:
    """What is known of every address, as of a day.

    Attributes:
        v4, v6: the two families.
        countries: ISO 3166-1 codes by index; row 0 is "" for none.
        as_of: date of the newest source.
        sources: ``{"file", "format", "rows", "date"}`` of each file it was compiled from.
        counts: ``prefixes4``, ``prefixes6`` (distinct ones read), ``asns`` and ``countries`` (told of).
        stamp: name of the folder it lies in; "" before it is saved.
    """

    v4: Space
    v6: Space
    countries: list[str]
    as_names: AsNames
    asn_countries: AsCountries
    as_of: date
    sources: list[dict[str, Any]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    stamp: str = ""

    def save(self, folder: Path) -> None:
        """Write the table so that it is there wholly or not at all: aside, synced, then renamed.

        Raises: TableNotWritten: disk full, no permission, or the folder exists.
        """
        aside = folder.with_name(f".{folder.name}.{os.getpid()}")
        try:
            aside.mkdir(parents=True)
            self._write(aside)
            _sync(aside)
            aside.rename(folder)
            _sync(folder.parent)
        except OSError as error:
            shutil.rmtree(aside, ignore_errors=True)
            raise TableNotWritten(folder=folder, reason=error.strerror or error) from error

    def _write(self, folder: Path) -> None:
        for name, column in self._columns().items():
            with (folder / f"{name}.npy").open("wb") as file:
                np.save(file, column)
                _flush(file)
        with (folder / "as_names.parquet").open("wb") as file:
            pl.DataFrame({"asn": self.as_names.asn, "name": self.as_names.name}).write_parquet(file)
            _flush(file)
        facts = {
            "format": FORMAT,
            "as_of": self.as_of.isoformat(),
            "countries": self.countries,
            "ranges": {"v4": len(self.v4.ranges), "v6": len(self.v6.ranges)},
            "counts": self.counts,
            "sources": self.sources,
        }
        write_json(folder / "table.json", facts)

    def _columns(self) -> dict[str, NDArray[Any]]:
        columns: dict[str, NDArray[Any]] = {}
        for name, space in (("v4", self.v4), ("v6", self.v6)):
            columns |= {f"{name}.start": space.ranges.start, f"{name}.start_low": space.ranges.start_low}
            columns |= {f"{name}.{key}": getattr(space, key) for key in ("asn", "prefix_length", "country")}
        return columns | {f"asn_countries.{key}": value for key, value in asdict(self.asn_countries).items()}

    @classmethod
    def open(cls, folder: Path) -> AddressTable:
        """Map a saved table into memory; nothing is read before it is used.

        Raises: BrokenTable: files are missing, cut off or of another version of the format.
        """
        try:
            facts = json.loads((folder / "table.json").read_text())
            if facts["format"] != FORMAT:
                raise BrokenTable(folder=folder, reason=f"format {facts['format']}")
            names = pl.read_parquet(folder / "as_names.parquet")
            registered = AsCountries(_map(folder, "asn_countries.asn"), _map(folder, "asn_countries.country"))
            return cls(
                v4=_open_space(folder, 4, facts["ranges"]["v4"]),
                v6=_open_space(folder, 6, facts["ranges"]["v6"]),
                countries=facts["countries"],
                as_names=AsNames(names["asn"].to_numpy(), names["name"]),
                asn_countries=registered,
                as_of=date.fromisoformat(facts["as_of"]),
                sources=facts["sources"],
                counts=facts["counts"],
                stamp=folder.name,
            )
        except (OSError, ValueError, KeyError, EOFError, pl.exceptions.PolarsError) as error:
            raise BrokenTable(folder=folder, reason=error) from error

    @classmethod
    def current(cls, tables: Path) -> AddressTable | None:
        """The table in use, or None where there is none yet.

        Args:
            tables: the folder of compiled tables (``Home.tables``).

        Raises: BrokenTable.
        """
        named = current_folder(tables)
        return cls.open(named) if named else None


def current_folder(tables: Path) -> Path | None:
    """The folder of the table in use, by the pointer file."""
    try:
        return tables / str(json.loads((tables / POINTER).read_text())["folder"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BrokenTable(folder=tables / POINTER, reason=error) from error


def publish(table: AddressTable, tables: Path, *, now: datetime) -> Path:
    """Save the table beside the older ones and make it the one in use, in one step that nobody sees half of.

    Returns: its folder. All but the two newest are removed.
    Raises: TableNotWritten: the table in use stays.
    """
    folder = tables / f"addresses-{now:%Y%m%dT%H%M%S%f}"
    try:
        tables.mkdir(parents=True, exist_ok=True)
        table.save(folder)
        aside = tables / f".{POINTER}.{os.getpid()}"
        write_json(aside, {"folder": folder.name, "as_of": table.as_of.isoformat()})
        aside.replace(tables / POINTER)
        _sync(tables)
    except OSError as error:
        raise TableNotWritten(folder=folder, reason=error.strerror or error) from error
    _tidy(tables, folder, now)
    return folder


def _tidy(tables: Path, current: Path, now: datetime) -> None:
    """Remove older tables, and what a killed process left half written."""
    old = sorted(tables.glob("addresses-*/"))[:-KEPT]
    since = now.timestamp() - ABANDONED_SECONDS
    old += [path for path in tables.glob(".addresses-*/") if path.stat().st_mtime < since]
    for path in old:
        if path != current:
            shutil.rmtree(path, ignore_errors=True)


def empty_space(version: int) -> Space:
    """A family of which nothing is known."""
    return Space(whole(version), np.zeros(1, np.uint32), np.full(1, NO_PREFIX, np.uint8), np.zeros(1, np.uint16))


def _open_space(folder: Path, version: int, rows: int) -> Space:
    columns = {
        key: _map(folder, f"v{version}.{key}") for key in ("start", "start_low", "asn", "prefix_length", "country")
    }
    if wrong := [key for key, column in columns.items() if len(column) != rows]:
        raise ValueError(f"v{version}.{wrong[0]} has {len(columns[wrong[0]])} rows, not {rows}")
    ranges = Ranges(version, columns.pop("start"), columns.pop("start_low"))
    return Space(ranges, **columns)


def _map(folder: Path, name: str) -> NDArray[Any]:
    mapped: NDArray[Any] = np.load(folder / f"{name}.npy", mmap_mode="r")
    return mapped


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    with path.open("w", encoding="utf-8") as file:
        json.dump(content, file, ensure_ascii=False, indent=1)
        _flush(file)


def _flush(file: IO[Any]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
