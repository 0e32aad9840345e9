"""Who may see what, in sentences about people."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from people import AMINA, GRACE, MOUSSA, NOBODY, RACHED, key_of, person
from tansiq.core.decision import Decision
from tansiq.core.marking import UNMARKED, Audience, Marking, Pap, Tlp
from tansiq.core.viewer import Role, Scope, Seat, Viewer
from tansiq.sharing import rules
from tansiq.sharing.rules import Onward

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
COLLEAGUE = person("salma", Role.DUTY_OFFICER, team="XA-CERT")
TRAINEE = person("idris", Role.OBSERVER, team="XA-CERT")
OUTSIDER = person("jo", Role.ANALYST, team="XZ-CERT", community=False)
EVERYBODY = {
    "Amina": AMINA,
    "colleague": COLLEAGUE,
    "trainee": TRAINEE,
    "Moussa": MOUSSA,
    "Grace": GRACE,
    "Rached": RACHED,
    "outsider": OUTSIDER,
    "key of XA": key_of("XA-CERT", Scope.EVENTS_READ),
    "key of XF": key_of("XF-CERT", Scope.EVENTS_READ),
    "system of XA": Viewer(reason="digest", team="XA-CERT", community=True),
    "system": Viewer.system(because="sweep"),
    "Nobody": NOBODY,
}
XA = {"Amina", "colleague", "trainee", "key of XA", "system of XA"}
XF = {"Moussa", "key of XF"}


def marked(
    tlp: Tlp, *, teams: tuple[str, ...] = (), persons: tuple[str, ...] = (), until: datetime | None = None
) -> Marking:
    return Marking(tlp, "XA-CERT", Audience.of(teams=teams, persons=persons), until)


def seers(*markings: Marking, now: datetime = NOON, onward: tuple[Onward, ...] = ()) -> set[str]:
    return {name for name, viewer in EVERYBODY.items() if rules.decide_all(markings, viewer, now, onward=onward)}


@pytest.mark.parametrize(
    ("marking", "who"),
    [
        (UNMARKED("XA-CERT"), {"Amina", "colleague", "system of XA"}),
        (marked(Tlp.RED, persons=("P-AMINA", "P-MOUSSA")), {"Amina", "Moussa"}),
        (marked(Tlp.RED, persons=("P-GRACE",)), {"Grace"}),
        (marked(Tlp.AMBER_STRICT), XA),
        (marked(Tlp.AMBER_STRICT, teams=("XF-CERT",)), XA | XF),
        (marked(Tlp.AMBER, teams=("XF-CERT",)), XA | XF),
        (marked(Tlp.AMBER, persons=("P-GRACE",)), XA | {"Grace"}),
        (marked(Tlp.GREEN), XA | XF | {"Grace"}),
        (marked(Tlp.CLEAR), set(EVERYBODY)),
    ],
    ids=["unmarked", "red", "red-seat", "strict-alone", "strict", "amber", "amber-person", "green", "clear"],
)
def test_marking_is_seen_by_exactly_those_it_names(marking: Marking, who: set[str]) -> None:
    assert seers(marking) == who


@pytest.mark.parametrize("tlp", [Tlp.CLEAR, Tlp.GREEN, Tlp.AMBER, Tlp.AMBER_STRICT])
def test_embargo_lets_origin_and_named_alone_until_its_moment(tlp: Tlp) -> None:
    embargoed = marked(tlp, teams=("XF-CERT",), until=NOON)

    assert seers(embargoed, now=NOON - timedelta(microseconds=1)) == XA | XF
    assert seers(embargoed, now=NOON) == seers(marked(tlp, teams=("XF-CERT",)))


def test_embargo_says_until_when_to_those_who_will_see_it_and_nothing_to_others() -> None:
    embargoed = marked(Tlp.GREEN, until=NOON + timedelta(hours=1))

    assert rules.decide(embargoed, MOUSSA, NOON).values == {"until": NOON + timedelta(hours=1)}
    assert rules.decide(embargoed, RACHED, NOON) == Decision(False, "sharing.green.outside")


@pytest.mark.parametrize(
    ("marking", "viewer", "reason"),
    [
        (marked(Tlp.CLEAR), NOBODY, "sharing.clear"),
        (marked(Tlp.GREEN), MOUSSA, "sharing.community"),
        (marked(Tlp.GREEN), OUTSIDER, "sharing.green.outside"),
        (marked(Tlp.AMBER), AMINA, "sharing.origin"),
        (marked(Tlp.AMBER), MOUSSA, "sharing.amber.not_named"),
        (marked(Tlp.AMBER, teams=("XF-CERT",)), MOUSSA, "sharing.named.team"),
        (marked(Tlp.AMBER_STRICT), MOUSSA, "sharing.strict.not_named"),
        (marked(Tlp.RED, persons=("P-MOUSSA",)), MOUSSA, "sharing.named.person"),
        (marked(Tlp.RED, persons=("P-MOUSSA",)), AMINA, "sharing.red.not_named"),
        (marked(Tlp.RED), key_of("XA-CERT"), "sharing.red.key"),
    ],
)
def test_decision_says_by_which_rule(marking: Marking, viewer: Viewer, reason: str) -> None:
    assert rules.decide(marking, viewer, NOON).reason == reason


@pytest.mark.parametrize(
    ("tlp", "teller", "told"),
    [
        (Tlp.GREEN, "XF-CERT", True),
        (Tlp.AMBER, "XA-CERT", True),
        (Tlp.AMBER, "XF-CERT", True),
        (Tlp.AMBER, "XE-CERT", False),
        (Tlp.AMBER_STRICT, "XF-CERT", False),
    ],
)
def test_constituent_sees_amber_by_the_receiving_teams_onward_release_alone(tlp: Tlp, teller: str, told: bool) -> None:
    marking = marked(tlp, teams=("XF-CERT",))

    assert "Rached" not in seers(marking)
    assert ("Rached" in seers(marking, onward=(Onward(teller, "P-RACHED"),))) is told


def test_onward_release_reaches_nobody_who_acts_for_a_team_or_a_seat() -> None:
    marking = marked(Tlp.AMBER)

    assert seers(marking, onward=(Onward("XA-CERT", "P-MOUSSA"), Onward("XA-CERT", "P-GRACE"))) == seers(marking)


def test_onward_release_waits_for_the_embargo() -> None:
    onward = (Onward("XA-CERT", "P-RACHED"),)

    assert "Rached" not in seers(marked(Tlp.AMBER, until=NOON), now=NOON - timedelta(hours=1), onward=onward)


def test_person_of_two_teams_sees_what_the_team_they_act_for_may() -> None:
    at_xa = person("omar", Role.ANALYST, team="XA-CERT")
    at_xf = person("omar", Role.ANALYST, team="XF-CERT")

    assert rules.decide(marked(Tlp.AMBER_STRICT), at_xa, NOON)
    assert not rules.decide(marked(Tlp.AMBER_STRICT), at_xf, NOON)


def test_auditor_without_a_team_sees_what_is_public_or_addressed_to_them() -> None:
    auditor = person("ali", seats=(Seat.AUDITOR,))

    assert not rules.decide(marked(Tlp.GREEN), auditor, NOON)
    assert rules.decide(marked(Tlp.GREEN, persons=("P-ALI",)), auditor, NOON)


def test_derived_item_is_seen_by_those_whom_all_its_parents_allow() -> None:
    from_xf = Marking(Tlp.AMBER, "XF-CERT", Audience.of(teams=["XA-CERT"]))

    assert seers(marked(Tlp.AMBER, teams=("XF-CERT",)), from_xf) == XA | XF
    assert seers(marked(Tlp.AMBER), from_xf) == XA
    assert seers(marked(Tlp.RED, persons=("P-MOUSSA",)), from_xf) == {"Moussa"}


def test_item_without_markings_is_seen_by_nobody_and_shown_as_red() -> None:
    assert seers() == set()
    assert rules.strictest([]) is Tlp.RED


def test_strictest_labels_of_several_are_shown() -> None:
    several = [
        marked(Tlp.GREEN),
        Marking(Tlp.AMBER, "XF-CERT", pap=Pap.GREEN),
        Marking(Tlp.CLEAR, "XF-CERT", pap=Pap.RED),
    ]

    assert (rules.strictest(several), rules.strictest_action(several)) == (Tlp.AMBER, Pap.RED)
    assert rules.strictest_action([marked(Tlp.RED)]) is None
