"""Several writers, and writers that are killed: nothing is lost, doubled or half there."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from factories.lake import folded, home_at, report_id, shown
from factories.lake_writer import LINES, lines_of
from tansiq.lake import Lake

TESTS = Path(__file__).parents[1]


def writer(folder: Path, seed: int, reports: int, catalogue: str = "") -> subprocess.Popen[str]:
    catalogue = home_at(folder, catalogue or None).lake_catalogue
    command = [sys.executable, "-m", "factories.lake_writer", str(folder), catalogue, str(seed), str(reports)]
    return subprocess.Popen(command, cwd=TESTS, stdout=subprocess.PIPE, text=True)


def kill_sometime(process: subprocess.Popen[str], draw: random.Random, longest: float) -> bool:
    """SIGKILL at a drawn moment after the writer stored something. Returns: whether it was still at work."""
    assert process.stdout
    for _ready_and_stored in range(2):
        process.stdout.readline()
    time.sleep(draw.uniform(0, longest))
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return process.returncode == -signal.SIGKILL


def finish(processes: list[subprocess.Popen[str]]) -> None:
    for process in processes:
        said, _ = process.communicate(timeout=240)
        assert (process.returncode, said.split()[-1]) == (0, "done")


def check(folder: Path, reports: int, catalogue: str = "", *, whole: bool) -> int:
    """The lake shows exactly the lines that its progress speaks of; how many these are."""
    ids = [report_id(report) for report in range(reports)]
    with Lake.open(home_at(folder, catalogue or None)) as lake:
        stand = lake.progress(ids)
        there = [
            row
            for report in range(reports)
            if report_id(report) in stand
            for row in lines_of(report)[: stand[report_id(report)].end_line - 1]
        ]
        assert shown(lake.query()) == folded(there)
        assert sum(one.new for one in stand.values()) == len(folded(there))
        assert sum(one.events for one in stand.values()) == len(there)
        if whole:
            assert len(there) == reports * LINES
            assert all(one.complete for one in stand.values())
    return len(there)


def killed_again_and_again(folder: Path, seed: int, kills: int, catalogue: str = "") -> None:
    draw = random.Random(seed)
    reports = max(8, kills)
    moved = [0]
    met = 0
    for _ in range(kills):
        met += kill_sometime(writer(folder, draw.randrange(10**9), reports, catalogue), draw, longest=0.3)
        moved.append(check(folder, reports, catalogue, whole=False))
    finish([writer(folder, draw.randrange(10**9), reports, catalogue)])

    assert moved == sorted(moved)
    assert (moved[1] > 0, met > 0) == (True, True)
    assert check(folder, reports, catalogue, whole=True) == reports * LINES


def test_writer_killed_ten_times_leaves_whole_batches_only(tmp_path: Path) -> None:
    killed_again_and_again(tmp_path, seed=20260110, kills=10)


def test_four_writers_on_the_same_reports_lose_and_double_nothing(tmp_path: Path) -> None:
    finish([writer(tmp_path, seed, 10) for seed in range(4)])

    check(tmp_path, 10, whole=True)


@pytest.mark.long
def test_writers_killed_hundreds_of_times_leave_whole_batches_only(tmp_path: Path) -> None:
    seed = int(os.environ.get("TANSIQ_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 10**9)
    print(f"seed {seed}: set TANSIQ_TEST_SEED to draw the same again")
    draw = random.Random(seed)

    for round_number in range(20):
        killed_again_and_again(tmp_path / str(round_number), seed=draw.randrange(10**9), kills=10)


@pytest.mark.long
def test_four_writers_of_which_some_are_killed_lose_and_double_nothing(tmp_path: Path) -> None:
    seed = int(os.environ.get("TANSIQ_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 10**9)
    print(f"seed {seed}: set TANSIQ_TEST_SEED to draw the same again")
    draw = random.Random(seed)

    for _ in range(20):
        living = [writer(tmp_path, draw.randrange(10**9), 60) for _ in range(4)]
        for process in living:
            kill_sometime(process, draw, longest=1.0)
        check(tmp_path, 60, whole=False)
    finish([writer(tmp_path, draw.randrange(10**9), 60) for _ in range(4)])

    check(tmp_path, 60, whole=True)


@pytest.mark.long
def test_writers_on_a_postgresql_catalogue_lose_and_double_nothing(tmp_path: Path, postgres: str) -> None:
    draw = random.Random(7)

    for _ in range(5):
        kill_sometime(writer(tmp_path, draw.randrange(10**9), 12, postgres), draw, longest=1.5)
        check(tmp_path, 12, postgres, whole=False)
    finish([writer(tmp_path, seed, 12, postgres) for seed in range(4)])

    check(tmp_path, 12, postgres, whole=True)
