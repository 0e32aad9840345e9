"""Addresses as text and as numbers, a column at a time."""

from __future__ import annotations

from functools import cache

import numpy as np
import polars as pl
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Words = NDArray[np.uint64]
Flags = NDArray[np.bool_]
Places = NDArray[np.int64]

MAPPED = np.uint64(0xFFFF_0000_0000)
"""The lower half of ``::ffff:0:0``: where IPv4 lies in the 128-bit space (RFC 4291, section 2.5.5.2)."""

# Rows worked on at once: small enough that the bytes of a block stay in the processor's cache.
BLOCK = 1 << 16

NEWLINE, DOT, COLON = 10, 46, 58
HEX = np.full(256, 255, np.uint8)
HEX[np.frombuffer(b"0123456789abcdef", np.uint8)] = np.arange(16)
HEX[np.frombuffer(b"ABCDEF", np.uint8)] = np.arange(10, 16)


def parse_addresses(text: pl.Series) -> pl.DataFrame:
    """Read IPv4 and IPv6 addresses, strictly.

    Four decimal octets without leading zeros, or any text form of RFC 4291 section 2.2 (``::`` once, an IPv4
    tail). An IPv4-mapped address is the IPv4 address. Surrounding space, zone ids, brackets and ports are no part
    of an address: a row with them is null.

    Args:
        text: n rows of text; nulls stay null.

    Returns: n rows in the same order: ``ip`` (canonical text; RFC 5952 section 4 for IPv6), ``ip_version`` (4 or
        6), ``ip_hi`` and ``ip_lo`` (128 bits, IPv4 mapped); all four null where the text is no address. About
        10^7 IPv4 or 10^6 IPv6 rows a second on one core; no Python object per row.
    """
    length, colon = text.str.len_bytes().fill_null(0), text.str.contains(":", literal=True).fill_null(False)
    rows4 = np.flatnonzero(((length >= 7) & (length <= 15) & ~colon).to_numpy())
    rows6 = np.flatnonzero(((length >= 2) & (length <= 45) & colon).to_numpy())
    high, low = np.zeros(len(text), np.uint64), np.zeros(len(text), np.uint64)
    valid = np.zeros(len(text), np.bool_)
    for rows, read in ((rows4, _read4), (rows6, _read6)):
        for block in np.split(rows, np.arange(BLOCK, len(rows), BLOCK)):
            if len(block):
                some = text if len(block) == len(text) else text.gather(block)
                high[block], low[block], valid[block] = read(some)
    return _columns(text, rows6[valid[rows6]], high, low, valid)


def _columns(text: pl.Series, rows6: Places, high: Words, low: Words, valid: Flags) -> pl.DataFrame:
    """The four columns. IPv4 text is canonical as it came; the rest is written anew."""
    if len(rows6):
        text = patched(text, rows6, format_addresses(high[rows6], low[rows6]))
    version = np.where((high == 0) & (low >> np.uint64(32) == 0xFFFF), np.uint8(4), np.uint8(6))
    frame = pl.DataFrame({"ip": text, "ip_version": version, "ip_hi": high, "ip_lo": low})
    return frame if valid.all() else frame.select(pl.when(pl.Series(valid)).then(pl.all()))


def patched(column: pl.Series, rows: Places, values: pl.Series) -> pl.Series:
    """The column with other values in some rows; its own are not copied one by one."""
    place = np.arange(len(column))
    place[rows] = np.arange(len(column), len(column) + len(rows))
    return pl.concat([column, values.rename(column.name)]).gather(place)


def _joined(rows: pl.Series) -> tuple[Bytes, Places]:
    """The rows' bytes, a newline after each, and where those newlines are."""
    joined = rows.str.join("\n").item().encode()
    if joined.count(b"\n") != len(rows) - 1:  # a line end inside a row: certainly no address
        clean = rows.to_frame("row").select(pl.when(~pl.col("row").str.contains("\n", literal=True)).then("row"))
        joined = clean["row"].fill_null("").str.join("\n").item().encode()
    data = np.frombuffer(joined + b"\n", np.uint8)
    return data, np.flatnonzero(data == NEWLINE)


def _read4(rows: pl.Series) -> tuple[Words, Words, Flags]:
    data, ends = _joined(rows)
    value, valid = _dotted(data, ends)
    return np.zeros(len(value), np.uint64), value | MAPPED, valid


def _dotted(data: Bytes, ends: Places) -> tuple[Words, Flags]:
    """The 32 bits of each line of ``data``, and whether it is a dotted quad."""
    dots = np.flatnonzero(data == DOT)
    starts = np.concatenate([[0], ends[:-1] + 1])
    until = np.searchsorted(dots, ends)
    valid = np.diff(until, prepend=0) == 3
    good = np.flatnonzero(valid)
    digit = data - np.uint8(48)  # wraps: whatever is no digit becomes large
    strange = np.flatnonzero((digit > 9) & (data != DOT) & (data != NEWLINE))
    valid[np.searchsorted(ends, strange)] = False
    cuts = dots[(until[good] - 3)[:, None] + np.arange(3)]
    value = np.zeros(len(ends), np.uint64)
    left = starts[good]
    for octet in range(4):
        right = cuts[:, octet] if octet < 3 else ends[good]
        part, fits = _octet(digit, left, right)
        value[good] = value[good] << np.uint64(8) | part
        valid[good] &= fits
        left = right + 1
    return value, valid


def _octet(digit: Bytes, left: Places, right: Places) -> tuple[NDArray[np.uint16], Flags]:
    """The number written in ``digit[left:right]``, and whether it is one of 0-255 without leading zeros."""
    size = right - left
    part = digit[right - 1].astype(np.uint16)
    part += digit[right - 2] * np.uint16(10) * (size > 1)
    part += digit[right - 3] * np.uint16(100) * (size > 2)
    return part, (size >= 1) & (size <= 3) & (part <= 255) & ((size == 1) | (digit[left] != 0))


def _read6(rows: pl.Series) -> tuple[Words, Words, Flags]:
    dotted = rows.str.contains(".", literal=True)
    if dotted.any():
        rows = _tails_as_groups(rows, dotted)
    data, ends = _joined(rows)
    cuts = np.flatnonzero((data == COLON) | (data == NEWLINE))
    last = np.searchsorted(cuts, ends)  # the cut that ends each row
    groups = np.diff(last, prepend=-1)
    row = np.repeat(np.arange(len(ends)), groups)
    place = np.arange(len(cuts)) - np.repeat(last - groups + 1, groups)
    size = np.diff(cuts, prepend=-1) - 1
    empty = size == 0
    valid, slot = _elided(place, row, last, groups, empty)
    valid[row[size > 4]] = False
    digit = HEX[data]
    valid[np.searchsorted(ends, np.flatnonzero((digit > 15) & (data != COLON) & (data != NEWLINE)))] = False
    keep = ~empty & valid[row]
    full = np.zeros((len(ends), 8), np.uint64)
    full[row[keep], slot[keep]] = _group(digit, cuts[keep], size[keep])
    shift = np.array([48, 32, 16, 0], np.uint64)
    high, low = (full[:, :4] << shift).sum(1), (full[:, 4:] << shift).sum(1)
    return high, low, valid


def _group(digit: Bytes, end: Places, size: Places) -> NDArray[np.uint16]:
    value = digit[end - 1].astype(np.uint16)
    for k in (1, 2, 3):
        value += (digit[end - 1 - k] * (size > k)).astype(np.uint16) << np.uint16(4 * k)
    return value


def _elided(place: Places, row: Places, last: Places, groups: Places, empty: Flags) -> tuple[Flags, Places]:
    """Whether each row has eight groups, or fewer and one ``::``; and the slot (0-7) of every group.

    Cut at its colons, ``::`` leaves one empty group inside a row, and one more at an end of the row that it touches.
    """
    rows = len(groups)
    lead, trail = empty[last - groups + 1], empty[last]
    inside = empty & (place > 0) & (place < groups[row] - 1)
    count = np.bincount(row[inside], minlength=rows)
    gap = np.full(rows, 99)
    gap[row[inside]] = place[inside]
    touching = (~lead | (gap == 1)) & (~trail | (gap == groups - 2))
    short = (count == 1) & touching & (groups - 1 - lead - trail <= 7)
    whole = (count == 0) & ~lead & ~trail & (groups == 8)
    return short | whole, np.where(place < gap[row], place, 8 - groups[row] + place)


def _tails_as_groups(rows: pl.Series, dotted: pl.Series) -> pl.Series:
    """Write an IPv4 tail (``::ffff:192.0.2.1``) as two groups; a row with a bad tail becomes empty, no address."""
    where = np.flatnonzero(dotted.to_numpy())
    some = rows.gather(where)
    value, valid = _dotted(*_joined(some.str.extract("([^:]*)$").fill_null("")))
    value[~valid] = 0  # it may be beyond 32 bits
    tail = (pl.Series(value >> np.uint64(16)), pl.Series(value & np.uint64(0xFFFF)))
    words = [_hex_words().gather(part) for part in tail]
    written = pl.select(
        pl.when(pl.Series(valid))
        .then(pl.concat_str(some.str.extract("^(.*:)[^:]*$"), words[0], pl.lit(":"), words[1]))
        .otherwise(pl.lit(""))
    ).to_series()
    return patched(rows, where, written.fill_null(""))


@cache
def _hex_words() -> pl.Series:
    return pl.Series([f"{word:x}" for word in range(1 << 16)])


@cache
def _octets() -> pl.Series:
    return pl.Series([str(octet) for octet in range(256)])


def format_addresses(hi: pl.Series | Words, lo: pl.Series | Words) -> pl.Series:
    """Write addresses in canonical text: dotted quads for IPv4-mapped ones, else RFC 5952 section 4.

    Args:
        hi, lo: n rows, the upper and lower 64 bits; null rows stay null.

    Returns: n rows of text. About 10^7 IPv4 or 2 * 10^6 IPv6 rows a second; no Python object per row.
    """
    numbers = pl.DataFrame({"hi": pl.Series(hi, dtype=pl.UInt64), "lo": pl.Series(lo, dtype=pl.UInt64)})
    known = numbers.select(pl.all_horizontal(pl.all().is_not_null())).to_series().to_numpy()
    high, low = (numbers[name].fill_null(0).to_numpy() for name in ("hi", "lo"))
    mapped = (high == 0) & (low >> np.uint64(32) == 0xFFFF)
    rows4, rows6 = np.flatnonzero(mapped & known), np.flatnonzero(~mapped & known)
    written = [_write4(low[rows4])]
    written += [_write6(high[block], low[block]) for block in np.split(rows6, np.arange(BLOCK, len(rows6), BLOCK))]
    text = pl.concat(written)
    if len(rows4) == len(high):
        return text
    place = np.zeros(len(high), np.int64)
    place[np.concatenate([rows4, rows6])] = np.arange(len(text))
    frame = pl.DataFrame({"place": place, "known": known})
    return text.gather(frame.select(pl.when("known").then("place"))["place"])


def _write4(low: Words) -> pl.Series:
    octets = [_octets().gather((low >> np.uint64(shift)) & np.uint64(0xFF)) for shift in (24, 16, 8, 0)]
    return pl.select(pl.concat_str(octets, separator=".")).to_series().alias("ip")


def _write6(high: Words, low: Words) -> pl.Series:
    shifts = np.array([48, 32, 16, 0], np.uint64)
    groups = np.concatenate([high[:, None] >> shifts, low[:, None] >> shifts], 1) & np.uint64(0xFFFF)
    begin, size = _longest_zeros(groups == 0)
    slot = np.arange(8)
    cut = size >= 2  # RFC 5952 section 4.2.2: a single group of zeros is not shortened
    after = cut[:, None] & (slot >= (begin + size)[:, None])
    before = np.where(cut[:, None], slot < begin[:, None], True)
    words = pl.DataFrame([_hex_words().gather(groups[:, k]).alias(str(k)) for k in range(8)])
    head, tail = (_some_words(words, shown) for shown in (before, after))
    joint = pl.when(pl.Series(cut)).then(pl.lit("::")).otherwise(pl.lit(""))
    return pl.select(pl.concat_str(head, joint, tail)).to_series().alias("ip")


def _some_words(words: pl.DataFrame, shown: Flags) -> pl.Series:
    columns = [pl.when(pl.Series(shown[:, k])).then(pl.col(str(k))) for k in range(8)]
    return words.select(pl.concat_str(columns, separator=":", ignore_nulls=True)).to_series()


def _longest_zeros(zero: Flags) -> tuple[Places, Places]:
    """First slot and length of the first longest run of zero groups in each row (RFC 5952 section 4.2.3)."""
    begin, size = np.zeros(len(zero), np.int64), np.zeros(len(zero), np.int64)
    run = np.zeros(len(zero), np.int64)
    for slot in range(8):
        run = (run + 1) * zero[:, slot]
        longer = run > size
        size[longer] = run[longer]
        begin[longer] = slot + 1 - run[longer]
    return begin, size
