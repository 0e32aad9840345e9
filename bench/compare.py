"""Figures of a comparison between two nodes (docs/reference/exchange-protocol.md, section 13).

    python -m bench.compare [--items 1000000] [--differences 10]

Both sides in one process: the time is of both, without the network; the bytes are those of all messages.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import time

from tansiq.exchange import compare


def random_items(count: int, draw: random.Random) -> list[tuple[bytes, bytes]]:
    return [(draw.randbytes(32), draw.randbytes(32)) for _ in range(count)]


def compared(mine: compare.Items, theirs: compare.Items) -> dict[str, float]:
    """Seconds, messages, their bytes, and how many differences this side found."""
    begun = time.perf_counter()
    sides = (mine, theirs)
    message, found, turns = compare.opening(mine), compare.Differences(), 1
    size_bytes = message.size_bytes
    while message.ranges:
        message, seen = compare.answer(sides[turns % 2], message)
        if turns % 2 == 0:
            found |= seen
        turns += 1
        size_bytes += message.size_bytes
    seconds = time.perf_counter() - begun
    return {"seconds": round(seconds, 4), "messages": turns - 1, "bytes": size_bytes, "found": len(found)}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--items", type=int, default=1_000_000)
    arguments.add_argument("--differences", type=int, default=10)
    chosen = arguments.parse_args()
    draw = random.Random(1)
    base = random_items(chosen.items, draw)
    half = chosen.differences // 2
    other = base[half:] + random_items(chosen.differences - half, draw)
    begun = time.perf_counter()
    mine = compare.Items(base)
    built_seconds = time.perf_counter() - begun
    theirs = compare.Items(other)
    figures = {
        "items": chosen.items,
        "build_seconds_one_side": round(built_seconds, 2),
        "equal": compared(mine, mine),
        "differing": compared(mine, theirs),
        "peak_mb_both_sides": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
