"""What every reader of a table file starts from: its bytes, unpacked, its date, and the frames it is to fill."""

from __future__ import annotations

import errno
import gzip
import os
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tansiq.addresses.ranges import network
from tansiq.addresses.text import parse_addresses
from tansiq.core.errors import N_, TansiqError

HEAD_BYTES = 8192  # enough to recognise any of the formats that are text
MAX_BYTES = 1 << 30  # unpacked; the largest seen have a few hundred megabytes
GARBLED_SHARE = 0.01  # more unreadable rows than this and the file is not what it looks like

PREFIXES: dict[str, Any] = {
    "version": pl.UInt8,
    "start": pl.UInt64,  # as in Ranges: IPv4 32 bits; IPv6 the upper word
    "start_low": pl.UInt64,
    "length": pl.UInt8,
    "asn": pl.UInt32,  # null: says nothing of routes; 0: announced, origin unknown
    "country": pl.String,  # null: says nothing of countries
}
SYSTEMS: dict[str, Any] = {"asn": pl.UInt32, "name": pl.String, "country": pl.String}


class BadSource(TansiqError):
    """A file that is left aside; the others are used."""

    code = "addresses.source.bad"
    exit_code = 3


class UnknownSource(BadSource):
    code = "addresses.source.unknown"
    message = N_("It is in none of the formats known as address tables.")


class UnreadableSource(BadSource):
    code = "addresses.source.unreadable"
    message = N_("It cannot be read: {reason}.")


class CutSource(BadSource):
    code = "addresses.source.cut"
    message = N_("It breaks off in the middle: {reason}.")


class IncompleteSource(BadSource):
    code = "addresses.source.incomplete"
    message = N_("It states {stated} rows of the kind {kind} and has {found}.")


class GarbledSource(BadSource):
    code = "addresses.source.garbled"
    message = N_("{bad} of its {rows} rows cannot be read, the first of them being: {example}")


class EmptySource(BadSource):
    code = "addresses.source.empty"
    message = N_("It holds no row that says anything.")


@dataclass(frozen=True)
class Content:
    """A file as found, unpacked if it was packed. Only its head is read before a reader knows it."""

    path: Path
    packed: bool
    head: bytes
    modified_on: date

    @classmethod
    def of(cls, path: Path) -> Content:
        """Raises: UnreadableSource, CutSource (packed data that ends too early), EmptySource."""
        with _named_trouble():
            if not path.is_file():
                raise UnreadableSource(reason=os.strerror(errno.EISDIR if path.is_dir() else errno.ENOENT))
            modified = datetime.fromtimestamp(path.stat().st_mtime, UTC).date()
            with path.open("rb") as file:
                packed = file.read(2) == b"\x1f\x8b"
            with gzip.open(path) if packed else path.open("rb") as stream:
                head = stream.read(HEAD_BYTES)
        if not head.strip():
            raise EmptySource()
        return cls(path, packed, head.removeprefix(b"\xef\xbb\xbf"), modified)

    @cached_property
    def data(self) -> bytes:
        """All of it. Raises: UnreadableSource, CutSource."""
        with _named_trouble(), gzip.open(self.path) if self.packed else self.path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise UnreadableSource(reason=f"> {MAX_BYTES >> 20} MB")
        return data

    def tail(self, size: int) -> bytes:
        """The last bytes."""
        if self.packed:
            return self.data[-size:]
        with _named_trouble(), self.path.open("rb") as stream:
            stream.seek(max(0, stream.seek(0, os.SEEK_END) - size))
            return stream.read()

    @cached_property
    def first_line(self) -> str:
        return self.head.split(b"\n", 1)[0].decode("utf-8", "replace").strip()

    def whole_lines(self) -> bytes:
        """The bytes of a format that has no other sign of its end than the end of its last line.

        Raises: CutSource: the last line has no end.
        """
        if not self.data.endswith((b"\n", b"\r")):
            rest = self.data[-80:].rsplit(b"\n", 1)[-1].decode("utf-8", "replace")
            raise CutSource(reason=f"…{rest}")
        return self.data.removeprefix(b"\xef\xbb\xbf")


@contextmanager
def _named_trouble() -> Iterator[None]:
    try:
        yield
    except EOFError as error:
        raise CutSource(reason="gzip") from error
    except (OSError, zlib.error) as error:
        raise UnreadableSource(reason=getattr(error, "strerror", None) or error) from error


@dataclass(frozen=True)
class Source:
    """What a file says.

    Attributes:
        prefixes: columns ``PREFIXES``; systems: columns ``SYSTEMS``.
        registry: what it says of the country of an AS comes from a registry and wins over mere names.
    """

    format: str
    prefixes: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=PREFIXES))
    systems: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=SYSTEMS))
    dated: date | None = None
    registry: bool = False
    file: str = ""
    rows: int = 0


def lines_of(content: bytes, *, comment: str | None = None) -> pl.Series:
    """One row a physical line; empty lines and comments left out."""
    frame = pl.read_csv(
        content, has_header=False, separator="\x01", quote_char=None, schema={"line": pl.String}, encoding="utf8-lossy"
    )
    line = pl.col("line").str.strip_chars_end("\r")
    keep = line.str.strip_chars().str.len_bytes() > 0
    if comment:
        keep &= ~line.str.starts_with(comment)
    return frame.filter(keep).select(line).to_series()


def prefix_columns(text: pl.Series) -> pl.DataFrame:
    """``192.0.2.0/24``, ``2001:db8::/32`` or a lone address -> version, start, start_low, length; null if neither.

    Bits after the length are set to zero; an IPv4-mapped prefix is the IPv4 prefix.
    """
    parts = text.str.splitn("/", 2).struct.rename_fields(["address", "length"]).struct.unnest()
    address = parse_addresses(parts["address"])
    four = address["ip_version"] == 4
    mapped = four & parts["address"].str.contains(":", literal=True)
    whole = pl.select(pl.when(four & ~mapped).then(32).otherwise(128).cast(pl.Int16)).to_series()
    stated = parts["length"].cast(pl.Int16, strict=False)
    digits = parts["length"].str.contains("^[0-9]{1,3}$")
    length = pl.select(
        pl.when(parts["length"].is_null()).then(whole).when(digits & (stated <= whole)).then(stated)
    ).to_series()
    length = pl.select(pl.when(mapped).then(length - 96).otherwise(length)).to_series()
    valid = address["ip_version"].is_not_null() & (length >= 0).fill_null(False)
    version, high, low = (address[name].fill_null(0).to_numpy() for name in ("ip_version", "ip_hi", "ip_lo"))
    cleared = pl.select(pl.when(valid).then(length).otherwise(0).cast(pl.UInt8)).to_series().to_numpy()
    return aligned(version, high, low, cleared).select(pl.when(valid).then(pl.all()))


def aligned(version: Any, high: Any, low: Any, length: Any) -> pl.DataFrame:
    """128-bit addresses and lengths -> the columns version, start, start_low, length, host bits set to zero."""
    four = version == 4
    start4, low4 = network(4, low & np.uint64(0xFFFF_FFFF), np.zeros_like(low), np.where(four, length, 0))
    start6, low6 = network(6, high, low, length)
    start, start_low = np.where(four, start4, start6), np.where(four, low4, low6)
    columns = {"version": version, "start": start, "start_low": start_low, "length": length}
    return pl.DataFrame(columns, schema_overrides={name: PREFIXES[name] for name in columns})


def numbers_of(asn: pl.Series) -> pl.Series:
    """``AS64496`` or ``64496`` -> UInt32; null where it is neither."""
    return asn.str.strip_chars().str.replace("^[Aa][Ss]", "").cast(pl.UInt32, strict=False)


def countries_of(code: pl.Series) -> pl.Series:
    """ISO 3166-1 codes, upper case only; null where a source names none, a region, or no country at all."""
    return pl.select(
        pl.when(code.str.contains("^[A-Z]{2}$") & ~code.is_in(["ZZ", "AP", "EU"])).then(code.replace({"UK": "GB"}))
    ).to_series()


def checked(readable: pl.Series, text: pl.Series) -> None:
    """Raises: GarbledSource: more rows than a few cannot be read."""
    bad = int((~readable).sum())
    if bad > GARBLED_SHARE * len(readable):
        example = text.filter(~readable)[0]
        raise GarbledSource(bad=bad, rows=len(readable), example=str(example)[:80])


DATE = re.compile(r"(?<!\d)(19[89]\d|20\d\d)(-?)(0[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01])(?!\d)")


def date_in(text: str) -> date | None:
    """The first YYYYMMDD or YYYY-MM-DD in a text that is a day."""
    for year, _dash, month, day in DATE.findall(text):
        try:
            return date(int(year), int(month), int(day))
        except ValueError:
            continue
    return None


def date_of(content: Content, stated: date | None) -> date:
    """In the file, else in its name or those of the two folders above it, else when it was last written."""
    names = [content.path.name, *(folder.name for folder in list(content.path.absolute().parents)[:2])]
    return stated or next(filter(None, map(date_in, names)), None) or content.modified_on
