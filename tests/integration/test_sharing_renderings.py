"""One decision, several renderings: rules in Python, the database's words, the ids the lake is asked by."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import environment
from factories.sharing import (
    Drawn,
    assert_items_agree,
    assert_markings_agree,
    clocks,
    items,
    markings,
    notebook,
    viewers,
)
from tansiq.core.marking import Marking
from tansiq.core.viewer import Viewer

drawn = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def _notes(_connected: None) -> Iterator[Any]:
    with notebook() as note:
        yield note


@pytest.fixture
def notes(_notes: Any, database: None) -> Any:
    return _notes


@given(st.lists(markings(), min_size=1, max_size=6), viewers(), clocks)
@drawn
def test_python_database_and_ids_for_the_lake_agree(
    database: None, said: list[Marking], viewer: Viewer, now: datetime
) -> None:
    assert_markings_agree(said, viewer, now)


@given(items, viewers(), clocks)
@drawn
def test_items_visible_are_those_all_of_whose_markings_allow(
    notes: Any, said: Drawn, viewer: Viewer, now: datetime
) -> None:
    assert_items_agree(notes, said, viewer, now)


ON_POSTGRESQL = """
from tansiq.cli import node
node.opened()
import sys
sys.path.insert(0, sys.argv[1])
from factories.sharing import *
from hypothesis import given, settings
few = settings(max_examples=150, deadline=None, database=None)
few(given(st.lists(markings(), min_size=1, max_size=6), viewers(), clocks)(assert_markings_agree))()
with notebook() as note:
    few(given(items, viewers(), clocks)(lambda said, viewer, now: assert_items_agree(note, said, viewer, now)))()
from django.db import connection
print(connection.vendor)
"""


@pytest.mark.long
def test_renderings_agree_on_postgresql(empty_home: Path, postgres: str) -> None:
    tests = Path(__file__).parents[1]

    ended = subprocess.run(
        [sys.executable, "-c", ON_POSTGRESQL, str(tests)],
        env=environment(empty_home) | {"TANSIQ_DATABASE_URL": postgres},
        capture_output=True,
        text=True,
        timeout=300,
    )

    assert (ended.stderr, ended.stdout, ended.returncode) == ("", "postgresql\n", 0)


@given(markings())
@drawn
def test_marking_stored_reads_back_the_same(database: None, marking: Marking) -> None:
    from django.db import transaction

    from tansiq.sharing import actions, queries

    with transaction.atomic():
        (key,) = actions.store([marking])

        assert queries.stored([key]) == {marking.marking_id: marking}
        transaction.set_rollback(True)
