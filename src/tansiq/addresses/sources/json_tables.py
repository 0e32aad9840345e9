"""Tables in JSON: the prefixes of one country (ipverse), and the names of AS numbers."""

from __future__ import annotations

import json
from typing import Any

import polars as pl

from tansiq.addresses.sources.content import (
    PREFIXES,
    SYSTEMS,
    Content,
    CutSource,
    Source,
    UnknownSource,
    checked,
    countries_of,
    date_in,
    numbers_of,
    prefix_columns,
)


def recognises(content: Content) -> bool:
    return content.head.lstrip().startswith(b"{") and content.head.count(b'"') >= 2


def read(content: Content) -> Source:
    """Raises: CutSource, GarbledSource, UnknownSource."""
    try:
        document = json.loads(content.data)
    except ValueError as error:
        # Only what begins like a table is a broken one; the rest is simply something else.
        known = b'"prefixes"' in content.head or _looks_like_names(content.head)
        raise CutSource(reason=error) if known else UnknownSource() from error
    if "countryCode" in document or "country-code" in document:
        return _country(document)
    if document and all(isinstance(name, str) for name in document.values()) and _looks_like_names(content.head):
        return _names(document)
    raise UnknownSource()


def _looks_like_names(head: bytes) -> bool:
    return head.lstrip(b"{ \t\r\n")[1:2].isdigit()


def _country(document: dict[str, Any]) -> Source:
    code = document.get("countryCode") or document.get("country-code")
    lists = document.get("prefixes") or document.get("subnets") or {}
    if not isinstance(lists, dict):
        raise UnknownSource()
    text = pl.Series([str(prefix) for family in ("ipv4", "ipv6") for prefix in lists.get(family, [])], dtype=pl.String)
    prefix = prefix_columns(text)
    valid = prefix["version"].is_not_null()
    checked(valid, text)
    country = countries_of(pl.Series([str(code)]))[0]
    frame = prefix.filter(valid).with_columns(asn=pl.lit(None, pl.UInt32), country=pl.lit(country, pl.String))
    stated = " ".join(value for value in document.values() if isinstance(value, str))
    return Source(format="country-json", prefixes=frame.select(*PREFIXES), dated=date_in(stated), rows=len(text))


def _names(document: dict[str, str]) -> Source:
    """``{"64496": "NAME description, CC"}``: the country is what follows the last comma."""
    asn, text = numbers_of(pl.Series(list(document))), pl.Series(list(document.values()))
    checked(asn.is_not_null(), pl.Series(list(document)))
    parts = text.str.strip_chars().str.extract_groups(r"(?s)^(.*?)[\s,]*(?:,\s*([A-Za-z]{2}))?$").struct.unnest()
    name, country = parts.to_series(0).replace("", None), countries_of(parts.to_series(1))
    frame = pl.DataFrame({"asn": asn, "name": name, "country": country}, schema=SYSTEMS)
    return Source(format="as-names", systems=frame.filter(pl.col("asn").is_not_null()), rows=len(frame))
