"""What a receipt said that got lost: the sender asks until it was told, whatever became of the first question."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from factories.exchange_node import NOW, Desk, marked, payload
from tansiq.exchange.body import Lane, ObjectState, Placed, Receipt, State, Version
from tansiq.exchange.reading import read_envelope
from tansiq.exchange.values import EMPTY_DIGEST, new_id

if TYPE_CHECKING:
    from tansiq.exchange.models import OutChannel, RecallOrder
    from tansiq.exchange.node.here import Here

pytestmark = pytest.mark.usefixtures("database")

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
FIRST = Version(1, 1)


@pytest.fixture
def xa() -> Here:
    from factories.exchange_node import here

    return here("XA")


def published(xa: Here, *teams: str) -> None:
    from tansiq.exchange.node import publishing

    said = {"payload": payload("words"), "markings": marked("XA", *teams), "team": "XA", "now": NOW}
    publishing.publish(xa, kind="case.note", name="1", **said)


def sent(xa: Here, lane: Lane) -> OutChannel:
    from tansiq.exchange.models import OutChannel
    from tansiq.exchange.node import attempts, sealing

    sealing.seal_channel(xa, "XE", lane, worker="sealer", now=NOW)
    attempts.due_attempts(xa, "XE", lane, now=NOW)
    return OutChannel.objects.get(peer="XE", lane=lane.value)


def recalled(xa: Here) -> RecallOrder:
    """An object that XE has and may no longer have; the recall left."""
    from tansiq.exchange.models import RecallOrder

    published(xa, "XE")
    sent(xa, Lane.NORMAL)
    published(xa, "XF")
    sent(xa, Lane.URGENT)
    return RecallOrder.objects.get()


def told(xa: Here, lane: Lane, at: datetime, *, n: int, through: int = 1, **changes: Any) -> None:
    """A receipt of XE's comes."""
    from tansiq.exchange.models import OutChannel, Sent
    from tansiq.exchange.node import attempts

    channel = OutChannel.objects.get(peer="XE", lane=lane.value)
    digest = Sent.objects.filter(channel=channel, last=through).values_list("digest", flat=True).first()
    receipt = Receipt(
        id=new_id(at), realm="live", sender="XE", recipient="XA", epoch=1, sent_at=at, lane=lane,
        incarnation=channel.incarnation, n=n, through=through, body_hash=digest or EMPTY_DIGEST, highest=through,
        clock=at, **changes,
    )  # fmt: skip
    attempts.on_receipt(xa, receipt, at)


def state(name: str, what: State, reason: str = "") -> ObjectState:
    return ObjectState(object=name, version=FIRST, state=what, reason=reason)


def asked(xa: Here, at: datetime) -> list[tuple[str, str, int]]:
    from tansiq.exchange.node import untold

    return [(peer, ask.lane.value, ask.since) for peer, ask in untold.due_asks(xa, at)]


def test_changes_that_are_missing_are_asked_for_until_they_come(xa: Here) -> None:
    published(xa, "XE")
    sent(xa, Lane.NORMAL)

    told(xa, Lane.NORMAL, NOW, n=2, since=1, changes=2)
    missing = [asked(xa, NOW), asked(xa, NOW + HOUR)]
    told(xa, Lane.NORMAL, NOW + HOUR, n=3, since=0, changes=2, objects=(state("XA:1", State.STORED),))

    assert missing == [[("XE", "normal", 0)]] * 2
    assert asked(xa, NOW + 2 * HOUR) == []


def test_recall_that_was_parked_when_its_position_was_covered_is_asked_about(xa: Here) -> None:
    recall = recalled(xa).statement.object

    told(xa, Lane.URGENT, NOW, n=1, changes=1, objects=(state(recall, State.PARKED, "reference"),))

    assert asked(xa, NOW + 59 * SECOND) == []
    assert asked(xa, NOW + MINUTE) == [("XE", "urgent", 1)]


def test_recall_that_was_answered_is_not_asked_about(xa: Here) -> None:
    order = recalled(xa)

    told(xa, Lane.URGENT, NOW, n=1, changes=1, objects=(state(order.statement.object, State.RECALLED, "deleted"),))

    order.refresh_from_db()
    assert (order.outcome, asked(xa, NOW + HOUR)) == ("deleted", [])


def test_nothing_is_asked_while_a_body_is_under_way_that_brings_a_receipt(xa: Here) -> None:
    recalled(xa)

    told(xa, Lane.URGENT, NOW, n=1, through=0)

    assert asked(xa, NOW + HOUR) == []


@pytest.mark.parametrize("what", [State.PARKED, State.QUARANTINED])
def test_object_that_waits_there_is_asked_about_each_hour(xa: Here, what: State) -> None:
    published(xa, "XE")
    sent(xa, Lane.NORMAL)

    told(xa, Lane.NORMAL, NOW, n=1, changes=1, objects=(state("XA:1", what, "kind"),))
    waiting = [asked(xa, NOW + 59 * MINUTE), asked(xa, NOW + HOUR)]
    told(xa, Lane.NORMAL, NOW + HOUR, n=2, since=1, changes=2, objects=(state("XA:1", State.STORED),))

    assert waiting == [[], [("XE", "normal", 1)]]
    assert asked(xa, NOW + 3 * HOUR) == []


def test_recipient_that_numbers_its_changes_anew_is_asked_from_where_it_is(xa: Here) -> None:
    """It was restored from a backup: what it says next has numbers that it gave before."""
    recall = recalled(xa).statement.object
    told(xa, Lane.URGENT, NOW, n=1, changes=7)

    told(xa, Lane.URGENT, NOW + SECOND, n=2, since=3, changes=4, objects=(state(recall, State.PARKED, "reference"),))

    assert asked(xa, NOW + HOUR) == [("XE", "urgent", 4)]


def test_recall_without_answer_is_sent_again_on_the_next_incarnation(xa: Here) -> None:
    """Of the former one nothing is heard any more."""
    from tansiq.exchange.models import OutboxRow, OutChannel
    from tansiq.exchange.node import keeping

    recall = recalled(xa).statement
    told(xa, Lane.URGENT, NOW, n=1, changes=1, objects=(state(recall.object, State.PARKED, "reference"),))

    keeping.renumber(OutChannel.objects.get(lane="urgent"), NOW, requeue=True)

    assert [row.statement for row in OutboxRow.objects.filter(lane="urgent", peer="XE")] == [recall]


def outbox(lane: Lane) -> list[str]:
    from tansiq.exchange.models import OutboxRow

    rows = OutboxRow.objects.filter(lane=lane.value, peer="XE").order_by("id")
    return list(rows.values_list("statement__object", flat=True))


def renumbered(lane: Lane) -> None:
    from tansiq.exchange.models import OutChannel
    from tansiq.exchange.node import keeping

    keeping.renumber(OutChannel.objects.get(lane=lane.value), NOW, requeue=True)


@pytest.mark.parametrize("what", [State.PARKED, State.QUARANTINED])
def test_recall_whose_body_is_kept_no_longer_is_sent_again_on_the_next_incarnation(xa: Here, what: State) -> None:
    from tansiq.exchange.channel import KEPT
    from tansiq.exchange.models import Sent
    from tansiq.exchange.node import keeping

    recall = recalled(xa).statement.object
    told(xa, Lane.URGENT, NOW, n=1, changes=1, objects=(state(recall, what, "reference"),))
    Sent.objects.update(covered_at=NOW - KEPT)
    keeping.prune(NOW)
    left = Sent.objects.count()

    renumbered(Lane.URGENT)
    twice = outbox(Lane.URGENT)
    renumbered(Lane.URGENT)

    assert (left, twice, outbox(Lane.URGENT)) == (0, [recall], [recall])


def test_recall_that_was_refused_is_obeyed_on_the_next_incarnation_and_its_originator_sees_it(xa: Here) -> None:
    order = recalled(xa)
    recall = order.statement.object
    told(xa, Lane.URGENT, NOW, n=1, changes=1, objects=(state(recall, State.QUARANTINED, "not_owner"),))
    order.refresh_from_db()
    before = order.outcome

    renumbered(Lane.URGENT)
    sent(xa, Lane.URGENT)
    told(xa, Lane.URGENT, NOW, n=2, changes=1, objects=(state(recall, State.RECALLED, "deleted"),))

    order.refresh_from_db()
    assert (before, order.outcome, outbox(Lane.URGENT)) == ("refused", "deleted", [])


@pytest.mark.parametrize(
    ("what", "again"),
    [(State.PARKED, ["XA:1"]), (State.QUARANTINED, ["XA:1"]), (State.STORED, []), (State.REFUSED, [])],
)
def test_object_that_waits_there_is_sent_again_on_the_next_incarnation(xa: Here, what: State, again: list[str]) -> None:
    from tansiq.exchange.models import Recipient

    published(xa, "XE")
    sent(xa, Lane.NORMAL)
    told(xa, Lane.NORMAL, NOW, n=1, changes=1, objects=(state("XA:1", what, "kind"),))

    renumbered(Lane.NORMAL)

    assert outbox(Lane.NORMAL) == again
    if again:
        sent(xa, Lane.NORMAL)
        told(xa, Lane.NORMAL, NOW, n=2, changes=1, objects=(state("XA:1", State.HAD),))
        assert Recipient.objects.get(object="XA:1", peer="XE").state == "had"


@pytest.mark.parametrize(("what", "again"), [(State.PARKED, ["XA:1"]), (State.STORED, [])])
def test_object_that_waits_there_is_sent_again_once_this_node_is_released(
    xa: Here, what: State, again: list[str]
) -> None:
    from tansiq.exchange.models import Link
    from tansiq.exchange.node import life

    published(xa, "XE")
    sent(xa, Lane.NORMAL)
    told(xa, Lane.NORMAL, NOW, n=1, changes=1, objects=(state("XA:1", what, "kind"),))

    life.restore(xa, NOW)
    held = outbox(Lane.NORMAL)
    Link.objects.update(asking_since=None)
    life.maybe_release(xa, NOW)

    assert (life.is_held(), held, outbox(Lane.NORMAL)) == (False, [], again)


def test_object_that_waits_on_a_former_incarnation_is_said_to_be_there_on_the_newer_one() -> None:
    from factories.exchange_bodies import Stream
    from factories.exchange_node import here
    from tansiq.exchange.node import inbox, receipting
    from tansiq.exchange.values import new_incarnation

    xe = here("XE", desk=Desk())
    streams = [Stream(lane=Lane.NORMAL, incarnation=new_incarnation(number)) for number in (1, 2)]
    first = streams[0].says("2", needs="XA:1")
    assert isinstance(first.head, Placed)
    again = streams[1].says("2", needs="XA:1", author=read_envelope(first.head).author)
    for body in (first, again):
        inbox.receive(xe, [(body, "jetstream")], now=NOW)

    inbox.receive(xe, [(streams[1].says("1"), "jetstream")], now=NOW)

    said = [(one.incarnation, one.objects) for one in receipting.due_receipts(xe, now=NOW + MINUTE)]
    newest = {
        state.object: state.state for number, states in said for state in states if number == streams[1].incarnation
    }
    assert newest["XA:2"] in (State.STORED, State.HAD)


def test_recall_that_came_on_two_incarnations_is_answered_on_both() -> None:
    from factories.exchange_bodies import Stream
    from factories.exchange_node import here
    from tansiq.exchange import recall
    from tansiq.exchange.node import inbox, receipting
    from tansiq.exchange.receiving import Recall
    from tansiq.exchange.values import new_incarnation

    forwards = frozenset({"XA"})
    xe = here("XE", desk=Desk(), forwarders=forwards)
    words = {"payload": recall.write("XF:1", Recall(narrowed=Version(1, 2))), "kind": recall.KIND}
    name = "recall.01900000-0000-7000-8000-000000000001"
    streams = [Stream(lane=Lane.URGENT, incarnation=new_incarnation(number)) for number in (1, 2)]
    first = streams[0].says(name, **words)
    assert isinstance(first.head, Placed)
    again = streams[1].says(name, **words, author=read_envelope(first.head).author)
    for body in (first, again):
        inbox.receive(xe, [(body, "jetstream")], now=NOW)

    note = Stream(lane=Lane.NORMAL).says("1", team="XF")
    inbox.receive(xe, [(note, "jetstream")], now=NOW)

    said = [(one.incarnation, state) for one in receipting.due_receipts(xe, now=NOW + MINUTE) for state in one.objects]
    answers = {incarnation: (one.state.value, one.reason) for incarnation, one in said if one.object == f"XA:{name}"}
    assert answers == {stream.incarnation: ("recalled", "deleted") for stream in streams}
