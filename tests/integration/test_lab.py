"""Real nodes, a real message server, and everything that a scenario breaks: see tests/scenarios."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from factories.backbone import eventually
from tansiq.workers.lab.crew import children_of

pytestmark = pytest.mark.sqlite(why="every node of a lab has a SQLite file of its own")

SCENARIOS = Path(__file__).parents[1] / "scenarios"
QUICK = "quick"
LONG = sorted(file.stem for file in SCENARIOS.glob("*.toml") if file.stem != QUICK)
LIMIT_SECONDS = 1200


def tansiq(*arguments: str) -> subprocess.CompletedProcess[str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith(("TANSIQ_", "DJANGO_"))}
    return subprocess.run(
        [sys.executable, "-P", "-m", "tansiq", *arguments],
        env=own | {"TANSIQ_LANGUAGE": "en"},
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
    )


def played(name: str, folder: Path) -> dict[str, object]:
    ended = tansiq("lab", "run", str(SCENARIOS / f"{name}.toml"), "--folder", str(folder / "lab"), "--json")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    figures: dict[str, object] = json.loads(ended.stdout)
    print(ended.stdout)
    return figures


def test_nodes_that_are_killed_over_a_bad_line_come_to_one_state(tmp_path: Path) -> None:
    figures = played(QUICK, tmp_path)

    assert figures["nodes"] == 4
    assert figures["done"]["killed"] == 5  # type: ignore[index]
    assert min(figures["proven"][what] for what in ("deeds", "markers", "handed")) > 0  # type: ignore[index]


@pytest.mark.long
@pytest.mark.parametrize("name", LONG)
def test_scenario_ends_in_one_state(name: str, tmp_path: Path) -> None:
    figures = played(name, tmp_path)

    assert min(figures["proven"][what] for what in ("deeds", "markers", "handed")) > 0  # type: ignore[index]


def test_lab_is_up_until_it_is_told_to_end(tmp_path: Path) -> None:
    folder = str(tmp_path / "lab")

    up = tansiq("lab", "up", "--nodes", "2", "--folder", folder, "--json")
    try:
        second = tansiq("lab", "up", "--nodes", "2", "--folder", folder, "--json")
        status = tansiq("lab", "status", "--folder", folder, "--json")
    finally:
        down = tansiq("lab", "down", "--folder", folder, "--json")
    after = tansiq("lab", "status", "--folder", folder, "--json")
    more = tansiq("lab", "up", "--nodes", "5", "--folder", folder, "--json")

    assert up.returncode == 0, up.stdout + up.stderr
    assert sorted(json.loads(status.stdout)["running"]) == ["XA", "XB"]
    assert json.loads(second.stdout)["error"]["code"] == "lab.there"
    assert json.loads(down.stdout) == {"down": True}
    assert (after.returncode, json.loads(after.stdout)["error"]["code"]) == (2, "lab.ended")
    assert (more.returncode, json.loads(more.stdout)["error"]["code"]) == (2, "lab.other_number")


def test_ctrl_c_ends_what_is_being_set_up(tmp_path: Path) -> None:
    folder = tmp_path / "lab"
    going = subprocess.Popen(
        [sys.executable, "-P", "-m", "tansiq", "lab", "up", "--nodes", "2", "--folder", str(folder)],
        env={name: value for name, value in os.environ.items() if not name.startswith(("TANSIQ_", "DJANGO_"))},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    eventually(lambda: (folder / "template").is_dir() and len(children_of(going.pid)) == 1, 60)
    (keeper,) = children_of(going.pid)

    going.send_signal(signal.SIGINT)
    code = going.wait(60)
    with suppress(ProcessLookupError):
        os.kill(keeper, signal.SIGKILL)
        pytest.fail("what sets the lab up goes on")

    assert code == 130
    assert not (folder / "control").exists()


def test_scenario_that_cannot_be_read_is_no_trouble_of_the_disk(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "none.toml"):
        refused = tansiq("lab", "run", str(place), "--json")

        assert (refused.returncode, json.loads(refused.stdout)["error"]["code"]) == (3, "file.unreadable")


def test_scenario_with_a_step_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text('title = "x"\nnodes = 3\n[[step]]\ndo = "explode"\n')

    refused = tansiq("lab", "run", str(file), "--json")

    assert refused.returncode == 2
    assert json.loads(refused.stdout)["error"]["code"] == "lab.scenario"


def test_every_step_that_may_be_written_can_be_done(_connected: None) -> None:
    from tansiq.workers.lab.running import STEPS
    from tansiq.workers.lab.scenario import WORDS

    assert STEPS.keys() == WORDS.keys()
