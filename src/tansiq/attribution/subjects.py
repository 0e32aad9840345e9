"""What an event is about: its address and its host name, wherever the feed wrote them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tansiq.addresses.names import registered_domains, split_urls
from tansiq.addresses.ranges import Words
from tansiq.addresses.text import parse_addresses

Flags = NDArray[np.bool_]
MAPPED = np.uint64(0xFFFF)


@dataclass(frozen=True, slots=True)
class Addresses:
    """n addresses as 128 bits, IPv4 mapped; ``known`` is false in rows without one."""

    high: Words
    low: Words
    known: Flags

    def __len__(self) -> int:
        return len(self.known)

    @property
    def is_v4(self) -> Flags:
        mapped: Flags = (self.high == 0) & (self.low >> np.uint64(32) == MAPPED)
        return mapped & self.known

    @property
    def is_v6(self) -> Flags:
        return self.known & ~self.is_v4


@dataclass(frozen=True, slots=True)
class Subjects:
    """What n events are about.

    Attributes:
        addresses: the event's own; where it has neither address nor host name, the literal one of its URL.
        hosts: the event's host name, else the host of its URL; null for none.
        domains: the registered domains of the hosts; null for none.
    """

    addresses: Addresses
    hosts: pl.Series
    domains: pl.Series

    @classmethod
    def of(cls, events: pl.DataFrame) -> Subjects:
        high, low, hosts = events["ip_hi"], events["ip_lo"], events["hostname"]
        rows = np.flatnonzero((hosts.is_null() & events["url"].is_not_null()).to_numpy())
        if len(rows):
            parts = split_urls(events["url"].gather(rows))
            hosts = _fill(hosts, rows, parts["host"])
            literal = parse_addresses(parts["address"])
            high, low = (_fill(ours, rows, literal[name]) for ours, name in ((high, "ip_hi"), (low, "ip_lo")))
        known = high.is_not_null().to_numpy()
        addresses = Addresses(high.fill_null(0).to_numpy(), low.fill_null(0).to_numpy(), known)
        return cls(addresses, hosts, registered_domains(hosts))


def _fill(column: pl.Series, rows: NDArray[np.int64], values: pl.Series) -> pl.Series:
    """The column with ``values`` in those of ``rows`` where it is null."""
    place = np.arange(len(column))
    place[rows] = np.where(column.gather(rows).is_null().to_numpy(), np.arange(len(rows)) + len(column), rows)
    return pl.concat([column, values.rename(column.name)]).gather(place)
