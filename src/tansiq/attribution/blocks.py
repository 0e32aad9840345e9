"""Claimed networks: which lies in which, and what holds in each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tansiq.addresses.ranges import Ranges, flatten, whole
from tansiq.attribution.register import Register
from tansiq.attribution.verdicts import NOBODY, timeline
from tansiq.core.claims import Claim

LOW = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Blocks:
    """The claimed networks by number, outer before inner, IPv4 before IPv6. Number 0 is none."""

    networks: Sequence[IPv4Network | IPv6Network]
    parent: Sequence[int]
    timeline: Sequence[int]

    @classmethod
    def of(cls, claims: Mapping[str, Sequence[Claim]], register: Register) -> Blocks:
        """Nest the networks and judge each from the outside in."""
        networks = sorted(((ip_network(value), value) for value in claims), key=lambda each: _place(each[0]))
        parents, timelines = [0], [NOBODY]
        around: list[int] = []
        for number, (network, value) in enumerate(networks, 1):
            while around and not _holds(networks[around[-1] - 1][0], network):
                around.pop()
            parents.append(around[-1] if around else 0)
            timelines.append(timeline("cidr", value, claims[value], timelines[parents[-1]]))
            around.append(number)
        return cls([network for network, _value in networks], parents, [register.number_of(line) for line in timelines])

    def columns(self) -> dict[str, NDArray[Any]]:
        return {
            "block_length": np.array([0, *(network.prefixlen for network in self.networks)]),
            "block_parent": np.array(self.parent),
            "block_timeline": np.array(self.timeline),
        }

    def ranges(self, version: int) -> tuple[Ranges, NDArray[np.int64]]:
        """The space of one family cut at the edges of the blocks, and the number of the innermost block of each."""
        chosen = [number for number, network in enumerate(self.networks, 1) if network.version == version]
        if not chosen:
            return whole(version), np.zeros(1, np.int64)
        networks = [self.networks[number - 1] for number in chosen]
        first = [int(network.network_address) for network in networks]
        ranges, owner = flatten(
            version,
            np.array([value >> (64 if version == 6 else 0) for value in first], np.uint64),
            np.array([value & LOW if version == 6 else 0 for value in first], np.uint64),
            np.array([network.prefixlen for network in networks], np.uint8),
        )
        return ranges, np.append(chosen, 0)[owner]


def _place(network: IPv4Network | IPv6Network) -> tuple[int, int, int]:
    return network.version, int(network.network_address), network.prefixlen


def _holds(outer: IPv4Network | IPv6Network, inner: IPv4Network | IPv6Network) -> bool:
    return outer.version == inner.version and int(inner.network_address) <= int(outer.broadcast_address)
