"""When again, which way, what at a limit, and what a receipt makes of it: sections 3.5, 8 and 16."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tansiq.exchange import receipts, sending
from tansiq.exchange.body import Lane, ObjectState, SkipReason, State, Version
from tansiq.exchange.channel import Cursor, Limit
from tansiq.exchange.receipts import NOTHING, Alarm, Holding, Ledger
from tansiq.exchange.sending import Backlog, Entry, Outgoing, Room, Row, Way
from tansiq.exchange.values import EMPTY_DIGEST, digest

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
START = Outgoing("1-aaaaaaaaaaaaaaaa")
BOTH = frozenset({Way.JETSTREAM, Way.MAIL})
JETSTREAM = frozenset({Way.JETSTREAM})
MAIL = frozenset({Way.MAIL})


def row(name: int, size_bytes: int = 10) -> Row:
    return Row(f"XA:{name}", Version(1, 1), "case.note", size_bytes)


def sealed(count: int) -> tuple[list[Entry], Outgoing]:
    entries, outgoing = [], START
    for number in range(1, count + 1):
        body = f"body {number}".encode()
        entry, outgoing = sending.place(outgoing, row(number), body, digest(body))
        entries.append(entry)
    return entries, outgoing


def sent(entries: list[Entry], at: datetime = NOON) -> list[Entry]:
    return [sending.attempted(entry, JETSTREAM, lane=Lane.NORMAL, now=at) for entry in entries]


def positions(due: list[tuple[Entry, frozenset[Way]]]) -> list[int]:
    return [entry.span.first for entry, _ways in due]


def due(entries: list[Entry], belief: Holding = NOTHING, **settings: object) -> list[tuple[Entry, frozenset[Way]]]:
    defaults = {"lane": Lane.NORMAL, "has_mail": False, "heard_at": None, "now": NOON}
    return sending.due(entries, belief, **(defaults | settings))  # type: ignore[arg-type]


def holding(n: int, through: int, highest: int, **more: object) -> Holding:
    return Holding(n, through, digest(f"body {through}".encode()), highest, **more)  # type: ignore[arg-type]


def test_positions_are_chained() -> None:
    entries, outgoing = sealed(3)

    assert [entry.span.prev for entry in entries] == [EMPTY_DIGEST, *(entry.span.digest for entry in entries[:2])]
    assert (outgoing.given, outgoing.hash) == (3, entries[-1].span.digest)


def test_pauses_double_to_ten_minutes() -> None:
    seconds = [sending.pause(attempts).total_seconds() for attempts in range(1, 10)]

    assert seconds == [5, 10, 20, 40, 80, 160, 320, 600, 600]


def test_silent_recipient_gets_the_lowest_again_and_no_more() -> None:
    entries = sent(sealed(5)[0])

    assert positions(due(entries, now=NOON + timedelta(minutes=10))) == [1]


def test_recipient_that_is_heard_again_gets_what_seems_lost() -> None:
    entries = sent(sealed(5)[0])
    later = NOON + timedelta(minutes=10)

    assert positions(due(entries, now=later, heard_at=later)) == [1, 2, 3, 4, 5]


def test_window_bounds_what_is_under_way() -> None:
    entries = sealed(10)[0]

    assert positions(due(entries, window=4)) == [1, 2, 3, 4]


@pytest.mark.parametrize(("lane", "after"), [(Lane.URGENT, timedelta(seconds=60)), (Lane.NORMAL, timedelta(hours=1))])
def test_mail_is_taken_when_no_receipt_came_in_time(lane: Lane, after: timedelta) -> None:
    entries = sent(sealed(2)[0])
    before = due(entries, lane=lane, has_mail=True, now=NOON + after - timedelta(seconds=1))
    in_time = due(entries, lane=lane, has_mail=True, now=NOON + after)

    assert all(ways == JETSTREAM for _entry, ways in before)
    assert [ways & {Way.MAIL} for _entry, ways in in_time] == [{Way.MAIL}] * 2
    assert due(entries, lane=lane, has_mail=False, now=NOON + after)[0][1] == JETSTREAM


def without_bytes(entry: sending.Entry) -> sending.Entry:
    return replace(entry, body=None, row=None, skipped=SkipReason.ENTITLEMENT)


def test_neighbouring_skips_become_one() -> None:
    entries = sealed(5)[0]
    skipped = [entry if entry.span.first in (1, 4) else without_bytes(entry) for entry in entries]

    assert [(entry.span.first, entry.span.last) for entry in sending.joined(skipped)] == [
        (1, 1),
        (2, 3),
        (4, 4),
        (5, 5),
    ]


@pytest.mark.parametrize(
    ("lane", "expected"), [(Lane.URGENT, Room.WAIT), (Lane.NORMAL, Room.DROP), (Lane.BULK, Room.DROP)]
)
def test_full_lane_drops_or_waits(lane: Lane, expected: Room) -> None:
    limits = dict.fromkeys(Lane, Limit(2, 1000))

    assert sending.room(lane, Backlog(1, 10), row(1), limits=limits) is Room.SEAL
    assert sending.room(lane, Backlog(2, 10), row(1), limits=limits) is expected
    assert sending.room(lane, Backlog(1, 995), row(1), limits=limits) is expected


def test_dropped_rows_are_said_by_one_skip_before_the_next_body() -> None:
    outgoing = sending.drop(sending.drop(sealed(2)[1]), 3)
    with pytest.raises(ValueError, match="owed"):
        sending.place(outgoing, row(9), b"", digest(b""))
    owed = sending.owed_skip(outgoing)

    assert owed is not None
    entry, after = owed
    assert (entry.span.first, entry.span.last, entry.skipped) == (3, 6, SkipReason.LIMIT)
    assert (after.given, after.hash, after.dropped, after.complete) == (6, entry.span.digest, 0, False)
    assert sending.owed_skip(after) is None


def test_receipt_covers_what_it_says_and_the_gaps_go_again() -> None:
    entries = sent(sealed(5)[0])
    covered, missing = sending.answered(entries, holding(1, 1, 4, gaps=((2, 3),)), now=NOON + timedelta(minutes=1))

    assert [entry.span.first for entry in covered] == [1, 4]
    assert [entry.span.first for entry in missing] == [2, 3]


def test_restored_recipient_gets_again_what_it_acknowledged() -> None:
    covered, _missing = sending.answered(sent(sealed(3)[0]), holding(1, 3, 3), now=NOON)
    _covered, missing = sending.answered(covered, holding(2, 1, 1), now=NOON)

    assert [(entry.span.first, entry.covered_at) for entry in missing] == [(2, None), (3, None)]


def test_gap_older_than_what_is_kept_is_lost() -> None:
    entries = sealed(6)[0]

    assert not sending.lost(entries[2:], [(3, 4), (6, 6)])
    assert sending.lost(entries[2:], [(2, 3)])
    assert sending.lost([*entries[:1], *entries[3:]], [(1, 4)])


def test_older_receipt_says_nothing() -> None:
    belief = holding(5, 3, 3)

    assert receipts.weigh(belief, holding(4, 9, 9), given=10, digest_at_through=None) == receipts.Weighed(belief)


def test_receipt_above_what_was_given_shows_a_restore() -> None:
    weighed = receipts.weigh(NOTHING, holding(1, 4, 4), given=3, digest_at_through=None)

    assert (weighed.alarm, weighed.belief) == (Alarm.HIGHER, NOTHING)


def test_receipt_on_another_chain_shows_a_clone() -> None:
    weighed = receipts.weigh(NOTHING, holding(1, 2, 2), given=3, digest_at_through=digest(b"other"))

    assert (weighed.alarm, weighed.belief) == (Alarm.OTHER_CHAIN, NOTHING)


def test_sender_that_missed_changes_asks_for_them() -> None:
    first = receipts.weigh(NOTHING, holding(1, 1, 1, since=0, changes=5), given=9, digest_at_through=None)
    third = receipts.weigh(first.belief, holding(3, 2, 2, since=7, changes=9), given=9, digest_at_through=None)

    assert (first.ask_since, first.belief.changes) == (None, 5)
    assert (third.ask_since, third.belief.changes) == (5, 5)


def test_receipts_are_bounded_and_say_the_rest_next_time() -> None:
    states = {
        number: ObjectState(object=f"XA:{number}", version=Version(1, 1), state=State.STORED)
        for number in range(1, 1501)
    }
    first, ledger = receipts.make(Ledger(changes=1500), Cursor(), gaps=(), changed=states, now=NOON)
    second, ledger = receipts.make(ledger, Cursor(), gaps=(), changed=states, now=NOON)

    assert [(said.since, said.changes, len(said.objects)) for said in (first, second)] == [
        (0, 1000, 1000),
        (1000, 1500, 500),
    ]
    assert not ledger.unsaid


def test_receipts_come_once_a_second_at_most_and_once_an_hour_while_open() -> None:
    ledger = Ledger(n=1, unsaid=True, last_made_at=NOON)
    quiet = replace(ledger, unsaid=False)

    assert not receipts.is_due(ledger, open_items=True, now=NOON + timedelta(milliseconds=999))
    assert receipts.is_due(ledger, open_items=False, now=NOON + timedelta(seconds=1))
    assert not receipts.is_due(quiet, open_items=False, now=NOON + timedelta(days=1))
    assert receipts.is_due(quiet, open_items=True, now=NOON + timedelta(hours=1))


# ---- checks of one way


def only(way: Way) -> Entry:
    return replace(sealed(1)[0][0], only=way)


def test_check_by_mail_goes_by_mail_at_once_and_by_nothing_else_for_ten_minutes() -> None:
    first = due([only(Way.MAIL)], has_mail=True)
    mailed = sending.attempted(only(Way.MAIL), MAIL, lane=Lane.NORMAL, now=NOON)

    before = due([mailed], has_mail=True, now=NOON + timedelta(minutes=9))
    after = due([mailed], has_mail=True, now=NOON + timedelta(minutes=10))

    assert [ways for _entry, ways in first] == [MAIL]
    assert before == []
    assert [ways for _entry, ways in after] == [JETSTREAM]


def test_check_by_mail_without_an_address_goes_as_everything_does() -> None:
    assert [ways for _entry, ways in due([only(Way.MAIL)])] == [JETSTREAM]


def test_check_by_the_message_server_goes_by_mail_only_after_an_hour() -> None:
    tried = sending.attempted(only(Way.JETSTREAM), JETSTREAM, lane=Lane.NORMAL, now=NOON)

    ways = [
        {way for _entry, ways in due([tried], lane=Lane.URGENT, has_mail=True, now=NOON + timedelta(minutes=minutes))
         for way in ways}
        for minutes in (2, 59, 60)
    ]  # fmt: skip

    assert ways == [{Way.JETSTREAM}, {Way.JETSTREAM}, BOTH]


def test_gap_where_a_check_by_mail_is_under_way_is_filled_by_the_message_server() -> None:
    first, second, third = sealed(3)[0]
    entries = [
        sending.attempted(first, JETSTREAM, lane=Lane.NORMAL, now=NOON),
        sending.attempted(replace(second, only=Way.MAIL), MAIL, lane=Lane.NORMAL, now=NOON),
        sending.attempted(third, JETSTREAM, lane=Lane.NORMAL, now=NOON),
    ]
    shown = holding(1, 1, 3, gaps=((2, 2),))

    _covered, missing = sending.answered(entries, shown, now=NOON + timedelta(seconds=6))

    assert [ways for _entry, ways in due(missing, shown, has_mail=True, now=NOON + timedelta(seconds=6))] == [JETSTREAM]


def test_what_went_into_a_file_still_goes_by_the_message_server() -> None:
    carried = sending.attempted(sealed(1)[0][0], frozenset({Way.FILE}), lane=Lane.NORMAL, now=NOON)

    assert [ways for _entry, ways in due([carried])] == [JETSTREAM]


def test_mail_is_due_again_in_minutes_until_a_server_is_known_to_have_it() -> None:
    tried = sending.attempted(sealed(1)[0][0], JETSTREAM, lane=Lane.URGENT, now=NOON)
    mailed = sending.attempted(tried, MAIL, lane=Lane.URGENT, now=NOON)
    handed_in = sending.handed_in(mailed, now=NOON)

    assert (mailed.mailed, mailed.next_mail_at) == (1, NOON + timedelta(minutes=5))
    assert (handed_in.mailed, handed_in.next_mail_at) == (1, NOON + timedelta(hours=1))
