"""Any MaxMind DB file: country, ASN or both, in the key layouts of GeoLite2, DB-IP and IPinfo.

The search tree is walked in columns, level by level; ``maxminddb`` decodes each distinct record once.
Source: MaxMind DB file format specification 2.0, https://maxmind.github.io/MaxMind-DB/
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import maxminddb
import numpy as np
import polars as pl
from numpy.typing import NDArray

from tansiq.addresses.ranges import Words
from tansiq.addresses.sources.content import (
    PREFIXES,
    SYSTEMS,
    Content,
    Source,
    UnreadableSource,
    aligned,
    countries_of,
    numbers_of,
)
from tansiq.addresses.text import MAPPED, format_addresses

FORMAT = "mmdb"
MARKER = b"\xab\xcd\xefMaxMind.com"  # begins the metadata, in the last 128 kB of the file
MOST_NETWORKS = 50_000_000  # a tree that claims more leads in circles


def recognises(content: Content) -> bool:
    return MARKER in content.tail(128 << 10)


def read(content: Content) -> Source:
    """Raises: UnreadableSource: the file is damaged."""
    try:
        with _opened(content) as reader:
            meta = reader.metadata()
            networks = _networks(content.data, meta)
            _distinct, first, record = np.unique(networks.record, return_index=True, return_inverse=True)
            addresses = format_addresses(networks.high[first], networks.low[first])
            said = pl.DataFrame([_said(reader.get(address)) for address in addresses], schema=SAID, orient="row")
            built_on = datetime.fromtimestamp(meta.build_epoch, UTC).date()
    except (maxminddb.InvalidDatabaseError, ValueError, IndexError, OSError, OverflowError) as error:
        raise UnreadableSource(reason=error) from error
    said = said.with_columns(asn=numbers_of(said["asn"]).replace(0, None), country=countries_of(said["country"]))
    rows = aligned(networks.version, networks.high, networks.low, networks.length).hstack(said[record])
    rows = rows.filter(pl.col("asn").is_not_null() | pl.col("country").is_not_null()).select(*PREFIXES)
    systems = said.filter(pl.col("asn").is_not_null() & pl.col("name").is_not_null()).unique("asn", keep="first")
    systems = systems.with_columns(country=pl.lit(None, pl.String)).select(*SYSTEMS)
    return Source(format=FORMAT, prefixes=rows, systems=systems, dated=built_on, rows=len(networks.record))


SAID = {"asn": pl.String, "name": pl.String, "country": pl.String}


def _said(record: Any) -> tuple[str | None, str | None, str | None]:
    """AS number, AS name and country of a record, in whichever layout it has."""
    if not isinstance(record, dict):
        return None, None, None
    traits = record.get("traits")
    system = {**traits, **record} if isinstance(traits, dict) else record
    asn = system.get("autonomous_system_number") or system.get("asn")
    name = system.get("autonomous_system_organization") or system.get("as_name") or system.get("name")
    country: Any = record.get("country_code")
    for key in ("country", "registered_country"):
        country = country or record.get(key)
        if isinstance(country, dict):
            country = country.get("iso_code")
    return _text(asn), _text(name) if asn else None, _text(country)


def _text(value: Any) -> str | None:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) and value != "" else None


@contextmanager
def _opened(content: Content) -> Iterator[Any]:
    """The fast reader wants a file: an unpacked copy is made where the file was packed."""
    with tempfile.NamedTemporaryFile(suffix=".mmdb") as copy:
        if content.packed:
            copy.write(content.data)
            copy.flush()
        with maxminddb.open_database(copy.name if content.packed else content.path) as reader:
            yield reader


@dataclass(frozen=True, slots=True)
class _Networks:
    """The leaves of the tree, IPv4 as mapped addresses; ``length`` counts in the family's own bits."""

    version: NDArray[np.uint8]
    high: Words
    low: Words
    length: NDArray[np.uint8]
    record: NDArray[np.int64]


def _networks(data: bytes, meta: Any) -> _Networks:
    tree = _records(data, meta.node_count, meta.record_size)
    if meta.ip_version == 4:
        return _family4(tree, root=0)
    # IPv4 lies under ::/96; 2002::/16 and others lead to the same node and would only repeat it.
    root4 = 0
    for _bit in range(96):
        if root4 < len(tree):
            root4 = int(tree[root4, 0])
    six = _walk(tree, 0, bits=128, leave_out=root4)
    version = np.full(len(six[0]), 6, np.uint8)
    four = _family4(tree, root=root4)
    return _Networks(
        version=np.concatenate([four.version, version]),
        high=np.concatenate([four.high, six[0]]),
        low=np.concatenate([four.low, six[1]]),
        length=np.concatenate([four.length, six[2]]),
        record=np.concatenate([four.record, six[3]]),
    )


def _family4(tree: NDArray[np.int64], *, root: int) -> _Networks:
    high, _low, length, record = _walk(tree, root, bits=32, leave_out=-1)
    low = high >> np.uint64(32) | MAPPED
    return _Networks(np.full(len(low), 4, np.uint8), np.zeros_like(low), low, length, record)


def _records(data: bytes, nodes: int, bits: int) -> NDArray[np.int64]:
    """The search tree: a row a node, its left and its right record."""
    if bits not in (24, 28, 32):
        raise ValueError(f"record size {bits}")
    raw = np.frombuffer(data, np.uint8, nodes * bits // 4).reshape(nodes, bits // 4).astype(np.int64)
    if bits == 28:
        left, right = raw[:, 3] >> 4, raw[:, 3] & 15
        pair = [np.column_stack([left, raw[:, :3]]), np.column_stack([right, raw[:, 4:]])]
    else:
        pair = [raw[:, : bits // 8], raw[:, bits // 8 :]]
    weights = [256 ** np.arange(part.shape[1])[::-1] for part in pair]
    return np.column_stack([part @ weight for part, weight in zip(pair, weights, strict=True)])


def _walk(
    tree: NDArray[np.int64], root: int, *, bits: int, leave_out: int
) -> tuple[Words, Words, NDArray[np.uint8], NDArray[np.int64]]:
    """All leaves under a node: first address (upper and lower word, from the top), length, record."""
    nodes = len(tree)
    node = np.array([root], np.int64)
    high, low = np.zeros(1, np.uint64), np.zeros(1, np.uint64)
    found: list[tuple[Words, Words, NDArray[np.uint8], NDArray[np.int64]]] = []
    for depth in range(bits + 1):
        leaf = node > nodes
        found.append((high[leaf], low[leaf], np.full(int(leaf.sum()), depth, np.uint8), node[leaf]))
        inner = (node < nodes) & (node != leave_out)
        node, high, low = node[inner], high[inner], low[inner]
        if depth == bits or not len(node):
            break
        if sum(len(part[0]) for part in found) + 2 * len(node) > MOST_NETWORKS:
            raise ValueError(f"> {MOST_NETWORKS}")
        bit = np.uint64(1) << np.uint64(63 - depth % 64)
        node = np.concatenate([tree[node, 0], tree[node, 1]])
        high = np.concatenate([high, high | bit if depth < 64 else high])
        low = np.concatenate([low, low | bit if depth >= 64 else low])
    if len(node):
        raise ValueError(f"> {bits}")
    high, low, length, record = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return high, low, length, record
