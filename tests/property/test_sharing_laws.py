"""Laws of markings, decisions, previews and published counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from hypothesis import assume, given
from hypothesis import strategies as st

from factories.sharing import PERSONS, TEAMS, clocks, markings, onwards, viewers
from tansiq.core.errors import TansiqError
from tansiq.core.marking import Audience, BadMarking, Marking, NoSuchLabel, Tlp, weakest_label_for
from tansiq.core.viewer import NOBODY, Viewer
from tansiq.sharing import counts, rules
from tansiq.sharing.preview import audience_of
from tansiq.sharing.recipients import CSAF_2_0, IEP_2_0, ToFormat, label_for
from tansiq.sharing.rules import Onward

sets = st.frozensets(markings(), max_size=3)
codes = st.text("ABCXYZ019-", min_size=2, max_size=8)
texts = st.text(max_size=40)


@given(markings())
def test_marking_reads_back_what_it_writes(marking: Marking) -> None:
    assert Marking.read(marking.canonical()) == marking


@given(st.sampled_from(Tlp), codes, st.frozensets(codes), st.frozensets(codes), texts)
def test_any_marking_either_reads_back_or_is_refused(
    tlp: Tlp, origin: str, teams: frozenset[str], persons: frozenset[str], note: str
) -> None:
    try:
        marking = Marking(tlp, origin, Audience(teams, persons), note=note)
    except BadMarking:
        return

    assert Marking.read(marking.canonical()) == marking


@given(st.text() | st.recursive(st.none() | st.booleans() | texts, lambda inner: st.lists(inner)).map(str))
def test_reading_anything_raises_nothing_but_a_refusal(text: str) -> None:
    try:
        Marking.read(text)
    except BadMarking as error:
        assert isinstance(error, TansiqError)


@given(markings(), markings())
def test_ids_are_the_same_for_the_same_markings_alone(one: Marking, other: Marking) -> None:
    assert (one.marking_id == other.marking_id) is (one == other)


@given(st.sampled_from(Tlp), st.frozensets(st.sampled_from(Tlp)))
def test_label_for_a_format_is_never_weaker_and_always_one_it_knows(label: Tlp, known: frozenset[Tlp]) -> None:
    try:
        written = weakest_label_for(label, known)
    except NoSuchLabel:
        assert not [candidate for candidate in known if candidate >= label]
        return

    assert written in known
    assert written >= label
    assert written is label or label not in known


@given(st.frozensets(markings(), min_size=1, max_size=4), st.sampled_from([CSAF_2_0, IEP_2_0]))
def test_export_never_weakens_what_holds_amber_strict(parents: frozenset[Marking], labels: frozenset[Tlp]) -> None:
    written = label_for(parents, ToFormat("csaf", labels, NOBODY))

    assert written >= rules.strictest(parents)
    assert written is Tlp.RED or rules.strictest(parents) < Tlp.AMBER_STRICT


@given(sets, sets, viewers(), clocks, onwards)
def test_derived_item_never_loosens_any_parent(
    one: frozenset[Marking], other: frozenset[Marking], viewer: Viewer, now: datetime, onward: frozenset[Onward]
) -> None:
    assume(one and other)

    derived = rules.decide_all(one | other, viewer, now, onward=onward)

    assert derived.allowed is (
        rules.decide_all(one, viewer, now, onward=onward).allowed
        and rules.decide_all(other, viewer, now, onward=onward).allowed
    )
    assert rules.strictest(one | other) == max(rules.strictest(one), rules.strictest(other))


@given(markings(), viewers(), clocks, onwards)
def test_stricter_label_opens_nothing(
    marking: Marking, viewer: Viewer, now: datetime, onward: frozenset[Onward]
) -> None:
    assume(marking.tlp < Tlp.AMBER_STRICT)
    stricter = replace(marking, tlp=Tlp(marking.tlp + 1))

    if rules.decide(stricter, viewer, now, onward=onward):
        assert rules.decide(marking, viewer, now, onward=onward)


@given(markings(), viewers(), clocks, onwards)
def test_embargo_opens_nothing(marking: Marking, viewer: Viewer, now: datetime, onward: frozenset[Onward]) -> None:
    if rules.decide(marking, viewer, now, onward=onward):
        assert rules.decide(replace(marking, embargo_until=None), viewer, now, onward=onward)


@given(markings(), viewers(), clocks)
def test_actions_permitted_and_notes_decide_nothing(marking: Marking, viewer: Viewer, now: datetime) -> None:
    bare = replace(marking, pap=None, note="")

    assert rules.decide(bare, viewer, now) == rules.decide(marking, viewer, now)


@given(sets, clocks)
def test_nobody_sees_what_is_public_and_nothing_else(said: frozenset[Marking], now: datetime) -> None:
    is_public = bool(said) and all(
        it.tlp is Tlp.CLEAR and (it.embargo_until is None or it.embargo_until <= now) for it in said
    )

    assert rules.decide_all(said, NOBODY, now).allowed is is_public


@given(sets, viewers(), viewers(), clocks)
def test_key_and_watching_see_no_more_than_working(
    said: frozenset[Marking], viewer: Viewer, _other: Viewer, now: datetime
) -> None:
    assume(viewer.person)
    observer = replace(viewer, roles=frozenset(), seats=frozenset())
    key = Viewer(team=viewer.team, key="siem", community=viewer.community, scopes=frozenset())

    for lesser in (observer, key):
        if rules.decide_all(said, lesser, now):
            assert rules.decide_all(said, viewer, now)


def unique(people: Collection[Viewer]) -> list[Viewer]:
    return list({(viewer.person, viewer.team): viewer for viewer in people if viewer.person}.values())


@given(sets, st.lists(viewers(), max_size=6), clocks, onwards)
def test_preview_lists_exactly_whom_the_enforcement_lets(
    said: frozenset[Marking], people: list[Viewer], now: datetime, onward: frozenset[Onward]
) -> None:
    people = unique(people)
    teams = [Viewer(team=team, community=True) for team in TEAMS]

    audience = audience_of(said, people, now, teams=teams, onward=onward)

    listed = {(seer.person, seer.team) for seer in (*audience.persons, *audience.constituents)}
    allowed = {(v.person, v.team) for v in people if rules.decide_all(said, v, now, onward=onward)}
    assert listed == allowed
    assert audience.public is rules.decide_all(said, NOBODY, now).allowed
    assert set(audience.teams) == {team.team for team in teams if rules.decide_all(said, team, now)}
    assert set(audience.named_unknown) <= set(PERSONS)


# Published counts.

KEY = b"k" * 32
places = st.sampled_from(["XA", "XE", "XF"])
kinds = st.sampled_from(["phishing", "scanner", "spam"])
tables = st.dictionaries(st.tuples(places, kinds), st.integers(0, 40), max_size=9)


@given(tables, st.integers(2, 10))
def test_published_cells_are_near_the_truth_and_hide_it(table: dict[tuple[str, ...], int], base: int) -> None:
    shown = counts.published(table, ("member", "class"), statistic="2026", key=KEY, base=base)

    for cell, count in table.items():
        written = shown.cells.get(cell, 0)
        assert written % base == 0
        assert abs(written - count) < base


@given(tables)
def test_published_totals_are_sums_of_what_is_published(table: dict[tuple[str, ...], int]) -> None:
    shown = counts.published(table, ("member", "class"), statistic="2026", key=KEY)

    by_member: Counter[tuple[str, ...]] = Counter()
    for (member, _kind), written in shown.cells.items():
        by_member[member,] += written
    assert shown.by("member") == dict(by_member)
    assert sum(shown.by("member").values()) == sum(shown.by("class").values()) == shown.by()[()]


@given(tables.filter(bool), st.data())
def test_no_cell_is_recoverable_from_cells_and_totals(table: dict[tuple[str, ...], int], data: st.DataObject) -> None:
    """For every cell at least five true counts could have been published the same: another draw of the rounding gives
    the very same table, totals included, whatever else an outsider subtracts."""
    cell = data.draw(st.sampled_from(sorted(table)))
    shown = counts.published(table, ("member", "class"), statistic="2026", key=KEY)
    written = shown.cells.get(cell, 0)

    possible = [
        count for count in range(max(0, written - 4), written + 5) if can_be_published_as(table | {cell: count}, shown)
    ]

    assert len(possible) >= 5
    assert table[cell] in possible


def can_be_published_as(table: dict[tuple[str, ...], int], shown: counts.Published) -> bool:
    """Does some draw of the rounding lead from ``table`` to all that is published?"""
    cells_fit = all(
        shown.cells.get(cell, 0) in {count - count % 5, count + -count % 5} for cell, count in table.items()
    )
    totals = Counter[tuple[str, ...]]()
    for (member, _kind), written in shown.cells.items():
        totals[member,] += written
    return cells_fit and shown.by("member") == dict(totals)


@given(st.integers(0, 100))
def test_rounding_is_right_on_average(count: int) -> None:
    drawn = [
        counts.published({("XA",): count}, ("member",), statistic=str(number), key=KEY).cells.get(("XA",), 0)
        for number in range(2000)
    ]

    assert abs(sum(drawn) / len(drawn) - count) < 0.3  # five standard errors


@given(tables)
def test_same_question_has_the_same_answer_in_any_order(table: dict[tuple[str, ...], int]) -> None:
    first = counts.published(table, ("member", "class"), statistic="2026", key=KEY)

    assert counts.published(dict(reversed(table.items())), ("member", "class"), statistic="2026", key=KEY).cells == (
        first.cells
    )
