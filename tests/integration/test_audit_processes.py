"""Several processes append to one chain, on both databases, and one of them is killed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conftest import Run, environment

WRITERS, EACH = 4, 50

SET_UP = """
from tansiq.cli import node; node.opened()
"""
WRITE = """
import sys
from datetime import UTC, datetime
from tansiq.cli import node; node.opened()
from tansiq.audit.actions import record
from tansiq.core.viewer import Viewer
writer, rows = int(sys.argv[1]), int(sys.argv[2])
viewer = Viewer(person=f"P-{writer}", team="XA-CERT")
for n in range(rows):
    record("case.opened", ("case", n), by=viewer, now=datetime.now(UTC), why="because" if n % 2 else "", writer=writer)
    if n == 0:
        print("begun", flush=True)
"""


def writer(number: int, rows: int, home: Path, **extra: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITE, str(number), str(rows)]
    return subprocess.Popen(command, env=environment(home) | extra, stdout=subprocess.PIPE, text=True)


def verdict(run: Run, **extra: str) -> dict[str, object]:
    finished = run("audit", "verify", "--json", **extra)
    assert finished.returncode == 0
    return json.loads(finished.stdout)


@pytest.mark.sqlite(why="its twin below runs on PostgreSQL")
def test_writers_of_four_processes_make_one_chain_without_a_gap_on_sqlite(run: Run, home: Path) -> None:
    writers = [writer(number, EACH, home) for number in range(WRITERS)]
    ends = [(process.communicate(timeout=300)[0], process.returncode) for process in writers]

    held = verdict(run)

    assert ends == [("begun\n", 0)] * WRITERS
    assert (held["holds"], held["rows"], held["number"], held["guarded"]) == (
        True,
        WRITERS * EACH,
        WRITERS * EACH,
        True,
    )


def test_writers_of_four_processes_make_one_chain_without_a_gap_on_postgresql(
    run: Run, run_python: Run, home: Path, postgres: str
) -> None:
    (home / "version").unlink()  # of the database that this home had
    assert run_python(SET_UP, TANSIQ_DATABASE_URL=postgres).returncode == 0
    writers = [writer(number, EACH, home, TANSIQ_DATABASE_URL=postgres) for number in range(WRITERS)]
    ends = [(process.communicate(timeout=300)[0], process.returncode) for process in writers]

    held = verdict(run, TANSIQ_DATABASE_URL=postgres)

    assert ends == [("begun\n", 0)] * WRITERS
    assert (held["holds"], held["rows"], held["number"], held["guarded"]) == (
        True,
        WRITERS * EACH,
        WRITERS * EACH,
        True,
    )


TAMPERED = {
    "UPDATE audit_entry SET who = 'P-X' WHERE number = 2": "2 changed",
    "TRUNCATE audit_entry CASCADE": "1 missing",
    "DELETE FROM audit_reason": "2 reason-missing",
    "UPDATE audit_reason SET text = 'another'": "2 reason-changed",
    "UPDATE audit_head SET hash = 'x'": "3 head",
    "DELETE FROM audit_head": "3 head",
}
TAMPER = """
import sys
from tansiq.cli import node; node.opened()
from django.db import IntegrityError, connection, transaction
from tansiq.audit.verify import verify

def done(statement, guarded):
    with transaction.atomic(), connection.cursor() as cursor:
        for table in () if guarded else ("audit_entry", "audit_reason", "audit_head"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(statement)
        verdict = verify()
        print(verdict.broken.number, verdict.broken.fault, verdict.guarded)
        transaction.set_rollback(True)

for statement in sys.stdin.read().splitlines():
    try:
        done(statement, guarded=True)
    except IntegrityError as error:
        print(str(error).splitlines()[0])
    done(statement, guarded=False)
"""


def test_postgresql_refuses_changes_by_plain_sql_and_verify_finds_them_without_guards(
    run_python: Run, home: Path, postgres: str
) -> None:
    (home / "version").unlink()
    assert run_python(SET_UP, TANSIQ_DATABASE_URL=postgres).returncode == 0
    assert writer(1, 3, home, TANSIQ_DATABASE_URL=postgres).communicate(timeout=300)[0] == "begun\n"

    finished = subprocess.run(
        [sys.executable, "-c", TAMPER],
        env=environment(home) | {"TANSIQ_DATABASE_URL": postgres},
        input="\n".join(TAMPERED),
        capture_output=True,
        text=True,
        timeout=300,
    )

    expected = [line for found in TAMPERED.values() for line in ("the audit record is append-only", f"{found} False")]
    assert (finished.returncode, finished.stdout.splitlines()) == (0, expected)


def test_writer_killed_at_any_moment_leaves_a_chain_that_holds(run: Run, home: Path) -> None:
    for pause_seconds in (0.0, 0.05, 0.2):
        process = writer(1, 100_000, home)
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        time.sleep(pause_seconds)
        process.kill()
        process.communicate()

        held = verdict(run)

        assert process.returncode == -signal.SIGKILL  # it was at work
        assert held["holds"] is True
        assert isinstance(held["rows"], int) and held["rows"] >= 1


def test_chain_is_verified_while_others_append(run: Run, home: Path) -> None:
    process = writer(1, 100_000, home)
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"

    held = [verdict(run)["holds"] for _ in range(3)]
    appending = process.poll() is None
    process.kill()
    process.communicate()

    assert (held, appending) == ([True] * 3, True)
