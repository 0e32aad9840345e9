"""What every command does when the ground gives way: a reader who leaves, a full disk, a folder that is none."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from conftest import environment
from factories.interrupting import wait_for_first_line

Run = Callable[..., subprocess.CompletedProcess[str]]
ADDRESSES = 5_000
TANSIQ = f"{sys.executable} -m tansiq"


@pytest.fixture
def shell(home: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    def shell(line: str, at: Path = home) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-o", "pipefail", "-c", line.replace("tansiq", TANSIQ, 1)],
            env=environment(at),
            capture_output=True,
            text=True,
            timeout=120,
        )

    return shell


@pytest.fixture
def addresses(tmp_path: Path) -> Path:
    """So many addresses that their events overflow a pipe."""
    file = tmp_path / "addresses.txt"
    file.write_text("".join(f"2001:db8::{n:x}\n" for n in range(ADDRESSES)), encoding="ascii")
    return file


def no_traceback(done: subprocess.CompletedProcess[str]) -> bool:
    return "Traceback" not in done.stderr


@pytest.mark.parametrize("verb", ["events query --json", "events query --csv", "events count --by ip --json"])
def test_output_whose_reader_leaves_ends_with_141_and_no_word(
    run: Run, shell: Callable[..., subprocess.CompletedProcess[str]], addresses: Path, verb: str
) -> None:
    run("feeds", "ingest", "plain", addresses)

    done = shell(f"tansiq {verb} | head -n 1")

    assert (done.returncode, done.stderr) == (141, "")
    assert len(done.stdout.splitlines()) == 1


@pytest.mark.parametrize("verb", ["feeds list", "feeds list --json", "events count --json", "members list", "--help"])
def test_output_to_a_full_disk_is_storage_trouble(
    shell: Callable[..., subprocess.CompletedProcess[str]], verb: str
) -> None:
    done = shell(f"tansiq {verb} > /dev/full")

    assert done.returncode == 4
    assert no_traceback(done)


@pytest.mark.parametrize("verb", ["feeds list", "events count --json", "events query --json", "members whois MA"])
def test_output_that_is_closed_is_no_error(shell: Callable[..., subprocess.CompletedProcess[str]], verb: str) -> None:
    done = shell(f"tansiq {verb} >&-")

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("verb", ["members whois MA", "events count", "geo status", "feeds ingest auto x"])
def test_home_that_is_a_file_is_refused_by_every_command(run: Run, tmp_path: Path, verb: str) -> None:
    file = tmp_path / "file"
    file.write_text("a report", encoding="ascii")

    done = run(*verb.split(), at=file)

    assert done.returncode == 4
    assert f"The node's folder {file} cannot be used: File exists." in done.stderr
    assert no_traceback(done)


def test_home_named_in_arabic_with_a_space_works(run: Run, tmp_path: Path, addresses: Path) -> None:
    home = tmp_path / "بيت الفريق"

    done = run("feeds", "ingest", "plain", addresses, "--json", at=home)

    assert json.loads(done.stdout)["totals"]["new"] == ADDRESSES


@pytest.mark.sqlite(why="damages the file that SQLite keeps")
def test_database_that_is_damaged_is_storage_trouble(run: Run, home: Path) -> None:
    (home / "tansiq.sqlite3").write_bytes(b"no database at all" * 1000)

    done = run("members", "list", "--json")

    assert done.returncode == 4
    assert json.loads(done.stdout)["error"]["code"] == "database.trouble"


def test_error_with_json_is_an_object_on_standard_output(run: Run) -> None:
    done = run("events", "query", "--json", "--since", "yesterday")

    assert (done.returncode, done.stderr) == (2, "")
    error = json.loads(done.stdout)["error"]
    assert error["code"] == "events.time.bad"
    assert set(error) == {"code", "message", "remedy"}


def test_file_name_that_is_no_utf8_is_ingested_and_named_exactly(run: Run, tmp_path: Path, addresses: Path) -> None:
    file = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe.txt"))
    file.write_bytes(addresses.read_bytes())

    done = run("feeds", "ingest", "plain", file, "--json")

    assert (done.returncode, no_traceback(done)) == (0, True)
    (report,) = json.loads(done.stdout)["reports"]
    assert os.fsencode(report["file"]) == os.fsencode(file)
    assert report["new"] == ADDRESSES


def test_file_name_with_a_control_sequence_or_markup_is_shown_harmlessly(run: Run, tmp_path: Path) -> None:
    hostile = tmp_path / "\x1b[31m[" / "red]\n.txt"
    hostile.parent.mkdir()
    hostile.write_text("192.0.2.1\n", encoding="ascii")
    missing = tmp_path / "\x1b]0;title\x07[bold].txt"

    done = run("feeds", "ingest", "plain", hostile, missing)

    assert done.returncode == 3
    assert no_traceback(done)
    assert "\x1b" not in done.stdout + done.stderr
    assert "[/red]" in done.stdout
    assert "\\x1b]0;title\\x07[bold]" in done.stderr


def test_file_name_that_is_too_long_is_unreadable_and_the_others_are_done(run: Run, addresses: Path) -> None:
    done = run("feeds", "ingest", "plain", "a" * 300, addresses, "--json")

    assert done.returncode == 3
    first, second = json.loads(done.stdout)["reports"]
    assert first["error"]["code"] == "feeds.report.unreadable"
    assert second["new"] == ADDRESSES


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [(("--by", "team,team"), {"team": None, "events": 1, "sightings": 1}), ((), {"events": 1, "sightings": 1})],
)
def test_count_with_a_column_named_twice_counts_by_it_once(
    run: Run, tmp_path: Path, arguments: tuple[str, ...], expected: dict[str, object]
) -> None:
    file = tmp_path / "one.txt"
    file.write_text("192.0.2.1\n", encoding="ascii")
    run("feeds", "ingest", "plain", file)

    done = run("events", "count", *arguments, "--json")

    assert json.loads(done.stdout) == expected


def test_count_of_nothing_is_zero_events_and_zero_sightings(run: Run) -> None:
    done = run("events", "count", "--json")

    assert json.loads(done.stdout) == {"events": 0, "sightings": 0}


def test_limit_beyond_all_numbers_is_refused_as_an_argument(run: Run) -> None:
    done = run("events", "query", "--limit", "99999999999999999999", "--json")

    assert done.returncode == 2
    assert no_traceback(done)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """``small_disk(kilobytes)``: a file system of that size; called again it is resized."""
    place = tmp_path / "disk"
    place.mkdir()

    def small_disk(kilobytes: int) -> Path:
        options = f"size={kilobytes}k" if not place.is_mount() else f"remount,size={kilobytes}k"
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", place], capture_output=True)
        if done.returncode:
            pytest.skip("mounting a small file system is not permitted here")
        return place

    yield small_disk
    if place.is_mount():
        subprocess.run(["umount", place], check=True)


@pytest.mark.parametrize("kilobytes", [100, 300, 450, 600, 1000])
def test_full_disk_is_said_clearly_and_the_same_command_completes_later(
    run: Run, small_disk: Callable[[int], Path], tmp_path: Path, kilobytes: int
) -> None:
    report = tmp_path / "report.txt"
    report.write_text("".join(f"10.{n // 65536}.{n // 256 % 256}.{n % 256}\n" for n in range(40_000)), "ascii")
    home = small_disk(kilobytes) / "home"

    refused = run("feeds", "ingest", "plain", report, "--json", at=home)
    small_disk(100_000)
    seen = run("events", "count", "--json", at=home)
    done = run("feeds", "ingest", "plain", report, "--json", at=home)

    assert refused.returncode == 4
    assert no_traceback(refused)
    assert json.loads(seen.stdout) == {"events": 0, "sightings": 0}
    assert json.loads(done.stdout)["totals"]["new"] == 40_000


@pytest.mark.parametrize("seconds", [0.3, 1.0, 2.0])
def test_ctrl_c_ends_an_ingest_without_a_word_and_the_next_run_completes_it(
    run: Run, home: Path, tmp_path: Path, seconds: float
) -> None:
    report = tmp_path / "report.txt"
    lines = 600_000
    report.write_text("".join(f"10.{n // 65536}.{n // 256 % 256}.{n % 256}\n" for n in range(lines)), "ascii")
    command = [sys.executable, "-m", "tansiq", "feeds", "ingest", "plain", str(report)]
    # Python's own choice of warnings, as a user has it: an import that ends in its middle leaves a file open.
    settings = environment(home) | {"TANSIQ_BLOCK_BYTES": str(1 << 20), "PYTHONWARNINGS": ""}

    with subprocess.Popen(command, env=settings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as going:
        wait_for_first_line(going)
        time.sleep(seconds)
        going.send_signal(signal.SIGINT)
        _out, said = going.communicate(timeout=120)
    done = run("feeds", "ingest", "plain", report, "--json")
    counted = run("events", "count", "--json")

    # 0 where it was quicker than the signal; ended by the signal itself where that met the very start or end.
    assert (going.returncode, said) in ((130, ""), (-signal.SIGINT, "")) or going.returncode == 0
    assert not [entry for entry in (home / "lake.staging").iterdir() if len(entry.name) == 32]
    assert json.loads(done.stdout)["totals"]["events"] == lines
    assert json.loads(counted.stdout) == {"events": lines, "sightings": lines}


@pytest.mark.parametrize("verb", ["events count --json", "events query --json", "events compact --json"])
@pytest.mark.parametrize("content", [None, b"PAR1 cut in half"])
def test_lake_that_lost_a_file_or_a_part_of_one_is_said_to_be_damaged(
    run: Run, home: Path, tmp_path: Path, verb: str, content: bytes | None
) -> None:
    for name in ("1", "2"):
        (tmp_path / name).write_text(f"2001:db8::{name}\n", encoding="ascii")
        run("feeds", "ingest", "plain", tmp_path / name)
    file = next((home / "lake" / "main" / "events").glob("**/*.parquet"))
    file.unlink()
    if content is not None:
        file.write_bytes(content)

    done = run(*verb.split())

    assert done.returncode == 4
    assert no_traceback(done)
    assert json.loads(done.stdout.splitlines()[-1])["error"]["code"] == "lake.damaged"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TANSIQ_DATABASE_URL", "postgresql://user:secret@192.0.2.1:port/name"),
        ("TANSIQ_DATABASE_URL", "postgresql://user:secret@[2001:db8::1/name"),
        ("TANSIQ_DATABASE_URL", "mysql://user:secret@192.0.2.1/name"),
        ("TANSIQ_HOME", "~nobody-of-that-name/tansiq"),
        ("TANSIQ_BLOCK_BYTES", "many"),
    ],
)
def test_setting_that_cannot_be_understood_is_named_without_its_secret(run: Run, name: str, value: str) -> None:
    done = run("members", "list", "--json", **{name: value})

    assert done.returncode == 2
    error = json.loads(done.stdout)["error"]
    assert error["code"] == "settings.bad"
    assert name in error["message"]
    assert "secret" not in done.stdout + done.stderr
