"""What the doctor says of installations that are well, broken in one way each, and not there."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from factories.postgres import execute

Run = Callable[..., CompletedProcess[str]]
OF_THE_MACHINE = {"clock.alone", "disk.full"}  # which this test does not choose
OF_A_NEW_NODE = {"mail.not_configured", "addresses.none", "backup.none"}


def findings(done: CompletedProcess[str]) -> dict[str, dict[str, str]]:
    assert "Traceback" not in done.stderr, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return {row["code"]: row for row in rows if row["code"] not in OF_THE_MACHINE}


def bad(done: CompletedProcess[str]) -> set[str]:
    return {code for code, row in findings(done).items() if row["severity"] == "bad"}


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@pytest.fixture
def look(run: Run) -> Callable[..., CompletedProcess[str]]:
    return lambda **extra: run("doctor", "--json", **({"TANSIQ_PORT": free_port()} | extra))


def test_doctor_finds_nothing_bad_in_a_new_node(look: Run) -> None:
    done = look()

    assert set(findings(done)) == OF_A_NEW_NODE
    assert (bad(done), done.returncode) == (set(), 0)


def test_doctor_says_in_words_what_is_wrong_and_what_to_do(run: Run, home: Path) -> None:
    (home / "secrets/session.key").chmod(0o644)

    done = run("doctor", TANSIQ_PORT=free_port())

    assert done.returncode == 1
    key = home / "secrets/session.key"
    said = f"Wrong: Others on this machine can read {key}. `chmod 600 {key}`, then think about whether somebody did."
    assert said in done.stdout.splitlines()


def test_doctor_of_no_node_makes_none(run: Run, tmp_path: Path) -> None:
    done = run("doctor", "--json", at=tmp_path / "none")

    assert (set(findings(done)), done.returncode, (tmp_path / "none").exists()) == ({"home.none"}, 0, False)


@pytest.mark.parametrize(
    ("harm", "code"),
    [
        (lambda home: home.chmod(0o755), "home.open"),
        (lambda home: (home / "secrets/session.key").unlink(), "keys.missing"),
        (lambda home: (home / "secrets/backbone.token").write_text(""), "keys.empty"),
        (lambda home: (home / "secrets/session.key").chmod(0o640), "keys.open"),
        pytest.param(
            lambda home: (home / "tansiq.sqlite3").write_bytes(b"no database" * 1000),
            "database.unreachable",
            marks=pytest.mark.sqlite(why="damages the file that SQLite keeps"),
        ),
        (lambda home: execute(home, "DELETE FROM django_migrations WHERE app = 'notices'"), "database.older"),
        (
            lambda home: execute(
                home,
                "INSERT INTO django_migrations (app, name, applied) VALUES ('members', '9999_later', '2026-11-22')",
            ),
            "database.newer",
        ),
        (
            lambda home: execute(
                home,
                "INSERT INTO notices_jobrun (name, due_at, started_at, outcome, count, trouble)"
                " VALUES ('x', '2999-01-01', '2999-01-01', '', 0, '')",
            ),
            "clock.went_back",
        ),
        (
            lambda home: execute(
                home,
                "INSERT INTO notices_jobrun (name, due_at, started_at, outcome, count, trouble)"
                " VALUES ('audit', '2026-01-01', '2026-01-01', 'failed', 0, 'row 7')",
            ),
            "worker.job_failed",
        ),
        (
            lambda home: (home / "tables").mkdir() or (home / "tables/addresses.json").write_text("{"),
            "addresses.table.broken",
        ),
    ],
)
def test_doctor_names_one_harm_alone(look: Run, home: Path, harm: Callable[[Path], object], code: str) -> None:
    harm(home)

    done = look()

    assert (bad(done), done.returncode) == ({code}, 1)


def test_doctor_sees_mail_that_is_stuck(look: Run, home: Path) -> None:
    execute(
        home,
        'INSERT INTO notices_mail ("to", subject, text, html, language, message_id, stage, queued_at, next_try_at,'
        " tries, uncertain, claim, trouble) VALUES ('a@b.example', 's', 't', '', 'en', 'm', 'waiting',"
        " '2026-01-01', '2026-01-01', 3, 0, '', '535 no')",
    )

    done = look(TANSIQ_SMTP_URL="smtp://localhost:2525")

    assert bad(done) == {"mail.stuck"}
    assert "(1); the mail server said: 535 no" in findings(done)["mail.stuck"]["what"]


def test_doctor_sees_a_port_that_another_program_has(look: Run) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()

        done = look(TANSIQ_PORT=str(other.getsockname()[1]))

    assert bad(done) == {"web.port.taken"}


def test_doctor_sees_a_portal_that_listens_to_all_and_calls_itself_localhost(look: Run) -> None:
    assert bad(look(TANSIQ_BIND="0.0.0.0")) == {"address.loopback"}


def test_doctor_sees_an_up_whose_parts_are_silent(look: Run, home: Path) -> None:
    import fcntl

    with (home / "up.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)

        done = look()

    assert bad(done) == {"web.silent", "backbone.silent", "worker.silent"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_doctor_sees_a_key_of_another_user(look: Run, home: Path) -> None:
    os.chown(home / "secrets/session.key", 12345, -1)

    assert bad(look()) == {"keys.owner"}
