"""Who may mark, tell a constituent, use a key, and send TLP:RED where."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from people import AMINA, GRACE, MOUSSA, NOBODY, RACHED, key_of, person
from tansiq.core.marking import UNMARKED, Audience, Marking, Tlp
from tansiq.core.viewer import Role, Scope, Viewer
from tansiq.sharing import rules
from tansiq.sharing.recipients import ToOrganisation, ToPerson, ToTeam, decide_recipient
from tansiq.sharing.rules import Onward

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
AMBER = Marking(Tlp.AMBER, "XA-CERT", Audience.of(teams=["XF-CERT"]))
STRICT = Marking(Tlp.AMBER_STRICT, "XA-CERT", Audience.of(teams=["XF-CERT"]))
GREEN = Marking(Tlp.GREEN, "XA-CERT")
OWN = Marking(Tlp.AMBER, "XF-CERT", Audience.of(teams=["XA-CERT"]))
TRAINEE = person("idris", Role.OBSERVER, team="XA-CERT")
READER = key_of("XA-CERT", Scope.EVENTS_READ)
WRITER = key_of("XA-CERT", Scope.EVENTS_WRITE)


@pytest.mark.parametrize(
    ("old", "new", "by", "reason"),
    [
        ([], [AMBER], AMINA, ""),
        ([], [AMBER], MOUSSA, "sharing.named.team"),  # made from it
        ([], [STRICT, OWN], MOUSSA, "sharing.named.team"),
        ([], [UNMARKED("XA-CERT")], MOUSSA, "sharing.red.not_named"),
        ([], [AMBER], TRAINEE, "sharing.observer"),
        ([], [AMBER], READER, "sharing.key.read_only"),
        ([], [AMBER], WRITER, ""),
        ([], [AMBER], NOBODY, "sharing.nobody"),
        ([], [], AMINA, "sharing.unmarked"),
        ([], [AMBER], Viewer.system(because="inbox"), ""),
        ([AMBER], [GREEN], AMINA, ""),
        ([AMBER], [GREEN], MOUSSA, "sharing.mark.not_origin"),
        ([AMBER], [OWN], MOUSSA, "sharing.mark.not_origin"),
        ([AMBER], [AMBER, OWN], MOUSSA, ""),
        ([AMBER, OWN], [OWN], AMINA, ""),
        ([AMBER, OWN], [AMBER], AMINA, "sharing.mark.not_origin"),
        ([UNMARKED("XF-CERT")], [UNMARKED("XF-CERT"), AMBER], AMINA, "sharing.red.not_named"),
    ],
)
def test_marking_is_tightened_by_who_works_with_it_and_loosened_by_its_origin(
    old: list[Marking], new: list[Marking], by: Viewer, reason: str
) -> None:
    answer = rules.may_mark(old, new, NOON, by=by)

    assert answer.reason == reason
    assert answer.allowed is (reason in ("", "sharing.named.team"))


@pytest.mark.parametrize(
    ("markings", "by", "reason"),
    [
        ([AMBER], AMINA, ""),
        ([AMBER], MOUSSA, ""),
        ([GREEN], MOUSSA, ""),
        ([GREEN, AMBER], MOUSSA, ""),
        ([STRICT], MOUSSA, "sharing.onward.label"),
        ([GREEN, STRICT], MOUSSA, "sharing.onward.label"),
        ([Marking(Tlp.AMBER, "XA-CERT", Audience.of(persons=["P-MOUSSA"]))], MOUSSA, "sharing.onward.not_received"),
        ([Marking(Tlp.GREEN, "XA-CERT", embargo_until=NOON + timedelta(hours=1))], AMINA, "sharing.embargo"),
        ([AMBER], TRAINEE, "sharing.observer"),
        ([AMBER], WRITER, "sharing.onward.not_a_person"),
        ([AMBER], GRACE, "sharing.onward.not_a_person"),
        ([], AMINA, "sharing.unmarked"),
    ],
)
def test_onward_release_is_the_receiving_teams_persons_decision(
    markings: list[Marking], by: Viewer, reason: str
) -> None:
    assert rules.may_tell_onward(markings, NOON, by=by).reason == reason


def test_key_reads_by_its_scopes_and_never_what_no_scope_opens() -> None:
    assert rules.may_use(READER, Scope.EVENTS_READ)
    assert not rules.may_use(READER, Scope.DIRECTORY_READ)
    assert not rules.may_use(READER, None)
    assert rules.may_use(AMINA, None)


@pytest.mark.parametrize(
    ("hosted_elsewhere", "sealed", "waiver", "reason"),
    [
        (False, False, "", "sharing.named.person"),
        (True, False, "", "sharing.red.hosted_elsewhere"),
        (True, False, "   ", "sharing.red.hosted_elsewhere"),
        (True, True, "", "sharing.red.sealed"),
        (True, False, "agreed by telephone", "sharing.red.waived"),
    ],
)
def test_red_to_a_person_hosted_elsewhere_goes_sealed_or_waived(
    hosted_elsewhere: bool, sealed: bool, waiver: str, reason: str
) -> None:
    red = Marking(Tlp.RED, "XA-CERT", Audience.of(persons=["P-MOUSSA"]))
    to = ToPerson(MOUSSA, hosted_elsewhere=hosted_elsewhere, sealed_to_person=sealed, waiver=waiver)

    answer = decide_recipient([red], to, NOON)

    assert (answer.allowed, answer.reason) == (reason != "sharing.red.hosted_elsewhere", reason)


def test_waiver_opens_red_to_nobody_who_is_not_named() -> None:
    red = Marking(Tlp.RED, "XA-CERT", Audience.of(persons=["P-MOUSSA"]))

    answer = decide_recipient([red], ToPerson(GRACE, hosted_elsewhere=True, waiver="please"), NOON)

    assert answer.reason == "sharing.red.not_named"


def test_red_never_goes_to_a_whole_team_its_origin_included() -> None:
    assert not decide_recipient([UNMARKED("XA-CERT")], ToTeam("XA-CERT", community=True), NOON)


def test_organisation_is_sent_what_its_team_told_it_and_what_is_public() -> None:
    to = ToOrganisation("XF-CERT", "Water Works")
    told = {Onward("XF-CERT", organisation="Water Works")}

    assert decide_recipient([AMBER], to, NOON).reason == "sharing.onward.none"
    assert decide_recipient([AMBER], to, NOON, onward=told).reason == "sharing.onward"
    assert decide_recipient([STRICT], to, NOON, onward=told).reason == "sharing.onward.label"
    assert decide_recipient([Marking(Tlp.CLEAR, "XA-CERT")], to, NOON).reason == "sharing.clear"


def test_person_who_is_nobody_is_no_recipient() -> None:
    clear = Marking(Tlp.CLEAR, "XA-CERT")

    assert not decide_recipient([clear], ToPerson(NOBODY, hosted_elsewhere=False), NOON)
    assert decide_recipient([clear], ToPerson(RACHED, hosted_elsewhere=False), NOON)
