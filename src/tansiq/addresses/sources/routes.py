"""Route tables in the text format of pyasn: prefix, tab, origin AS; ``;`` comments that state the counts."""

from __future__ import annotations

import re

import polars as pl

from tansiq.addresses.sources.content import (
    PREFIXES,
    Content,
    IncompleteSource,
    Source,
    checked,
    date_in,
    lines_of,
    prefix_columns,
)

FORMAT = "pyasn"
ROW = re.compile(rb"^(?:;[^\n]*\n|\s*\n)*[0-9a-fA-F.:]+/\d{1,3}[ \t]+\d+\s*$", re.MULTILINE)
STATED = re.compile(rb"^;\s*Prefixes-v([46])\s*:\s*(\d+)", re.MULTILINE)
REMARK = re.compile(rb"^;[^\n]*", re.MULTILINE)


def recognises(content: Content) -> bool:
    return ROW.match(content.head) is not None


def read(content: Content) -> Source:
    """Raises: CutSource, IncompleteSource: fewer prefixes than its comments state; GarbledSource."""
    lines = lines_of(content.whole_lines(), comment=";")
    parts = lines.str.replace(r"\s+", "\t").str.splitn("\t", 2).struct.rename_fields(["prefix", "asn"]).struct.unnest()
    prefix, asn = prefix_columns(parts["prefix"]), parts["asn"].cast(pl.UInt32, strict=False)
    valid = prefix["version"].is_not_null() & asn.is_not_null()
    checked(valid, lines)
    for version, stated in STATED.findall(content.head):
        found = int((prefix["version"] == int(version)).sum())
        if found < int(stated):
            raise IncompleteSource(kind=f"v{int(version)}", stated=int(stated), found=found)
    frame = prefix.with_columns(asn=asn, country=pl.lit(None, pl.String)).filter(valid)
    remarks = b"\n".join(REMARK.findall(content.head)).decode("utf-8", "replace")
    return Source(format=FORMAT, prefixes=frame.select(*PREFIXES), dated=date_in(remarks), rows=len(lines))
