"""One decision, several renderings: rules in Python, the database's words, the ids the lake is asked by."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from factories.sharing import clocks, markings, notebook, onwards, viewers, written
from tansiq.core.marking import Marking
from tansiq.core.viewer import Scope, Viewer
from tansiq.sharing import rules
from tansiq.sharing.rules import Onward

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
    from django.db import transaction

    from tansiq.sharing import actions, queries
    from tansiq.sharing.models import StoredMarking

    with transaction.atomic():
        ids = actions.store(said)

        by_python = {key for key, it in zip(ids, said, strict=True) if rules.decide(it, viewer, now)}
        by_database = set(StoredMarking.objects.filter(queries.allowed_q(viewer, now)).values_list("pk", flat=True))
        for_the_lake = queries.marking_ids_allowed(viewer, now)

        assert by_database & set(ids) == by_python
        assert sorted(by_database) == for_the_lake
        event(f"allowed {bool(by_python)}")
        transaction.set_rollback(True)


@given(st.lists(st.tuples(st.frozensets(markings(), max_size=3), onwards), min_size=1, max_size=4), viewers(), clocks)
@drawn
def test_items_visible_are_those_all_of_whose_markings_allow(
    notes: Any, said: list[tuple[frozenset[Marking], frozenset[Onward]]], viewer: Viewer, now: datetime
) -> None:
    from django.db import transaction

    with transaction.atomic():
        written_notes = [(written(notes, marked, told), marked, told) for marked, told in said]

        visible = set(notes.objects.visible_to(viewer, now=now).values_list("pk", flat=True))

        assert visible == {
            note.pk
            for note, marked, told in written_notes
            if rules.may_use(viewer, Scope.EVENTS_READ) and rules.decide_all(marked, viewer, now, onward=told)
        }
        event(f"visible {bool(visible)}")
        transaction.set_rollback(True)


@given(markings())
@drawn
def test_marking_stored_reads_back_the_same(database: None, marking: Marking) -> None:
    from django.db import transaction

    from tansiq.sharing import actions, queries

    with transaction.atomic():
        (key,) = actions.store([marking])

        assert queries.stored([key]) == {marking.marking_id: marking}
        transaction.set_rollback(True)
