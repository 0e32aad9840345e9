"""``tansiq feeds ingest`` as scripts rely on it: counts, repeats, bad input, interrupted and parallel runs."""

from __future__ import annotations

import gzip
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from conftest import environment
from factories.reports import shadowserver

COUNTS = ("lines", "blank", "events", "new", "repeats", "rejected")


def ingested(run: Any, *files: Path, feed: str = "auto", code: int = 0, **more: str) -> dict[str, Any]:
    done = run("feeds", "ingest", feed, *files, "--json", **more)
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


def lake(run: Any, *, at: Path | None = None) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Everything in the lake but the clock, sorted: events and rejects."""
    found = []
    for verb in ("query", "rejects"):
        done = run("events", verb, "--json", **({"at": at} if at else {}))
        assert done.returncode == 0, done.stderr
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        for row in rows:
            row.pop("received_at")
        found.append(sorted(rows, key=lambda row: json.dumps(row, sort_keys=True)))
    return found[0], found[1]


def test_ingest_report_counts_add_up(run: Any, tmp_path: Path) -> None:
    report = tmp_path / "2026-03-02-scan_rdp-sample.csv"
    expected = shadowserver(report, lines=2000)

    result = ingested(run, report)

    (row,) = result["reports"]
    assert {name: row[name] for name in expected} == expected
    assert row["feed"] == "shadowserver"
    assert row["lines"] == 2001 == row["blank"] + row["events"] + row["rejected"]
    assert row["events"] == row["new"] + row["repeats"]
    assert result["totals"] == {name: row[name] for name in COUNTS}
    events, rejects = lake(run)
    assert len(events) == row["new"]
    assert sum(event["count"] for event in events) == row["events"]
    assert len(rejects) == row["rejected"]


def test_ingest_same_report_twice_changes_nothing(run: Any, tmp_path: Path) -> None:
    report, copy = tmp_path / "a.csv", tmp_path / "renamed.csv"
    shadowserver(report, lines=300)
    copy.write_bytes(report.read_bytes())
    first = ingested(run, report)["totals"]
    before = lake(run)

    again = ingested(run, report, copy)

    assert [row["new"] for row in again["reports"]] == [0, 0]
    assert [row["repeats"] for row in again["reports"]] == [first["events"]] * 2
    assert lake(run) == before


def test_ingest_twin_in_one_run_is_counted_once(run: Any, tmp_path: Path) -> None:
    report, copy = tmp_path / "a.csv", tmp_path / "b.csv"
    shadowserver(report, lines=300)
    copy.write_bytes(report.read_bytes())

    result = ingested(run, report, copy)

    first, second = result["reports"]
    assert (second["new"], second["repeats"], second["lines"]) == (0, first["events"], first["lines"])
    assert len(lake(run)[0]) == first["new"]


def test_ingest_unreadable_files_are_named_and_the_others_done(run: Any, tmp_path: Path) -> None:
    good, empty, binary, cut, unknown = (
        tmp_path / n for n in ("good.csv", "empty.csv", "x.bin", "cut.gz", "prose.txt")
    )
    shadowserver(good, lines=50)
    empty.touch()
    binary.write_bytes(bytes(range(256)) * 40)
    cut.write_bytes(gzip.compress(random.Random(1).randbytes(50_000))[:20_000])
    unknown.write_text("Dear colleagues, please find attached the minutes of our last meeting.\n" * 3)
    files = (tmp_path / "absent.csv", tmp_path, empty, binary, cut, unknown, good)

    result = ingested(run, *files, code=3)

    errors = [row.get("error", {}).get("code") for row in result["reports"]]
    assert errors == [
        "feeds.report.unreadable",
        "feeds.report.not_a_file",
        "feeds.report.empty",
        "feeds.report.not_text",
        "feeds.report.unreadable",
        "feeds.report.unrecognised",
        None,
    ]
    assert all(row["error"]["message"] and row["error"]["remedy"] for row in result["reports"][:-1])
    assert all(row["lines"] == 0 for row in result["reports"][:-1])
    assert result["totals"]["lines"] == 51


def test_ingest_header_without_rows_is_a_quiet_report(run: Any, tmp_path: Path) -> None:
    report = tmp_path / "2026-03-02-scan_rdp-sample.csv"
    shadowserver(report, lines=0)

    result = ingested(run, report)

    assert {name: result["totals"][name] for name in ("lines", "blank", "events")} == {
        "lines": 1,
        "blank": 1,
        "events": 0,
    }


def test_ingest_wrong_feed_says_what_it_looks_like(run: Any, tmp_path: Path) -> None:
    report = tmp_path / "report.csv"
    shadowserver(report, lines=20)

    result = ingested(run, report, feed="ipsum", code=3)

    error = result["reports"][0]["error"]
    assert error["code"] == "feeds.report.wrong_feed"
    assert "shadowserver" in error["message"]
    assert lake(run) == ([], [])


def test_ingest_unknown_feed_is_refused_with_the_known_ones(run: Any, tmp_path: Path) -> None:
    done = run("feeds", "ingest", "shadowsever", tmp_path / "a.csv")

    assert done.returncode == 2
    assert "shadowserver" in done.stderr


def test_ingest_line_of_many_megabytes_is_one_reject(run: Any, tmp_path: Path) -> None:
    report = tmp_path / "report.csv"
    shadowserver(report, lines=20)
    with report.open("ab") as file:
        file.write(b'"' + b"x" * (40 << 20) + b"\n")
        file.write(report.read_bytes().splitlines(keepends=True)[1])

    row = ingested(run, report)["reports"][0]

    assert row["lines"] == 23 == row["blank"] + row["events"] + row["rejected"]
    assert "line.too_long" in {reject["reason"] for reject in lake(run)[1]}


def test_ingest_dry_run_stores_nothing(run: Any, home: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.csv"
    expected = shadowserver(report, lines=200)

    done = run("feeds", "ingest", "auto", report, "--dry-run", "--json")

    row = json.loads(done.stdout)["reports"][0]
    assert {name: row[name] for name in expected} == expected
    assert row["new"] > 0
    assert lake(run) == ([], [])
    assert not list((home / "reports").glob("??/*"))


def test_ingest_small_blocks_give_the_same_lake(run: Any, home: Path, tmp_path: Path, set_up_home: Path) -> None:
    import shutil

    other = Path(shutil.copytree(set_up_home, tmp_path / "other"))
    report = tmp_path / "report.csv"
    shadowserver(report, lines=3000)

    ingested(run, report)
    ingested(run, report, at=other, TANSIQ_BLOCK_BYTES="20000")

    assert lake(run, at=other) == lake(run)


def test_ingest_parallel_processes_lose_and_duplicate_nothing(
    run: Any, home: Path, tmp_path: Path, set_up_home: Path
) -> None:
    import shutil

    other = Path(shutil.copytree(set_up_home, tmp_path / "other"))
    reports = [tmp_path / f"report{n}.csv" for n in range(6)]
    for seed, report in enumerate(reports):
        shadowserver(report, lines=800, seed=seed % 4)  # two of them are twins of others
    ingested(run, *reports)
    draw = random.Random(11)

    started = []
    for _worker in range(4):
        files = draw.sample(reports, len(reports))
        command = [sys.executable, "-m", "tansiq", "feeds", "ingest", "auto", *map(str, files), "--json"]
        extra = {"TANSIQ_BLOCK_BYTES": "16384"}
        started.append(subprocess.Popen(command, env=environment(other) | extra, stdout=subprocess.PIPE, text=True))
    results = [json.loads(process.communicate(timeout=300)[0]) for process in started]

    assert [process.returncode for process in started] == [0] * 4
    assert lake(run, at=other) == lake(run)
    assert sum(result["totals"]["new"] for result in results) == len(lake(run)[0])


def killed(home: Path, report: Path, after_seconds: float) -> bool:
    """Ingest in a process that is killed; whether the kill came before its end."""
    command = [sys.executable, "-m", "tansiq", "feeds", "ingest", "auto", str(report), "--json"]
    settings = environment(home) | {"TANSIQ_BLOCK_BYTES": "16384"}
    process = subprocess.Popen(command, env=settings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(after_seconds)
    os.kill(process.pid, signal.SIGKILL)
    return process.wait(timeout=60) == -signal.SIGKILL


def kill_and_go_on(run: Any, tmp_path: Path, set_up_home: Path, *, kills: int, seed: int) -> None:
    """Kill the ingest of one report after another at random moments until enough were killed; then finish each and
    compare its node with one that was never disturbed."""
    import shutil

    draw, hit = random.Random(seed), 0
    print(f"seed {seed}")
    calm = Path(shutil.copytree(set_up_home, tmp_path / "calm"))
    report = tmp_path / "report.csv"
    shadowserver(report, lines=2500, seed=seed, days=4)
    begun = time.monotonic()
    expected = ingested(run, report, at=calm)["totals"]
    longest = time.monotonic() - begun
    undisturbed = lake(run, at=calm)
    while hit < kills:
        home = Path(shutil.copytree(set_up_home, tmp_path / "disturbed"))
        for _time in range(draw.randrange(1, 6)):
            hit += killed(home, report, draw.uniform(0.3, 1.0) * longest)
            stored = run("events", "count", "--json", at=home)
            if stored.returncode == 0 and stored.stdout:
                assert json.loads(stored.stdout)["events"] <= expected["new"]
        totals = ingested(run, report, at=home)["totals"]
        assert {n: totals[n] for n in ("lines", "events", "rejected")} == {
            n: expected[n] for n in ("lines", "events", "rejected")
        }
        assert lake(run, at=home) == undisturbed
        shutil.rmtree(home)


def test_ingest_killed_at_random_moments_completes_when_run_again(run: Any, tmp_path: Path, set_up_home: Path) -> None:
    kill_and_go_on(run, tmp_path, set_up_home, kills=3, seed=3)


@pytest.mark.long
@pytest.mark.parametrize("drawing", range(8))
def test_ingest_killed_hundreds_of_times_completes_when_run_again(
    drawing: int, run: Any, tmp_path: Path, set_up_home: Path
) -> None:
    kill_and_go_on(run, tmp_path, set_up_home, kills=25, seed=random.SystemRandom().randrange(1 << 32))


@pytest.mark.long
def test_ingest_on_postgresql_gives_the_same_lake(run: Any, tmp_path: Path, postgres: str) -> None:
    home = tmp_path / "on-postgresql"
    reports = [tmp_path / f"report{n}.csv" for n in range(3)]
    for seed, report in enumerate(reports):
        shadowserver(report, lines=2000, seed=seed)
    ingested(run, *reports)

    result = ingested(run, *reversed(reports), at=home, TANSIQ_DATABASE_URL=postgres, TANSIQ_BLOCK_BYTES="32768")
    again = ingested(run, *reports, at=home, TANSIQ_DATABASE_URL=postgres)

    assert again["totals"]["new"] == 0
    events, rejects = lake(run)
    assert result["totals"]["new"] == len(events)
    stored = [run("events", verb, "--json", at=home, TANSIQ_DATABASE_URL=postgres) for verb in ("query", "rejects")]
    assert [len(done.stdout.splitlines()) for done in stored] == [len(events), len(rejects)]
    assert {json.loads(line)["event_id"] for line in stored[0].stdout.splitlines()} == {e["event_id"] for e in events}


@pytest.mark.long
def test_ingest_memory_does_not_grow_with_the_file(home: Path, tmp_path: Path) -> None:
    block = tmp_path / "block.csv"
    shadowserver(block, lines=40_000, days=5)
    header, body = block.read_bytes().split(b"\n", 1)
    peaks = []
    for times in (30, 120):
        report = tmp_path / f"{times}.csv"
        with report.open("wb") as file:
            file.write(header + b"\n")
            for number in range(times):
                file.write(body.replace(b"203.0.113.9", b"203.0.113.%d" % number))
        command = [sys.executable, "-m", "tansiq", "feeds", "ingest", "auto", str(report), "--json"]
        settings = environment(home) | {"TANSIQ_BLOCK_BYTES": str(4 << 20)}  # a dozen blocks at the least
        process = subprocess.Popen(command, env=settings, stdout=subprocess.DEVNULL)
        _pid, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0
        peaks.append(used.ru_maxrss)

    print(f"peaks {peaks} kB")
    assert peaks[1] < 1.5 * peaks[0]
    assert peaks[1] < 1_500_000  # kB
