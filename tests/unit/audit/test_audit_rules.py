"""Who may see which row."""

from __future__ import annotations

import pytest

from people import AMINA, GRACE, MOUSSA, NOBODY, RACHED, key_of, person
from tansiq.audit.rules import REGISTER_KINDS, Facts, may_erase_reason, may_see, may_see_reason, may_verify
from tansiq.core.viewer import Role, Seat, Viewer

HEAD = person("hana", Role.HEAD, team="XA-CERT")
HEAD_XF = person("fatou", Role.HEAD, team="XF-CERT")
AUDITOR = person("omar", seats=(Seat.AUDITOR,))
BOARD = person("bilal", seats=(Seat.BOARD,))
KEY = key_of("XA-CERT")

CASE = Facts(AMINA.name, "XA-CERT", "case.opened", "case", "C-1")
READING = Facts(AMINA.name, "XA-CERT", "item.read", "contact", "7")
CLAIM = Facts(AMINA.name, "XA-CERT", "claim.stated", "claim", "12")
TEAM_BY_GRACE = Facts(GRACE.name, "", "team.renamed", "team", "XA-CERT")


@pytest.mark.parametrize(
    ("row", "seen_by"),
    [
        (CASE, {AMINA, HEAD, AUDITOR}),
        (READING, {AMINA, HEAD, AUDITOR}),
        (CLAIM, {AMINA, HEAD, AUDITOR, GRACE}),
        (TEAM_BY_GRACE, {GRACE, HEAD, AUDITOR}),
    ],
)
def test_may_see_a_row_those_whom_it_concerns(row: Facts, seen_by: set[Viewer]) -> None:
    everybody = {AMINA, MOUSSA, GRACE, RACHED, NOBODY, HEAD, HEAD_XF, AUDITOR, BOARD, KEY}

    assert {viewer for viewer in everybody if may_see(row, viewer)} == seen_by


def test_may_see_a_row_nobody_wrote_is_not_for_guests() -> None:
    assert may_see(Facts("", "", "case.opened", "case", "C-1"), NOBODY).reason == "audit.entry.guest"


def test_may_see_rows_of_no_team_is_not_for_a_head_without_team() -> None:
    stray = Viewer(person="P-STRAY", roles=frozenset({Role.HEAD}))

    assert not may_see(Facts(GRACE.name, "", "case.opened", "case", "C-1"), stray)
    assert not may_see(Facts(GRACE.name, "", "team.renamed", "team", "XA-CERT"), stray)


@pytest.mark.parametrize(
    ("row", "seen_by"),
    [(CASE, {AMINA, HEAD}), (READING, {AMINA, HEAD}), (CLAIM, {AMINA, HEAD, GRACE}), (TEAM_BY_GRACE, {GRACE})],
)
def test_may_see_reason_never_the_auditor(row: Facts, seen_by: set[Viewer]) -> None:
    everybody = {AMINA, MOUSSA, GRACE, RACHED, NOBODY, HEAD, HEAD_XF, AUDITOR, BOARD, KEY}

    assert {viewer for viewer in everybody if may_see_reason(row, viewer)} == seen_by


def test_may_erase_reason_the_teams_head_else_the_secretariat() -> None:
    everybody = {AMINA, MOUSSA, GRACE, RACHED, NOBODY, HEAD, HEAD_XF, AUDITOR, BOARD, KEY}

    assert {viewer for viewer in everybody if may_erase_reason(CASE, viewer)} == {HEAD}
    assert {viewer for viewer in everybody if may_erase_reason(TEAM_BY_GRACE, viewer)} == {GRACE}


def test_may_verify_auditors_secretariat_and_heads() -> None:
    everybody = {AMINA, MOUSSA, GRACE, RACHED, NOBODY, HEAD, HEAD_XF, AUDITOR, BOARD, KEY}

    assert {viewer for viewer in everybody if may_verify(viewer)} == {GRACE, HEAD, HEAD_XF, AUDITOR}


def test_register_kinds_hold_no_people() -> None:
    assert "person" not in REGISTER_KINDS
