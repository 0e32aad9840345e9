"""Tables in CSV, told by the columns that their header names: routes, prefixes by country, AS numbers by country."""

from __future__ import annotations

import polars as pl

from tansiq.addresses.sources.content import (
    PREFIXES,
    SYSTEMS,
    Content,
    CutSource,
    Source,
    checked,
    countries_of,
    numbers_of,
    prefix_columns,
)

NAMES = {
    "prefix": ("prefix", "network", "cidr", "route", "ip_prefix", "subnet"),
    "asn": ("asn", "as", "origin", "origin_as", "origin_asn", "as_number", "asn_number", "autonomous_system_number"),
    "country": ("cc", "country_code", "countrycode", "country_iso_code", "country"),
    "name": ("as_name", "name", "as_description", "description", "organization", "autonomous_system_organization"),
    "registry": ("rir", "registry"),
}


def recognises(content: Content) -> bool:
    return _format(_columns(content)) is not None


def _format(columns: dict[str, str]) -> str | None:
    if "prefix" in columns:
        return "route-csv" if "asn" in columns else "country-csv" if "country" in columns else None
    return "asn-csv" if "asn" in columns and ("country" in columns or "name" in columns) else None


def _separator(content: Content) -> str:
    return max(",;\t|", key=content.first_line.count)


def _columns(content: Content) -> dict[str, str]:
    """Which of the file's columns is the prefix, the AS, the country … by its name."""
    header = [name.strip().strip('"') for name in content.first_line.split(_separator(content))]
    plain = {name.strip().lower().replace(" ", "_").replace("-", "_"): name for name in header}
    found = {key: next((plain[name] for name in names if name in plain), None) for key, names in NAMES.items()}
    return {key: name for key, name in found.items() if name is not None}


def read(content: Content) -> Source:
    """Raises: CutSource, GarbledSource."""
    columns = _columns(content)
    try:
        table = pl.read_csv(
            content.whole_lines(), separator=_separator(content), infer_schema=False, encoding="utf8-lossy"
        )
    except pl.exceptions.PolarsError as error:
        raise CutSource(reason=str(error).split("\n")[0]) from error
    frame = table.select(**{key: pl.col(name).str.strip_chars().replace("", None) for key, name in columns.items()})
    format_ = _format(columns)
    nothing = pl.repeat(None, len(frame), dtype=pl.String, eager=True)
    country = countries_of(frame["country"]) if "country" in columns else nothing
    asn = numbers_of(frame["asn"]) if "asn" in columns else nothing.cast(pl.UInt32)
    name = frame["name"] if "name" in columns else nothing
    systems = pl.DataFrame({"asn": asn, "name": name, "country": country}, schema=SYSTEMS)
    systems = systems.filter(pl.col("asn") > 0)
    if format_ == "asn-csv":
        checked(asn.is_not_null(), frame["asn"])
        return Source(format=format_, systems=systems, registry="registry" in columns, rows=len(frame))
    prefix = prefix_columns(frame["prefix"])
    valid = prefix["version"].is_not_null()
    if "asn" in columns:
        valid &= asn.is_not_null() | frame["asn"].is_null()
    checked(valid, frame["prefix"])
    # Zero and an empty field say that no origin is known: the row still tells the country.
    asn = asn.replace(0, None)
    rows = prefix.with_columns(asn=asn, country=country).filter(valid).select(*PREFIXES)
    # The country of a route is that of its addresses, not of its AS.
    systems = (
        systems.filter(pl.col("name").is_not_null())
        .with_columns(country=pl.lit(None, pl.String))
        .unique("asn", keep="first")
    )
    return Source(format=format_ or "", prefixes=rows, systems=systems, rows=len(frame))
