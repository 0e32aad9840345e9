"""Compile many sources into one address table.

Prefix and origin AS come from route tables, the country from tables that know countries. Of two sources that cover
an address the newer wins, within one day's sources the longest prefix; where no source knows the country it is that
of the origin AS. Where no route is known the prefix is the registered block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tansiq.addresses.ranges import Ranges, flatten, network, overlay, whole
from tansiq.addresses.sources import read_source
from tansiq.addresses.sources.content import BadSource, Source
from tansiq.addresses.table import NO_PREFIX, AddressTable, AsCountries, AsNames, Space
from tansiq.core.errors import N_, TansiqError


class NothingUsable(TansiqError):
    code = "addresses.nothing_usable"
    message = N_("None of the {count} files is a usable address table. The table used so far is unchanged.")
    remedy = N_("Give registry statistics, route tables, prefix lists or MMDB files; the reasons are listed per file.")
    exit_code = 3

    def __init__(self, *, skipped: list[Skipped]) -> None:
        super().__init__(count=len(skipped))
        self.skipped = skipped


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file left aside, and why."""

    file: str
    error: BadSource


@dataclass(frozen=True, slots=True)
class BuildResult:
    """A table, and the files that were left aside."""

    table: AddressTable
    skipped: list[Skipped] = field(default_factory=list)


def build(files: Iterable[Path], *, progress: Callable[[Path], None] = lambda _file: None) -> BuildResult:
    """Read every file that can be read, and compile what they say. 1.2 * 10^6 prefixes take a few seconds.

    Args:
        files: files and folders; folders are read with all below them.
        progress: told of each file before it is read.

    Raises: NothingUsable: no file could be used; it lists the reasons.
    """
    sources: list[Source] = []
    skipped: list[Skipped] = []
    for file, shown in _all_files(files):
        progress(file)
        try:
            sources.append(read_source(file, shown=shown))
        except BadSource as error:
            skipped.append(Skipped(shown, error))
    if not sources:
        raise NothingUsable(skipped=skipped)
    return compile_sources(sources, skipped)


def _all_files(files: Iterable[Path]) -> list[tuple[Path, str]]:
    """Each file with the name to show: relative to the folder it was found in."""
    found: list[tuple[Path, str]] = []
    for given in files:
        if given.is_dir():
            below = (path for path in sorted(given.rglob("*")) if path.is_file())
            found += [(path, str(path.relative_to(given))) for path in below]
        else:
            found.append((given, given.name))
    return found


def compile_sources(sources: list[Source], skipped: list[Skipped] | None = None) -> BuildResult:
    """Compile what the sources say; see the module for who wins."""
    sources = sorted(sources, key=lambda source: (_day(source), source.file))
    countries = ["", *sorted(set().union(*map(_countries, sources)))]
    registered = _as_countries(sources, countries)
    v4, v6 = (_space(version, sources, countries, registered) for version in (4, 6))
    names = _newest(sources, "name").sort("asn")
    table = AddressTable(
        v4=v4,
        v6=v6,
        countries=countries,
        as_names=AsNames(names["asn"].to_numpy(), names["name"]),
        asn_countries=registered,
        as_of=_as_of(sources),
        sources=[_card(source) for source in sources],
    )
    return BuildResult(replace(table, counts=_counts(sources, table)), skipped or [])


def _counts(sources: list[Source], table: AddressTable) -> dict[str, int]:
    """How much the table knows: distinct prefixes read, AS numbers and countries told of."""
    prefixes = pl.concat([source.prefixes.select("version", "start", "start_low", "length") for source in sources])
    spaces = (table.v4, table.v6)
    asns = np.concatenate([*(space.asn for space in spaces), table.as_names.asn, table.asn_countries.asn])
    countries = np.concatenate([*(space.country for space in spaces), table.asn_countries.country])
    return {
        "prefixes4": prefixes.filter(version=4).n_unique(),
        "prefixes6": prefixes.filter(version=6).n_unique(),
        "asns": int((np.unique(asns) > 0).sum()),
        "countries": int((np.unique(countries) > 0).sum()),
    }


def _day(source: Source) -> date:
    return source.dated or date.min


def _as_of(sources: list[Source]) -> date:
    """The newest day of those that know addresses: a list of AS names, often undated, makes no table newer."""
    return max(_day(source) for source in [s for s in sources if len(s.prefixes)] or sources)


def _card(source: Source) -> dict[str, Any]:
    return {"file": source.file, "format": source.format, "rows": source.rows, "date": _day(source).isoformat()}


def _countries(source: Source) -> set[str]:
    return {
        code for frame in (source.prefixes, source.systems) for code in frame["country"].drop_nulls().unique().to_list()
    }


def _newest(sources: list[Source], column: str) -> pl.DataFrame:
    """What the newest source says of each AS."""
    rows = pl.concat([source.systems.select("asn", column).drop_nulls() for source in sources])
    return rows.unique("asn", keep="last", maintain_order=True)


def _as_countries(sources: list[Source], countries: list[str]) -> AsCountries:
    """The registries know; lists of names are asked where they do not."""
    frames = [_newest(sources_, "country") for sources_ in _by_registry(sources) if sources_]
    rows = (
        pl.concat(frames).unique("asn", keep="last").sort("asn")
        if frames
        else pl.DataFrame(schema={"asn": pl.UInt32, "country": pl.String})
    )
    return AsCountries(rows["asn"].to_numpy(), _indexed(rows["country"], countries))


def _by_registry(sources: list[Source]) -> list[list[Source]]:
    return [[source for source in sources if source.registry is registry] for registry in (False, True)]


def _indexed(codes: pl.Series, countries: list[str]) -> NDArray[np.uint16]:
    index = codes.fill_null("").replace_strict(countries, list(range(len(countries))), return_dtype=pl.UInt16)
    return index.to_numpy()


@dataclass(frozen=True, slots=True)
class _Layer:
    """Disjoint ranges and one value each beside the length of its prefix; ``length`` is NO_PREFIX where none covers."""

    ranges: Ranges
    value: NDArray[Any]
    length: NDArray[np.uint8]


def _space(version: int, sources: list[Source], countries: list[str], registered: AsCountries) -> Space:
    routes = _layers(version, sources, "asn", lambda column: column.to_numpy())
    places = _layers(version, sources, "country", lambda column: _indexed(column, countries))
    ranges, of_route, of_place = overlay(routes.ranges, places.ranges)
    asn, country = routes.value[of_route].astype(np.uint32), places.value[of_place].astype(np.uint16)
    length = routes.length[of_route]
    length = np.where(length == NO_PREFIX, places.length[of_place], length)
    country = np.where(country == 0, registered.of(asn), country)
    return _merged(ranges, asn, length, country)


def _merged(ranges: Ranges, asn: NDArray[Any], length: NDArray[Any], country: NDArray[Any]) -> Space:
    """Join neighbours of which the same is known and that lie in the same network."""
    known = length != NO_PREFIX
    start, low = network(ranges.version, ranges.start, ranges.start_low, np.where(known, length, 0))
    fresh = np.ones(len(ranges), np.bool_)
    fresh[1:] = np.logical_or.reduce([column[1:] != column[:-1] for column in (start, low, asn, length, country)])
    cut = Ranges(ranges.version, ranges.start[fresh], ranges.start_low[fresh])
    return Space(cut, asn[fresh], length[fresh].astype(np.uint8), country[fresh])


def _layers(version: int, sources: list[Source], column: str, value: Callable[[pl.Series], NDArray[Any]]) -> _Layer:
    """One layer a day, the newer over the older."""
    merged = _Layer(whole(version), np.zeros(1, np.uint32), np.full(1, NO_PREFIX, np.uint8))
    for day in sorted({_day(source) for source in sources}):
        frames = [source.prefixes for source in sources if _day(source) == day]
        rows = pl.concat(frames).filter(pl.col("version") == version, pl.col(column).is_not_null())
        if len(rows):
            merged = _over(_flat(version, rows, value(rows[column])), merged)
    return merged


def _flat(version: int, rows: pl.DataFrame, value: NDArray[Any]) -> _Layer:
    start, start_low, length = (rows[name].to_numpy() for name in ("start", "start_low", "length"))
    ranges, owner = flatten(version, start, start_low, length)
    covered = owner >= 0
    return _Layer(
        ranges,
        np.where(covered, value[owner], 0).astype(np.uint32),
        np.where(covered, length[owner], NO_PREFIX).astype(np.uint8),
    )


def _over(top: _Layer, base: _Layer) -> _Layer:
    ranges, above, below = overlay(top.ranges, base.ranges)
    covered = top.length[above] != NO_PREFIX
    return _Layer(
        ranges,
        np.where(covered, top.value[above], base.value[below]),
        np.where(covered, top.length[above], base.length[below]),
    )


def build_bundled() -> BuildResult:
    """A first table from what the program was installed with, old but complete: see its date.

    Raises: ChangedBundle.
    """
    from tansiq.addresses.sources.bundled import read_bundled

    return compile_sources([read_bundled()])
