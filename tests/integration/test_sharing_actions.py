"""Marking, telling constituents, releasing and previewing, on a real database."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from factories.sharing import notebook, written
from people import AMINA, GRACE, MOUSSA, NOBODY, RACHED, key_of, person
from tansiq.core.decision import NotAllowed
from tansiq.core.marking import UNMARKED, Audience, Marking, Tlp
from tansiq.core.viewer import Role, Scope, Viewer
from tansiq.sharing import rules

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)
AMBER = Marking(Tlp.AMBER, "XA-CERT", Audience.of(teams=["XF-CERT"]))
STRICT = Marking(Tlp.AMBER_STRICT, "XA-CERT", Audience.of(teams=["XF-CERT"]))
RED = Marking(Tlp.RED, "XA-CERT", Audience.of(persons=["P-AMINA", "P-MOUSSA"]))


@pytest.fixture(scope="module")
def _notes(_connected: None) -> Iterator[Any]:
    with notebook() as note:
        yield note


@pytest.fixture
def notes(_notes: Any, database: None) -> Any:
    return _notes


def recorded() -> list[tuple[str, str, str]]:
    from tansiq.audit.models import Entry

    rows = Entry.objects.filter(verb__startswith="sharing.") | Entry.objects.filter(verb="item.read")
    return list(rows.order_by("number").values_list("verb", "who", "item_kind"))


def seen_by(notes: Any, viewer: Viewer, now: datetime = NOON) -> list[str]:
    return [note.text for note in notes.objects.visible_to(viewer, now=now)]


def test_note_read_without_a_viewer_raises(notes: Any) -> None:
    from tansiq.sharing.scoped import UnscopedRead

    for read in ("all", "count", "first", "exists"):
        with pytest.raises(UnscopedRead, match="visible_to"):
            getattr(notes.objects, read)()
    with pytest.raises(UnscopedRead):
        notes.objects.filter(text="x")


def test_note_read_unscoped_sees_all_and_goes_on_record_with_its_reason(notes: Any) -> None:
    from tansiq.audit.models import Reason

    written(notes, [UNMARKED("XA-CERT")])

    found = notes.objects.unscoped(because="retention sweep", now=NOON)

    assert found.count() == 1
    assert recorded() == [("sharing.unscoped", "system:unscoped", "table")]
    assert Reason.objects.latest("entry").text == "retention sweep"


def test_note_just_made_is_seen_by_nobody_until_it_is_marked(notes: Any) -> None:
    from tansiq.sharing import actions

    note = notes.objects.create(text="new")
    before = seen_by(notes, AMINA)

    actions.mark(note, [AMBER], by=AMINA, now=NOON)

    assert (before, seen_by(notes, AMINA), seen_by(notes, MOUSSA), seen_by(notes, GRACE)) == ([], ["new"], ["new"], [])
    assert recorded() == [("sharing.marked", "P-AMINA", "note")]


def test_marking_the_same_again_changes_and_records_nothing(notes: Any) -> None:
    from tansiq.sharing import actions

    note = written(notes, [AMBER])

    actions.mark(note, [AMBER], by=AMINA, now=NOON)

    assert recorded() == []


def test_loosening_by_another_than_the_origin_is_refused_and_changes_nothing(notes: Any) -> None:
    from tansiq.sharing import actions

    note = written(notes, [AMBER])

    with pytest.raises(NotAllowed) as refused:
        actions.mark(note, [Marking(Tlp.CLEAR, "XF-CERT")], by=MOUSSA, now=NOON)

    assert refused.value.values["reason"] == "sharing.mark.not_origin"
    assert note.marked() == {AMBER}


def test_stored_marking_is_never_changed(notes: Any) -> None:
    from tansiq.sharing.models import StoredMarking, Unchanging

    written(notes, [AMBER])
    row = StoredMarking.objects.get()

    for change in (row.save, row.delete, StoredMarking.objects.all().delete):
        with pytest.raises(Unchanging):
            change()
    with pytest.raises(Unchanging):
        StoredMarking.objects.update(tlp=Tlp.CLEAR)


def test_constituent_sees_what_the_receiving_team_tells_until_it_is_withdrawn(notes: Any) -> None:
    from tansiq.sharing import actions

    note = written(notes, [AMBER])

    told = actions.tell_onward(note, person="P-RACHED", reason="their server", by=MOUSSA, now=NOON)
    during = seen_by(notes, RACHED)
    actions.withdraw_onward(note, told, by=MOUSSA, now=LATER)
    actions.withdraw_onward(note, told, by=MOUSSA, now=LATER)  # again: nothing more

    assert (during, seen_by(notes, RACHED, LATER)) == (["drawn"], [])
    assert [verb for verb, _who, _kind in recorded()] == ["sharing.told_onward", "sharing.onward_withdrawn"]


@pytest.mark.parametrize(
    ("marking", "by", "to"),
    [
        (STRICT, MOUSSA, {"person": "P-RACHED"}),
        (AMBER, GRACE, {"person": "P-RACHED"}),
        (AMBER, MOUSSA, {}),
        (AMBER, MOUSSA, {"person": "P-RACHED", "organisation": "Water Works"}),
    ],
)
def test_telling_onward_what_may_not_be_told_is_refused(
    notes: Any, marking: Marking, by: Viewer, to: dict[str, str]
) -> None:
    from tansiq.sharing import actions

    note = written(notes, [marking])

    with pytest.raises(NotAllowed):
        actions.tell_onward(note, reason="why", by=by, now=NOON, **to)

    assert (seen_by(notes, RACHED), recorded()) == ([], [])


def test_onward_release_of_one_note_opens_no_other_of_the_same_marking(notes: Any) -> None:
    from tansiq.sharing import actions

    note = written(notes, [AMBER])
    written(notes, [AMBER])

    actions.tell_onward(note, person="P-RACHED", reason="their server", by=AMINA, now=NOON)

    assert len(seen_by(notes, RACHED)) == 1


def test_key_without_the_models_scope_sees_nothing(notes: Any) -> None:
    written(notes, [Marking(Tlp.CLEAR, "XA-CERT")])

    assert seen_by(notes, key_of("XA-CERT", Scope.EVENTS_READ)) == ["drawn"]
    assert seen_by(notes, key_of("XA-CERT", Scope.DIRECTORY_READ)) == []


@pytest.mark.parametrize("viewer", [AMINA, GRACE, RACHED, NOBODY])
def test_reading_notes_takes_one_query_whatever_their_number(notes: Any, viewer: Viewer) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    for marking in (AMBER, STRICT, RED, Marking(Tlp.CLEAR, "XA-CERT")):
        written(notes, [marking, AMBER])

    with CaptureQueriesContext(connection) as captured:
        list(notes.objects.visible_to(viewer, now=NOON))

    assert len(captured) == 1


# Releases.


def test_release_to_a_team_is_recorded_with_its_label(notes: Any) -> None:
    from tansiq.sharing.recipients import ToTeam
    from tansiq.sharing.release import release

    note = written(notes, [AMBER, STRICT])

    made = release(note, to=ToTeam("XF-CERT", community=True), by=AMINA, now=NOON)

    assert (made.label, made.reason, made.by, made.at) == (Tlp.AMBER_STRICT, "sharing.named.team", "P-AMINA", NOON)
    assert recorded() == [("sharing.released", "P-AMINA", "note")]


@pytest.mark.parametrize(
    ("by", "reason"),
    [
        (GRACE, "sharing.strict.not_named"),
        (NOBODY, "sharing.nobody"),
        (key_of("XA-CERT", Scope.EVENTS_READ), "sharing.key.read_only"),
    ],
)
def test_release_by_who_may_not_see_or_only_read_is_refused(notes: Any, by: Viewer, reason: str) -> None:
    from tansiq.sharing.recipients import ToTeam
    from tansiq.sharing.release import release

    note = written(notes, [STRICT])

    with pytest.raises(NotAllowed) as refused:
        release(note, to=ToTeam("XF-CERT", community=True), by=by, now=NOON)

    assert (refused.value.values["reason"], recorded()) == (reason, [])


def test_release_to_the_public_of_what_is_not_clear_is_refused(notes: Any) -> None:
    from tansiq.sharing.recipients import ToPublic
    from tansiq.sharing.release import release

    with pytest.raises(NotAllowed, match=r"sharing\.amber\.not_named"):
        release(written(notes, [AMBER]), to=ToPublic(), by=AMINA, now=NOON)


def test_release_in_a_format_without_strict_writes_red(notes: Any) -> None:
    from tansiq.sharing.recipients import CSAF_2_0, ToFormat
    from tansiq.sharing.release import release

    note = written(notes, [STRICT])

    assert release(note, to=ToFormat("csaf-2.0", CSAF_2_0, MOUSSA), by=MOUSSA, now=NOON).label is Tlp.RED


def test_reading_is_recorded_for_red_alone_and_once_an_hour(notes: Any) -> None:
    from tansiq.sharing.release import release

    amber, red = written(notes, [AMBER]), written(notes, [RED])

    for note in (amber, red, red):
        release(note, to=MOUSSA, by=MOUSSA, now=NOON)

    assert recorded() == [("item.read", "P-MOUSSA", "note")]


def test_red_to_a_host_of_others_is_refused_or_waived_on_record(notes: Any) -> None:
    from tansiq.audit.models import Reason
    from tansiq.sharing.recipients import ToPerson
    from tansiq.sharing.release import release

    note = written(notes, [RED])

    with pytest.raises(NotAllowed, match="hosted_elsewhere"):
        release(note, to=ToPerson(MOUSSA, hosted_elsewhere=True), by=AMINA, now=NOON)
    made = release(note, to=ToPerson(MOUSSA, hosted_elsewhere=True, waiver="by telephone"), by=AMINA, now=NOON)

    assert made.reason == "sharing.red.waived"
    assert Reason.objects.latest("entry").text == "by telephone"


def test_release_made_or_altered_by_hand_is_refused(notes: Any) -> None:
    from tansiq.sharing.recipients import ToPublic
    from tansiq.sharing.release import Forged, Release, release

    made = release(written(notes, [Marking(Tlp.CLEAR, "XA-CERT")]), to=ToPublic(), by=AMINA, now=NOON)

    with pytest.raises(Forged):
        Release(made.parcel, made.to, made.label, "P-AMINA", NOON, "", seal=None)
    with pytest.raises(ValueError, match="seal"):
        dataclasses.replace(made, label=Tlp.RED)
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.label = Tlp.RED  # type: ignore[misc]


# Who will be able to see this?


def appointed(code: str, *, team: str = "", role: Role | str) -> None:
    from tansiq.members.models import Appointment, Person, Team

    person, _ = Person.objects.get_or_create(code=code, email=f"{code.lower()}@cert.example", name=code)
    at = Team.objects.get_or_create(code=team, name_en=team)[0] if team else None
    Appointment.objects.create(person=person, team=at, role=role, since=NOON - timedelta(days=9), granted_by="node")


def member(team: str, category: str = "full") -> None:
    from tansiq.members.models import MembershipPeriod, Team

    at, _ = Team.objects.get_or_create(code=team, name_en=team)
    MembershipPeriod.objects.create(team=at, category=category, recorded_by="node", recorded_at=NOON)


@pytest.fixture
def federation(database: None) -> None:
    from tansiq.members.models import Person

    for team in ("XA-CERT", "XF-CERT"):
        member(team)
    appointed("P-AMINA", team="XA-CERT", role=Role.ANALYST)
    appointed("P-MOUSSA", team="XF-CERT", role=Role.DUTY_OFFICER)
    appointed("P-OMAR", team="XA-CERT", role=Role.OBSERVER)
    appointed("P-OMAR", team="XF-CERT", role=Role.ANALYST)
    appointed("P-JO", team="XZ-CERT", role=Role.HEAD)
    appointed("P-GRACE", role="secretariat")
    Person.objects.create(code="P-RACHED", email="rached@works.example", name="Rached")
    Person.objects.create(code="P-GONE", email="gone@cert.example", name="Gone", is_active=False)


@pytest.mark.usefixtures("federation")
def test_directory_builds_everybody_as_the_front_door_does() -> None:
    from tansiq.members.models import Person
    from tansiq.members.viewers import teams_of, viewer_of
    from tansiq.sharing.directory import directory

    built = {(viewer.person, viewer.team): viewer for viewer in directory(now=NOON).people}

    active = Person.objects.filter(is_active=True)
    assert built == {
        (someone.code, team): viewer_of(someone, team=team, now=NOON)
        for someone in active
        for team in teams_of(someone, now=NOON) or [""]
    }
    assert len(built) == 7


@pytest.mark.usefixtures("federation")
def test_preview_of_amber_names_teams_people_and_what_is_not_known_here() -> None:
    from tansiq.sharing.queries import who_can_see

    marking = Marking(Tlp.AMBER, "XA-CERT", Audience.of(teams=["XF-CERT", "XY-CERT"], persons=["P-GRACE"]))

    audience = who_can_see([marking], viewer=AMINA, now=NOON)

    assert audience.teams == ("XA-CERT", "XF-CERT")
    assert [(seer.person, seer.team) for seer in audience.persons] == [
        ("P-AMINA", "XA-CERT"),
        ("P-GRACE", ""),
        ("P-MOUSSA", "XF-CERT"),
        ("P-OMAR", "XA-CERT"),
        ("P-OMAR", "XF-CERT"),
    ]
    assert (audience.constituents, audience.public, audience.named_unknown) == ((), False, ("XY-CERT",))


@pytest.mark.usefixtures("federation")
def test_preview_equals_the_enforcement_for_everybody(notes: Any) -> None:
    from tansiq.sharing.directory import directory
    from tansiq.sharing.queries import who_can_see

    for marking in (
        AMBER,
        STRICT,
        RED,
        UNMARKED("XA-CERT"),
        Marking(Tlp.GREEN, "XA-CERT"),
        Marking(Tlp.CLEAR, "XA-CERT"),
    ):
        note = written(notes, [marking])
        audience = who_can_see([marking], viewer=AMINA, now=NOON)
        for viewer in directory(now=NOON).people:
            enforced = notes.objects.visible_to(viewer, now=NOON).filter(pk=note.pk).exists()
            assert audience.shows(viewer) is enforced


@pytest.mark.usefixtures("federation")
def test_preview_warns_of_an_origin_that_shuts_itself_out() -> None:
    from tansiq.sharing.queries import who_can_see

    marking = Marking(Tlp.RED, "XA-CERT", Audience.of(persons=["P-MOUSSA"]))

    assert who_can_see([marking], viewer=AMINA, now=NOON).warnings == ("sharing.preview.origin_out",)


@pytest.mark.usefixtures("federation")
def test_preview_says_nothing_of_what_the_viewer_may_not_see() -> None:
    from tansiq.sharing.queries import who_can_see

    with pytest.raises(NotAllowed):
        who_can_see([AMBER], viewer=GRACE, now=NOON)


@pytest.mark.usefixtures("federation")
def test_preview_takes_the_same_queries_whatever_the_number_of_people() -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from tansiq.sharing.queries import who_can_see

    taken = []
    for more in (0, 30):
        for number in range(more):
            appointed(f"P-MORE{number}", team="XF-CERT", role=Role.ANALYST)
        with CaptureQueriesContext(connection) as captured:
            who_can_see([AMBER], viewer=AMINA, now=NOON)
        taken.append(len(captured))

    assert taken[0] == taken[1] <= 6


def test_stranger_of_the_team_is_judged_by_the_marking_alone() -> None:
    assert rules.decide(AMBER, person("new", Role.OBSERVER, team="XF-CERT"), NOON)
