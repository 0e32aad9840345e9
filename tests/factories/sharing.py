"""What tests of sharing draw from, and the smallest desk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import event
from hypothesis import strategies as st

from tansiq.core.marking import Audience, Marking, Pap, Tlp
from tansiq.core.viewer import Role, Scope, Seat, Viewer
from tansiq.sharing import rules
from tansiq.sharing.rules import Onward

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TEAMS = ("XA-CERT", "XE-CERT", "XF-CERT")
PERSONS = ("P-AMINA", "P-MOUSSA", "P-GRACE", "P-RACHED")

teams = st.sampled_from(TEAMS)
persons = st.sampled_from(PERSONS)
clocks = st.sampled_from([NOON + timedelta(hours=hours) for hours in (-1, 0, 1)])


@st.composite
def markings(draw: st.DrawFn) -> Marking:
    tlp = draw(st.sampled_from(Tlp))
    return Marking(
        tlp,
        draw(teams),
        Audience(
            frozenset() if tlp is Tlp.RED else draw(st.frozensets(teams, max_size=2)),
            draw(st.frozensets(persons, max_size=2)),
        ),
        embargo_until=draw(st.sampled_from([None, None, NOON])),
        pap=draw(st.sampled_from([None, *Pap])),
        note=draw(st.sampled_from(["", "لا تُرسل إلى خارج الفريق"])),
    )


def _roles(team: str) -> st.SearchStrategy[frozenset[Role]]:
    return st.frozensets(st.sampled_from(Role), max_size=2) if team else st.just(frozenset())


@st.composite
def viewers(draw: st.DrawFn) -> Viewer:
    """Sessions, constituents, guests, seats without a team, keys, and the system."""
    team = draw(st.sampled_from(["", *TEAMS]))
    community = draw(st.booleans()) if team else False
    kind = draw(st.sampled_from(["person", "person", "person", "key", "system", "nobody"]))
    if kind == "nobody":
        return Viewer()
    if kind == "system":
        return Viewer(reason="digest", team=team, community=community)
    if kind == "key":
        scopes = draw(st.frozensets(st.sampled_from(Scope)))
        return Viewer(team=team or "XA-CERT", key="siem", scopes=scopes, community=community)
    return Viewer(
        person=draw(persons),
        team=team,
        roles=draw(_roles(team)),
        seats=draw(st.frozensets(st.sampled_from(Seat), max_size=1)),
        community=community,
    )


onwards = st.frozensets(st.builds(Onward, team=teams, person=persons), max_size=2)


@contextmanager
def notebook() -> Iterator[Any]:
    """The model ``Note`` with its tables, for as long as the context lasts; enter it outside any transaction."""
    from django.db import connection
    from django.test.utils import modify_settings

    with modify_settings(INSTALLED_APPS={"append": "factories.notebook"}):
        from factories.notebook.models import Note

        with connection.schema_editor() as editor:
            editor.create_model(Note)
        yield Note
        with connection.schema_editor() as editor:
            editor.delete_model(Note)


def written(note: Any, marked: Iterable[Marking], told: Iterable[Onward] = ()) -> Any:
    """A note with these markings and onward releases, whoever might really have made them."""
    from tansiq.sharing import actions
    from tansiq.sharing.models import OnwardRelease

    row = note.objects.create(text="drawn")
    row.markings.set(actions.store(marked))
    for release in told:
        row.onward.add(
            OnwardRelease.objects.create(
                team=release.team,
                person=release.person,
                organisation=release.organisation,
                by="P-AMINA",
                at=NOON - timedelta(days=1),
                reason="drawn",
            )
        )
    return row


def assert_markings_agree(said: list[Marking], viewer: Viewer, now: datetime) -> None:
    """Rules in Python, the database's words, and the ids that the lake is asked by. Leaves nothing behind."""
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


Drawn = list[tuple[frozenset[Marking], frozenset[Onward]]]
items = st.lists(st.tuples(st.frozensets(markings(), max_size=3), onwards), min_size=1, max_size=4)


def assert_items_agree(note: Any, said: Drawn, viewer: Viewer, now: datetime) -> None:
    """What ``visible_to`` finds is what the rules allow. Leaves nothing behind."""
    from django.db import transaction

    with transaction.atomic():
        rows = [(written(note, marked, told), marked, told) for marked, told in said]

        visible = set(note.objects.visible_to(viewer, now=now).values_list("pk", flat=True))

        assert visible == {
            row.pk
            for row, marked, told in rows
            if rules.may_use(viewer, Scope.EVENTS_READ) and rules.decide_all(marked, viewer, now, onward=told)
        }
        event(f"visible {bool(visible)}")
        transaction.set_rollback(True)
