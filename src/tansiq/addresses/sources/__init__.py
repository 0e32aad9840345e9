"""One reader a format. A file is recognised by its content, never by its name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Protocol

import polars as pl

from tansiq.addresses.sources import csv_tables, delegated, json_tables, mmdb, routes
from tansiq.addresses.sources.content import (
    Content,
    EmptySource,
    Source,
    UnknownSource,
    UnreadableSource,
    date_of,
)


class Reader(Protocol):
    """A module that reads one format, or a few that share their outer form."""

    def recognises(self, content: Content) -> bool: ...

    def read(self, content: Content) -> Source: ...


READERS: tuple[Reader, ...] = (delegated, routes, csv_tables, json_tables, mmdb)
"""The most telling text first; MMDB files tell only at their end."""


def read_source(path: Path, *, shown: str) -> Source:
    """What a file says, whatever its format.

    Args:
        shown: the name by which the file is reported.

    Raises: BadSource: it cannot be used; the error says why.
    """
    content = Content.of(path)
    reader = next((reader for reader in READERS if reader.recognises(content)), None)
    if reader is None:
        raise UnknownSource()
    try:
        source = reader.read(content)
    except pl.exceptions.PolarsError as error:
        raise UnreadableSource(reason=str(error).split("\n")[0]) from error
    if source.prefixes.is_empty() and source.systems.is_empty():
        raise EmptySource()
    return replace(source, file=shown, dated=date_of(content, source.dated))
