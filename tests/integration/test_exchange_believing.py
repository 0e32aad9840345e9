"""Receipts that are believed together are believed as if each had come alone."""

from __future__ import annotations

from datetime import timedelta
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest

from factories.exchange_node import NOW, here, payload
from tansiq.core.marking import Marking, Tlp
from tansiq.exchange.body import Lane, ObjectState, Receipt, State, Version
from tansiq.exchange.values import EMPTY_DIGEST, new_id, new_incarnation

if TYPE_CHECKING:
    from tansiq.exchange.node.here import Here

pytestmark = pytest.mark.usefixtures("database")

PEERS = ("XB", "XC", "XE")
KINDS = {Lane.URGENT: "alert", Lane.NORMAL: "case.note"}
LATER = NOW + timedelta(seconds=90)
COUNT = 3


def sent_to_all() -> Here:
    from tansiq.exchange.node import publishing, sealing

    xa = here("XA", members=("XA", *PEERS))
    said: dict[str, Any] = {"payload": payload(), "markings": [Marking(Tlp.GREEN, "XA")], "team": "XA", "now": NOW}
    for kind, number in product(KINDS.values(), range(COUNT)):
        publishing.publish(xa, kind=kind, name=f"{kind}.{number}", **said)
    for lane in KINDS:
        sealing.seal(xa, PEERS, lane, worker="sealer", now=NOW)
    return xa


def says(peer: str, through: int, *, lane: Lane = Lane.URGENT, **changes: Any) -> Receipt:
    from tansiq.exchange.models import OutChannel, Sent

    channel = OutChannel.objects.get(peer=peer, lane=lane.value)
    digest = Sent.objects.filter(channel=channel, last=through).values_list("digest", flat=True).first()
    said: dict[str, Any] = {
        "id": new_id(NOW),
        "realm": "live",
        "sender": peer,
        "recipient": "XA",
        "epoch": 1,
        "sent_at": NOW,
        "lane": lane,
        "incarnation": channel.incarnation,
        "n": 1,
        "through": through,
        "body_hash": digest or EMPTY_DIGEST,
        "highest": through,
        "clock": NOW,
        "changes": through,
        "objects": tuple(
            ObjectState(object=f"XA:{KINDS[lane]}.{number}", version=Version(1, 1), state=State.STORED, reason="")
            for number in range(through)
        ),
    }
    return Receipt(**(said | changes))


def stored() -> dict[str, list[tuple[Any, ...]]]:
    """Everything but what is drawn by chance; of digests, whether they are those of the positions believed."""
    from tansiq.exchange.models import Alarm, Life, Link, OutChannel, Recipient, Sent

    believed = ("n", "through", "highest", "gaps", "changes")
    channel = (
        "peer",
        "lane",
        "given",
        "waiting_bodies",
        "waiting_bytes",
        "heard_at",
        "idle_until",
        "told_changes",
        "unsettled",
    )
    names = [*channel, *(f"believed_{name}" for name in believed)]
    return {
        "channels": list(OutChannel.objects.order_by("peer", "lane").values_list(*names)),
        "sent": list(
            Sent.objects.order_by("channel__peer", "channel__lane", "first").values_list(
                "channel__peer", "channel__lane", "first", "covered_at", "attempts", "next_at", "tried_at"
            )
        ),
        "recipients": list(
            Recipient.objects.order_by("object", "peer").values_list("object", "peer", "state", "state_n", "state_at")
        ),
        "links": list(Link.objects.order_by("peer").values_list("peer", "frozen_at", "incomplete_since")),
        "chained": [
            (
                one.peer,
                one.lane,
                Sent.objects.filter(channel=one, last=one.believed_through, digest=one.believed_hash).exists(),
            )
            for one in OutChannel.objects.order_by("peer", "lane")
        ],
        "alarms": list(Alarm.objects.order_by("code", "peer").values_list("code", "peer")),
        "life": list(Life.objects.values_list("held_since")),
    }


def of_all() -> list[Receipt]:
    return [says(peer, COUNT, lane=lane) for peer in PEERS for lane in KINDS]


def with_gaps() -> list[Receipt]:
    return [says("XB", 1, highest=COUNT, gaps=((2, 2),)), says("XC", COUNT), says("XE", 0)]


def several_of_one() -> list[Receipt]:
    return [says("XB", 1, n=2), says("XB", COUNT, n=1), says("XC", 2), says("XB", COUNT, n=3)]


def with_changes_missing() -> list[Receipt]:
    return [says("XB", COUNT, since=2, changes=9), says("XC", COUNT)]


def with_something_parked() -> list[Receipt]:
    parked = ObjectState(object="XA:alert.0", version=Version(1, 1), state=State.PARKED, reason="reference")
    return [says("XB", COUNT, objects=(parked,)), says("XC", COUNT)]


def of_another_chain() -> list[Receipt]:
    return [says("XB", COUNT), says("XC", COUNT, body_hash="0" * 64), says("XE", COUNT)]


def of_a_former_incarnation() -> list[Receipt]:
    return [says("XB", COUNT, incarnation=new_incarnation(1)), says("XC", COUNT)]


def of_more_than_was_given() -> list[Receipt]:
    return [says("XB", COUNT), says("XE", COUNT), says("XC", COUNT + 1)]


def of_less_than_before() -> list[Receipt]:
    """A restored recipient: the highest number wins, even where it says less."""
    from tansiq.exchange.node.attempts import on_receipt

    for one in (says("XB", COUNT), says("XC", COUNT)):
        on_receipt(here("XA", members=("XA", *PEERS)), one, NOW)
    return [says("XB", 1, n=2), says("XC", COUNT, n=2)]


@pytest.mark.parametrize(
    "happens",
    [
        of_all,
        with_gaps,
        several_of_one,
        with_changes_missing,
        with_something_parked,
        of_another_chain,
        of_a_former_incarnation,
        of_more_than_was_given,
        of_less_than_before,
    ],
)
def test_receipts_together_say_what_they_say_one_by_one(happens: Any) -> None:
    from django.db import transaction

    from tansiq.exchange.node.attempts import on_receipt, on_receipts

    found = []
    for is_together in (True, False):
        with transaction.atomic():
            xa, said = sent_to_all(), happens()
            follows = on_receipts(xa, said, LATER) if is_together else [on_receipt(xa, one, LATER) for one in said]
            found.append((follows, stored()))
            transaction.set_rollback(True)

    assert found[0] == found[1]


def test_plain_receipts_of_many_channels_take_as_many_queries_as_of_two() -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from tansiq.exchange.node.attempts import on_receipts

    xa = sent_to_all()
    counted = []
    for n, peers in enumerate((PEERS[:2], PEERS), start=1):
        said = [says(peer, n, n=n) for peer in peers]
        with CaptureQueriesContext(connection) as queries:
            on_receipts(xa, said, LATER)
        counted.append(sum(one["sql"].startswith(("SELECT", "INSERT")) for one in queries))

    assert counted[0] == counted[1]


@pytest.mark.parametrize("together", [True, False])
def test_what_nobody_at_a_peer_may_have_is_an_alarm_here_too(together: bool) -> None:
    from tansiq.exchange.models import Alarm
    from tansiq.exchange.node import attempts

    xa = sent_to_all()
    attempts.due_attempts(xa, "XE", Lane.URGENT, now=NOW)
    states = tuple(
        ObjectState(object=name, version=Version(1, 1), state=State.REFUSED, reason="not_entitled")
        for name in ("XA:alert.0", "XA:never-sent")
    )
    receipts = [says("XE", 2, objects=states, changes=2), says("XB", 1)]

    attempts.on_receipts(xa, receipts[: 1 + together], LATER)

    found = [(one.code, one.peer, one.values) for one in Alarm.objects.all()]
    assert found == [("exchange.not_entitled_there", "XE", {"count": 1})]
