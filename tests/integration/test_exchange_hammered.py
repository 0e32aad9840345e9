"""Processes that work on the same nodes at once, on PostgreSQL, and are killed in the midst of it, break no promise."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import Run
from factories import node_databases
from factories import postgres as servers

TESTS = str(Path(__file__).parents[1])
CODES = ("XA", "XE", "XF")
LIMIT_SECONDS = 1800
PROGRAM = """
import json
from pathlib import Path
from federation_hammered import hammered
print(json.dumps(hammered({address!r}, {names!r}, steps={steps}, seed={seed}, folder=Path({folder!r}))))
"""


@pytest.fixture
def names(cluster: servers.Cluster, monkeypatch: pytest.MonkeyPatch, _connected: None) -> Iterator[dict[str, str]]:
    """Of the nodes' databases."""
    from federation_hammered import Table

    monkeypatch.setattr(servers, "running", cluster)
    connections = {code: node_databases.new() for code in CODES}
    for connection in connections.values():
        connection.connection.execute(Table.CREATE)
        connection.connection.close()
    yield {code: connection.settings_dict["NAME"] for code, connection in connections.items()}
    for connection in connections.values():
        connection.connect()
        connection.connection.execute("DROP TABLE desk")
        node_databases.leave(connection)


def hammered(run_python: Run, cluster: servers.Cluster, names: dict[str, str], **how: Any) -> dict[str, Any]:
    program = PROGRAM.format(address=cluster.address, names=names, **how)
    path = os.pathsep.join([TESTS, *os.environ.get("PYTHONPATH", "").split(os.pathsep)])
    done = run_python(program, seconds=LIMIT_SECONDS, PYTHONPATH=path)
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def test_nodes_that_several_processes_work_on_come_to_rest_and_hold_the_same(
    run_python: Run, cluster: servers.Cluster, names: dict[str, str], tmp_path: Path
) -> None:
    said = hammered(run_python, cluster, names, steps=100, seed=1, folder=str(tmp_path))

    assert said["wrong"] == []
    assert min(said["kills"], said["done"]["publish"], said["done"]["work"]) > 0


@pytest.mark.long
@pytest.mark.parametrize("seed", range(4))
def test_nodes_hold_the_same_after_a_long_time(
    run_python: Run,
    cluster: servers.Cluster,
    names: dict[str, str],
    tmp_path: Path,
    seed: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    said = hammered(run_python, cluster, names, steps=2_000, seed=seed, folder=str(tmp_path))

    with capsys.disabled():
        print(f"\nhammered: {said}")
    assert said["wrong"] == []
