"""Figures of a comparison between two nodes (docs/reference/exchange-protocol.md, section 13).

    python -m bench.compare [--items 1000000] [--differences 10]

``lists``: the reconciliation alone, of two lists in memory. ``nodes``: what two nodes do, each on a SQLite database of
its own in memory that holds that many objects of the one: rows read and decided, turns as bodies, what differs named
and put into the outbox. Both sides are in one process: the time is of both, without seals and network; the bytes are
those of all messages (of the nodes: bodies before they are sealed).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from tansiq.exchange import compare

MANY_OBJECTS = """
WITH RECURSIVE numbers(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < %s)
INSERT INTO exchange_statement (object, term, n, leaf, kind, team, marking_id, content, came_from, made_at)
SELECT object || '.' || i, term, n, lower(hex(randomblob(32))), kind, team, marking_id, content, came_from, made_at
FROM exchange_statement, numbers
"""
SHARED = """
INSERT INTO exchange_sharedobject (object, kind, owner, statement_id, proven_id, epoch, known, narrowed_term,
    narrowed_n, left_term, left_n, recall_epoch, kept_reason, kept_by, withheld, life)
SELECT object, kind, team, id, id, 1, 1, 0, 0, 0, 0, 0, '', '', 0, 0
FROM exchange_statement WHERE object NOT IN (SELECT object FROM exchange_sharedobject)
"""
AT_THE_PEER = "UPDATE exchange_statement SET came_from = 'XA'"
OTHERWISE = """
UPDATE exchange_statement SET leaf = lower(hex(randomblob(32)))
WHERE id IN (SELECT id FROM exchange_statement ORDER BY leaf LIMIT %s)
"""


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


def lists(count: int, differences: int) -> dict[str, Any]:
    draw = random.Random(1)
    base = random_items(count, draw)
    half = differences // 2
    other = base[half:] + random_items(differences - half, draw)
    begun = time.perf_counter()
    mine = compare.Items(base)
    built_seconds = time.perf_counter() - begun
    theirs = compare.Items(other)
    return {
        "build_seconds_one_side": round(built_seconds, 2),
        "equal": compared(mine, mine),
        "differing": compared(mine, theirs),
    }


def nodes(count: int, differences: int) -> dict[str, Any]:
    """XA compares what it shares with XE; then again after XE has some otherwise."""
    from django.db import connection

    from factories import node_databases
    from factories.exchange_node import NOW, here, marked, payload
    from tansiq.exchange.node import publishing

    ours = node_databases.new()
    with node_databases.on(ours):
        said = {"kind": "case.note", "name": "1", "payload": payload("x" * 500), "team": "XA", "now": NOW}
        publishing.publish(here("XA"), markings=marked("XA", "XE"), **said)
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM exchange_outboxrow")
            cursor.execute(MANY_OBJECTS, [count - 1])
            cursor.execute(SHARED)
    theirs = node_databases.new(node_databases.content_of(ours))
    with node_databases.on(theirs), connection.cursor() as cursor:
        cursor.execute(AT_THE_PEER)
    equal = turned(ours, theirs)
    with node_databases.on(theirs), connection.cursor() as cursor:
        cursor.execute(OTHERWISE, [differences])
    differing = turned(ours, theirs)
    assert (equal["differences"], differing["differences"]) == (0, differences)
    return {"equal": equal, "differing": differing}


def turned(ours: Any, theirs: Any) -> dict[str, Any]:
    """All turns of a comparison, to its outcome. The first turn of each side reads all of its rows."""
    from factories.exchange_node import NOW, here
    from factories.node_databases import on
    from tansiq.exchange.models import Comparison
    from tansiq.exchange.node import asking, compared, comparing
    from tansiq.exchange.requests import Answer, Ask
    from tansiq.exchange.values import new_id

    xa, xe = here("XA"), here("XE")
    comparing._opened.clear()
    compared._answered.clear()
    size_bytes = bodies = 0
    begun = time.perf_counter()
    with on(ours):
        ask = comparing.begin(xa, "XE", NOW)
    read_seconds = time.perf_counter() - begun
    while ask is not None:
        with on(theirs):
            (given,) = compared.on_ask(xe, "XA", ask, NOW)
        said = [Ask(**asking.head(xa, "XE", NOW), asked=ask)]
        said += [Answer(**asking.head(xe, "XA", NOW), answers=new_id(NOW), given=given)]
        size_bytes += sum(len(body.written()) for body in said)
        bodies += len(said)
        with on(ours):
            ask = next(iter(comparing.on_given(xa, "XE", given, NOW)), None)
    seconds = time.perf_counter() - begun
    with on(ours):
        row = Comparison.objects.order_by("-id").first()
    return {
        "seconds": round(seconds, 2),
        "of_which_reading_at_the_opener": round(read_seconds, 2),
        "bodies": bodies,
        "bytes": size_bytes,
        "differences": row.missing + row.extra + row.different,
    }


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--items", type=int, default=1_000_000)
    arguments.add_argument("--differences", type=int, default=10)
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"TANSIQ_HOME": folder, "DJANGO_SETTINGS_MODULE": "tansiq.settings"}
        import django

        django.setup()
        figures = {"items": chosen.items, "lists": lists(chosen.items, chosen.differences)}
        figures["nodes"] = nodes(chosen.items, chosen.differences)
    figures["peak_mb_all_in_one_process"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
