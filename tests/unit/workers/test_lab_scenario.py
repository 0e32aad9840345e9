"""Scenario files are read whole and checked before anything is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from tansiq.workers.lab import scenario
from tansiq.workers.lab.faults import Faults, Watched, write
from tansiq.workers.lab.place import codes
from tansiq.workers.lab.scenario import BadScenario, Step

SCENARIOS = Path(__file__).parents[2] / "scenarios"


def read(text: str, folder: Path) -> scenario.Scenario:
    file = folder / "scenario.toml"
    file.write_text(text)
    return scenario.read(file)


def test_scenario_is_read_with_its_steps_in_order(tmp_path: Path) -> None:
    found = read('title = "T"\nnodes = 3\n[[step]]\ndo = "kill"\nat = 2\n[[step]]\ndo = "settle"\n', tmp_path)

    assert (found.title, found.nodes, found.seed) == ("T", 3, 1)
    assert found.steps == [Step(1, "kill", {"at": 2}), Step(2, "settle", {})]


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("nodes = 3", "title"),
        ('title = "T"\nnodes = 1', "nodes"),
        ('title = "T"\nnodes = "many"', "nodes"),
        ('title = "T"\nnodes = 3\nspeed = 1', "speed"),
        ('title = "T"\nnodes = 3\n[faults]\nrust = 0.5', "faults.rust"),
        ('title = "T"\nnodes = 3\n[[step]]\ndo = "explode"', "step 1: do"),
        ('title = "T"\nnodes = 3\n[[step]]\ndo = "kill"\nat = "XQ"', "step 1: at"),
        ('title = "T"\nnodes = 3\n[[step]]\ndo = "kill"\nat = true', "step 1: at"),
        ("title = ", "TOML"),
    ],
)
def test_scenario_that_cannot_be_played_is_refused(text: str, field: str, tmp_path: Path) -> None:
    with pytest.raises(BadScenario) as refused:
        read(text, tmp_path)

    assert refused.value.values["field"] == field


@pytest.mark.parametrize("file", sorted(SCENARIOS.glob("*.toml")), ids=lambda file: file.stem)
def test_scenarios_of_the_tests_are_fit(file: Path) -> None:
    assert scenario.read(file).title


def test_codes_are_those_that_iso_3166_leaves_to_users() -> None:
    assert codes(28)[:2] + codes(28)[25:] == ["XA", "XB", "XZ", "XAA", "XAB"]
    assert len(set(codes(57))) == 57


def test_faults_are_had_as_soon_as_they_are_written(tmp_path: Path) -> None:
    file = tmp_path / "XA.faults.json"
    watched = Watched(file)

    before = watched.now
    write(file, faults := Faults(drop=0.5, cut_in=frozenset({"XB"}), skew_seconds=86400))

    assert (before, watched.now) == (Faults(), faults)
    assert (watched.now.cuts_in("XB"), watched.now.cuts_in("XC"), watched.now.cuts_out("XB")) == (True, False, False)
