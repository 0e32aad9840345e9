"""``tansiq audit`` as operators and scripts meet it."""

from __future__ import annotations

import json

from conftest import Run

FILL = """
from datetime import UTC, datetime
from tansiq.cli import node; node.opened()
from tansiq.audit.actions import record
from tansiq.members.models import Node, Team
from tansiq.members.viewers import operator
team = Team.objects.get(code="MA-MACERT")
Node.objects.update_or_create(pk=1, defaults={"code": "MA", "name": "MA", "language": "en", "team": team,
    "set_up_at": datetime(2026, 3, 1, tzinfo=UTC)})
record("team.changed", team, by=operator(), now=datetime(2026, 3, 1, 12, tzinfo=UTC), why="as asked\\x1b[2J", claims=3)
record("claim.stated", ("claim", 7), by=operator(), now=datetime(2026, 3, 2, 12, tzinfo=UTC), to=["XE", "XF"])
"""
TAMPER = """
from tansiq.cli import node; node.opened()
from django.db import connection
with connection.cursor() as cursor:
    on = " ON audit_entry" if connection.vendor == "postgresql" else ""
    cursor.execute(f"DROP TRIGGER audit_entry_unchanged{on}")
    cursor.execute("UPDATE audit_entry SET who = 'P-XXXXXX' WHERE number = 2")
"""


def filled(run_python: Run) -> None:
    finished = run_python(FILL)
    assert (finished.returncode, finished.stderr) == (0, "")


def rows(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_verify_of_a_chain_that_holds_says_rows_and_head(run: Run, run_python: Run) -> None:
    filled(run_python)

    number, hash = run("audit", "head").stdout.split()
    told, said = run("audit", "verify"), run("audit", "verify", "--json")

    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout == f"The audit record holds: 2 rows. The last one is 2, {hash}.\n"
    assert (number, said.returncode) == ("2", 0)
    assert rows(said.stdout) == [{"holds": True, "rows": 2, "number": 2, "hash": hash, "guarded": True, "broken": None}]


def test_verify_of_a_changed_row_names_it_and_ends_with_one(run: Run, run_python: Run) -> None:
    filled(run_python)
    assert run_python(TAMPER).returncode == 0

    told, said = run("audit", "verify"), run("audit", "verify", "--json")
    (answer,) = rows(said.stdout)

    assert (told.returncode, said.returncode, told.stdout) == (1, 1, "")
    assert told.stderr.splitlines() == [
        "The database no longer refuses changes of the record: its triggers are gone.",
        "The audit record is broken at row 2. Row 2 does not say what was recorded: its hash is another. Keep a copy"
        " of the database as it is, compare it with the last backup, and tell the Secretariat.",
    ]
    assert (answer["holds"], answer["rows"], answer["guarded"]) == (False, 1, False)
    assert {name: answer["broken"][name] for name in ("number", "fault", "code")} == {
        "number": 2,
        "fault": "changed",
        "code": "audit.chain.broken",
    }


def test_verify_against_a_noted_head_holds_and_against_another_does_not(run: Run, run_python: Run) -> None:
    filled(run_python)
    noted = json.loads(run("audit", "head", "--json").stdout)

    same = run("audit", "verify", "--number", str(noted["number"]), "--head", noted["hash"].upper())
    other = run("audit", "verify", "--number", "2", "--head", "0" * 64, "--json")
    longer = run("audit", "verify", "--number", "3", "--head", noted["hash"], "--json")

    assert same.returncode == 0
    assert (other.returncode, json.loads(other.stdout)["broken"]["fault"]) == (1, "noted")
    assert (longer.returncode, json.loads(longer.stdout)["broken"]["number"]) == (1, 3)


def test_verify_against_half_a_note_is_refused(run: Run) -> None:
    finished = run("audit", "verify", "--number", "2", "--json")

    assert (finished.returncode, json.loads(finished.stdout)["error"]["code"]) == (2, "audit.note.bad")


def test_list_shows_the_home_teams_rows_without_control_characters(run: Run, run_python: Run) -> None:
    filled(run_python)

    finished = run("audit", "list")

    assert finished.stdout.splitlines() == [
        "2  2026-03-02T12:00:00Z  operator (MA-MACERT)  claim.stated  claim:7  to=XE,XF",
        "1  2026-03-01T12:00:00Z  operator (MA-MACERT)  team.changed  team:MA-MACERT  claims=3  as asked\\x1b[2J",
    ]


def test_list_chooses_by_item_person_time_and_number(run: Run, run_python: Run) -> None:
    filled(run_python)

    def numbers(*arguments: str) -> list[object]:
        return [row["number"] for row in rows(run("audit", "list", "--json", *arguments).stdout)]

    assert numbers("--item", "team:MA-MACERT") == numbers("--item", "team") == numbers("--before", "2") == [1]
    assert numbers("--since", "2026-03-02") == numbers("--limit", "1") == numbers("--verb", "claim.") == [2]
    assert numbers("--until", "2026-03-02", "--by", "operator") == [1]
    assert numbers("--by", "P-OTHER") == []


def test_list_of_what_is_no_item_is_refused(run: Run) -> None:
    finished = run("audit", "list", "--item", "no item", "--json")

    assert (finished.returncode, json.loads(finished.stdout)["error"]["code"]) == (2, "audit.item.bad")


def test_erase_reason_leaves_the_row_and_a_chain_that_holds(run: Run, run_python: Run) -> None:
    filled(run_python)

    erased = run("audit", "erase-reason", "1", "--because", "request-of-the-person")
    first = rows(run("audit", "list", "--json", "--item", "team:MA-MACERT").stdout)[0]

    assert (erased.returncode, erased.stdout) == (0, "The reason of row 1 is erased; row 3 says so.\n")
    assert (first["why"], first["reason"]) == ("", "erased")
    assert run("audit", "verify").returncode == 0


def test_erase_reason_with_a_sentence_for_a_code_is_refused(run: Run, run_python: Run) -> None:
    filled(run_python)

    finished = run("audit", "erase-reason", "1", "--because", "she asked")

    assert (finished.returncode, finished.stdout) == (2, "")


def test_verbs_have_help_with_an_example(run: Run) -> None:
    for verb in ("verify", "list", "head", "erase-reason"):
        shown = run("audit", verb, "--help", COLUMNS="200").stdout
        assert f"tansiq audit {verb}" in shown.partition("Example:")[2]
