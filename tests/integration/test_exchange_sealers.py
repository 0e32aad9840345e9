"""Two processes that seal and attempt one channel at the same time, on one database."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from subprocess import CompletedProcess

TESTS = str(Path(__file__).parents[1])
ROWS = 200

PUBLISH = """
from tansiq.cli import node
node.opened()
from factories.exchange_node import NOW, here, marked, payload
from tansiq.exchange.node.publishing import Change, publish_all
changes = [
    Change(kind="event", name=str(number), payload=payload(), markings=marked("XA", "XE"), team="XA")
    for number in range({rows})
]
publish_all(here("XA"), changes, NOW)
"""
WORK = """
import json
import time
from tansiq.cli import node
node.opened()
from factories.exchange_node import NOW, here
from tansiq.exchange.body import Lane
from tansiq.exchange.node.attempts import due_attempts
from tansiq.exchange.node.sealing import release, seal_channel
from tansiq.exchange.models import OutboxRow
xa, attempted, idle = here("XA"), [], 0
home = node.home().path
(home / "ready.{worker}").touch()
while len(list(home.glob("ready.*"))) < 2:
    time.sleep(0.01)
while OutboxRow.objects.exists() and idle < 5000:
    idle += not seal_channel(xa, "XE", Lane.BULK, worker="{worker}", now=NOW, most=7)
    release("{worker}")
    attempted += [attempt.first for attempt in due_attempts(xa, "XE", Lane.BULK, now=NOW)]
attempted += [attempt.first for attempt in due_attempts(xa, "XE", Lane.BULK, now=NOW)]
print(json.dumps(attempted))
"""
CHAIN = """
import json
from tansiq.cli import node
node.opened()
from tansiq.exchange.models import OutChannel, Sent
rows = list(Sent.objects.order_by("first").values_list("first", "prev", "digest"))
channel = OutChannel.objects.get()
print(json.dumps([rows, channel.given, channel.hash, channel.waiting_bodies]))
"""


def test_two_sealers_at_once_give_each_position_once_in_one_chain(
    run_python: Callable[..., CompletedProcess[str]],
) -> None:
    def done(program: str) -> str:
        finished = run_python(program, PYTHONPATH=TESTS)
        assert finished.returncode == 0, finished.stderr
        return finished.stdout

    done(PUBLISH.format(rows=ROWS))

    with ThreadPoolExecutor(2) as pool:
        attempted = [json.loads(said) for said in pool.map(done, [WORK.format(worker=name) for name in ("a", "b")])]

    rows, given, last, waiting = json.loads(done(CHAIN))
    assert [first for first, _prev, _digest in rows] == list(range(1, ROWS + 1))
    assert [prev for _first, prev, _digest in rows[1:]] == [digest for _first, _prev, digest in rows[:-1]]
    assert (given, last, waiting) == (ROWS, rows[-1][2], ROWS)
    assert sorted(attempted[0] + attempted[1]) == list(range(1, ROWS + 1))
