"""Claimed networks: which lies in which, and what holds in each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from socket import AF_INET, AF_INET6, inet_pton
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tansiq.addresses.ranges import Ranges, flatten, whole
from tansiq.attribution.register import Register
from tansiq.attribution.verdicts import NOBODY, timeline
from tansiq.core.claims import Claim

LOW = (1 << 64) - 1


class Network(NamedTuple):
    """A network, its first address counted from 0 in its family. Outer networks sort before those in them."""

    version: int
    first: int
    length: int

    @classmethod
    def of(cls, text: str) -> Network:
        """Read the canonical text of a claim; half a million of them in a second."""
        address, _slash, length = text.partition("/")
        packed = inet_pton(AF_INET6 if ":" in address else AF_INET, address)
        return cls(6 if ":" in address else 4, int.from_bytes(packed, "big"), int(length))

    def holds(self, other: Network) -> bool:
        """Whether ``other``, which sorts after this one, lies in it."""
        spare = (32 if self.version == 4 else 128) - self.length
        return self.version == other.version and self.first >> spare == other.first >> spare


@dataclass(frozen=True, slots=True)
class Blocks:
    """The claimed networks by number, outer before inner, IPv4 before IPv6. Number 0 is none."""

    networks: Sequence[Network]
    parent: Sequence[int]
    timeline: Sequence[int]

    @classmethod
    def of(cls, claims: Mapping[str, Sequence[Claim]], register: Register) -> Blocks:
        """Nest the networks and judge each from the outside in."""
        found = sorted((Network.of(value), value) for value in claims)
        parents, timelines = [0], [NOBODY]
        around: list[int] = []
        for number, (network, value) in enumerate(found, 1):
            while around and not found[around[-1] - 1][0].holds(network):
                around.pop()
            parents.append(around[-1] if around else 0)
            timelines.append(timeline("cidr", value, claims[value], timelines[parents[-1]]))
            around.append(number)
        return cls([network for network, _value in found], parents, [register.number_of(line) for line in timelines])

    def columns(self) -> dict[str, NDArray[Any]]:
        return {
            "block_length": np.array([0, *(network.length for network in self.networks)]),
            "block_parent": np.array(self.parent),
            "block_timeline": np.array(self.timeline),
        }

    def ranges(self, version: int) -> tuple[Ranges, NDArray[np.int64]]:
        """The space of one family cut at the edges of the blocks, and the number of the innermost block of each."""
        chosen = [(number, each) for number, each in enumerate(self.networks, 1) if each.version == version]
        if not chosen:
            return whole(version), np.zeros(1, np.int64)
        high_shift = 0 if version == 4 else 64
        ranges, owner = flatten(
            version,
            np.array([network.first >> high_shift for _number, network in chosen], np.uint64),
            np.array([network.first & LOW if version == 6 else 0 for _number, network in chosen], np.uint64),
            np.array([network.length for _number, network in chosen], np.uint8),
        )
        return ranges, np.array([*(number for number, _network in chosen), 0])[owner]
