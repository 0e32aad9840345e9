"""Communication checks on a node's database: one way each, people told once, answers that travel back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from factories import desk, links, signin
from factories.exchange_node import NOW
from tansiq.core.decision import NotAllowed
from tansiq.core.viewer import Role, Viewer
from tansiq.exchange.body import Lane, Version
from tansiq.exchange.kinds import Said
from tansiq.exchange.own_kinds import CHECKS, SEEN
from tansiq.exchange.sending import Way
from tansiq.exchange.values import new_id, write_time

if TYPE_CHECKING:
    from tansiq.exchange.node.here import Here
    from tansiq.exchange.node.leaving import Attempt

pytestmark = pytest.mark.usefixtures("database")

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
OPERATOR = Viewer(person="operator", team="XA", roles=frozenset(Role))


def node(**changes: Any) -> Here:
    from factories.exchange_node import here
    from tansiq.exchange.kinds import KNOWN

    return here("XA", mail=("XE",), known=KNOWN, **changes)


def begin(xa: Here, *peers: str, people: bool = True, now: datetime = NOW, **closed: str) -> str:
    from tansiq.exchange.node import checking

    ways = {Way(way): reason for way, reason in closed.items()}
    return checking.begin(xa, peers or ("XE",), by=OPERATOR, people=people, closed=ways, now=now).pk


def attempts(xa: Here, lane: Lane, now: datetime = NOW, peer: str = "XE") -> list[Attempt]:
    from tansiq.exchange.node.attempts import due_attempts
    from tansiq.exchange.node.sealing import seal_channel

    seal_channel(xa, peer, lane, worker="sealer", now=now)
    return due_attempts(xa, peer, lane, now=now)


def outcomes(xa: Here, round_id: str, now: datetime = NOW) -> dict[tuple[str, str], str]:
    from tansiq.exchange.node import check_reports, checking

    checking.follow(now)
    (peer,) = check_reports.report(xa, round_id).peers
    return {(way.lane, way.way): way.reason or way.outcome for way in peer.ways}


def covered(xa: Here, lane: Lane, positions: list[int], now: datetime) -> None:
    """As if a receipt had covered these."""
    from tansiq.exchange.models import Sent

    Sent.objects.filter(channel__peer="XE", channel__lane=lane.value, first__in=positions).update(covered_at=now)


def said(kind: str, payload: dict[str, Any], *, team: str = "XE", person: str = "") -> Said:
    return Said(kind, 1, f"{team}:x", Version(1, 1), team, person, "[]", payload)


def check_from(team: str, *, round_id: str = "", sent_at: datetime = NOW, people: bool = True) -> Said:
    named = round_id or new_id(NOW)
    payload = {"round": named, "way": "jetstream", "sent_at": write_time(sent_at), "people": people}
    return said(CHECKS[Lane.URGENT], payload, team=team)


# ---- ways


@pytest.mark.parametrize("lane", list(Lane))
def test_check_goes_by_one_way_only(lane: Lane) -> None:
    xa = node()
    begin(xa)

    made = attempts(xa, lane)

    again = [one for minute in range(1, 10) for one in attempts(xa, lane, NOW + minute * MINUTE)]

    assert {one.ways for one in made} == {frozenset({Way.JETSTREAM}), frozenset({Way.MAIL})}
    assert {(one.first, one.ways) for one in again} <= {(one.first, one.ways) for one in made}


def test_check_by_mail_that_nobody_answers_goes_by_the_message_server_after_ten_minutes() -> None:
    from tansiq.exchange.node.attempts import mailed

    xa = node()
    begin(xa)
    first, second = attempts(xa, Lane.URGENT)
    by_jetstream, by_mail = (first, second) if Way.JETSTREAM in first.ways else (second, first)
    mailed([by_mail], NOW)  # a mail server has it
    covered(xa, Lane.URGENT, [by_jetstream.first], NOW + MINUTE)

    later = attempts(xa, Lane.URGENT, NOW + 10 * MINUTE)

    assert [(one.first, one.ways) for one in later] == [(by_mail.first, frozenset({Way.JETSTREAM}))]


def test_receipts_prove_ways_and_what_went_another_way_too_proves_nothing() -> None:
    xa = node()
    round_id = begin(xa)
    for lane in (Lane.URGENT, Lane.NORMAL):
        covered(xa, lane, [one.first for one in attempts(xa, lane)], NOW + timedelta(milliseconds=250))
    attempts(xa, Lane.BULK)
    mailed = [one.first for one in attempts(xa, Lane.BULK, NOW + 70 * MINUTE)]
    covered(xa, Lane.BULK, mailed, NOW + 71 * MINUTE)

    found = outcomes(xa, round_id, NOW + 72 * MINUTE)

    assert found == {
        ("urgent", "jetstream"): "received", ("urgent", "mail"): "received", ("urgent", "file"): "by_hand",
        ("normal", "jetstream"): "received", ("normal", "mail"): "received", ("normal", "file"): "by_hand",
        ("bulk", "jetstream"): "overtaken", ("bulk", "mail"): "received", ("bulk", "file"): "by_hand",
    }  # fmt: skip


def test_report_says_after_how_many_milliseconds_a_receipt_came() -> None:
    from tansiq.exchange.node import check_reports, checking

    xa = node()
    begin(xa)
    (first, *_rest) = attempts(xa, Lane.URGENT)
    covered(xa, Lane.URGENT, [first.first], NOW + timedelta(milliseconds=250))
    checking.follow(NOW + MINUTE)

    (peer,) = check_reports.history(xa, "XE")[0].peers

    assert [way.receipt_ms for way in peer.ways if way.receipt_ms is not None] == [250]
    assert (peer.is_reached, peer.is_whole, peer.is_open) == (True, False, True)


def test_peer_without_a_mail_address_is_not_checked_by_mail() -> None:
    xa = node()
    round_id = begin(xa, "XF")

    found = outcomes(xa, round_id)

    assert found["urgent", "mail"] == "no_address"
    assert found["urgent", "jetstream"] == "waiting"


def test_way_that_this_node_cannot_use_is_not_checked_and_nothing_is_put_there_for_it() -> None:
    from tansiq.exchange.models import OutboxRow

    xa = node()

    found = outcomes(xa, begin(xa, "XE", mail="not_mailed"))
    rows = OutboxRow.objects.filter(peer="XE")

    assert {lane: found[lane.value, "mail"] for lane in Lane} == dict.fromkeys(Lane, "not_mailed")
    assert found["urgent", "jetstream"] == "waiting"
    assert set(rows.values_list("only_way", flat=True)) == {"jetstream"}


def test_ways_are_closed_that_the_settings_do_not_open() -> None:
    from tansiq.exchange.node.checking import closed

    assert closed(has_server=True, has_post=True) == {}
    assert closed(has_server=False, has_post=False) == {Way.JETSTREAM: "no_server", Way.MAIL: "not_mailed"}


def test_check_that_nobody_answers_is_silent_after_a_week() -> None:
    xa = node()
    round_id = begin(xa)

    before, after = outcomes(xa, round_id, NOW + 6 * DAY), outcomes(xa, round_id, NOW + 7 * DAY)

    assert (before["normal", "jetstream"], after["normal", "jetstream"]) == ("waiting", "silent")


def test_check_that_may_not_leave_any_more_is_withheld() -> None:
    xa = node()
    round_id = begin(xa)
    without = node(epoch=2, members=("XA", "XF"), former=("XE",))
    for lane in Lane:
        attempts(without, lane, NOW + MINUTE)

    assert set(outcomes(xa, round_id, NOW + 2 * MINUTE).values()) <= {"withheld", "by_hand", "waiting"}


def test_stranger_is_not_checked() -> None:
    from tansiq.exchange.node.checking import NoSuchPeer

    with pytest.raises(NoSuchPeer):
        begin(node(), "XZ")


# ---- people


def test_people_on_duty_are_told_once_a_round_and_not_of_a_second_one_soon() -> None:
    from tansiq.exchange.node import checking
    from tansiq.notices.models import Mail
    from tansiq.workers.checks import people_wait, tell_people

    links.federated()
    signin.person("duty@xa.example", Role.DUTY_OFFICER)
    now = signin.now()
    first, second = check_from("XE", sent_at=now), check_from("XE", sent_at=now)
    for one in (first, first, second, check_from("XF", sent_at=now, people=False)):
        checking.heard(one, now)

    waited = people_wait(now)
    told = tell_people("https://xa.example", now=now + MINUTE)

    assert (waited, people_wait(now)) == (True, False)
    assert told == Mail.objects.count() == 1
    assert "https://xa.example/checks/" in Mail.objects.get().text


def test_check_that_came_late_wakes_nobody_and_waits_on_the_page() -> None:
    from tansiq.exchange.node import checking
    from tansiq.workers.checks import tell_people

    links.federated()
    signin.person("duty@xa.example", Role.DUTY_OFFICER)
    now = signin.now()
    checking.heard(check_from("XE", sent_at=now - 3 * DAY), now)

    told = tell_people("https://xa.example", now=now + MINUTE)

    assert told == 0
    assert [row.team for row in checking.unseen(now + MINUTE)] == ["XE"]


def test_answer_travels_as_an_object_of_the_persons_team_to_whoever_asked() -> None:
    from tansiq.exchange.models import OutboxRow
    from tansiq.exchange.node import checking, statements

    xa = node()
    checking.heard(check_from("XE", round_id="0190a000-0000-7000-8000-000000000001"), NOW)
    (asked,) = checking.unseen(NOW)

    checking.acknowledge(xa, asked.pk, by=Viewer("P-AMINA", "XA", frozenset({Role.ANALYST})), now=NOW + MINUTE)

    (row,) = OutboxRow.objects.select_related("statement__marking")
    answer = statements.said(row.statement)
    assert (row.peer, row.lane, answer.kind, answer.team, answer.person) == ("XE", "urgent", SEEN, "XA", "P-AMINA")
    assert answer.payload == {"round": asked.round, "seen_at": write_time(NOW + MINUTE)}
    assert checking.unseen(NOW + MINUTE) == []


@pytest.mark.parametrize(
    "by",
    [
        Viewer(),
        Viewer("P-OMAR", "XA", frozenset({Role.OBSERVER})),
        Viewer("P-MOUSSA", "XF", frozenset({Role.HEAD})),
        Viewer.system(because="check"),
    ],
)
def test_who_does_not_work_for_the_operator_answers_no_check(by: Viewer) -> None:
    from tansiq.exchange.node import checking

    checking.heard(check_from("XE"), NOW)
    (asked,) = checking.unseen(NOW)

    with pytest.raises(NotAllowed):
        checking.acknowledge(node(), asked.pk, by=by, now=NOW)


def test_answer_of_a_person_is_reported_with_the_minutes_that_it_took() -> None:
    from tansiq.exchange.node import check_reports, checking

    xa = node()
    round_id = begin(xa)
    answer = {"round": round_id, "seen_at": write_time(NOW + MINUTE)}
    for _time in range(2):
        checking.seen(said(SEEN, answer, person="P-AMINA"), NOW + 2 * MINUTE)
    checking.seen(said(SEEN, answer | {"round": new_id(NOW)}, person="P-AMINA"), NOW + 2 * MINUTE)

    (found,) = check_reports.history(xa, "XE")[0].peers

    assert [(saw.team, saw.person, saw.minutes) for saw in found.seen] == [("XE", "P-AMINA", 2.0)]


# ---- every month


def test_month_has_one_check_by_itself() -> None:
    from tansiq.exchange.node import check_reports

    xa = node()
    before = check_reports.is_due(NOW)
    begin(xa)

    after = [check_reports.is_due(NOW + days * DAY) for days in (1, 29, 31)]

    assert (before, after) == (True, [False, False, True])


# ---- the portal


def test_amina_sees_a_check_on_her_first_page_and_its_page_has_the_button() -> None:
    from django.utils import timezone

    from tansiq.exchange.node import checking

    links.federated()
    signin.team_of("XA-CERT")
    checking.heard(check_from("XE", sent_at=timezone.now()), timezone.now())
    amina = desk.at_door("amina")

    first, page = amina.get("/"), amina.get("/checks/")

    assert "/checks/" in first.content.decode()
    assert "/seen/" in page.content.decode()
