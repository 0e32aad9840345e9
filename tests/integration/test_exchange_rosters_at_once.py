"""Two processes that accept a first roster at the same time, on one database."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from subprocess import CompletedProcess

import tansiq

PATHS = os.pathsep.join((str(Path(__file__).parents[1]), str(Path(tansiq.__file__).parents[1])))
OTHERS = 3

NAMED = """
from tansiq.cli import node
node.opened()
from datetime import UTC, datetime
from tansiq.members.actions.node import first_administrator
first_administrator(code="XA", name="XA", language="en", team_code="XA-CERT", now=datetime.now(UTC))
"""
ACCEPT = """
import json
import sys
import time
from datetime import UTC, datetime
from tansiq.cli import node
node.opened()
from people import GRACE
from tansiq.exchange.node import rosters
from tansiq.exchange.roster_signing import SignedRoster
from tansiq.members.models import Node
home = node.home().path
signed = SignedRoster.read((home / "first.json").read_bytes())
Node.objects.first()  # connected
(home / "ready.{worker}").touch()
while len(list(home.glob("ready.*"))) < {workers}:
    time.sleep(0.001)
outcome = rosters.accept_signed([signed], by=GRACE, now=datetime.now(UTC), realm="live", anchor=signed.digest)
print(json.dumps([type(outcome).__name__, rosters.current().epoch]))
"""
SEEN = """
import json
from tansiq.cli import node
node.opened()
from tansiq.audit.models import Entry
from tansiq.exchange.models import Life, RosterRecord
accepted = Entry.objects.filter(verb="roster.accepted")
print(json.dumps([RosterRecord.objects.count(), Life.objects.count(), accepted.count()]))
"""


def test_first_roster_accepted_by_several_at_once_is_accepted_once_and_there_for_the_others(
    home: Path, run_python: Callable[..., CompletedProcess[str]]
) -> None:
    from factories import rosters as make
    from tansiq.exchange.roster_signing import signed

    def done(program: str) -> str:
        finished = run_python(program, PYTHONPATH=PATHS)
        assert finished.returncode == 0, finished.stderr
        return finished.stdout

    done(NAMED)
    (home / "first.json").write_text(signed(make.founded("XA", "XB"), make.signer()).written())

    programs = [ACCEPT.format(worker=number, workers=OTHERS + 1) for number in range(OTHERS + 1)]
    with ThreadPoolExecutor(len(programs)) as pool:
        outcomes = sorted(json.loads(said) for said in pool.map(done, programs))

    assert outcomes == [["Accepted", 1], *[["Behind", 1]] * OTHERS]
    assert json.loads(done(SEEN)) == [1, 1, 1]
