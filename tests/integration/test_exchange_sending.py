"""The sending side of a node on its database: positions, attempts, limits, and what receipts change (section 8)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from factories.exchange_node import NOW, marked, payload
from tansiq.exchange import canonical, reading
from tansiq.exchange.body import Lane, ObjectState, Receipt, Skip, State, Version
from tansiq.exchange.channel import KEPT, LIMITS, Limit
from tansiq.exchange.sending import Way
from tansiq.exchange.values import EMPTY_DIGEST, digest, incarnation_number, new_id, new_incarnation

if TYPE_CHECKING:
    from tansiq.exchange.models import OutChannel
    from tansiq.exchange.node.believing import Follow
    from tansiq.exchange.node.here import Here
    from tansiq.exchange.node.leaving import Attempt

pytestmark = pytest.mark.usefixtures("database")

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


def node(code: str = "XA", **changes: Any) -> Here:
    from factories.exchange_node import here

    return here(code, **changes)


def publish(xa: Here, name: str, *teams: str, text: str = "words", kind: str = "case.note") -> None:
    from tansiq.exchange.node import publishing

    publishing.publish(
        xa, kind=kind, name=name, payload=payload(text), markings=marked("XA", *teams), team="XA", now=NOW
    )


def seal(xa: Here, lane: Lane = Lane.NORMAL, *, worker: str = "sealer", now: datetime = NOW, peer: str = "XE") -> int:
    from tansiq.exchange.node.sealing import seal_channel

    return seal_channel(xa, peer, lane, worker=worker, now=now)


def due(xa: Here, lane: Lane = Lane.NORMAL, *, now: datetime = NOW, most: int = 500, peer: str = "XE") -> list[Attempt]:
    from tansiq.exchange.node.attempts import due_attempts

    return due_attempts(xa, peer, lane, now=now, most=most)


def positions(attempts: list[Attempt]) -> list[tuple[int, int]]:
    return [(attempt.first, attempt.last) for attempt in attempts]


def sent(xa: Here, count: int, *, kind: str = "case.note", lane: Lane = Lane.NORMAL) -> list[Attempt]:
    """``count`` objects for XE sealed and attempted once."""
    for number in range(1, count + 1):
        publish(xa, str(number), "XE", kind=kind)
    seal(xa, lane)
    return due(xa, lane)


def channel(peer: str = "XE", lane: Lane = Lane.NORMAL) -> OutChannel:
    from tansiq.exchange.models import OutChannel

    return OutChannel.objects.get(peer=peer, lane=lane.value)


def receipt(
    through: int, *, lane: Lane = Lane.NORMAL, n: int = 1, highest: int = 0, at: datetime = NOW, **changes: Any
) -> Receipt:
    """By XE of the channel as it is, with the right digest."""
    from tansiq.exchange.models import Sent

    row = channel(lane=lane)
    body_hash = Sent.objects.filter(channel=row, last=through).values_list("digest", flat=True).first()
    said: dict[str, Any] = {
        "id": new_id(at),
        "realm": "live",
        "sender": "XE",
        "recipient": "XA",
        "epoch": 1,
        "sent_at": at,
        "lane": lane,
        "incarnation": row.incarnation,
        "n": n,
        "through": through,
        "body_hash": body_hash or EMPTY_DIGEST,
        "highest": max(highest, through),
        "clock": at,
    }
    return Receipt(**(said | changes))


def believe(xa: Here, said: Receipt, now: datetime = NOW) -> Follow:
    from tansiq.exchange.node.attempts import on_receipt

    return on_receipt(xa, said, now)


def uncovered() -> list[tuple[int, int, str]]:
    from tansiq.exchange.models import Sent

    rows = Sent.objects.filter(covered_at=None).order_by("first")
    return list(rows.values_list("first", "last", "skipped"))


def assert_counted() -> None:
    """The counters of what waits are what is there."""
    from tansiq.exchange.models import OutChannel, Sent

    for row in OutChannel.objects.all():
        waiting = list(Sent.objects.filter(channel=row, covered_at=None).values_list("size_bytes", flat=True))
        assert (row.waiting_bodies, row.waiting_bytes) == (len(waiting), sum(waiting))


def small(lane: Lane, bodies: int) -> Mapping[Lane, Limit]:
    return {**LIMITS, lane: Limit(bodies, 10**9)}


# ---- positions


def test_seal_gives_positions_in_order_and_chains_their_digests() -> None:
    xa = node()

    attempts = sent(xa, 3)

    said = [json.loads(attempt.body) for attempt in attempts]
    assert [body["seq"] for body in said] == [1, 2, 3]
    assert [body["object"] for body in said] == ["XA:1", "XA:2", "XA:3"]
    assert [body["prev"] for body in said] == [EMPTY_DIGEST, digest(attempts[0].body), digest(attempts[1].body)]
    assert {body["incarnation"] for body in said} == {channel().incarnation}
    assert_counted()


def test_sealed_bodies_are_canonical_and_read_as_envelopes() -> None:
    (attempt,) = sent(node(), 1)

    envelope = reading.read_envelope(reading.read_head(canonical.read_canonical(attempt.body)))

    assert (envelope.id, envelope.sender, envelope.recipient, envelope.via) == (attempt.id, "XA", "XE", ())
    assert envelope.written() == attempt.body


def test_seal_of_what_may_no_longer_go_gives_it_no_position() -> None:
    xa = node()
    publish(xa, "1", "XE", text="for both")
    publish(xa, "1", "XF", text="for one")

    seal(xa)

    assert due(xa) == []
    assert uncovered() == []


def test_seal_by_a_second_worker_waits_until_the_lease_is_over() -> None:
    xa = node()
    publish(xa, "1", "XE")
    seal(xa, worker="first")
    publish(xa, "2", "XE")

    early = seal(xa, worker="second", now=NOW + 9 * SECOND)
    later = seal(xa, worker="second", now=NOW + 10 * SECOND)

    assert (early, later) == (0, 1)


def test_nothing_is_sealed_under_a_roster_that_is_no_longer_the_newest() -> None:
    from tansiq.exchange.models import OutboxRow, RosterRecord

    before, after = node(), node(epoch=2)
    RosterRecord.objects.create(
        realm="live", epoch=2, digest="0" * 64, text="{}", signatures=[], issued_at=NOW, accepted_at=NOW
    )
    publish(after, "1", "XE")

    outdated = seal(before)
    waiting = OutboxRow.objects.count()

    assert (outdated, waiting, seal(after)) == (0, 1, 1)


def test_nothing_goes_into_a_file_by_a_roster_that_counts_no_more() -> None:
    """What the later one recalls was settled before: a body that went now would not be followed by a recall."""
    from tansiq.exchange.models import Recipient, RosterRecord, Sent
    from tansiq.exchange.node import attempts

    before, after = node(), node(epoch=2)
    publish(before, "1", "XE")
    seal(before)
    RosterRecord.objects.create(
        realm="live", epoch=2, digest="0" * 64, text="{}", signatures=[], issued_at=NOW, accepted_at=NOW
    )

    outdated = attempts.by_file(before, "XE", Lane.NORMAL, above=0, now=NOW)
    marked_meanwhile = Sent.objects.filter(first_sent_at__isnull=False).count(), Recipient.objects.count()
    made = attempts.by_file(after, "XE", Lane.NORMAL, above=0, now=NOW)

    assert (outdated, marked_meanwhile) == ([], (0, 0))
    assert [one.first for one in made] == [1]


def test_release_lets_the_next_worker_seal_at_once() -> None:
    from tansiq.exchange.node.sealing import release

    xa = node()
    publish(xa, "1", "XE")
    seal(xa, worker="first")
    publish(xa, "2", "XE")

    release("first")

    assert seal(xa, worker="second") == 1


@pytest.mark.parametrize("what", ["held", "frozen"])
def test_a_silent_node_seals_and_attempts_nothing(what: str) -> None:
    from tansiq.exchange.models import Life, Link

    xa = node()
    sent(xa, 1)
    publish(xa, "2", "XE")
    if what == "held":
        Life.objects.update_or_create(defaults={"held_since": NOW, "began_at": NOW})
    else:
        Link.objects.update_or_create(peer="XE", defaults={"frozen_at": NOW})

    assert (seal(xa), due(xa, now=NOW + HOUR)) == (0, [])


# ---- attempts


def test_each_position_is_attempted_once_and_only_the_lowest_again() -> None:
    xa = node()
    first = sent(xa, 3)

    again = {seconds: positions(due(xa, now=NOW + seconds * SECOND)) for seconds in (4, 5, 14, 15)}

    assert positions(first) == [(1, 1), (2, 2), (3, 3)]
    assert again == {4: [], 5: [(1, 1)], 14: [], 15: [(1, 1)]}


def test_an_attempt_again_has_the_same_bytes_and_another_number() -> None:
    xa = node()
    (first,) = sent(xa, 1)

    (second,) = due(xa, now=NOW + MINUTE)

    assert (second.body, second.id) == (first.body, first.id)
    assert (first.number, second.number) == (1, 2)


def test_attempts_are_stored_with_their_recipients_before_they_leave() -> None:
    from tansiq.exchange.models import Recipient, Sent

    sent(node(), 2)

    attempted = list(Recipient.objects.order_by("object").values_list("object", "peer", "attempted_at"))
    assert attempted == [("XA:1", "XE", NOW), ("XA:2", "XE", NOW)]
    assert set(Sent.objects.values_list("first_sent_at", "attempts")) == {(NOW, 1)}


def test_first_attempt_of_a_recipient_stays_the_first() -> None:
    from tansiq.exchange.models import Recipient

    xa = node()
    sent(xa, 1)
    publish(xa, "1", "XE", text="second")
    seal(xa)

    due(xa, now=NOW + MINUTE)

    assert Recipient.objects.get().attempted_at == NOW


def test_attempts_stay_within_the_window() -> None:
    xa = node(window=2)

    attempts = sent(xa, 5)
    believe(xa, receipt(1))
    following = due(xa)

    assert positions(attempts) == [(1, 1), (2, 2)]
    assert positions(following) == [(3, 3)]


def test_attempts_come_in_portions() -> None:
    xa = node()
    for number in range(1, 6):
        publish(xa, str(number), "XE")
    seal(xa)

    portions = [positions(due(xa, most=2)) for _ in range(4)]

    assert [position for portion in portions for position in portion] == [(n, n) for n in range(1, 6)]


def test_what_the_backbone_had_no_room_for_is_tried_as_if_for_the_first_time() -> None:
    from tansiq.exchange.node.attempts import not_taken

    xa = node()
    made = sent(xa, 4)

    not_taken("XE", Lane.NORMAL, made[1:])
    again = due(xa)

    assert positions(again) == [(2, 2), (3, 3), (4, 4)]
    assert [attempt.number for attempt in again] == [1, 1, 1]


def test_only_as_many_go_by_the_backbone_as_it_has_room_for_and_the_rest_is_still_due() -> None:
    from tansiq.exchange.node.attempts import due_attempts, not_taken

    xa = node(mail=["XE"])
    made = sent(xa, 4, kind="alert", lane=Lane.URGENT)
    not_taken("XE", Lane.URGENT, made)

    def tried(room: int, after: timedelta) -> list[tuple[int, set[Way]]]:
        some = due_attempts(xa, "XE", Lane.URGENT, now=NOW + after, room=room)
        return [(one.first, set(one.ways)) for one in some]

    assert tried(0, SECOND) == []
    assert tried(1, SECOND) == [(1, {Way.JETSTREAM})]
    assert tried(1, SECOND) == [(2, {Way.JETSTREAM})]
    assert tried(1, HOUR) == [
        (1, {Way.JETSTREAM, Way.MAIL}),
        (2, {Way.MAIL}),
        (3, {Way.MAIL}),
        (4, {Way.MAIL}),
    ]
    assert tried(9, HOUR) == [(3, {Way.JETSTREAM}), (4, {Way.JETSTREAM})]


def test_mail_goes_too_when_nothing_was_heard_for_a_minute_of_what_is_urgent() -> None:
    xa = node(mail=["XE"])
    sent(xa, 2, kind="alert", lane=Lane.URGENT)

    early = due(xa, Lane.URGENT, now=NOW + 59 * SECOND)
    later = due(xa, Lane.URGENT, now=NOW + 60 * SECOND)

    assert [attempt.ways for attempt in early] == [{Way.JETSTREAM}]
    assert [(attempt.first, Way.MAIL in attempt.ways) for attempt in later] == [(1, True), (2, True)]


def test_mail_is_left_out_where_the_roster_has_no_address() -> None:
    xa = node()
    sent(xa, 2, kind="alert", lane=Lane.URGENT)

    assert [attempt.ways for attempt in due(xa, Lane.URGENT, now=NOW + HOUR)] == [{Way.JETSTREAM}]


def test_to_attempt_names_a_peer_when_something_is_due() -> None:
    from tansiq.exchange.node.due import to_attempt

    xa = node(mail=["XE"])
    publish(xa, "1", "XE", kind="alert")
    seal(xa, Lane.URGENT)
    sealed = to_attempt(xa, Lane.URGENT, NOW)
    times = [NOW + after for after in (timedelta(0), 4 * SECOND, 5 * SECOND, 14 * SECOND, 59 * SECOND)]

    found = [(bool(to_attempt(xa, Lane.URGENT, at)), len(due(xa, Lane.URGENT, now=at))) for at in times]

    assert sealed == ["XE"]
    assert found == [(True, 1), (False, 0), (True, 1), (False, 0), (True, 1)]


def test_uncovered_names_a_peer_for_which_but_a_mail_is_due() -> None:
    from tansiq.exchange.node.due import to_attempt, uncovered

    xa = node(mail=["XE"])
    sent(xa, 1, kind="alert", lane=Lane.URGENT)
    due(xa, Lane.URGENT, now=NOW + 59 * SECOND)
    named = to_attempt(xa, Lane.URGENT, NOW + 60 * SECOND), uncovered(xa, Lane.URGENT, NOW + 60 * SECOND)

    later = due(xa, Lane.URGENT, now=NOW + 60 * SECOND)

    assert named == ([], ["XE"])
    assert [attempt.ways for attempt in later] == [{Way.MAIL}]


# ---- decided again


def test_what_may_no_longer_go_becomes_one_skip_and_its_bytes_are_gone() -> None:
    from tansiq.exchange.models import Sent

    xa = node()
    for number in range(1, 5):
        publish(xa, str(number), "XE")
    seal(xa)
    for number in (1, 2, 3):
        publish(xa, str(number), "XF", text="narrowed")

    skip, envelope = due(xa)

    assert (positions([skip, envelope]), skip.is_skip, envelope.is_skip) == ([(1, 3), (4, 4)], True, False)
    assert list(Sent.objects.filter(channel=channel(), body=None).values_list("first", "last")) == [(1, 3)]
    assert_counted()


def test_when_one_may_not_go_the_bytes_of_all_that_may_not_are_gone_at_once() -> None:
    xa = node()
    sent(xa, 4)
    publish(xa, "5", "XE")
    seal(xa)
    for number in (1, 3, 5):
        publish(xa, str(number), "XF", text="narrowed")

    due(xa, now=NOW + SECOND)

    assert uncovered() == [(1, 1, "entitlement"), (2, 2, ""), (3, 3, "entitlement"), (4, 4, ""), (5, 5, "entitlement")]
    assert_counted()


def test_a_skip_says_how_the_chain_goes_on() -> None:
    xa = node()
    for number in (1, 2):
        publish(xa, str(number), "XE")
    seal(xa)
    publish(xa, "1", "XF", text="narrowed")

    skip, envelope = [json.loads(attempt.body) for attempt in due(xa)]

    read = reading.read_head(skip)
    assert isinstance(read, Skip)
    assert (read.reason, read.seq, read.last, read.hash_after) == ("entitlement", 1, 1, envelope["prev"])


def test_a_roster_without_the_peer_destroys_what_waits_for_it() -> None:
    from tansiq.exchange.models import Sent

    sent(node(), 3)

    attempts = due(node(epoch=2, members=("XA", "XF"), former=("XE",)), now=NOW + HOUR)

    assert attempts == []
    assert list(Sent.objects.values_list("first", "last", "skipped", "body")) == [(1, 3, "entitlement", None)]
    assert_counted()


def test_a_later_narrowing_recalls_from_those_attempted_only() -> None:
    from tansiq.exchange.models import RecallOrder

    xa = node()
    publish(xa, "1", "XE", "XF")
    seal(xa)
    due(xa)

    publish(xa, "1", text="nobody")

    assert list(RecallOrder.objects.values_list("object", "peer", "cause")) == [("XA:1", "XE", "marking")]


def test_withdraw_recalls_and_lets_nothing_go() -> None:
    from tansiq.exchange.models import RecallOrder
    from tansiq.exchange.node.publishing import publish as publish_version
    from tansiq.exchange.node.publishing import withdraw

    xa = node()
    sent(xa, 1)

    withdraw(xa, "XA:1", NOW)

    (skip,) = due(xa, now=NOW + MINUTE)
    again = publish_version(
        xa, kind="case.note", name="1", payload=payload(), markings=marked("XA", "XE"), team="XA", now=NOW
    )
    assert skip.is_skip
    assert list(RecallOrder.objects.values_list("object", "peer")) == [("XA:1", "XE")]
    assert (again.term, again.n) == (1, 3)


# ---- forwarding


def test_forward_sends_anothers_object_on_and_names_itself() -> None:
    from tansiq.exchange.node.publishing import forward

    xe = node("XE")
    received(xe, "XA:1", "XE", "XF")

    assert forward(xe, "XA:1", "XF", NOW)

    seal(xe, peer="XF")
    (attempt,) = due(xe, peer="XF")
    said = json.loads(attempt.body)
    assert (said["from"], said["to"], said["via"], said["author"]["team"]) == ("XE", "XF", ["XE"], "XA")


def test_forward_to_whom_the_marking_does_not_name_is_refused() -> None:
    from tansiq.exchange.node.publishing import forward

    xe = node("XE")
    received(xe, "XA:1", "XE")

    assert not forward(xe, "XA:1", "XF", NOW)


def test_forward_by_a_node_that_may_not_is_refused() -> None:
    from tansiq.exchange.node.publishing import forward

    xe = node("XE", forwarders=())
    received(xe, "XA:1", "XE", "XF")

    assert not forward(xe, "XA:1", "XF", NOW)


@pytest.mark.parametrize(
    "recalled",
    [{"narrowed_term": 1, "narrowed_n": 2}, {"left_term": 1, "left_n": 1, "recall_epoch": 1}],
    ids=["narrowed", "left"],
)
def test_forward_of_what_is_kept_against_a_recall_is_refused(recalled: dict[str, int]) -> None:
    from tansiq.exchange.models import SharedObject
    from tansiq.exchange.node.publishing import forward

    xe = node("XE")
    received(xe, "XA:1", "XE", "XF")
    SharedObject.objects.filter(object="XA:1").update(kept_reason="evidence", kept_by="AMINA", kept_at=NOW, **recalled)

    assert not forward(xe, "XA:1", "XF", NOW)


def test_a_proven_narrowing_that_is_not_applied_stops_a_forward() -> None:
    from tansiq.exchange.models import SharedObject
    from tansiq.exchange.node.publishing import forward

    xe = node("XE")
    received(xe, "XA:1", "XE", "XF")
    forward(xe, "XA:1", "XF", NOW)
    seal(xe, peer="XF")
    SharedObject.objects.update(proven=kept(xe, "XA:1", Version(1, 2), "XE"))

    (attempt,) = due(xe, peer="XF")

    assert attempt.is_skip


def kept(here: Here, name: str, version: Version, *teams: str) -> Any:
    """A statement of XA as if it had come from there."""
    from tansiq.exchange.node.statements import state

    statement = state(
        node("XA"),
        kind="case.note",
        object=name,
        payload=payload(),
        markings=marked("XA", *teams),
        team="XA",
        now=NOW,
        version=version,
    )
    statement.came_from = "XA"
    statement.save()
    return statement


def received(here: Here, name: str, *teams: str) -> None:
    from tansiq.exchange.models import SharedObject

    statement = kept(here, name, Version(1, 1), *teams)
    SharedObject.objects.create(
        object=name, kind="case.note", owner="XA", statement=statement, proven=statement, known=True, epoch=1
    )


# ---- receipts


def test_a_receipt_covers_what_it_says_and_notes_the_states_of_objects() -> None:
    from tansiq.exchange.models import Recipient

    xa = node()
    sent(xa, 3)
    states = (
        ObjectState(object="XA:1", version=Version(1, 1), state=State.STORED),
        ObjectState(object="XA:2", version=Version(1, 1), state=State.PARKED, reason="reference"),
        ObjectState(object="XA:9", version=Version(1, 1), state=State.STORED),
    )

    follow = believe(xa, receipt(2, objects=states, changes=3), NOW + SECOND)

    assert follow.ask_since is None
    assert uncovered() == [(3, 3, "")]
    assert list(Recipient.objects.order_by("object").values_list("object", "state", "reason", "state_n")) == [
        ("XA:1", "stored", "", 1),
        ("XA:2", "parked", "reference", 1),
        ("XA:3", "", "", 0),
    ]
    assert_counted()


def test_a_gap_is_sent_again_at_once_unless_it_was_just_sent() -> None:
    xa = node()
    sent(xa, 4)
    gaps = {"highest": 4, "gaps": ((2, 3),)}

    believe(xa, receipt(1, n=1, **gaps), NOW + SECOND)
    at_once = positions(due(xa, now=NOW + SECOND))
    believe(xa, receipt(1, n=2, **gaps), NOW + 5 * SECOND)
    later = positions(due(xa, now=NOW + 5 * SECOND))

    assert (at_once, later) == ([], [(2, 2), (3, 3)])
    assert uncovered() == [(2, 2, ""), (3, 3, "")]
    assert_counted()


def test_what_a_receipt_of_a_minute_later_says_nothing_of_was_lost() -> None:
    xa = node()
    sent(xa, 4)

    believe(xa, receipt(1), NOW + MINUTE)

    assert positions(due(xa, now=NOW + MINUTE)) == [(2, 2), (3, 3), (4, 4)]


def test_an_older_receipt_changes_nothing() -> None:
    xa = node()
    sent(xa, 3)
    believe(xa, receipt(3, n=7))

    believe(xa, receipt(1, n=6))

    assert uncovered() == []


def test_a_receipt_that_covers_less_makes_the_rest_go_again() -> None:
    xa = node()
    sent(xa, 3)
    believe(xa, receipt(3, n=7))

    believe(xa, receipt(1, n=8))

    assert positions(due(xa)) == [(2, 2), (3, 3)]
    assert_counted()


def test_a_receipt_whose_changes_do_not_follow_is_asked_for_again() -> None:
    xa = node()
    sent(xa, 3)

    follow = believe(xa, receipt(3, since=5, changes=6))

    assert follow.ask_since == 0


def open_alarms() -> list[tuple[str, str, int]]:
    from tansiq.exchange.models import Alarm

    return list(Alarm.objects.filter(ended_at=None).values_list("code", "peer", "times"))


def test_a_receipt_of_positions_never_given_begins_that_link_anew_and_silences_nobody() -> None:
    from tansiq.exchange.models import Link, OutboxRow
    from tansiq.exchange.node.holding import is_held

    xa = node()
    publish(xa, "alert", "XE", "XF", kind="alert")
    sent(xa, 2)
    before = channel().incarnation

    follow = believe(xa, receipt(7))

    assert (follow.doubted, is_held(), open_alarms()) == (True, False, [("exchange.doubted", "XE", 1)])
    link = Link.objects.get(peer="XE")
    assert link.doubted_at == link.asking_since == NOW
    assert (channel().incarnation, before in channel().former) == ("", True)
    assert set(OutboxRow.objects.values_list("peer", "lane")) == {
        ("XE", "normal"),
        ("XE", "urgent"),
        ("XF", "urgent"),
    }
    seal(xa, now=NOW + SECOND)
    assert incarnation_number(channel().incarnation) > incarnation_number(before)
    assert positions(due(xa, now=NOW + SECOND)) == [(1, 1), (2, 2)]


def test_a_peer_that_goes_on_saying_so_is_not_heard_for_an_hour() -> None:
    xa = node()
    sent(xa, 1)
    believe(xa, receipt(7))
    seal(xa)
    incarnation = channel().incarnation

    believe(xa, receipt(7, n=2), NOW + MINUTE)
    after_a_minute = channel().incarnation
    believe(xa, receipt(7, n=3), NOW + HOUR)

    assert (after_a_minute, channel().incarnation) == (incarnation, "")
    assert open_alarms() == [("exchange.doubted", "XE", 2)]


def test_a_receipt_of_a_later_incarnation_begins_one_above_it() -> None:
    xa = node()
    sent(xa, 1)
    number = incarnation_number(channel().incarnation)

    former = believe(xa, receipt(1, incarnation=new_incarnation(number - 1)))
    later = believe(xa, receipt(1, incarnation=new_incarnation(number + 100)))
    seal(xa)

    assert (former.doubted, later.doubted) == (False, True)
    assert incarnation_number(channel().incarnation) == number + 101


def test_a_receipt_about_a_lane_on_which_nothing_was_sent_begins_one_above_it() -> None:
    from tansiq.exchange.node.holding import is_held

    xa = node()
    sent(xa, 1)
    number = incarnation_number(channel().incarnation)

    believe(xa, replace(receipt(0, incarnation=new_incarnation(number + 7)), lane=Lane.BULK))
    publish(xa, "event", "XE", kind="event")
    seal(xa, Lane.BULK)

    assert not is_held()
    assert incarnation_number(channel(lane=Lane.BULK).incarnation) == number + 8


def test_a_receipt_of_an_incarnation_above_which_there_is_no_room_is_passed_over() -> None:
    xa = node()
    sent(xa, 1)

    follow = believe(xa, receipt(0, incarnation=new_incarnation(10**15 - 1)))

    assert (follow.doubted, open_alarms()) == (False, [])


def test_a_removed_node_makes_nobody_doubt() -> None:
    xa = node()
    sent(xa, 1)
    before = channel().incarnation

    believe(node(members=("XA", "XF"), former=("XE",)), receipt(7))

    assert (channel().incarnation, open_alarms()) == (before, [])


def test_a_receipt_with_another_digest_freezes_the_link_and_is_kept() -> None:
    from tansiq.exchange.models import Evidence, Link

    xa = node()
    sent(xa, 1)

    follow = believe(xa, receipt(1, body_hash="ab" * 32))

    assert follow.frozen
    assert Link.objects.get(peer="XE").frozen_at == NOW
    assert Evidence.objects.get().what == "receipt"


# ---- limits


def test_a_full_bulk_lane_drops_and_says_so_by_a_signed_skip() -> None:
    from tansiq.exchange.models import Link

    xa = node(limits=small(Lane.BULK, 2))
    sent(xa, 4, kind="event", lane=Lane.BULK)
    believe(xa, receipt(2, lane=Lane.BULK))
    publish(xa, "5", "XE", kind="event")
    seal(xa, Lane.BULK)

    skip, envelope = due(xa, Lane.BULK)

    said = json.loads(skip.body)
    assert (positions([skip, envelope]), said["reason"], said["count"]) == ([(3, 4), (5, 5)], "limit", 2)
    assert json.loads(envelope.body)["prev"] == said["hash_after"]
    assert Link.objects.get(peer="XE").incomplete_since == NOW
    assert_counted()


def test_a_full_urgent_lane_waits_with_an_alarm_until_there_is_room() -> None:
    from tansiq.exchange.models import Alarm, OutboxRow

    xa = node(limits=small(Lane.URGENT, 2))
    sent(xa, 3, kind="alert", lane=Lane.URGENT)
    waiting = OutboxRow.objects.count()
    raised = Alarm.objects.filter(ended_at=None).count()
    believe(xa, receipt(2, lane=Lane.URGENT))

    sealed = seal(xa, Lane.URGENT)

    assert (waiting, raised, sealed) == (1, 1, 1)
    assert not Alarm.objects.filter(ended_at=None).exists()


def test_shed_drops_the_newest_of_bulk_first_and_leaves_what_is_urgent() -> None:
    from tansiq.exchange.models import OutboxRow
    from tansiq.exchange.node.sealing import shed

    xa = node()
    for name, kind in [("1", "event"), ("2", "case.note"), ("3", "alert"), ("4", "event"), ("5", "case.note")]:
        publish(xa, name, "XE", kind=kind)
    size = OutboxRow.objects.get(statement__object="XA:1").size_bytes

    dropped = shed(excess_bytes=2 * size + 1, now=NOW, peer="XE")
    all_of_it = shed(excess_bytes=10**9, now=NOW)

    assert (dropped, all_of_it) == (3, 1)
    assert list(OutboxRow.objects.values_list("statement__object", flat=True)) == ["XA:3"]
    assert {lane: channel(lane=lane).dropped for lane in (Lane.BULK, Lane.NORMAL)} == {Lane.BULK: 2, Lane.NORMAL: 2}


def to_drop(unsealed: dict[Lane, list[int]], excess_bytes: int) -> dict[Lane, int]:
    """Section 8.5, in other words: rows to drop of each lane, which has sizes of rows, the oldest first."""
    dropping = dict.fromkeys(Lane, 0)
    for lane in (Lane.BULK, Lane.NORMAL):
        for size_bytes in reversed(unsealed[lane]):
            if excess_bytes > 0:
                excess_bytes -= size_bytes
                dropping[lane] += 1
    return dropping


@pytest.mark.parametrize("excess", [0, 1, 700, 1500, 2500, 10**6])
def test_shed_drops_no_more_than_it_has_to(excess: int) -> None:
    from tansiq.exchange.models import OutboxRow
    from tansiq.exchange.node.sealing import shed

    xa = node()
    for number, kind in enumerate(["event", "case.note", "alert", "event", "case.note", "event"]):
        publish(xa, str(number), "XE", kind=kind, text="x" * 100 * number)
    unsealed = {
        lane: list(OutboxRow.objects.filter(lane=lane.value).order_by("id").values_list("size_bytes", flat=True))
        for lane in Lane
    }

    shed(excess_bytes=excess, now=NOW, peer="XE")

    left = {lane: OutboxRow.objects.filter(lane=lane.value).count() for lane in Lane}
    dropped = to_drop(unsealed, excess)
    assert left == {lane: len(rows) - dropped[lane] for lane, rows in unsealed.items()}


# ---- what is kept


def test_prune_deletes_bodies_90_days_after_their_receipt() -> None:
    from tansiq.exchange.models import Sent
    from tansiq.exchange.node.attempts import prune

    xa = node()
    sent(xa, 3)
    believe(xa, receipt(2))

    early, late = prune(NOW + KEPT - SECOND), prune(NOW + KEPT)

    assert (early, late) == (0, 2)
    assert list(Sent.objects.values_list("first", flat=True)) == [3]
    assert channel().pruned_through == 2


def test_prune_deletes_versions_that_nothing_carries_any_more() -> None:
    from tansiq.exchange.models import Statement
    from tansiq.exchange.node.attempts import prune

    xa = node()
    sent(xa, 1)
    publish(xa, "1", "XE", text="second")
    believe(xa, receipt(1))
    seal(xa)

    prune(NOW + KEPT)

    assert list(Statement.objects.values_list("n", flat=True)) == [2]


def test_a_gap_that_is_kept_no_longer_ends_in_a_new_incarnation() -> None:
    from tansiq.exchange.models import Link
    from tansiq.exchange.node.attempts import prune

    xa = node()
    sent(xa, 3)
    believe(xa, receipt(2))
    former = channel().incarnation
    prune(NOW + KEPT)

    believe(xa, receipt(0, n=2), NOW + KEPT)
    seal(xa, now=NOW + KEPT)

    (attempt,) = due(xa, now=NOW + KEPT)
    row = channel()
    assert (row.former, attempt.first, json.loads(attempt.body)["object"]) == ([former], 1, "XA:3")
    assert incarnation_number(row.incarnation) > incarnation_number(former)
    assert Link.objects.get(peer="XE").incomplete_since == NOW + KEPT
    assert_counted()


def test_destroy_makes_skips_of_what_carries_a_version() -> None:
    from tansiq.exchange.models import Statement
    from tansiq.exchange.node.keeping import destroy

    xa = node()
    sent(xa, 3)

    gone = destroy(list(Statement.objects.filter(object__in=["XA:2", "XA:3"]).values_list("id", flat=True)))

    assert gone == 2
    assert uncovered() == [(1, 1, ""), (2, 2, "entitlement"), (3, 3, "entitlement")]
    assert_counted()
    due(xa, now=NOW + MINUTE)
    assert_counted()


# ---- how much work it is


@contextmanager
def queries() -> Iterator[list[str]]:
    from django.db import connection

    asked: list[str] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        asked.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield asked


def test_thirty_times_the_objects_take_at_most_twice_the_queries() -> None:
    few, many = queries_for(10), queries_for(300)

    assert {step: count for step, count in many.items() if count > 2 * few[step]} == {}


def queries_for(count: int) -> dict[str, int]:
    """Of publishing so many objects, sealing them, and attempting them."""
    from tansiq.exchange.node.publishing import Change, publish_all

    xa = node()
    changes = [
        Change(kind="event", name=f"{count}.{n}", payload=payload(), markings=marked("XA", "XE"), team="XA")
        for n in range(count)
    ]
    steps = {
        "publish": lambda: publish_all(xa, changes, NOW),
        "seal": lambda: seal(xa, Lane.BULK),
        "attempt": lambda: due(xa, Lane.BULK),
    }
    counted = {}
    for step, work in steps.items():
        with queries() as asked:
            work()
        counted[step] = len(asked)
    return counted
