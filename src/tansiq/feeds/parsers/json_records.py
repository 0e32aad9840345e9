"""JSON documents as records: one object, an array of objects, or an array somewhere within."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tansiq.feeds.feed import Refused

RAW_BYTES = 4096
"""How much of a refused record is kept; the stored report has the whole of it."""

TEXT_CHARACTERS = 16 << 10
"""A member longer than this (a screenshot, a mail) is cut when it is kept beside an event."""


def document(data: bytes) -> Any:
    """The document's value. Raises ValueError for what is no JSON, too deep or not in Unicode."""
    try:
        return json.loads(data.decode("utf-8-sig", "replace").replace("\0", ""))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def objects(data: bytes, *within: str) -> Iterator[dict[str, Any] | Refused]:
    """Each object of an array, the array being the document or under one of the keys ``within``; or the one object."""
    try:
        value = document(data)
    except ValueError:
        yield Refused("json.invalid", data[:RAW_BYTES])
        return
    for key in within:
        if isinstance(value, dict) and isinstance(value.get(key), list):
            value = value[key]
    for item in value if isinstance(value, list) else [value]:
        yield item if isinstance(item, dict) else refused(item)


def refused(item: Any, reason: str = "record.invalid") -> Refused:
    return Refused(reason, json.dumps(item, ensure_ascii=False).encode()[:RAW_BYTES])


def flat(item: Mapping[str, Any], prefix: str = "") -> dict[str, str | None]:
    """An object as columns: nested members by their path ("source.ip"), arrays and long texts as bounded text."""
    columns: dict[str, str | None] = {}
    for key, value in item.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict):
            columns |= flat(value, f"{name}.")
        else:
            columns[name] = text(value)
    return columns


def text(value: Any) -> str | None:
    """A member as a column's text: null for nothing, JSON for an array, ``true`` and ``false`` as JSON has them."""
    if value is None or value == "":
        return None
    written = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    written = written if len(written) <= TEXT_CHARACTERS else written[:TEXT_CHARACTERS] + "…"
    return written.encode("utf-8", "replace").decode()


def records(data: bytes) -> Iterator[dict[str, str | None] | Refused]:
    """The records of a document that is an array of objects, or one object."""
    for item in objects(data, "data", "events", "results", "response"):
        yield item if isinstance(item, Refused) else flat(item)
