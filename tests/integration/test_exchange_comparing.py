"""Comparisons of two nodes on their tables: what differs is found, repaired or left to what is under way.

There is one database. XA's side is in it; what XE says is worked out as XE would have it, and undone.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from factories.exchange import WRITTEN, written_otherwise
from factories.exchange_bodies import Stream, with_signature
from factories.exchange_node import NOW, kinds, marked, payload
from tansiq.exchange.body import State, Version
from tansiq.exchange.compare import TOP, Range
from tansiq.exchange.receiving import Recall
from tansiq.exchange.requests import ComparisonAsked, ComparisonGiven, Outcome
from tansiq.exchange.trust import Authentic

if TYPE_CHECKING:
    from tansiq.exchange.models import SharedObject
    from tansiq.exchange.node.here import Here
    from tansiq.exchange.node.possession import Possessed

pytestmark = pytest.mark.usefixtures("database", "no_comparison")

FIRST = Version(1, 1)
LATER = NOW + timedelta(hours=1)

Said = TypeVar("Said")


@pytest.fixture
def no_comparison() -> Iterator[None]:
    """What comparisons of other tests have in memory."""
    from tansiq.exchange.node import compared, comparing

    yield
    comparing._opened.clear()
    compared._answered.clear()


def node(code: str = "XA", **changes: Any) -> Here:
    from factories.exchange_node import here

    return here(code, **changes)


def live(
    object_id: str = "XA:1", *, version: Version = FIRST, to: Sequence[str] = ("XE", "XF"), text: str = "words"
) -> SharedObject:
    from tansiq.exchange.models import SharedObject
    from tansiq.exchange.node import statements

    owner = object_id.partition(":")[0]
    said = statements.Text(
        kind="case.note",
        object=object_id,
        payload=payload(text),
        markings=marked(owner, *to),
        team=owner,
        version=version,
    )
    made = statements.stored(statements._signed(node(owner), said, NOW), "", NOW)  # there may be one of before
    shared, _is_new = SharedObject.objects.update_or_create(
        object=object_id,
        defaults={"kind": "case.note", "owner": owner, "statement": made, "proven": made, "epoch": 1, "known": True},
    )
    return shared


def gone(*object_ids: str) -> None:
    from tansiq.exchange.models import SharedObject

    SharedObject.objects.filter(object__in=object_ids).delete()


def lost(object_id: str) -> None:
    """Without what was said of it, which is the same at both."""
    from tansiq.exchange.models import OutboxRow, Statement

    gone(object_id)
    OutboxRow.objects.filter(statement__object=object_id).delete()
    Statement.objects.filter(object=object_id).delete()


def had_before_it_was_recalled() -> None:
    gone("XA:1")
    live("XA:1")


def at_xe(setting: Callable[[], Any], work: Callable[[], Said]) -> Said:
    """What XE does where its database is as ``setting`` makes it of this one; undone."""
    from django.db import transaction

    from tansiq.exchange.models import Comparison

    with transaction.atomic():
        Comparison.objects.all().delete()
        setting()
        said = work()
        transaction.set_rollback(True)
    return said


def compared(setting: Callable[[], Any] = lambda: None, *, now: datetime = NOW) -> tuple[Outcome, int]:
    """How a comparison that XA opens with XE ends, and in how many turns."""
    from tansiq.exchange.node.comparing import begin, on_ask, on_given

    xa = node()
    asked = begin(xa, "XE", now)
    assert asked is not None
    for turn in itertools.count(1):
        question = asked
        given = at_xe(setting, lambda: on_ask(node("XE"), "XA", question, now))  # noqa: B023
        [asked] = on_given(xa, "XE", given[0], now)
        if asked.outcome is not None:
            heard = at_xe(setting, lambda: on_ask(node("XE"), "XA", asked, now))  # noqa: B023
            assert on_given(xa, "XE", heard[0], now) == []
            return asked.outcome, turn
    raise AssertionError


def outbox() -> list[tuple[str, str]]:
    from tansiq.exchange.models import OutboxRow

    rows = OutboxRow.objects.order_by("statement__kind", "statement__object")
    return [(row.peer, row.statement.object.partition(".")[0]) for row in rows.select_related("statement")]


def recalled() -> dict[str, Recall]:
    from tansiq.exchange.models import Recipient
    from tansiq.exchange.node.tombstones import recall_of

    rows = Recipient.objects.filter(peer="XE")
    return {row.object: recall_of(row) for row in rows if recall_of(row) != Recall()}


# ---- equal


def test_equal_nodes_say_so_in_one_turn_and_the_link_is_complete() -> None:
    from tansiq.exchange.models import Comparison, Link
    from tansiq.exchange.node.comparing import want

    for number in range(100):
        live(f"XA:{number}")
    want(node(), "XE", NOW)

    outcome, turns = compared()

    row, link = Comparison.objects.get(), Link.objects.get(peer="XE")
    assert (outcome, turns) == (Outcome(differences=0), 1)
    assert (row.equal, row.outward, row.ended_at) == (True, True, NOW)
    assert (link.incomplete_since, link.compared_at, link.equal_at) == (None, NOW, None)


@pytest.mark.parametrize("before", [True, False], ids=["incomplete_before", "complete_before"])
def test_what_became_incomplete_after_a_comparison_began_survives_its_end(before: bool) -> None:
    """The clock stands still, or was put back: only what came after what counts."""
    from tansiq.exchange.models import Link
    from tansiq.exchange.node.comparing import begin, on_ask, on_given
    from tansiq.exchange.node.keeping import incomplete

    xa = node()
    if before:
        incomplete("XE", NOW)
    asked = begin(xa, "XE", NOW)
    assert asked is not None
    incomplete("XE", NOW)
    [given] = at_xe(lambda: None, lambda: on_ask(node("XE"), "XA", asked, NOW))

    [last] = on_given(xa, "XE", given, LATER)

    link = Link.objects.get(peer="XE")
    assert last.outcome == Outcome(differences=0)
    assert (link.incomplete_since, link.compared_at) == (NOW, LATER)


def test_wish_during_a_comparison_is_for_another() -> None:
    from tansiq.exchange.node.comparing import begin, due_comparisons, on_ask, on_given, want

    xa = node()
    asked = begin(xa, "XE", NOW)
    assert asked is not None
    want(xa, "XE", NOW)
    [given] = at_xe(lambda: None, lambda: on_ask(node("XE"), "XA", asked, NOW))

    on_given(xa, "XE", given, NOW)

    assert "XE" in due_comparisons(xa, LATER)


def test_link_is_equal_when_both_directions_were() -> None:
    from tansiq.exchange.models import Link
    from tansiq.exchange.node.comparing import on_ask
    from tansiq.exchange.values import new_id

    live()
    compared()
    last = ComparisonAsked(comparison=new_id(LATER), of="XE", turn=2, outcome=Outcome(differences=0))

    on_ask(node(), "XE", last, LATER)

    assert Link.objects.get(peer="XE").equal_at == NOW


def test_peers_difference_is_no_equality() -> None:
    from tansiq.exchange.models import Comparison, Link
    from tansiq.exchange.node.comparing import on_ask
    from tansiq.exchange.values import new_id

    compared()
    last = ComparisonAsked(comparison=new_id(LATER), of="XE", turn=2, outcome=Outcome(differences=3))

    on_ask(node(), "XE", last, LATER)

    assert Link.objects.get(peer="XE").equal_at is None
    assert Comparison.objects.get(outward=False).different == 3


# ---- differences


def test_differences_among_many_are_found_and_sent() -> None:
    from tansiq.exchange.models import Comparison, Link

    for number in range(400):
        live(f"XA:{number}")

    def theirs() -> None:
        gone("XA:7", "XA:300")
        live("XA:9", version=Version(1, 0))

    outcome, turns = compared(theirs)

    row, link = Comparison.objects.get(), Link.objects.get(peer="XE")
    assert outcome == Outcome(differences=3)
    assert turns < 6
    assert outbox() == [("XE", "XA:300"), ("XE", "XA:7"), ("XE", "XA:9")]
    assert (row.equal, row.missing, row.extra, row.different) == (False, 0, 2, 1)
    assert (link.incomplete_since, link.asking_since) == (NOW, NOW)


def test_what_the_peer_may_not_have_is_recalled() -> None:
    live("XA:1", version=Version(1, 4), to=["XF"])

    outcome, _turns = compared(lambda: live("XA:1", version=Version(1, 2)))

    assert outcome == Outcome(differences=1)
    assert recalled() == {"XA:1": Recall(narrowed=Version(1, 4), left=Version(1, 4), epoch=1)}


def test_what_was_withdrawn_is_recalled() -> None:
    from tansiq.exchange.node.publishing import withdraw

    live()
    withdraw(node(), "XA:1", NOW)

    outcome, _turns = compared(had_before_it_was_recalled)

    assert outcome == Outcome(differences=1)
    assert recalled() == {"XA:1": Recall(narrowed=Version(1, 2))}


def test_what_is_withheld_is_recalled_with_the_version_of_the_lost_marking() -> None:
    from tansiq.exchange.node.heeding import remember

    shared = live()
    remember("XA:1", Recall(narrowed=Version(1, 7)), NOW)
    shared.refresh_from_db()
    shared.withheld = True
    shared.save()

    compared(had_before_it_was_recalled)

    assert recalled()["XA:1"].narrowed == Version(1, 7)


def test_object_that_is_unknown_here_is_asked_back() -> None:
    from tansiq.exchange.models import Link

    outcome, _turns = compared(lambda: live("XA:9"))

    assert outcome == Outcome(differences=1)
    assert (outbox(), Link.objects.get(peer="XE").asking_since) == ([], NOW)


def test_what_is_under_way_is_no_difference() -> None:
    from tansiq.exchange.models import Link, OutboxRow, OutChannel, Sent

    waiting, sent, arrived = live("XA:1"), live("XA:2"), live("XA:3")
    OutboxRow.objects.create(peer="XE", lane="normal", statement=waiting.statement, size_bytes=9, put_at=NOW)
    channel = OutChannel.objects.create(peer="XE", lane="normal", incarnation="4-aaaaaaaaaaaaaaaa", given=2)
    for number, row, covered_at in [(1, sent, None), (2, arrived, NOW)]:
        Sent.objects.create(
            channel=channel, first=number, last=number, body=b"{}", statement=row.statement, made_at=NOW,
            covered_at=covered_at,
        )  # fmt: skip

    outcome, _turns = compared(lambda: gone("XA:1", "XA:2", "XA:3"))

    assert outcome == Outcome(differences=0, in_flight=3)
    assert outbox() == [("XE", "XA:1")]
    assert Link.objects.get(peer="XE").incomplete_since is None
    assert Link.objects.get(peer="XE").equal_at is None


def test_recall_under_way_is_not_ordered_again() -> None:
    from tansiq.exchange.models import RecallOrder
    from tansiq.exchange.node.publishing import publish
    from tansiq.exchange.node.recovering import attempted_by_all

    live()
    attempted_by_all([("XA:1", "XE")], NOW)
    publish(node(), kind="case.note", name="1", payload=payload(), markings=marked("XA"), team="XA", now=NOW)

    outcome, _turns = compared(live)

    assert outcome == Outcome(differences=0, in_flight=1)
    assert RecallOrder.objects.count() == 1


# ---- what counts as held


def waits(
    object_id: str = "XA:1", *, version: Version = FIRST, peer: str = "XA", through: int = 9, **columns: Any
) -> None:
    """A version that waits at XE, on a channel from ``peer``."""
    from tansiq.exchange.models import InChannel, Waiting

    channel, _is_new = InChannel.objects.get_or_create(
        peer=peer, lane="normal", incarnation="4-aaaaaaaaaaaaaaaa",
        defaults={"number": 4, "begun_at": NOW, "through": through},
    )  # fmt: skip
    usual = {
        "seq": Waiting.objects.count() + 5,
        "object": object_id,
        "term": version.term,
        "n": version.n,
        "leaf": "ab" * 32,
        "kind": "case.note",
        "team": object_id.partition(":")[0],
        "epoch": 1,
        "marking_text": "",
        "proven": True,
        "state": State.PARKED.value,
        "reason": "reference",
        "examined": 1,
        "signer": "",
        "size_bytes": 2,
        "way": "jetstream",
        "arrived_at": NOW,
        "body": b"{}",
    }
    Waiting.objects.create(channel=channel, **(usual | columns))


def held_at_xe() -> list[tuple[str, tuple[int, int]]]:
    from tansiq.exchange.node.possession import compared as held

    return sorted((one.object, tuple(one.version)) for one in held(node("XE"), "XA"))


@pytest.mark.parametrize(
    ("columns", "counts"),
    [
        ({}, True),
        ({"state": "quarantined", "reason": "payload", "unfit": "payload"}, True),
        ({"state": "quarantined", "reason": "author.signature", "unfit": "author.signature", "proven": False}, True),
        ({"reason": "clock", "proven": False}, True),
        ({"state": "refused", "reason": "reference", "refused": "reference"}, True),
        ({"state": "quarantined", "reason": "malformed", "unfit": "malformed", "kind": ""}, False),
        ({"peer": "XF", "state": "quarantined", "reason": "payload", "unfit": "payload"}, True),
        ({"peer": "XF", "state": "quarantined", "reason": "not_owner", "unfit": "not_owner", "proven": False}, False),
        ({"peer": "XF", "reason": "clock", "proven": False}, False),
        ({"peer": "XF", "state": "refused", "reason": "not_entitled", "refused": "not_entitled"}, True),
        ({"peer": "XF", "state": "parked"}, True),
        ({"through": 2, "reason": "gap"}, False),
        ({"through": 2, "reason": "kind"}, False),
        ({"through": 2, "self_contained": True}, True),
        ({"kind": "recall"}, False),
    ],
)
def test_what_waits_counts_as_held_if_its_author_said_it_and_no_gap_holds_it(
    columns: dict[str, Any], counts: bool
) -> None:
    live(version=Version(1, 1))

    waits(version=Version(1, 2), **columns)

    assert held_at_xe() == [("XA:1", (1, 2) if counts else (1, 1))]


def passed_on(by: str, change: Callable[[bytes], bytes] = bytes) -> Authentic:
    """XA:1 as it is live here, from ``by`` to XE, with the signature that ``change`` makes of its own."""
    from tansiq.exchange.models import SharedObject

    genuine = SharedObject.objects.select_related("statement").get(object="XA:1").statement
    marking, author = marked("XA", "XE", "XF"), with_signature(genuine, change)
    return Stream(by).says("1", team="XA", text="words", marking=marking, author=author)


def received(*bodies: Authentic, now: datetime = NOW, **changes: Any) -> None:
    from tansiq.exchange.node import inbox

    inbox.receive(node("XE", **changes), [(body, "jetstream") for body in bodies], now=now)


@pytest.mark.parametrize("by", ["XA", "XF"])
@pytest.mark.parametrize("way", WRITTEN)
def test_signature_that_was_written_otherwise_is_no_difference(way: str, by: str) -> None:
    live()
    body = passed_on(by, lambda signature: written_otherwise(signature, way))

    def theirs() -> None:
        lost("XA:1")
        received(body)
        assert [one.statement is not None for one in possessed("XA:1")] == [True]

    outcome, _turns = compared(theirs)

    assert (outcome, outbox()) == (Outcome(differences=0), [])


def possessed(object_id: str) -> list[Possessed]:
    from tansiq.exchange.node.possession import latest

    return list(latest(node("XE"), "XA", [object_id]).values())


@pytest.mark.parametrize("by", ["XA", "XF"])
def test_wrong_signature_over_the_same_text_is_not_the_version(by: str) -> None:
    live()
    other = with_signature(Stream().says("2")).signature
    wrong = passed_on(by, lambda _signature: other)

    def theirs() -> None:
        lost("XA:1")
        received(wrong, now=datetime.now(UTC))
        assert [one.version for one in possessed("XA:1")] == ([FIRST] if by == "XA" else [])

    outcome, _turns = compared(theirs)

    assert (outcome, outbox()) == (Outcome(differences=1), [("XE", "XA:1")])


def test_of_two_copies_that_wait_the_proven_one_counts() -> None:
    from tansiq.exchange.models import Waiting

    live()
    other = with_signature(Stream().says("2")).signature
    wrong, parked = passed_on("XA", lambda _signature: other), passed_on("XF")
    lost("XA:1")

    received(wrong, parked, now=datetime.now(UTC), known=kinds(known=()))

    rows = Waiting.objects.order_by("pk").values_list("reason", "proven")
    assert list(rows) == [("author.signature", False), ("kind", True)]
    assert [Waiting.objects.get(pk=one.waiting).reason for one in possessed("XA:1")] == ["kind"]


@pytest.mark.parametrize("what", ["of the future", "not entitled"])
def test_what_another_node_makes_up_of_an_object_is_not_held(what: str) -> None:
    from tansiq.exchange.models import Waiting

    live()
    forwarder = Stream("XF")
    if what == "of the future":
        made_up = forwarder.says("1", 9, team="XA", marking=marked("XA", "XE"), forged=True)  # made long after NOW
    else:
        made_up = forwarder.says("9", 9, object="XA:1", marking=marked("XF", "XA"))

    received(made_up)

    assert [(row.n, row.proven) for row in Waiting.objects.all()] == [(9, False)]
    assert held_at_xe() == [("XA:1", (1, 1))]
    assert [one.version for one in possessed("XA:1")] == [FIRST]


def test_what_a_recall_forbids_is_not_held() -> None:
    from tansiq.exchange.node.heeding import remember

    live()
    waits(version=Version(1, 2))
    waits("XA:2", version=Version(1, 6))
    remember("XA:1", Recall(narrowed=Version(1, 9)), NOW)
    remember("XA:2", Recall(narrowed=Version(1, 6)), NOW)

    assert held_at_xe() == [("XA:2", (1, 6))]


# ---- when, and what goes wrong


def test_comparison_is_due_where_something_may_be_missing_and_after_a_night() -> None:
    from tansiq.exchange.models import Link
    from tansiq.exchange.node.comparing import due_comparisons, want

    xa = node()
    Link.objects.create(peer="XE", compared_at=NOW)
    Link.objects.create(peer="XF", compared_at=NOW)

    quiet = due_comparisons(xa, LATER)
    want(xa, "XF", LATER)
    wanted = due_comparisons(xa, LATER)

    assert (quiet, wanted, due_comparisons(xa, NOW + timedelta(hours=21))) == ([], ["XF"], ["XE", "XF"])


def test_comparison_waits_while_it_runs_is_frozen_or_the_node_is_held() -> None:
    from tansiq.exchange.models import Link
    from tansiq.exchange.node.comparing import begin, due_comparisons
    from tansiq.exchange.node.holding import restore

    xa = node()
    Link.objects.create(peer="XF", frozen_at=NOW)
    begin(xa, "XE", NOW)

    running = due_comparisons(xa, LATER)
    restore(xa, LATER)

    assert (running, due_comparisons(xa, LATER), begin(xa, "XF", LATER)) == ([], [], None)


def test_turn_is_asked_again_and_given_up_after_an_hour() -> None:
    from tansiq.exchange.models import Comparison
    from tansiq.exchange.node.comparing import begin, due_asks

    xa = node()
    asked = begin(xa, "XE", NOW)

    again = [due_asks(xa, NOW + timedelta(seconds=seconds)) for seconds in (10, 30, 40)]
    after = due_asks(xa, NOW + timedelta(hours=1))

    row = Comparison.objects.get()
    assert again == [[], [("XE", asked)], []]
    assert (after, row.equal, row.ended_at) == ([], None, NOW + timedelta(hours=1))


def test_comparison_of_a_clock_that_was_put_back_is_asked_again_and_given_up_an_hour_later() -> None:
    from tansiq.exchange.node.comparing import begin, due_asks, is_open

    xa = node()
    asked = begin(xa, "XE", NOW + timedelta(days=1))

    again = [due_asks(xa, NOW + timedelta(seconds=seconds)) for seconds in (0, 10, 30)]
    after = due_asks(xa, NOW + timedelta(hours=1))

    assert again == [[("XE", asked)], [], [("XE", asked)]]
    assert (after, is_open(xa)) == ([], False)


def test_what_arrived_since_a_clock_was_put_back_is_under_way() -> None:
    """The comparison began tomorrow; a body of it was covered today."""
    from tansiq.exchange.node import comparing
    from tansiq.exchange.node.comparing import begin, due_asks

    xa = node()
    begin(xa, "XE", NOW + timedelta(days=1))

    due_asks(xa, NOW)

    assert comparing._opened["XA", "XE"].began_at == NOW


def test_peers_comparison_is_answered_after_the_clock_was_put_back() -> None:
    from tansiq.exchange.node.comparing import begin, on_ask
    from tansiq.exchange.values import new_id

    asked = begin(node(), "XE", NOW)
    assert asked is not None
    questions = [ComparisonAsked(comparison=new_id(NOW), of="XA", turn=1, ranges=asked.ranges) for _number in range(2)]

    on_ask(node("XE"), "XA", questions[0], NOW + timedelta(days=1))
    given = on_ask(node("XE"), "XA", questions[1], NOW)

    assert len(given) == 1


def test_items_read_by_a_clock_ahead_are_forgotten_when_it_is_right() -> None:
    from tansiq.exchange.node import compared
    from tansiq.exchange.node.comparing import begin, on_ask
    from tansiq.exchange.values import new_id

    asked = begin(node(), "XE", NOW)
    assert asked is not None
    question = ComparisonAsked(comparison=new_id(NOW), of="XA", turn=1, ranges=asked.ranges)
    on_ask(node("XE"), "XA", question, NOW + timedelta(days=1))

    for minutes in (0, 6):
        compared._forget(NOW + timedelta(minutes=minutes))

    assert compared._answered == {}


def test_outcome_is_said_until_it_was_heard() -> None:
    from tansiq.exchange.node.comparing import begin, due_asks, on_ask, on_given

    xa = node()
    asked = begin(xa, "XE", NOW)
    assert asked is not None
    [given] = at_xe(lambda: None, lambda: on_ask(node("XE"), "XA", asked, NOW))
    [last] = on_given(xa, "XE", given, NOW)

    again = due_asks(xa, NOW + timedelta(seconds=30))
    [heard] = at_xe(lambda: None, lambda: on_ask(node("XE"), "XA", last, NOW))
    on_given(xa, "XE", heard, NOW)

    assert last.outcome == Outcome(differences=0)
    assert (again, due_asks(xa, LATER)) == ([("XE", last)], [])


def test_answer_that_comes_twice_changes_nothing() -> None:
    from tansiq.exchange.node.comparing import begin, on_ask, on_given

    for number in range(200):
        live(f"XA:{number}")
    xa = node()
    asked = begin(xa, "XE", NOW)
    assert asked is not None
    [given] = at_xe(lambda: gone("XA:7"), lambda: on_ask(node("XE"), "XA", asked, NOW))

    first, second = on_given(xa, "XE", given, NOW), on_given(xa, "XE", given, NOW)

    assert (len(first), second) == (1, [])


def test_hostile_answer_ends_the_comparison_with_an_alarm() -> None:
    from tansiq.exchange.models import Alarm, Comparison
    from tansiq.exchange.node.comparing import begin, due_comparisons, on_given

    xa = node()
    asked = begin(xa, "XE", NOW)
    assert asked is not None
    overlapping = (Range(5, 9, 0, 1), Range(6, TOP, 0, 1))

    said = on_given(xa, "XE", ComparisonGiven(comparison=asked.comparison, turn=1, ranges=overlapping), NOW)

    assert said == []
    assert Comparison.objects.get().ended_at == NOW
    assert Alarm.objects.values_list("code", "peer").get() == ("exchange.comparison", "XE")
    assert "XE" in due_comparisons(xa, LATER)


def test_peer_has_one_comparison_answered_at_a_time() -> None:
    from tansiq.exchange.node.comparing import begin, on_ask
    from tansiq.exchange.values import new_id

    asked = begin(node(), "XE", NOW)
    assert asked is not None
    questions = [ComparisonAsked(comparison=new_id(NOW), of="XA", turn=1, ranges=asked.ranges) for _number in range(2)]

    first, second = (on_ask(node("XE"), "XA", question, NOW) for question in questions)
    later = on_ask(node("XE"), "XA", questions[1], NOW + timedelta(seconds=10))

    assert (len(first), second, len(later)) == (1, [], 1)


def test_asked_to_open_one_it_is_due() -> None:
    from tansiq.exchange.models import Link
    from tansiq.exchange.node.comparing import due_comparisons, on_ask
    from tansiq.exchange.values import new_id

    Link.objects.create(peer="XE", compared_at=NOW)
    Link.objects.create(peer="XF", compared_at=NOW)

    said = on_ask(node(), "XE", ComparisonAsked(comparison=new_id(NOW), of="XA", turn=0), NOW)

    assert (said, due_comparisons(node(), NOW)) == ([], ["XE"])
