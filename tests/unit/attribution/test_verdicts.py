"""The rule for one key over time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from factories.attribution import NOON
from tansiq.attribution.verdicts import BEGINNING, NO_CLAIM, NOBODY, Timeline, Verdict, microseconds, timeline
from tansiq.core.claims import Claim

LATER = NOON + timedelta(days=1)
BLOCK, WIDER, WIDEST = "192.0.2.0/24", "192.0.0.0/16", "192.0.0.0/8"


def cidr(team: str, value: str = BLOCK, **more: object) -> Claim:
    return Claim(team, "cidr", value, **more)  # type: ignore[arg-type]


def reasons(line: Timeline) -> list[str]:
    return [turn.verdict.reason for turn in line]


def test_timeline_of_one_open_claim_never_changes() -> None:
    line = timeline("cidr", BLOCK, [cidr("XA-CERT")])

    assert [(turn.at, turn.verdict) for turn in line] == [
        (BEGINNING, Verdict("cidr", "XA-CERT", "cidr 192.0.2.0/24", 95))
    ]


def test_timeline_of_bounded_claim_is_half_open() -> None:
    line = timeline("cidr", BLOCK, [cidr("XA-CERT", valid_from=NOON, valid_until=LATER)])

    assert [(turn.at, turn.verdict.team) for turn in line] == [
        (BEGINNING, ""),
        (microseconds(NOON), "XA-CERT"),
        (microseconds(LATER), ""),
    ]


def test_timeline_outside_own_claims_gives_what_encloses() -> None:
    enclosing = timeline("cidr", WIDER, [cidr("XA-CERT", WIDER)])

    line = timeline("cidr", BLOCK, [cidr("XA-CERT", valid_from=NOON)], enclosing)

    assert reasons(line) == ["cidr 192.0.0.0/16", "cidr 192.0.2.0/24"]


def test_timeline_of_two_teams_is_tie_while_both_live() -> None:
    line = timeline("cidr", BLOCK, [cidr("XA-CERT"), cidr("XF-CERT", valid_from=NOON)])

    assert reasons(line) == ["cidr 192.0.2.0/24", "tie cidr 192.0.2.0/24: XA-CERT XF-CERT"]
    assert line[-1].verdict.team == ""


def test_timeline_of_claim_handed_over_has_no_gap() -> None:
    line = timeline("cidr", BLOCK, [cidr("XA-CERT", valid_until=NOON), cidr("XF-CERT", valid_from=NOON)])

    assert [turn.verdict.team for turn in line] == ["XA-CERT", "XF-CERT"]


def test_timeline_of_empty_validity_is_nobody() -> None:
    line = timeline("cidr", BLOCK, [cidr("XA-CERT", valid_from=NOON, valid_until=NOON)])

    assert line == NOBODY


def test_timeline_inside_other_team_is_contested_while_that_one_lives() -> None:
    enclosing = timeline("cidr", WIDER, [cidr("XA-CERT", WIDER, valid_until=NOON)])

    line = timeline("cidr", BLOCK, [cidr("XF-CERT")], enclosing)

    assert reasons(line) == ["contested cidr 192.0.2.0/24: XF-CERT inside XA-CERT", "cidr 192.0.2.0/24"]


def test_timeline_inside_other_team_with_decision_wins() -> None:
    enclosing = timeline("cidr", WIDER, [cidr("XA-CERT", WIDER)])

    line = timeline("cidr", BLOCK, [cidr("XF-CERT", decision="D-2026-4")], enclosing)

    assert reasons(line) == ["cidr 192.0.2.0/24"]


def test_timeline_inside_claim_standing_by_decision_is_contested_by_both_around() -> None:
    widest = timeline("cidr", WIDEST, [cidr("XA-CERT", WIDEST)])
    wider = timeline("cidr", WIDER, [cidr("XF-CERT", WIDER, decision="D-2026-4")], widest)

    line = timeline("cidr", BLOCK, [cidr("XE-CERT")], wider)

    assert reasons(line) == ["contested cidr 192.0.2.0/24: XE-CERT inside XA-CERT XF-CERT"]


def test_timeline_inside_own_claim_is_not_contested() -> None:
    enclosing = timeline("cidr", WIDER, [cidr("XA-CERT", WIDER)])

    line = timeline("cidr", BLOCK, [cidr("XA-CERT")], enclosing)

    assert reasons(line) == ["cidr 192.0.2.0/24"]


def test_timeline_inside_contested_claim_is_contested_by_outermost_only() -> None:
    widest = timeline("cidr", WIDEST, [cidr("XA-CERT", WIDEST)])
    wider = timeline("cidr", WIDER, [cidr("XF-CERT", WIDER)], widest)

    line = timeline("cidr", BLOCK, [cidr("XA-CERT")], wider)

    assert reasons(wider) == ["contested cidr 192.0.0.0/16: XF-CERT inside XA-CERT"]
    assert reasons(line) == ["cidr 192.0.2.0/24"]


def test_timeline_inside_tie_is_contested_by_the_other_team() -> None:
    enclosing = timeline("cidr", WIDER, [cidr("XA-CERT", WIDER), cidr("XF-CERT", WIDER)])

    line = timeline("cidr", BLOCK, [cidr("XA-CERT")], enclosing)

    assert reasons(line) == ["contested cidr 192.0.2.0/24: XA-CERT inside XF-CERT"]


def test_timeline_of_tie_inside_third_team_names_all_three() -> None:
    enclosing = timeline("cidr", WIDER, [cidr("XE-CERT", WIDER)])

    line = timeline("cidr", BLOCK, [cidr("XA-CERT"), cidr("XF-CERT")], enclosing)

    assert reasons(line) == ["tie cidr 192.0.2.0/24: XA-CERT XF-CERT inside XE-CERT"]


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        (Verdict("asn", "XA-CERT", "asn AS64496", 80), Verdict("asn", "XA-CERT", "asn AS64496 by feed", 60)),
        (Verdict("country", "XA-CERT", "country XA", 60), Verdict("country", "XA-CERT", "country XA by feed", 40)),
        (Verdict("tie", "", "tie country XA: XA-CERT XF-CERT", 0),) * 2,
        (NO_CLAIM, NO_CLAIM),
    ],
)
def test_verdict_by_feed_is_less_sure_and_says_so(verdict: Verdict, expected: Verdict) -> None:
    assert verdict.by_feed() == expected
