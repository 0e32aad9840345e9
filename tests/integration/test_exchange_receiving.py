"""What comes to a node, on its database: positions, objects, what waits and what wakes it, receipts, junk."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from factories import exchange as make
from factories.exchange import WRITTEN, written_otherwise
from factories.exchange_bodies import Stream, opened, with_signature
from factories.exchange_node import NOW, POISON, Desk, here, kinds, marked
from tansiq.core.decision import NotAllowed
from tansiq.core.marking import Marking, Tlp
from tansiq.core.viewer import Role, Viewer
from tansiq.exchange import reading
from tansiq.exchange.body import BlobReference, Lane, Placed, Receipt, Version
from tansiq.exchange.channel import Limit
from tansiq.exchange.facts import PlatformKey
from tansiq.exchange.kinds import Kind, Kinds, Said
from tansiq.exchange.reasons import JunkReason
from tansiq.exchange.requests import Answer, Ask, RecoveryAsked, RecoveryGiven, RosterAsked, RosterGiven
from tansiq.exchange.seal import Junk, Sealed
from tansiq.exchange.trust import Authentic
from tansiq.exchange.values import EMPTY_DIGEST, new_id
from tansiq.openpgp import sealing

if TYPE_CHECKING:
    from tansiq.exchange.models import InChannel
    from tansiq.exchange.node.here import Here

pytestmark = pytest.mark.usefixtures("database")

AMINA = Viewer(person="AMINA", team="XE", roles=frozenset({Role.ANALYST}), community=True)
STRANGER = Viewer(person="RACHED", team="XB", roles=frozenset({Role.ANALYST}))
WORDS = {"1": "1 1", "2": "2 1", "3": "3 1"}


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def xe(desk: Desk) -> Here:
    return here("XE", desk=desk)


def got(node: Here, *bodies: Authentic, now: Any = NOW, way: str = "jetstream") -> list[str]:
    """Hand bodies to the inbox in one call; what became of each."""
    from tansiq.exchange.node import inbox

    return [one.became.value for one in inbox.receive(node, [(body, way) for body in bodies], now=now)]


def receipts(node: Here, now: Any = NOW) -> list[Receipt]:
    from tansiq.exchange.node import receipting

    return receipting.due_receipts(node, now=now)


def said(receipt: Receipt) -> dict[str, tuple[Version, str, str]]:
    return {one.object: (one.version, one.state.value, one.reason) for one in receipt.objects}


def channel(stream: Stream) -> InChannel:
    from tansiq.exchange.models import InChannel

    return InChannel.objects.get(peer=stream.sender, lane=stream.lane, incarnation=stream.incarnation)


def of_a_receipt(*, epoch: int = 1) -> Authentic:
    """XA's, of what XE sent it."""
    head: dict[str, Any] = {"realm": "live", "sender": "XA", "recipient": "XE", "epoch": epoch, "sent_at": NOW}
    return opened(
        Receipt(
            **head,
            id=new_id(NOW),
            lane=Lane.NORMAL,
            incarnation="5-abcdefghijklmnop",
            n=1,
            through=0,
            body_hash=EMPTY_DIGEST,
            highest=0,
            clock=NOW,
        )
    )


def waiting() -> list[tuple[str, str, str]]:
    from tansiq.exchange.models import Waiting

    return list(Waiting.objects.order_by("object", "n").values_list("object", "state", "reason"))


def counted(stream: Stream) -> tuple[int, int]:
    row = channel(stream)
    return row.waiting_bodies, row.above_bodies


HOSTILE = ("\0", "a\0b", "x" * 5000, "XA:" + "y" * 5000)
"""Texts that a column of some database does not take."""


@pytest.mark.parametrize("text", HOSTILE, ids=["nul", "nul between", "long", "long id"])
def test_texts_that_no_column_takes_are_put_aside(xe: Here, desk: Desk, text: str) -> None:
    stream = Stream()

    became = got(xe, stream.says("1", marking_text=text), stream.says("2", needs=text), stream.says("3"))

    assert became == ["taken"] * 3
    assert waiting() == [("XA:1", "quarantined", "marking"), ("XA:2", "quarantined", "payload")]
    assert list(desk.texts) == ["XA:3"]


# ---- positions


def test_batch_in_any_order_is_applied_and_receipted(xe: Here, desk: Desk) -> None:
    stream = Stream()
    bodies = [stream.says(name) for name in "123"]

    became = got(xe, *reversed(bodies))

    assert became == ["taken"] * 3
    assert desk.texts == {f"XA:{name}": text for name, text in WORDS.items()}
    (receipt,) = receipts(xe)
    assert (receipt.through, receipt.highest, receipt.gaps) == (3, 3, ())
    assert receipt.body_hash == bodies[-1].digest
    assert said(receipt) == {f"XA:{name}": (Version(1, 1), "stored", "") for name in "123"}


def test_same_bodies_again_change_nothing_and_are_receipted_again(xe: Here, desk: Desk) -> None:
    stream = Stream()
    bodies = [stream.says(name) for name in "12"]
    got(xe, *bodies)
    first = receipts(xe)

    became = got(xe, *bodies, way="mail")
    again = receipts(xe, NOW + timedelta(seconds=1))

    assert became == ["repeat"] * 2
    assert [version for _object, version in desk.applied] == [Version(1, 1)] * 2
    assert [one.through for one in (*first, *again)] == [2, 2]
    assert again[0].objects == ()


def test_above_a_gap_only_what_is_self_contained_is_applied(xe: Here, desk: Desk) -> None:
    stream = Stream(lane=Lane.URGENT)
    lost, note, alert = stream.says("1"), stream.says("2"), stream.says("3", kind="alert")

    got(xe, note, alert)
    between = (dict(desk.texts), waiting(), counted(stream), receipts(xe)[0].gaps)
    got(xe, lost)

    assert between == ({"XA:3": "3 1"}, [("XA:2", "parked", "gap")], (1, 1), ((1, 1),))
    assert desk.texts == {"XA:1": "1 1", "XA:2": "2 1", "XA:3": "3 1"}
    assert (waiting(), counted(stream)) == ([], (0, 0))


def test_skip_closes_a_gap_and_its_body_is_not_applied_any_more(xe: Here, desk: Desk) -> None:
    from tansiq.exchange.models import Position

    stream = Stream()
    lost = stream.says("1")
    skip = replace(Stream().skips(1, after=lost.digest).head)
    note = stream.says("2")

    became = got(xe, note) + got(xe, opened(skip)) + got(xe, lost)

    assert became == ["taken", "taken", "repeat"]
    assert desk.texts == {"XA:2": "2 1"}
    assert channel(stream).through == 2
    assert Position.objects.count() == 2


def test_gaps_are_the_lowest_runs_that_nothing_covers(xe: Here) -> None:
    from tansiq.exchange.node.positions import gaps

    stream = Stream()
    bodies = [stream.says(str(number)) for number in range(1, 11)]

    got(xe, *(bodies[at] for at in (0, 2, 3, 6, 9)))

    assert gaps(channel(stream), most=100) == ((2, 2), (5, 6), (8, 9))
    assert gaps(channel(stream), most=2) == ((2, 2), (5, 6))


def test_runs_longer_than_a_chunk_are_followed_when_the_gap_closes(
    xe: Here, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tansiq.exchange.node import positions, settling

    monkeypatch.setattr(positions, "CHUNK", 3)
    monkeypatch.setattr(settling, "CHUNK", 4)
    stream = Stream()
    bodies = [stream.says(str(number)) for number in range(1, 21)]
    got(xe, *bodies[1:])

    got(xe, bodies[0])

    assert channel(stream).through == 20
    assert len(desk.texts) == 20
    assert (waiting(), counted(stream)) == ([], (0, 0))


def test_full_above_a_gap_is_not_taken_and_taken_when_there_is_room(desk: Desk) -> None:
    node = here("XE", desk=desk, limits={lane: Limit(2, 10**9) for lane in Lane})
    stream = Stream()
    bodies = [stream.says(str(number)) for number in range(1, 6)]

    first = got(node, *bodies[1:])
    second = got(node, bodies[0], *bodies[3:])

    assert first == ["taken", "taken", "full", "full"]
    assert second == ["taken"] * 3
    assert len(desk.texts) == 5


def limited(desk: Desk, bodies: int, size_bytes: int = 10**9) -> Here:
    return here("XE", desk=desk, limits={lane: Limit(bodies, size_bytes) for lane in Lane})


def test_skips_above_a_gap_are_taken_up_to_the_limit_whatever_comes_together(desk: Desk) -> None:
    from tansiq.exchange.models import Position

    node, stream = limited(desk, 3), Stream()
    bodies = [stream.skips(1) for _ in range(14)]

    became = got(node, bodies[2], bodies[4]) + got(node, *bodies[6:13:2])
    closing = got(node, bodies[0], bodies[1], bodies[13])

    assert became == ["taken"] * 3 + ["full"] * 3
    assert closing == ["taken"] * 3
    assert (channel(stream).through, channel(stream).above_spans, Position.objects.count()) == (3, 3, 6)


def test_what_was_applied_above_a_gap_counts_until_the_gap_is_closed(desk: Desk) -> None:
    node, stream = limited(desk, 2), Stream(lane=Lane.URGENT)
    lost, *alerts = [stream.says(str(number), kind="alert") for number in range(1, 5)]

    became = got(node, *alerts)
    above = (counted(stream), channel(stream).above_spans, sorted(desk.texts))
    closing = got(node, lost, alerts[2])

    assert became == ["taken", "taken", "full"]
    assert above == ((0, 0), 2, ["XA:2", "XA:3"])
    assert closing == ["taken"] * 2
    assert (channel(stream).through, channel(stream).above_spans) == (4, 0)


def test_room_above_a_gap_counts_what_has_passed_in_the_same_batch(desk: Desk) -> None:
    node, stream = limited(desk, 2), Stream()
    bodies = [stream.says(str(number)) for number in range(1, 8)]
    got(node, bodies[1], bodies[2])

    became = got(node, bodies[0], *bodies[4:])

    assert became == ["taken"] * 3 + ["full"]
    assert (channel(stream).above_spans, counted(stream)) == (2, (2, 2))


@pytest.mark.parametrize(("lacking_bytes", "became"), [(0, "taken"), (1, "full")])
def test_bytes_above_a_gap_are_of_what_waits_there(desk: Desk, lacking_bytes: int, became: str) -> None:
    stream = Stream(lane=Lane.URGENT)
    stream.says("1")
    note, alert, later = stream.says("2"), stream.says("3", kind="alert"), stream.says("4")
    node = limited(desk, 100, size_bytes=len(note.content) + len(later.content) - lacking_bytes)

    assert [got(node, one) for one in (note, alert, later)] == [["taken"], ["taken"], [became]]


@pytest.mark.parametrize("count", [3, 30])
def test_what_is_above_a_gap_is_counted_once_for_all_that_came_together(xe: Here, count: int) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    stream = Stream()
    bodies = [stream.says(str(number)) for number in range(1, count + 5)]
    got(xe, *bodies[-3:])

    with CaptureQueriesContext(connection) as captured:
        got(xe, *bodies[:count])

    counting = [one["sql"] for one in captured.captured_queries if "COUNT(" in one["sql"]]
    assert len([sql for sql in counting if '"exchange_position"' in sql]) == 1
    assert len([sql for sql in counting if '"exchange_waiting"' in sql]) == 1


def test_two_bodies_of_one_position_freeze_the_channel_with_both_as_evidence(xe: Here, desk: Desk) -> None:
    from tansiq.exchange.models import Alarm, Evidence, Link

    one, other = Stream(), Stream()
    got(xe, one.says("1", text="yes"))
    contrary = other.says("1", text="no")

    became = got(xe, contrary)
    after = got(xe, one.says("2"))

    assert (became, after) == (["frozen"], ["frozen"])
    assert desk.texts == {"XA:1": "yes"}
    kept = Evidence.objects.get()
    assert (kept.what, kept.position, bytes(kept.body)) == ("equivocation", 1, contrary.content)
    assert kept.other_digest == one.everything[0].digest
    assert Link.objects.get(pk="XA").frozen_at == NOW
    assert Alarm.objects.get().code == "exchange.clone"


def test_newer_incarnation_closes_the_gaps_of_the_former(xe: Here, desk: Desk) -> None:
    former, newer = Stream(), Stream(incarnation="6-abcdefghijklmnop")
    former.says("1")
    got(xe, former.says("2"))

    got(xe, newer.says("3"))

    assert desk.texts == {"XA:2": "2 1", "XA:3": "3 1"}
    assert channel(former).closed


def test_two_incarnations_of_one_number_are_a_clone(xe: Here) -> None:
    from tansiq.exchange.models import Evidence, InChannel

    got(xe, Stream().says("1"))

    became = got(xe, Stream(incarnation="5-qqqqqqqqqqqqqqqq").says("1"))

    assert became == ["frozen"]
    assert Evidence.objects.get().what == "clone"
    assert InChannel.objects.count() == 1


@pytest.mark.parametrize("incarnation", ["5-abcdefghijklmnop", "5-qqqqqqqqqqqqqqqq"], ids=["equivocation", "clone"])
def test_frozen_link_takes_nothing_on_any_lane_and_keeps_nothing_of_it(xe: Here, desk: Desk, incarnation: str) -> None:
    from tansiq.exchange.models import Evidence, ParkedBody, Waiting

    one = Stream()
    first = one.says("1")
    got(xe, first)
    froze = got(xe, Stream(incarnation=incarnation).says("1", text="no"))

    again = got(xe, first, one.says("2"), Stream(incarnation=incarnation).says("3", text="another"))
    other_lanes = got(
        xe, Stream(lane=Lane.URGENT).says("4", kind="alert"), Stream(lane=Lane.BULK).says("5"), way="file"
    )

    assert (froze, again, other_lanes) == (["frozen"], ["frozen"] * 3, ["frozen"] * 2)
    assert desk.texts == {"XA:1": "1 1"}
    assert (Evidence.objects.count(), ParkedBody.objects.count(), Waiting.objects.count()) == (1, 0, 0)


def test_frozen_link_takes_from_others_and_of_its_peer_asks_for_rosters_alone(xe: Here, desk: Desk) -> None:
    from tansiq.exchange.models import Link

    Link.objects.create(peer="XA", frozen_at=NOW)
    head: dict[str, Any] = {"realm": "live", "sender": "XA", "recipient": "XE", "epoch": 1, "sent_at": NOW}
    asks = [RosterAsked(epoch=2), RecoveryAsked(held=True, since=NOW)]
    answers = [RosterGiven(newest=1), RecoveryGiven(since=NOW, after="")]
    bodies = [
        *(opened(Ask(**head, id=new_id(NOW), asked=asked)) for asked in asks),
        *(opened(Answer(**head, id=new_id(NOW), answers=new_id(NOW), given=given)) for given in answers),
        of_a_receipt(),
        Stream(sender="XF").says("1"),
    ]

    became = got(xe, *bodies)

    assert became == ["other", "frozen", "other", "frozen", "frozen", "taken"]
    assert desk.texts == {"XF:1": "1 1"}


def test_who_froze_a_link_tells_the_other_end_by_a_receipt_of_what_was_taken(xe: Here) -> None:
    stream = Stream()
    taken = stream.says("1")
    got(xe, taken)
    receipts(xe)

    got(xe, Stream().says("1", text="no"))

    (receipt,) = receipts(xe, NOW + timedelta(seconds=2))
    assert (receipt.through, receipt.body_hash) == (1, taken.digest)


def test_bodies_that_contradict_together_are_kept_once(xe: Here) -> None:
    from tansiq.exchange.models import Evidence

    got(xe, Stream().says("1"))

    got(xe, *[Stream().says("1", text=f"no {number}") for number in range(5)])

    assert Evidence.objects.count() == 1


# ---- signed in the future


def signed_in(year: int, stream: Stream, name: str, *, sender: str = "XA", n: int = 7) -> Authentic:
    """The next of ``stream``: what ``sender``'s team might have said, under a signature that nobody made."""
    real = Stream(sender=sender).says(name, n)
    assert isinstance(real.head, Placed)
    author = reading.read_envelope(real.head).author
    made_at, moment = sealing.signed_at(author.signature), datetime(year, 1, 1, tzinfo=UTC)
    assert made_at is not None
    before, after = (struct.pack(">I", int(one.timestamp())) for one in (made_at, moment))
    signature = bytearray(author.signature.replace(before, after, 1))
    signature[-1] ^= 255
    return stream.says(name, n, team=sender, author=replace(author, signature=bytes(signature)))


def compared(node: Here, peer: str) -> list[tuple[str, Version]]:
    from tansiq.exchange.node import possession

    return sorted((one.object, one.version) for one in possession.compared(node, peer))


def test_what_waits_for_the_clock_counts_as_held_only_from_its_owners_node(xe: Here) -> None:
    forwarder = Stream(sender="XF")
    got(xe, Stream().says("1"), signed_in(2100, forwarder, "1"), signed_in(2100, forwarder, "2"))
    of_another = compared(xe, "XA")

    got(xe, signed_in(2100, Stream(lane=Lane.BULK), "2"))

    assert waiting() == [("XA:1", "parked", "clock"), *[("XA:2", "parked", "clock")] * 2]
    assert of_another == [("XA:1", Version(1, 1))]
    assert compared(xe, "XA") == [("XA:1", Version(1, 1)), ("XA:2", Version(1, 7))]


def test_what_is_refused_and_not_its_owners_counts_as_held_only_from_its_owners_node(xe: Here) -> None:
    said = {"object": "XA:9", "marking": marked("XF", "XA")}

    got(xe, Stream(sender="XF").says("9", **said))

    assert waiting() == [("XA:9", "refused", "not_entitled")]
    assert compared(xe, "XA") == []


def test_what_was_signed_for_a_far_year_keeps_nothing_from_being_woken(xe: Here) -> None:
    from tansiq.exchange.models import Waiting, WaitingFor
    from tansiq.exchange.node import inbox, settling

    stream = Stream(sender="XF")
    got(xe, signed_in(2100, stream, "1"))
    first = Waiting.objects.get()
    for seq in range(2, 502):
        first.pk, first.seq, first.object = None, seq, f"XA:{seq}"
        first.save(force_insert=True)
        WaitingFor.objects.create(waiting=first, what="clock")
    got(xe, signed_in(2027, Stream(), "soon"))

    inbox.unpark(xe, datetime(2026, 12, 31, 23, 39, tzinfo=UTC))
    before = Waiting.objects.filter(ready=True).count()
    inbox.unpark(xe, datetime(2026, 12, 31, 23, 40, tzinfo=UTC))
    woken = list(Waiting.objects.filter(ready=True).values_list("object", flat=True))
    settling.settle_ready(xe, datetime(2027, 1, 1, tzinfo=UTC))

    assert (before, woken) == (0, ["XA:soon"])
    assert [row for row in waiting() if row[2] != "clock"] == [("XA:soon", "quarantined", "author.signature")]


# ---- as a whole


def test_body_of_a_later_roster_waits_for_it(xe: Here, desk: Desk) -> None:
    from tansiq.exchange.models import ParkedBody
    from tansiq.exchange.node import inbox

    outcome = inbox.receive(xe, [(Stream().says("1", epoch=2), "jetstream")], now=NOW)[0]
    inbox.unpark(xe, NOW)
    between = ParkedBody.objects.count()
    inbox.unpark(here("XE", epoch=2, desk=desk), NOW)

    assert (outcome.became, outcome.reason, outcome.ask_roster) == (inbox.Became.PARKED, "epoch", True)
    assert (between, ParkedBody.objects.count()) == (1, 0)
    assert desk.texts == {"XA:1": "1 1"}


@pytest.mark.parametrize(
    ("said", "junk"),
    [({"revoked": True}, ("5.3", "signer")), ({"revoked": False}, ("5.7", "address"))],
    ids=["revoked", "retired"],
)
def test_body_parked_for_the_roster_that_ends_its_signer_is_junk_and_moves_no_channel(
    xe: Here, desk: Desk, said: dict[str, bool], junk: tuple[str, str]
) -> None:
    from tansiq.exchange.models import InChannel, JunkCount, ParkedBody
    from tansiq.exchange.node import inbox

    stream = Stream()
    receipt = of_a_receipt(epoch=2)
    parked = got(xe, stream.says("1", epoch=2), receipt)
    after = here("XE", epoch=2, desk=desk)
    keys = {
        name: replace(key, until_epoch=2, **said) if key.node == "XA" else key
        for name, key in after.facts.node_keys.items()
    }

    outcomes = inbox.unpark(replace(after, facts=replace(after.facts, node_keys=keys)), NOW)

    assert parked == ["parked"] * 2
    assert (outcomes, desk.texts, InChannel.objects.count(), ParkedBody.objects.count()) == ([], {}, 0, 0)
    assert list(JunkCount.objects.values_list("check_number", "reason", "count")) == [(*junk, 2)]


def test_body_of_the_future_waits_for_the_clock_unless_it_came_by_file(xe: Here, desk: Desk) -> None:
    from tansiq.exchange.node import inbox

    early = Stream().says("1", at=NOW + timedelta(hours=1))

    became = got(xe, early) + got(xe, Stream(lane=Lane.BULK).says("2", at=NOW + timedelta(hours=1)), way="file")
    inbox.unpark(xe, NOW + timedelta(minutes=39))
    between = dict(desk.texts)
    inbox.unpark(xe, NOW + timedelta(minutes=41))

    assert became == ["parked", "taken"]
    assert between == {"XA:2": "2 1"}
    assert desk.texts == {"XA:1": "1 1", "XA:2": "2 1"}


def test_bodies_that_wait_as_a_whole_are_bounded_by_the_lane(desk: Desk) -> None:
    node = here("XE", desk=desk, limits={lane: Limit(2, 10**9) for lane in Lane})
    stream = Stream()
    bodies = [stream.says(str(number), epoch=2) for number in range(3)]

    assert got(node, *bodies) == ["parked", "parked", "full"]
    assert got(node, bodies[0]) == ["parked"]


def test_bytes_that_wait_as_a_whole_are_bounded_for_each_sender_and_lane(desk: Desk) -> None:
    stream, urgent, other = Stream(), Stream(lane=Lane.URGENT), Stream(sender="XF")
    bodies = [stream.says(str(number), epoch=2) for number in range(3)]
    node = limited(desk, 100, size_bytes=sum(len(body.content) for body in bodies) - 1)

    together = got(node, *bodies)
    apart = got(node, bodies[2]) + got(node, bodies[0])
    others = got(node, urgent.says("1", epoch=2), other.says("1", epoch=2))

    assert together == ["parked", "parked", "full"]
    assert apart == ["full", "parked"]
    assert others == ["parked", "parked"]


def test_body_of_a_roster_that_nobody_may_ever_see_is_not_kept(xe: Here) -> None:
    from tansiq.exchange.models import ParkedBody
    from tansiq.exchange.node import inbox

    bodies = [Stream().says("1", epoch=1_001), Stream().says("1", epoch=1_002)]
    outcomes = inbox.receive(xe, [(body, "jetstream") for body in bodies], now=NOW)

    assert [(one.became.value, one.ask_roster) for one in outcomes] == [("parked", True), ("full", True)]
    assert list(ParkedBody.objects.values_list("epoch", flat=True)) == [1_001]


@pytest.mark.parametrize("state", ["removed", "unknown"])
def test_of_no_member_nothing_is_kept_until_a_later_roster_but_receipts_of_recalls(desk: Desk, state: str) -> None:
    from tansiq.exchange.models import ParkedBody

    node = here("XE", epoch=2, members=("XE", "XF"), former=("XA",) if state == "removed" else (), desk=desk)
    about = {"sender": "XA", "recipient": "XE", "realm": "live", "epoch": 3, "sent_at": NOW, "clock": NOW}

    became = got(node, *(Stream(lane=lane).says("1", epoch=3) for lane in Lane))
    receipts_of = got(node, *(opened(make.receipt(**about, lane=lane)) for lane in Lane))

    assert became == ["refused"] * 3
    assert receipts_of == ["parked" if state == "removed" else "refused", "refused", "refused"]
    assert ParkedBody.objects.count() == (state == "removed")


def test_what_is_kept_of_a_member_goes_with_the_roster_that_removes_it_not_with_one_that_suspends_it(
    desk: Desk,
) -> None:
    from tansiq.exchange.models import ParkedBody
    from tansiq.exchange.node import admitting

    node = here("XE", desk=desk)
    got(node, *(Stream(sender=sender).says("1", epoch=5) for sender in ("XA", "XF")))

    admitting.on_roster(replace(here("XE", epoch=2, members=("XE", "XF")), suspended=frozenset({"XA"})))
    suspended = sorted(ParkedBody.objects.values_list("peer", flat=True))
    admitting.on_roster(here("XE", epoch=3, members=("XE", "XF"), former=("XA",)))

    assert suspended == ["XA", "XF"]
    assert list(ParkedBody.objects.values_list("peer", flat=True)) == ["XF"]


def test_of_no_member_nothing_is_taken(desk: Desk) -> None:
    from tansiq.exchange.node import inbox

    node = here("XE", epoch=2, members=("XE", "XF"), former=("XA",), desk=desk)

    outcome = inbox.receive(node, [(Stream().says("1"), "jetstream")], now=NOW)[0]

    assert (outcome.became, outcome.reason) == (inbox.Became.REFUSED, "removed")
    assert desk.texts == {}


def test_held_node_takes_nothing(xe: Here, desk: Desk) -> None:
    from tansiq.exchange.models import InChannel
    from tansiq.exchange.node import holding

    holding.restore(xe, NOW)

    assert got(xe, Stream().says("1")) == ["held"]
    assert (desk.texts, InChannel.objects.count(), receipts(xe)) == ({}, 0, [])


# ---- what waits, and what wakes it


def test_version_that_refers_to_what_is_not_here_waits_for_exactly_that(xe: Here, desk: Desk) -> None:
    stream = Stream()

    got(xe, stream.says("2", needs="XA:1"), stream.says("4", needs="XA:3"))
    between = waiting()
    got(xe, stream.says("1"))

    assert between == [("XA:2", "parked", "reference"), ("XA:4", "parked", "reference")]
    assert waiting() == [("XA:4", "parked", "reference")]
    assert [one for one, _version in desk.applied] == ["XA:1", "XA:2"]
    assert said(receipts(xe)[0])["XA:2"] == (Version(1, 1), "stored", "")


def test_own_object_that_is_published_later_wakes_what_refers_to_it(xe: Here, desk: Desk) -> None:
    from tansiq.exchange.node import publishing, settling

    got(xe, Stream().says("1", needs="XE:9"))
    between = waiting()

    publishing.publish(
        xe, kind="case.note", name="9", payload={"text": "own"}, markings=marked("XE"), team="XE", now=NOW
    )
    settling.settle_ready(xe, NOW)

    assert between == [("XA:1", "parked", "reference")]
    assert desk.texts == {"XA:1": "1 1"}


def test_same_body_twice_in_one_call_is_taken_once(xe: Here, desk: Desk) -> None:
    body = Stream().says("1")

    assert got(xe, body, body) == ["taken", "repeat"]
    assert len(desk.applied) == 1


@pytest.mark.sqlite(why="what counts is the number of statements, the same on both")
def test_batch_takes_as_many_statements_whatever_its_length(xe: Here, desk: Desk) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    stream = Stream()
    got(xe, stream.says("first"))
    few, many = ([stream.says(f"{size}.{number}") for number in range(size)] for size in (5, 200))

    taken = []
    for bodies in (few, many):
        with CaptureQueriesContext(
            connection,
        ) as captured:
            got(xe, *bodies)
        taken.append(len(captured))

    assert taken[0] == taken[1]
    assert taken[0] < 40


def test_reference_and_what_it_waits_for_in_one_batch_wait_for_nothing(xe: Here, desk: Desk) -> None:
    stream = Stream()

    got(xe, stream.says("3", needs="XA:2"), stream.says("2", needs="XA:1"), stream.says("1"))

    assert [one for one, _version in desk.applied] == ["XA:1", "XA:2", "XA:3"]
    assert waiting() == []


def test_blob_wakes_what_waits_for_it(desk: Desk) -> None:
    from tansiq.exchange.node import settling

    here_now: set[str] = set()
    kind = replace(kinds(desk).by_name()["case.note"], blobs_needed=True)
    node = replace(here("XE", known=Kinds([kind])), has_blob=here_now.__contains__)
    blob = BlobReference(digest="ef" * 32, key=bytes(32), size_bytes=1, media_type="text/plain", name="a.txt")
    got(node, Stream().says("1", blobs=[blob]))
    between = waiting()
    here_now.add(blob.digest)

    woken = settling.on_blob(node, blob.digest, NOW)
    settling.settle_ready(node, NOW)

    assert (between, woken) == ([("XA:1", "parked", "blob")], 1)
    assert desk.texts == {"XA:1": "1 1"}


def test_kind_that_is_learnt_is_checked_and_applied(xe: Here, desk: Desk) -> None:
    from tansiq.exchange.node import settling

    stream = Stream()
    got(xe, stream.says("1", kind="new.kind"), stream.says("2", kind="new.kind", text=POISON))
    between = waiting()
    newer = replace(xe, kinds=kinds(desk, known=("case.note", "new.kind")))

    settling.on_kinds_changed(newer, NOW)
    settling.settle_ready(newer, NOW)

    assert between == [("XA:1", "parked", "kind"), ("XA:2", "parked", "kind")]
    assert desk.texts == {"XA:1": "1 1"}
    assert waiting() == [("XA:2", "quarantined", "payload")]


def test_poison_holds_back_its_own_object_until_a_person_refuses_it(xe: Here, desk: Desk) -> None:
    from tansiq.audit.models import Entry
    from tansiq.exchange.models import Waiting
    from tansiq.exchange.node import settling

    stream = Stream()
    got(xe, stream.says("1", text=POISON), stream.says("1", 2), stream.says("2"))
    between = (dict(desk.texts), waiting())
    poison = Waiting.objects.get(object="XA:1", n=1)

    with pytest.raises(NotAllowed):
        settling.refuse(xe, poison.pk, STRANGER, NOW)
    settling.refuse(xe, poison.pk, AMINA, NOW)

    assert between == ({"XA:2": "2 1"}, [("XA:1", "quarantined", "payload"), ("XA:1", "parked", "order")])
    assert desk.texts == {"XA:1": "1 2", "XA:2": "2 1"}
    assert said(receipts(xe)[0])["XA:1"] == (Version(1, 2), "stored", "")
    last = Entry.objects.order_by("-number")[0]
    assert (last.who, last.verb, last.item_id) == ("AMINA", "exchange.refused", "XA:1")


def test_what_a_person_refused_stays_as_refused_and_wakes_no_more(xe: Here, desk: Desk) -> None:
    from tansiq.exchange.models import Waiting
    from tansiq.exchange.node import settling

    stream = Stream()
    got(xe, stream.says("2", needs="XA:1"))
    settling.refuse(xe, Waiting.objects.get().pk, AMINA, NOW)

    got(xe, stream.says("1"))

    assert waiting() == [("XA:2", "refused", "reference")]
    assert Waiting.objects.get().refused_by == "AMINA"
    assert desk.texts == {"XA:1": "1 1"}


def test_refusal_outlives_the_checks_under_a_later_roster(xe: Here, desk: Desk) -> None:
    from tansiq.exchange.models import Waiting
    from tansiq.exchange.node import settling

    got(xe, Stream().says("2", needs="XA:1"))

    settling.refuse(here("XE", epoch=2, desk=desk), Waiting.objects.get().pk, AMINA, NOW)

    assert waiting() == [("XA:2", "refused", "reference")]


def test_retry_checks_again_under_the_roster_of_now(xe: Here, desk: Desk) -> None:
    from tansiq.exchange.models import Waiting
    from tansiq.exchange.node import settling

    keyless = replace(xe, facts=replace(xe.facts, platform_keys={}))
    got(keyless, Stream().says("1"))
    between = waiting()

    settling.retry(xe, Waiting.objects.get().pk, AMINA, NOW)

    assert between == [("XA:1", "quarantined", "author.unknown_key")]
    assert (desk.texts, waiting()) == ({"XA:1": "1 1"}, [])
    with pytest.raises(settling.NotWaiting):
        settling.retry(xe, 1, AMINA, NOW)


def test_roster_that_knows_the_key_wakes_what_waited_for_it(xe: Here, desk: Desk) -> None:
    from tansiq.exchange.node import settling

    got(replace(xe, facts=replace(xe.facts, platform_keys={})), Stream().says("1"))
    later = here("XE", epoch=2, desk=desk)

    settling.on_roster(later, NOW)
    settling.settle_ready(later, NOW)

    assert desk.texts == {"XA:1": "1 1"}


def test_forged_signature_holds_nothing_back(xe: Here, desk: Desk) -> None:
    stream = Stream()

    got(xe, stream.says("1", forged=True), stream.says("1", 2), now=datetime.now(UTC))

    assert desk.texts == {"XA:1": "1 2"}
    assert waiting() == [("XA:1", "quarantined", "author.signature")]


def test_former_host_that_kept_a_guests_key_does_not_speak_for_it(xe: Here, desk: Desk) -> None:
    guest = make.platform_key("XG", "XF")
    hosted = lives_at(xe, "XF", guest)
    moved = lives_at(xe, "XA", replace(guest, struck=True))
    stream = Stream("XF")

    got(hosted, stream.says("1", team="XG"))
    before = dict(desk.texts)
    got(moved, stream.says("1", 2, team="XG"), stream.says("2", team="XG"))

    assert desk.texts == before == {"XG:1": "1 1"}
    assert sorted(waiting()) == [(name, "quarantined", "author.unknown_key") for name in ("XG:1", "XG:2")]


def lives_at(node: Here, home: str, key: PlatformKey) -> Here:
    """The same under a roster by which XG lives at ``home``, with this key."""
    keys = {**node.facts.platform_keys, key.fingerprint: key}
    facts = replace(node.facts, platform_keys=keys, homes={**node.facts.homes, "XG": home})
    return replace(node, facts=facts, operators={**node.operators, "XG": home})


def test_object_of_another_team_is_quarantined(xe: Here, desk: Desk) -> None:
    stream = Stream()

    got(xe, stream.says("1", team="XA", object="XF:1"))

    assert waiting() == [("XF:1", "quarantined", "not_owner")]
    assert desk.texts == {}


def test_malformed_envelope_takes_its_position_and_is_put_aside(xe: Here, desk: Desk) -> None:
    stream = Stream()

    became = got(xe, stream.says("1", object="no id!"), stream.says("2", kind="No Kind"), stream.says("3"))

    assert became == ["taken"] * 3
    assert waiting() == [("", "quarantined", "malformed"), ("XA:2", "quarantined", "malformed")]
    assert desk.texts == {"XA:3": "3 1"}
    assert channel(stream).through == 3
    assert said(receipts(xe)[0]).keys() == {"XA:2", "XA:3"}


def test_version_0_0_which_no_recall_could_name_is_malformed(xe: Here, desk: Desk) -> None:
    stream = Stream()

    got(xe, stream.says("1", 0, term=0), stream.says("2", 1, term=0), stream.says("3", 0, term=1))

    assert waiting() == [("XA:1", "quarantined", "malformed")]
    assert sorted(desk.texts) == ["XA:2", "XA:3"]
    assert said(receipts(xe)[0])["XA:1"] == (Version(0, 0), "quarantined", "malformed")


def test_name_of_a_file_with_controls_is_put_aside_and_holds_nothing_up(xe: Here, desk: Desk) -> None:
    stream = Stream()
    blob = BlobReference(digest="ef" * 32, key=bytes(32), size_bytes=1, media_type="text/plain", name="a\0b")

    became = got(xe, stream.says("1", blobs=[blob]), stream.says("2"))

    assert became == ["taken"] * 2
    assert waiting() == [("XA:1", "quarantined", "malformed")]
    assert desk.texts == {"XA:2": "2 1"}


def test_what_nobody_here_may_have_is_refused_with_an_alarm(xe: Here, desk: Desk) -> None:
    from tansiq.exchange.models import Alarm

    got(xe, Stream().says("1", marking=marked("XA", "XF")))

    assert waiting() == [("XA:1", "refused", "not_entitled")]
    assert said(receipts(xe)[0]) == {"XA:1": (Version(1, 1), "refused", "not_entitled")}
    assert Alarm.objects.get().code == "exchange.not_entitled"
    assert desk.texts == {}


@pytest.mark.parametrize(
    ("later", "becomes"), [(timedelta(0), []), (timedelta(seconds=1), [("XA:1", "refused", "not_entitled")])]
)
def test_embargo_that_had_ended_when_it_was_sent_has_ended_for_a_clock_behind(
    xe: Here, desk: Desk, later: timedelta, becomes: list[tuple[str, str, str]]
) -> None:
    sent_at = NOW + timedelta(minutes=5)
    embargoed = [Marking(Tlp.GREEN, "XA", embargo_until=sent_at + later)]

    got(xe, Stream().says("1", marking=embargoed, at=sent_at))

    assert waiting() == becomes
    assert desk.texts == ({} if becomes else {"XA:1": "1 1"})


def test_what_is_taken_before_its_embargo_ends_here_is_shown_and_forwarded_when_it_has(xe: Here) -> None:
    from tansiq.exchange.models import Waiting
    from tansiq.exchange.node import settling
    from tansiq.exchange.node.deciding import Deciding

    end = NOW + timedelta(minutes=1)
    under_embargo = [Marking(Tlp.GREEN, "XA", embargo_until=end)]

    got(xe, Stream().says("1", marking=under_embargo, needs="XA:0", at=end))

    row = Waiting.objects.get()
    shown = [bool(settling.may_decide(row, by=AMINA, now=now)) for now in (NOW, end)]
    forwarded = ["XF" in Deciding(xe, now).peers(under_embargo) for now in (NOW, end)]
    assert (row.state, shown, forwarded) == ("parked", [False, True], [False, True])


def test_what_nobody_here_might_have_is_judged_again_under_a_later_roster(desk: Desk) -> None:
    from tansiq.exchange.node import settling

    outside = replace(here("XE", desk=desk), community=frozenset({"XA"}))
    got(outside, Stream().says("1", marking=[Marking(Tlp.GREEN, "XA")]))
    before = receipts(outside)[0]

    inside = here("XE", epoch=2, desk=desk)
    woken = settling.on_roster(inside, NOW)
    settling.settle_ready(inside, NOW)

    later = NOW + timedelta(seconds=2)
    assert said(before) == {"XA:1": (Version(1, 1), "refused", "not_entitled")}
    assert (woken, waiting(), desk.texts) == (1, [], {"XA:1": "1 1"})
    assert said(receipts(inside, later)[0]) == {"XA:1": (Version(1, 1), "stored", "")}


def test_what_still_nobody_here_may_have_stays_refused_and_is_not_said_again(desk: Desk) -> None:
    from tansiq.exchange.models import Waiting
    from tansiq.exchange.node import settling

    outside = replace(here("XE", desk=desk), community=frozenset({"XA"}))
    got(outside, Stream().says("1", marking=[Marking(Tlp.GREEN, "XA")]))
    receipts(outside)

    later = replace(here("XE", epoch=2, desk=desk), community=frozenset({"XA"}))
    settling.on_roster(later, NOW)
    settling.settle_ready(later, NOW)

    assert waiting() == [("XA:1", "refused", "not_entitled")]
    assert not Waiting.objects.get().ready
    assert receipts(later, NOW + timedelta(seconds=2)) == []


def test_what_a_person_refused_stays_refused_under_a_later_roster(xe: Here, desk: Desk) -> None:
    from tansiq.exchange.models import Waiting
    from tansiq.exchange.node import settling

    got(xe, Stream().says("1", needs="XA:0"))
    settling.refuse(xe, Waiting.objects.get().pk, AMINA, NOW)
    Waiting.objects.update(reason="not_entitled", refused="not_entitled")

    woken = settling.on_roster(here("XE", epoch=2, desk=desk), NOW)

    assert (woken, Waiting.objects.get().state) == (0, "refused")


def test_versions_that_are_not_above_what_is_applied_are_had(xe: Here, desk: Desk) -> None:
    stream = Stream()
    got(xe, stream.says("1", 2))

    got(xe, stream.says("1", 1))
    states = said(receipts(xe)[0])

    assert [version for _object, version in desk.applied] == [Version(1, 2)]
    assert states == {"XA:1": (Version(1, 1), "had", "")}


def test_one_version_with_two_contents_is_quarantined_and_the_first_stays(xe: Here, desk: Desk) -> None:
    stream = Stream()

    got(xe, stream.says("1", text="first"))
    got(xe, stream.says("1", text="second"))

    assert desk.texts == {"XA:1": "first"}
    assert waiting() == [("XA:1", "quarantined", "version")]


def by_forwarder(genuine: Authentic, change: Callable[[bytes], bytes], **fields: Any) -> Authentic:
    """XA:1 as XF passes it on to XE: its signature changed, all that it signs as it was."""
    author = with_signature(genuine, change)
    return Stream("XF").says("1", team="XA", marking=marked("XA", "XE"), author=author, via=("XF",), **fields)


@pytest.mark.parametrize("is_first", [False, True], ids=["after", "before"])
@pytest.mark.parametrize("way", WRITTEN)
def test_copy_whose_signature_was_written_otherwise_is_had_whichever_comes_first(
    xe: Here, desk: Desk, way: str, is_first: bool
) -> None:
    from tansiq.exchange.models import Statement

    genuine = Stream().says("1")
    otherwise = by_forwarder(genuine, lambda signature: written_otherwise(signature, way))

    for body in (otherwise, genuine) if is_first else (genuine, otherwise):
        got(xe, body)

    states = {one.recipient: said(one)["XA:1"][1] for one in receipts(xe)}
    assert (desk.applied, waiting()) == ([("XA:1", Version(1, 1))], [])
    assert states == ({"XF": "stored", "XA": "had"} if is_first else {"XA": "stored", "XF": "had"})
    assert Statement.objects.count() == 1


@pytest.mark.parametrize("is_first", [False, True], ids=["after", "before"])
def test_wrong_signature_over_the_same_text_never_stands_for_the_right_one(
    xe: Here, desk: Desk, is_first: bool
) -> None:
    from tansiq.exchange.models import Statement, Waiting

    genuine = Stream().says("1")
    other = with_signature(Stream().says("2")).signature
    wrong = by_forwarder(genuine, lambda _signature: other)

    for body in (wrong, genuine) if is_first else (genuine, wrong):
        got(xe, body, now=datetime.now(UTC))

    assert desk.applied == [("XA:1", Version(1, 1))]
    assert waiting() == [("XA:1", "quarantined", "author.signature")]
    assert Waiting.objects.get().leaf != Statement.objects.get().leaf


def test_signature_that_is_not_proven_yet_is_neither_had_nor_another_story(xe: Here, desk: Desk) -> None:
    from tansiq.exchange.models import SharedObject, Waiting

    later = here("XE", epoch=2, desk=desk)
    genuine = Stream().says("1")
    other = with_signature(Stream().says("2")).signature  # made long after NOW
    got(later, genuine)

    got(later, by_forwarder(genuine, lambda _signature: other, epoch=2))
    got(later, Stream("XF", incarnation="6-abcdefghijklmnop").says("1", team="XA", text="another", author=replace(
        with_signature(genuine), signature=other)))  # fmt: skip

    assert waiting() == [("XA:1", "parked", "clock")] * 2
    assert set(Waiting.objects.values_list("proven", flat=True)) == {False}
    assert SharedObject.objects.get().epoch == 1


def test_later_version_replaces_one_that_was_given_two_contents(xe: Here, desk: Desk) -> None:
    stream = Stream()
    got(xe, stream.says("1", text="first"), stream.says("1", text="second"))

    got(xe, stream.says("1", 2, text="third"))

    assert desk.texts == {"XA:1": "third"}
    assert (waiting(), counted(stream)) == ([], (0, 0))


def test_parked_beyond_the_limit_are_refused_and_fit_ones_go_on(desk: Desk) -> None:
    node = here("XE", desk=desk, limits={lane: Limit(2, 10**9) for lane in Lane})
    stream = Stream()

    got(node, *(stream.says(str(number), text=POISON) for number in range(1, 5)), stream.says("5"))

    assert waiting() == [("XA:1", "quarantined", "payload"), ("XA:2", "quarantined", "payload")]
    assert said(receipts(node)[0])["XA:4"] == (Version(1, 1), "refused", "limit")
    assert desk.texts == {"XA:5": "5 1"}
    assert counted(stream) == (2, 0)


def test_of_one_object_only_so_many_versions_wait(xe: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    from tansiq.exchange.node import settlement

    monkeypatch.setattr(settlement, "MOST_VERSIONS", 2)
    stream = Stream()

    got(xe, *(stream.says("1", n, needs="XA:9") for n in range(1, 5)))

    assert waiting() == [("XA:1", "parked", "reference")] * 2
    assert said(receipts(xe)[0])["XA:1"] == (Version(1, 4), "refused", "limit")


# ---- desks


def test_desk_that_raises_loses_nothing_but_its_own_object(xe: Here, desk: Desk) -> None:
    from tansiq.exchange.models import Junk as Row

    def apply(said: Said, now: Any) -> None:
        Row.objects.create(digest=said.object, sealed=b"", size_bytes=0, first_at=now, last_at=now)
        if said.object == "XA:2":
            raise RuntimeError("no")

    kind = replace(kinds(desk).by_name()["case.note"], apply=apply)
    node = replace(xe, kinds=Kinds([kind]))
    stream = Stream()

    got(node, stream.says("1"), stream.says("2"), stream.says("2", 2), stream.says("3"))

    assert sorted(Row.objects.values_list("pk", flat=True)) == ["XA:1", "XA:3"]
    assert waiting() == [("XA:2", "quarantined", "payload"), ("XA:2", "parked", "order")]
    assert channel(stream).through == 4


def test_versions_before_the_one_that_failed_are_kept(xe: Here) -> None:
    kept: list[Version] = []

    def apply(said: Said, now: Any) -> None:
        if said.version == Version(1, 2):
            raise RuntimeError("no")
        kept.append(said.version)

    kind: Kind = replace(kinds().by_name()["case.note"], apply=apply)
    node = replace(xe, kinds=Kinds([kind]))
    stream = Stream()
    lost = stream.says("1")
    got(node, stream.says("1", 2), stream.says("1", 3))

    got(node, lost)

    assert kept[-1] == Version(1, 1)
    assert waiting() == [("XA:1", "quarantined", "payload"), ("XA:1", "parked", "order")]


# ---- recalls


def recalls(stream: Stream, about: str, narrowed: int, name: str = "recall.1") -> Authentic:
    said = {"object": about, "narrowed": {"term": 1, "n": narrowed}, "left": None, "epoch": 0}
    return stream.says(name, kind="recall", payload=said)


def test_recall_deletes_and_what_it_names_does_not_come_back(xe: Here, desk: Desk) -> None:
    from tansiq.exchange.models import Statement

    notes, urgent = Stream(), Stream(lane=Lane.URGENT)
    got(xe, notes.says("1"))

    got(xe, recalls(urgent, "XA:1", 2))
    got(xe, notes.says("1"))

    assert (desk.texts, desk.withdrawn) == ({}, ["XA:1"])
    states = {one.lane: said(one) for one in receipts(xe)}
    assert states[Lane.URGENT] == {"XA:recall.1": (Version(1, 1), "recalled", "deleted")}
    assert states[Lane.NORMAL] == {"XA:1": (Version(1, 1), "recalled", "deleted")}
    assert not Statement.objects.filter(object="XA:1").exists()


def test_recall_satisfies_who_waits_for_what_it_names(xe: Here, desk: Desk) -> None:
    got(xe, Stream().says("2", needs="XA:1"))

    got(xe, recalls(Stream(lane=Lane.URGENT), "XA:1", 2))

    assert desk.texts == {"XA:2": "2 1"}


def test_recall_by_a_forwarder_waits_for_what_it_forwarded(xe: Here, desk: Desk) -> None:
    from_home, urgent, notes = Stream(), Stream("XF", lane=Lane.URGENT), Stream("XF")
    recall = recalls(urgent, "XA:1", 2)
    got(xe, from_home.says("2"))

    got(xe, recall)
    between = waiting()
    got(xe, notes.says("1", team="XA", via=("XF",)))

    assert between == [("XF:recall.1", "parked", "reference")]
    assert (waiting(), desk.texts) == ([], {"XA:2": "2 1"})


def test_recall_by_who_has_no_say_changes_nothing(desk: Desk) -> None:
    node = here("XE", desk=desk, forwarders=())
    got(node, Stream().says("1"))

    got(node, recalls(Stream("XF", lane=Lane.URGENT), "XA:1", 2))

    assert desk.texts == {"XA:1": "1 1"}
    assert waiting() == [("XF:recall.1", "quarantined", "not_owner")]


def test_recall_and_what_it_recalls_in_one_batch_leave_nothing(xe: Here, desk: Desk) -> None:
    urgent = Stream("XF", lane=Lane.URGENT)

    got(
        xe,
        urgent.says("1", team="XA", kind="alert", via=("XF",)),
        urgent.says("2", team="XA", kind="alert", via=("XF",)),
        recalls(urgent, "XA:1", 2),
    )

    assert desk.texts == {"XA:2": "2 1"}
    assert waiting() == []


def test_what_refers_to_an_object_that_came_and_went_in_one_batch_is_applied(xe: Here, desk: Desk) -> None:
    urgent = Stream("XF", lane=Lane.URGENT)
    forwarded = {"team": "XA", "kind": "alert", "via": ("XF",)}

    got(
        xe,
        urgent.says("2", needs="XA:1", **forwarded),
        recalls(urgent, "XA:1", 2),
        urgent.says("1", **forwarded),
    )

    assert desk.texts == {"XA:2": "2 1"}
    assert waiting() == []


def test_recall_that_its_author_may_not_write_counts_for_nothing(xe: Here, desk: Desk) -> None:
    got(xe, Stream().says("1"))
    said = {"object": "XA:1", "narrowed": {"term": 1, "n": 2}, "left": None, "epoch": 0}

    got(xe, Stream(lane=Lane.URGENT).says("x", object="XF:recall.1", kind="recall", payload=said))

    assert desk.texts == {"XA:1": "1 1"}
    assert waiting() == [("XF:recall.1", "quarantined", "not_owner")]


# ---- receipts, and whom this node hears


def test_receipts_come_once_a_second_and_hourly_while_something_is_missing(xe: Here) -> None:
    stream = Stream()
    stream.says("1")
    got(xe, stream.says("2"))

    made = [
        len(receipts(xe, NOW + timedelta(seconds=seconds))) for seconds in (0, 0.5, 1, 3599, 3600, 3601, 7199, 7200)
    ]

    assert made == [1, 0, 0, 0, 1, 0, 0, 1]


def test_receipt_starts_where_its_reader_asked(xe: Here) -> None:
    from tansiq.exchange.node import receipting

    stream = Stream()
    got(xe, stream.says("1"))
    got(xe, stream.says("2"))
    first = receipts(xe)[0]

    receipting.on_asked(xe, "XA", Lane.NORMAL, stream.incarnation, 1)
    again = receipts(xe, NOW + timedelta(seconds=1))[0]

    assert ((first.since, first.changes), (again.since, again.changes)) == ((0, 2), (1, 2))
    assert again.n > first.n
    assert said(again).keys() == {"XA:2"}


def test_receipt_of_more_than_a_thousand_changes_goes_on_with_the_next(xe: Here) -> None:
    stream = Stream()
    for start in range(0, 1002, 501):
        got(xe, *(stream.says(str(number), text="x") for number in range(start, start + 501)))

    one = receipts(xe)[0]
    two = receipts(xe, NOW + timedelta(seconds=1))[0]

    assert [(r.since, r.changes, len(r.objects)) for r in (one, two)] == [(0, 1000, 1000), (1000, 1002, 2)]


def test_peer_is_heard_by_its_way_and_its_clock_by_its_receipts(xe: Here) -> None:
    from tansiq.exchange.models import Link, WayHeard
    from tansiq.exchange.node import inbox

    got(xe, Stream().says("1"), way="mail")
    outcome = inbox.receive(xe, [(opened(_receipt_of_xa()), "jetstream")], now=NOW)[0]

    link = Link.objects.get(pk="XA")
    assert (outcome.became, link.heard_at, link.heard_way, link.heard_epoch) == (
        inbox.Became.OTHER,
        NOW,
        "jetstream",
        1,
    )
    assert link.clock_offset_ms == 2500
    assert set(WayHeard.objects.values_list("peer", "way")) == {("XA", "mail"), ("XA", "jetstream")}


def test_program_of_a_peer_is_what_it_last_said(xe: Here) -> None:
    from tansiq.exchange.models import Link
    from tansiq.exchange.node import inbox

    heard = []
    for said in ({"program": "tansiq/9.1"}, {}, {"program": "<script>"}, {"program": "tansiq/9.2"}):
        inbox.receive(xe, [(opened(replace(_receipt_of_xa(), extra=said)), "jetstream")], now=NOW)
        heard.append(Link.objects.get(pk="XA").heard_version)

    assert heard == ["tansiq/9.1", "tansiq/9.1", "tansiq/9.1", "tansiq/9.2"]


def test_receipt_says_which_program_made_it(xe: Here) -> None:
    from tansiq import __version__

    got(xe, Stream().says("1"))

    assert [one.extra for one in receipts(xe)] == [{"program": f"tansiq/{__version__}"}]


def _receipt_of_xa() -> Receipt:
    from tansiq.exchange.values import new_id

    return Receipt(
        id=new_id(NOW),
        realm="live",
        sender="XA",
        recipient="XE",
        epoch=1,
        sent_at=NOW,
        lane=Lane.NORMAL,
        incarnation="5-abcdefghijklmnop",
        n=1,
        through=0,
        body_hash=EMPTY_DIGEST,
        highest=0,
        clock=NOW + timedelta(milliseconds=2500),
    )


def test_digests_of_positions_are_forgotten_after_their_retention(xe: Here, desk: Desk) -> None:
    from tansiq.exchange.models import Position
    from tansiq.exchange.node import positions

    stream = Stream()
    bodies = [stream.says("1"), stream.says("2")]
    stream.says("3")
    got(xe, *bodies, stream.says("4"))

    gone = positions.prune(NOW + timedelta(days=91))

    assert gone == 2
    assert list(Position.objects.values_list("first", flat=True)) == [4]
    assert got(xe, bodies[1]) == ["repeat"]


# ---- junk


def test_junk_is_counted_and_kept_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    from tansiq.exchange import models
    from tansiq.exchange.node import inbox, junk

    monkeypatch.setattr(junk, "MOST_ITEMS", 3)
    monkeypatch.setattr(junk, "MOST_BYTES", 25)
    for number in range(5):
        for _ in range(2):
            sealed = Sealed(bytes([number]) * 10)
            inbox.receive_junk(Junk("5.3", JunkReason.SIGNER), sealed, "mail", NOW + timedelta(seconds=number))

    kept = models.Junk.objects.order_by("first_at")
    assert [(bytes(row.sealed)[0], row.times) for row in kept] == [(3, 2), (4, 2)]
    assert models.JunkCount.objects.get().count == 10


@pytest.mark.parametrize("text", ["\0", "[\0]", "[]"], ids=repr)
def test_marking_with_controls_is_put_aside_and_holds_nothing_up(xe: Here, desk: Desk, text: str) -> None:
    stream = Stream()

    became = got(xe, stream.says("1", marking_text=text), stream.says("2"))

    assert became == ["taken"] * 2
    assert waiting() == [("XA:1", "quarantined", "marking")]
    assert desk.texts == {"XA:2": "2 1"}


def test_payload_with_controls_is_put_aside_and_holds_nothing_up(xe: Here, desk: Desk) -> None:
    stream = Stream()

    became = got(xe, stream.says("1", payload={"text": "poison \0"}), stream.says("2"))

    assert became == ["taken"] * 2
    assert waiting() == [("XA:1", "quarantined", "payload")]
    assert desk.texts == {"XA:2": "2 1"}
