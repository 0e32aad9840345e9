"""Constituency: proposed with evidence, judged by the federation's keeper, contested where teams contend."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from people import AMINA, GRACE, MOUSSA, NOBODY
from tansiq.core.decision import NotAllowed
from tansiq.core.viewer import Role

if TYPE_CHECKING:
    from tansiq.members.models import Claim, Team

pytestmark = pytest.mark.usefixtures("database")

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=30)
KEEPER = replace(AMINA, roles=frozenset({Role.KEEPER}))
XF_KEEPER = replace(MOUSSA, roles=frozenset({Role.KEEPER}))


@pytest.fixture
def xa() -> Team:
    from tansiq.members.models import Team

    return Team.objects.create(code="XA-CERT", name_en="CERT of XA", country="XA")


@pytest.fixture
def xf() -> Team:
    from tansiq.members.models import Team

    return Team.objects.create(code="XF-CERT", name_en="CERT of XF", country="XF")


def proposed(team: Team, value: str = "192.0.2.0/24", **more: object) -> Claim:
    from tansiq.members import actions

    by = KEEPER if team.code == "XA-CERT" else XF_KEEPER
    said = {"kind": "cidr", "value": value, "evidence": "decree 7", "by": by, "now": NOW, **more}
    return actions.propose_claim(team, **said)  # type: ignore[arg-type]


def effective(team: str) -> list[str]:
    from tansiq.members import queries

    return [claim.value for claim in queries.claims() if claim.team == team and claim.verified]


def test_proposed_claim_has_no_effect_until_verified(xa: Team) -> None:
    from tansiq.members import actions, queries

    claim = proposed(xa)
    before = effective("XA-CERT"), queries.claims_version()
    actions.verify_claim(claim, note="decree 7 read", by=GRACE, now=LATER)

    assert before[0] == []
    assert (effective("XA-CERT"), queries.claims_version()) == (["192.0.2.0/24"], before[1] + 1)


def test_refused_claim_is_shown_to_the_team_with_the_note_and_may_be_proposed_again(xa: Team) -> None:
    from tansiq.members import actions, queries

    actions.refuse_claim(proposed(xa), note="the decree names another prefix", by=GRACE, now=LATER)
    again = proposed(xa, evidence="decree 8", now=LATER)

    seen = [(entry.state, entry.note) for entry in queries.claims_of(AMINA, "XA-CERT", now=LATER)]
    assert seen == [("refused", "the decree names another prefix"), ("proposed", "")]
    assert queries.claims_of(NOBODY, "XA-CERT", now=LATER) == []
    assert [entry.id for entry in queries.claims_to_judge(GRACE, now=LATER)] == [again.pk]
    assert queries.claims_to_judge(AMINA, now=LATER) == []


def test_verified_claim_is_public_without_its_evidence(xa: Team) -> None:
    from tansiq.members import actions, queries

    actions.verify_claim(proposed(xa), note="read", by=GRACE, now=NOW)

    (public,) = queries.claims_of(NOBODY, "XA-CERT", now=LATER)
    (own,) = queries.claims_of(AMINA, "XA-CERT", now=LATER)
    assert (public.state, public.evidence, public.note, public.source) == ("verified", "", "", "")
    assert (own.evidence, own.note) == ("decree 7", "read")


@pytest.mark.parametrize("by", [AMINA, XF_KEEPER, GRACE, NOBODY])
def test_claim_proposed_by_whoever_does_not_keep_the_team_is_refused(xa: Team, by: object) -> None:
    with pytest.raises(NotAllowed, match="not_keeper"):
        proposed(xa, by=by)


def test_claim_judged_by_the_team_itself_or_twice_is_refused(xa: Team) -> None:
    from tansiq.members import actions

    claim = proposed(xa)
    with pytest.raises(NotAllowed, match="not_secretariat"):
        actions.verify_claim(claim, note="fine", by=KEEPER, now=NOW)
    with pytest.raises(NotAllowed, match="own_team"):
        actions.verify_claim(claim, note="fine", by=replace(GRACE, team="XA-CERT"), now=NOW)
    actions.verify_claim(claim, note="read", by=GRACE, now=NOW)
    with pytest.raises(NotAllowed, match="judged_already"):
        actions.refuse_claim(claim, note="no", by=GRACE, now=NOW)


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"value": "192.0.2.1/24"}, "members.cidr.host_bits"),
        ({"kind": "domain", "value": "com"}, "members.domain.suffix"),
        ({"evidence": " "}, "members.claim.no_evidence"),
        ({"url": "javascript:alert(1)"}, "members.claim.evidence"),
        ({"evidence": "x" * 4001}, "members.claim.evidence"),
        ({"valid_from": LATER, "valid_until": NOW}, "members.claim.validity"),
    ],
)
def test_claim_that_cannot_be_one_is_refused_and_leaves_nothing(xa: Team, wrong: dict[str, object], code: str) -> None:
    from tansiq.core.errors import TansiqError
    from tansiq.members import queries

    before = queries.claims_version()
    with pytest.raises(TansiqError) as refused:
        proposed(xa, **wrong)

    assert (refused.value.code, xa.claims.count(), queries.claims_version()) == (code, 0, before)


def test_claim_for_a_time_that_meets_another_is_refused_and_after_it_is_not(xa: Team) -> None:
    from tansiq.members.actions.claims import ClaimedAlready

    proposed(xa, valid_until=LATER)

    with pytest.raises(ClaimedAlready):
        proposed(xa)
    assert proposed(xa, valid_from=LATER).pk


def test_ended_claim_keeps_its_past_and_a_proposal_leaves_none(xa: Team) -> None:
    from tansiq.members import actions, queries

    verified = actions.verify_claim(proposed(xa), note="read", by=GRACE, now=NOW)
    waiting = proposed(xa, "198.51.100.0/24")

    actions.end_claim(verified, by=KEEPER, now=LATER, why="sold")
    actions.end_claim(waiting, by=KEEPER, now=LATER)

    assert [(c.value, c.valid_until) for c in queries.claims() if c.team == "XA-CERT"] == [("192.0.2.0/24", LATER)]
    with pytest.raises(NotAllowed):
        actions.end_claim(verified, by=XF_KEEPER, now=LATER)


def test_contested_claim_is_shown_to_both_sides_and_the_secretariat_until_decided(xa: Team, xf: Team) -> None:
    from tansiq.members import actions, queries

    actions.verify_claim(proposed(xa), note="read", by=GRACE, now=NOW)
    inner = actions.verify_claim(proposed(xf, "192.0.2.0/25"), note="read", by=GRACE, now=NOW)

    def seen(viewer, team: str) -> list[tuple[str, str, str]]:
        return [(entry.team, entry.value, entry.effect) for entry in queries.overlaps_of(viewer, team, now=NOW)]

    expected = [("XF-CERT", "192.0.2.0/25", "contested")]
    assert seen(AMINA, "XA-CERT") == seen(MOUSSA, "XF-CERT") == seen(GRACE, "XA-CERT") == expected
    assert seen(MOUSSA, "XA-CERT") == seen(NOBODY, "XA-CERT") == []
    assert len(queries.all_overlaps(GRACE, now=NOW)) == 1
    actions.decide_overlap(inner, "agreed with XA-CERT, 14 April 2026", by=GRACE, now=NOW)
    assert queries.all_overlaps(GRACE, now=NOW) == []
