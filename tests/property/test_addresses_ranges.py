"""Compiled ranges against a plain longest-prefix match."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tansiq.addresses.ranges import Ranges, flatten, locate, network, overlay

BITS = {4: 32, 6: 128}
LOWER = 2**64 - 1


@st.composite
def prefixes(draw: st.DrawFn, version: int) -> list[tuple[int, int]]:
    """Few enough addresses that prefixes nest, touch, repeat and reach both ends of the space."""
    bits = BITS[version]
    lengths = st.sampled_from([0, 1, 2, 8, bits // 2 - 1, bits // 2, bits // 2 + 1, bits - 2, bits - 1, bits])
    spots = st.sampled_from([0, 1, 2, 3, 1 << bits // 2, (1 << bits // 2) + 1, 1 << bits - 1, (1 << bits) - 1])
    return [
        (spot >> (bits - length) << (bits - length), length)
        for spot, length in draw(st.lists(st.tuples(spots | st.integers(0, 2**bits - 1), lengths), max_size=14))
    ]


CASES = st.sampled_from([4, 6]).flatmap(lambda version: st.tuples(st.just(version), prefixes(version)))


def words(version: int, numbers: list[int]) -> tuple[np.ndarray, np.ndarray]:
    if version == 4:
        return np.array(numbers, np.uint64), np.zeros(len(numbers), np.uint64)
    return np.array([n >> 64 for n in numbers], np.uint64), np.array([n & LOWER for n in numbers], np.uint64)


def compiled(version: int, table: list[tuple[int, int]]) -> tuple[Ranges, np.ndarray]:
    return flatten(version, *words(version, [p for p, _ in table]), np.array([n for _, n in table], np.uint8))


def probes(version: int, table: list[tuple[int, int]]) -> list[int]:
    bits = BITS[version]
    edges = {edge for first, length in table for edge in (first, first + (1 << (bits - length)))}
    near = {edge + step for edge in edges for step in (-1, 0, 1)} | {0, (1 << bits) - 1}
    return sorted(number for number in near if 0 <= number < 1 << bits)


def longest(version: int, table: list[tuple[int, int]], address: int) -> int:
    """The row of the longest prefix that holds the address, the last of equal ones, -1 for none."""
    bits = BITS[version]
    best = -1
    for row, (first, length) in enumerate(table):
        if first <= address < first + (1 << (bits - length)) and (best < 0 or length >= table[best][1]):
            best = row
    return best


@given(CASES)
def test_flatten_nested_prefixes_agrees_with_longest_prefix_match(case: tuple[int, list[tuple[int, int]]]) -> None:
    version, table = case
    addresses = probes(version, table)

    ranges, owner = compiled(version, table)

    rows = locate(ranges.start, ranges.start_low, *words(version, addresses))
    assert owner[rows].tolist() == [longest(version, table, address) for address in addresses]


@given(CASES)
def test_flatten_any_prefixes_gives_ascending_ranges_from_zero_without_equal_neighbours(
    case: tuple[int, list[tuple[int, int]]],
) -> None:
    ranges, owner = compiled(*case)

    starts = [int(high) << 64 | int(low) for high, low in zip(ranges.start, ranges.start_low, strict=True)]
    assert starts[0] == 0
    assert all(a < b for a, b in pairwise(starts))
    assert not np.any(owner[1:] == owner[:-1])


@given(st.sampled_from([4, 6]).flatmap(lambda v: st.tuples(st.just(v), prefixes(v), prefixes(v))))
def test_overlay_two_layers_answers_as_each_layer_does(
    case: tuple[int, list[tuple[int, int]], list[tuple[int, int]]],
) -> None:
    version, upper, lower = case
    (top, top_owner), (base, base_owner) = compiled(version, upper), compiled(version, lower)
    addresses = probes(version, upper + lower)

    ranges, of_top, of_base = overlay(top, base)

    rows = locate(ranges.start, ranges.start_low, *words(version, addresses))
    assert top_owner[of_top[rows]].tolist() == [longest(version, upper, address) for address in addresses]
    assert base_owner[of_base[rows]].tolist() == [longest(version, lower, address) for address in addresses]


@given(st.sampled_from([4, 6]).flatmap(lambda v: st.tuples(st.just(v), st.integers(0, 2 ** BITS[v] - 1))))
def test_network_any_length_clears_exactly_the_bits_after_it(case: tuple[int, int]) -> None:
    version, address = case
    bits = BITS[version]
    lengths = list(range(bits + 1))

    high, low = network(version, *words(version, [address] * (bits + 1)), np.array(lengths, np.uint8))

    got = [int(h) << 64 | int(n) if version == 6 else int(h) for h, n in zip(high, low, strict=True)]
    assert got == [address >> (bits - length) << (bits - length) for length in lengths]


@given(st.lists(st.integers(0, 2**128 - 1), min_size=1, max_size=3000, unique=True), st.integers(0, 2**32))
def test_locate_many_ranges_within_one_slash_64_finds_the_exact_one(lows: list[int], seed: int) -> None:
    starts = sorted({0, *(0x20010DB8 << 96 | low >> 64 for low in lows)})
    keys = [start + (seed + k) % 3 - 1 for k, start in enumerate(starts) if start] or [5]

    rows = locate(*words(6, starts), *words(6, keys))

    assert rows.tolist() == [max(k for k, start in enumerate(starts) if start <= key) for key in keys[:50]] + [
        np.searchsorted(np.array(starts, object), key, "right") - 1 for key in keys[50:]
    ]
