"""The program decides who may have what as sections 1.5 and 1.6 of the protocol say it."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from factories import entitled, sharing
from tansiq.core.marking import Marking
from tansiq.exchange import canonical, markings, roster_facts
from tansiq.exchange.node.here import Here
from tansiq.exchange.roster import Roster, RosterNode, RosterTeam, Signers, Standing
from tansiq.exchange.values import EMPTY_DIGEST, write_time

NODES = ("XA", "XE", "XF")

sets = st.lists(sharing.markings(), min_size=1, max_size=3, unique_by=lambda one: one.marking_id)
few = st.lists(sharing.markings(), min_size=1, max_size=2, unique_by=lambda one: one.marking_id)
workers = st.fixed_dictionaries({}, optional=dict.fromkeys(sharing.PERSONS, sharing.teams))


@st.composite
def rosters(draw: st.DrawFn) -> Roster:
    """Of three nodes and three teams: who lives where, who operates what, who is suspended or of the community."""
    nodes = [
        RosterNode(
            code=code,
            certificates=(),
            nkey="",
            team=draw(st.sampled_from(["", *sharing.TEAMS])),
            state=draw(st.sampled_from(Standing)),
        )
        for code in NODES
    ]
    teams = [
        RosterTeam(
            code=code,
            names={},
            community=draw(st.booleans()),
            node=draw(st.sampled_from(["", *NODES])),
            state=draw(st.sampled_from(Standing)),
        )
        for code in sharing.TEAMS
    ]
    return Roster(
        realm="live",
        epoch=1,
        issued_at=sharing.NOON,
        previous=EMPTY_DIGEST,
        signers=Signers(threshold=1, certificates={}),
        nodes=tuple(nodes),
        teams=tuple(teams),
    )


def under(roster: Roster, code: str, persons: dict[str, str]) -> Here:
    return Here(
        code=code,
        realm=roster.realm,
        team=roster_facts.operators(roster).get(code, ""),
        facts=roster_facts.facts_of(roster, here=code, now=sharing.NOON),
        members=frozenset(node.code for node in roster.nodes if node.state is Standing.ACTIVE),
        community=roster_facts.community(roster),
        persons=persons,
        operators=roster_facts.operators(roster),
    )


@settings(max_examples=600, deadline=None)
@given(rosters(), few, workers, sharing.clocks)
def test_program_lets_a_node_have_what_the_document_lets_it_have(
    roster: Roster, marked: list[Marking], persons: dict[str, str], now: datetime
) -> None:
    said = json.loads(markings.write(marked))

    for node in NODES:
        by_document = entitled.lets_node(roster.fields(), node, said, write_time(now), persons)

        assert bool(under(roster, NODES[0], persons).may_have(node, marked, now)) is by_document
        event(f"may have it: {by_document}")


@settings(max_examples=300, deadline=None)
@given(rosters(), sharing.markings().map(lambda one: [one]), workers, sharing.clocks, sharing.clocks)
def test_recipient_takes_what_its_node_may_have_by_the_later_clock_and_what_is_its_own(
    roster: Roster, marked: list[Marking], persons: dict[str, str], now: datetime, sent_at: datetime
) -> None:
    said = json.loads(markings.write(marked))
    own = [team.code for team in roster.teams if team.node == NODES[0]]
    by_document = entitled.lets_node(
        roster.fields(), NODES[0], said, max(write_time(now), write_time(sent_at)), persons
    ) or any(one["origin"] in own for one in said)

    judge = under(roster, NODES[0], persons).judge(now)

    assert judge.is_entitled(marked, sent_at) is by_document
    event(f"taken: {by_document}")


moments = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))
notes = st.text(st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters="\u2028\u2029"), max_size=20)


@given(sharing.markings(), st.none() | moments, notes)
def test_marking_is_written_as_the_document_says(marking: Marking, until: datetime | None, note: str) -> None:
    turning = {chr(code) for code in [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]}
    note = "".join(character for character in note if character not in turning)
    made = Marking(marking.tlp, marking.origin, marking.audience, until, marking.pap, note)
    said: dict[str, Any] = {
        "tlp": made.tlp.label,
        "origin": made.origin,
        "audience": {"persons": sorted(made.audience.persons), "teams": sorted(made.audience.teams)},
        "embargo_until": until and write_time(until),
        "pap": None if made.pap is None else made.pap.label,
        "note": note,
    }

    assert made.canonical() == canonical.write(said)
    assert made.marking_id == hashlib.sha256(canonical.write(said).encode()).hexdigest()[:32]
    assert markings.read(markings.write([made])) == (made,)


@given(sets, sets)
def test_set_is_as_strict_as_another_if_it_has_its_markings(one: list[Marking], other: list[Marking]) -> None:
    texts, others = ({json.dumps(said) for said in json.loads(markings.write(marked))} for marked in (one, other))

    assert markings.is_as_strict(one, other) is (others <= texts)
    assert markings.is_as_strict([*one, *other], other)
