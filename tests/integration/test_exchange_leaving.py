"""Rows leave in one transaction for many peers, as if each channel had been sealed and attempted alone."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from factories.exchange_node import NOW, here, marked, payload
from tansiq.core.marking import Marking, Tlp
from tansiq.exchange.body import Lane
from tansiq.exchange.channel import LIMITS, Limit
from tansiq.exchange.node.here import Here

if TYPE_CHECKING:
    from tansiq.exchange.node.leaving import Attempt

pytestmark = pytest.mark.usefixtures("database")

PEERS = ("XB", "XC", "XE", "XF")
LATER = NOW + timedelta(seconds=1)


def publish(xa: Here, name: str, *teams: str, now: datetime = NOW, kind: str = "case.note") -> None:
    from tansiq.exchange.node import publishing

    said = marked("XA", *teams) if teams else [Marking(Tlp.GREEN, "XA")]
    publishing.publish(xa, kind=kind, name=name, payload=payload(), markings=said, team="XA", now=now)


def together(xa: Here, now: datetime, lane: Lane = Lane.NORMAL) -> list[Attempt]:
    from tansiq.exchange.node.sealing import seal

    return list(seal(xa, PEERS, lane, worker="sealer", now=now).attempts)


def one_by_one(xa: Here, now: datetime, lane: Lane = Lane.NORMAL) -> list[Attempt]:
    from tansiq.exchange.node.attempts import due_attempts
    from tansiq.exchange.node.sealing import seal_channel

    made: list[Attempt] = []
    for peer in PEERS:
        seal_channel(xa, peer, lane, worker="sealer", now=now)
        made += due_attempts(xa, peer, lane, now=now)
    return made


def of(made: list[Attempt]) -> list[tuple[Any, ...]]:
    return [(one.peer, one.first, one.last, one.number, sorted(one.ways), one.is_skip) for one in made]


def stored() -> dict[str, list[tuple[Any, ...]]]:
    """Everything but what is drawn by chance."""
    from tansiq.exchange.models import OutboxRow, OutChannel, Recipient, Sent

    tries = ("attempts", "tried_at", "next_at", "mailed", "next_mail_at", "first_sent_at", "only_way")
    sent = ("channel__peer", "channel__lane", "first", "last", "statement__object", "size_bytes", "skipped", *tries)
    ours = ("peer", "lane", "given", "dropped", "waiting_bodies", "waiting_bytes", "idle_until")
    return {
        "outbox": list(OutboxRow.objects.order_by("id").values_list("peer", "statement__object")),
        "sent": list(Sent.objects.order_by("channel__peer", "channel__lane", "first").values_list(*sent)),
        "channels": list(OutChannel.objects.exclude(given=0).order_by("peer", "lane").values_list(*ours)),
        "recipients": list(Recipient.objects.order_by("object", "peer").values_list("object", "peer", "attempted_at")),
    }


def narrowed_between(xa: Here, leave: Any) -> list[tuple[Any, ...]]:
    """Some to all and some to few; one narrowed before it left; a second turn while nothing was answered."""
    publish(xa, "1")
    publish(xa, "2", "XB", "XE")
    publish(xa, "3", "XB", "XC")
    publish(xa, "3", "XB")
    first = of(leave(xa, NOW))
    publish(xa, "1", now=LATER)
    publish(xa, "4", "XF", now=LATER)
    return first + of(leave(xa, LATER))


def after_drops(xa: Here, leave: Any) -> list[tuple[Any, ...]]:
    """Two find no room in the lane; what comes after them says so."""
    from tansiq.exchange.node.sealing import shed

    publish(xa, "1", "XB")
    publish(xa, "2", "XB")
    shed(excess_bytes=1 << 20, now=NOW)
    publish(xa, "3", "XB", "XC")
    return of(leave(xa, NOW))


@pytest.mark.parametrize("mail", [(), ("XB", "XF")])
@pytest.mark.parametrize("happens", [narrowed_between, after_drops])
def test_what_leaves_together_is_what_would_leave_one_by_one(happens: Any, mail: tuple[str, ...]) -> None:
    from django.db import transaction

    found = []
    for leave in (together, one_by_one):
        with transaction.atomic():
            found.append((happens(here("XA", members=("XA", *PEERS), mail=mail), leave), stored()))
            transaction.set_rollback(True)

    assert found[0] == found[1]
    assert found[0][0]


def test_recalls_leave_together_and_make_nobody_a_recipient() -> None:
    from tansiq.exchange.models import Recipient
    from tansiq.exchange.node import recalls

    xa = here("XA", members=("XA", *PEERS))
    publish(xa, "1")
    together(xa, NOW)
    publish(xa, "1", "XB")
    recalls.sign_recalls(xa, now=NOW)

    made = together(xa, NOW, Lane.URGENT)

    assert {one.peer for one in made} == set(xa.peers & set(PEERS)) - {"XB"}
    assert set(Recipient.objects.values_list("object", flat=True)) == {"XA:1"}


def test_a_channel_at_its_limit_holds_back_no_other() -> None:
    from tansiq.exchange.models import OutboxRow
    from tansiq.exchange.node.sealing import seal

    xa = here("XA", members=("XA", *PEERS), limits={**LIMITS, Lane.URGENT: Limit(2, 10**9)})
    for number in range(4):
        publish(xa, str(number), "XB", kind="alert")
    publish(xa, "last", "XC", kind="alert")

    first = seal(xa, ["XB", "XC"], Lane.URGENT, worker="sealer", now=NOW, most=4)
    second = seal(xa, {"XB", "XC"} - set(first.waiting), Lane.URGENT, worker="sealer", now=NOW, most=4)

    assert ([one.peer for one in first.attempts], set(first.waiting), first.more) == (["XB", "XB"], {"XB"}, True)
    assert [one.peer for one in second.attempts] == ["XC"]
    assert list(OutboxRow.objects.values_list("peer", flat=True)) == ["XB", "XB"]


def test_a_channel_that_another_seals_is_left_to_it() -> None:
    from tansiq.exchange.node.sealing import seal

    xa = here("XA", members=("XA", *PEERS))
    publish(xa, "1", "XB")
    seal(xa, ["XB"], Lane.NORMAL, worker="other", now=NOW)
    publish(xa, "2", "XB", "XC")

    made = seal(xa, ["XB", "XC"], Lane.NORMAL, worker="sealer", now=NOW)

    assert ([one.peer for one in made.attempts], set(made.waiting)) == (["XC"], {"XB"})


def test_much_of_another_lane_leaves_peer_by_peer_and_what_is_urgent_as_it_was_said() -> None:
    from tansiq.exchange.node.asking import Asking
    from tansiq.exchange.node.departing import Departing
    from tansiq.exchange.node.precedence import FIRST

    class Noting(Departing):
        def _send(self, here: Here, lane: Lane, made: Any) -> None:
            steps.append([one.peer for one in made])

    xa, steps = here("XA", members=("XA", *PEERS)), []
    for number in range(FIRST):
        publish(xa, f"u{number}", "XB", "XC", kind="alert")
        publish(xa, f"b{number}", "XB", "XC", kind="event")
    departing = Noting(asking=Asking.__new__(Asking), clock=lambda: NOW)

    departing.turn(xa, Lane.URGENT)
    urgent, steps[:] = list(steps), []
    departing.turn(xa, Lane.BULK)

    assert urgent == [["XB"] * FIRST + ["XC"] * FIRST]
    assert [set(step) for step in steps] == [{"XB", "XC"}, {"XB"}, {"XC"}]
    assert sum(map(len, steps)) == 2 * FIRST
