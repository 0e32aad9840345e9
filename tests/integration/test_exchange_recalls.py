"""Recalls: ordered when markings or rosters change, heeded by who has the authority, kept with a reason, passed on."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from factories.exchange_node import NOW, Desk, marked, payload
from tansiq.core.decision import NotAllowed
from tansiq.core.marking import Audience, Marking, Tlp
from tansiq.core.viewer import Role, Viewer
from tansiq.exchange.body import ObjectState, State, Version
from tansiq.exchange.reasons import Reason
from tansiq.exchange.receiving import Cause, Recall

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tansiq.exchange.models import SharedObject, Statement
    from tansiq.exchange.node.here import Here

pytestmark = pytest.mark.usefixtures("database")

GRACE = Viewer(person="GRACE", team="XE", roles=frozenset({Role.ANALYST}))
FIRST = Version(1, 1)
RECALL_ID = "XA:recall.01900000-0000-7000-8000-000000000001"


def node(code: str = "XA", **changes: Any) -> Here:
    from factories.exchange_node import here

    return here(code, **changes)


def published(here: Here, name: str, *teams: str, text: str = "words", markings: Sequence[Marking] = ()) -> Statement:
    from tansiq.exchange.node.publishing import publish

    return publish(
        here,
        kind="case.note",
        name=name,
        payload=payload(text),
        markings=markings or marked(here.team, *teams),
        team=here.team,
        now=NOW,
    )


def attempted(object_id: str, *peers: str) -> None:
    from tansiq.exchange.node.recovering import attempted_by_all

    attempted_by_all([(object_id, peer) for peer in peers], NOW)


def applied(
    object_id: str = "XA:1",
    *,
    version: Version = FIRST,
    epoch: int = 1,
    to: Sequence[str] = ("XE", "XF"),
) -> SharedObject:
    """Another's object as it is live at a node, by an envelope of its own home."""
    from tansiq.exchange.models import SharedObject
    from tansiq.exchange.node import statements

    owner = object_id.partition(":")[0]
    made = statements.state(
        node(owner),
        kind="case.note",
        object=object_id,
        payload=payload(),
        markings=marked(owner, *to),
        team=owner,
        now=NOW,
        version=version,
    )
    made.came_from = owner
    made.save()
    return SharedObject.objects.create(
        object=object_id, kind="case.note", owner=owner, statement=made, proven=made, epoch=epoch, known=True
    )


def outbox() -> list[tuple[str, str, Any]]:
    """Recipient, lane, and what is said; of a recall its payload."""
    import json

    from tansiq.exchange.models import OutboxRow

    said = []
    for row in OutboxRow.objects.order_by("peer", "id").select_related("statement"):
        content = json.loads(bytes(row.statement.content))
        what = json.loads(content["payload"]) if row.statement.kind == "recall" else row.statement.object
        said.append((row.peer, row.lane, what))
    return said


def heeded(here: Here, recall: Recall, object_id: str = "XA:1", came_from: str = "XA") -> str:
    from tansiq.exchange.node.recalls import heed

    return heed(here, object_id, recall, recall_id=RECALL_ID, came_from=came_from, now=NOW)


# ---- ordering


def test_narrowing_orders_a_recall_that_its_recipient_can_read() -> None:
    from tansiq.exchange import recall
    from tansiq.exchange.models import RecallOrder
    from tansiq.exchange.node.statements import markings_of

    xa = node()
    published(xa, "1", "XE", "XF")
    attempted("XA:1", "XE", "XF")

    published(xa, "1", "XE")

    order = RecallOrder.objects.get()
    said = outbox()[-1]
    assert said == ("XF", "urgent", {"object": "XA:1", "narrowed": {"term": 1, "n": 2}, "left": None, "epoch": 0})
    assert recall.read(said[2]) == ("XA:1", Recall(narrowed=Version(1, 2)))
    assert (order.object, order.peer, order.cause, order.statement.team) == ("XA:1", "XF", "marking", "XA")
    assert order.statement.object.startswith("XA:recall.")
    assert markings_of(order.statement) == (Marking(Tlp.AMBER_STRICT, "XA", Audience.of(teams=["XF"])),)


def test_what_was_never_attempted_is_not_recalled() -> None:
    xa = node()
    published(xa, "1", "XE", "XF")

    published(xa, "1", "XE")

    assert not [said for said in outbox() if said[1] == "urgent"]


def test_many_orders_are_signed_in_batches() -> None:
    from tansiq.exchange.models import RecallOrder
    from tansiq.exchange.node.recalls import recall_from, sign_recalls

    xa = node()
    objects = {f"XA:{number:03}": Recall(narrowed=Version(1, 2)) for number in range(150)}

    recall_from(xa, "XE", objects, Cause.MARKING, NOW)
    unsigned = RecallOrder.objects.filter(statement=None).count()
    signed = [sign_recalls(xa, now=NOW, most=100) for _ in range(3)]

    assert (unsigned, signed) == (150, [100, 50, 0])
    assert sorted(said[2]["object"] for said in outbox()) == sorted(objects)


def test_recalls_of_one_object_are_joined() -> None:
    from tansiq.exchange.node.recalls import recall_from

    xa = node()

    recall_from(xa, "XE", {"XA:1": Recall(left=Version(1, 4), epoch=3)}, Cause.ROSTER, NOW)
    recall_from(xa, "XE", {"XA:1": Recall(narrowed=Version(1, 2))}, Cause.MARKING, NOW)

    assert outbox()[-1][2] == {
        "object": "XA:1",
        "narrowed": {"term": 1, "n": 2},
        "left": {"term": 1, "n": 4},
        "epoch": 3,
    }


@pytest.mark.parametrize(
    ("state", "reason", "outcome"),
    [
        (State.RECALLED, "deleted", "deleted"),
        (State.RECALLED, "evidence", "kept"),
        (State.RECALLED, "law", "kept"),
        (State.QUARANTINED, "not_owner", "refused"),
        (State.PARKED, "reference", ""),
    ],
)
def test_originator_sees_what_became_of_its_recall(state: State, reason: str, outcome: str) -> None:
    from tansiq.exchange.models import RecallOrder
    from tansiq.exchange.node.recalls import on_states, recall_from

    xa = node()
    recall_from(xa, "XE", {"XA:1": Recall(narrowed=Version(1, 2))}, Cause.MARKING, NOW)
    recall_id = RecallOrder.objects.get().statement.object

    on_states(xa, "XE", [ObjectState(object=recall_id, version=Version(1, 1), state=state, reason=reason)], NOW)

    order = RecallOrder.objects.get()
    assert (order.outcome, order.reason) == (outcome, reason if outcome else "")


# ---- whose counts


def test_recall_of_the_owners_home_counts_before_the_object_came() -> None:
    from tansiq.exchange.node.recalls import authority

    assert authority(node("XE"), "XA:1", Recall(narrowed=Version(1, 2)), "XA") is None


def test_recall_of_a_stranger_does_not_count() -> None:
    from tansiq.exchange.node.recalls import authority

    xe = node("XE", forwarders=["XA"])
    applied()

    assert authority(xe, "XA:1", Recall(narrowed=Version(1, 2)), "XF") is Reason.NOT_OWNER


def test_nobody_recalls_an_own_object() -> None:
    from tansiq.exchange.node.recalls import authority

    assert authority(node("XA"), "XA:1", Recall(narrowed=Version(1, 2)), "XE") is Reason.NOT_OWNER


def test_recall_of_a_forwarder_waits_for_what_it_forwarded() -> None:
    from tansiq.exchange.node.recalls import authority

    xe = node("XE")
    recall = Recall(narrowed=Version(1, 2))
    before = authority(xe, "XA:1", recall, "XF")
    shared = applied()
    shared.statement.came_from = "XF"
    shared.statement.save()

    assert (before, authority(xe, "XA:1", recall, "XF")) == (Reason.REFERENCE, None)


def test_recall_of_a_forwarder_that_says_nothing_new_counts() -> None:
    from tansiq.exchange.node.recalls import authority

    xe = node("XE")
    heeded(xe, Recall(narrowed=Version(1, 3)))

    assert authority(xe, "XA:1", Recall(narrowed=Version(1, 2)), "XF") is None


@pytest.mark.parametrize("state", ["had", "stored"])  # was here before; was deleted by a recall of another
def test_recall_of_a_forwarder_counts_though_what_it_sent_is_not_here(state: str) -> None:
    from tansiq.exchange.models import InChannel, ObjectChange
    from tansiq.exchange.node.recalls import authority

    xe = node("XE")
    recall = Recall(narrowed=Version(1, 2))
    applied()
    channel = InChannel.objects.create(peer="XF", lane="normal", incarnation="1-a", number=1, begun_at=NOW)
    before = authority(xe, "XA:1", recall, "XF")
    ObjectChange.objects.create(channel=channel, object="XA:1", number=1, term=1, n=1, state=state)

    assert (before, authority(xe, "XA:1", recall, "XF")) == (Reason.REFERENCE, None)


def test_recall_of_a_forwarder_is_tried_again_when_the_owners_has_come() -> None:
    from tansiq.exchange.models import InChannel, Waiting, WaitingFor

    xe = node("XE")
    channel = InChannel.objects.create(peer="XF", lane="urgent", incarnation="1-a", number=1, begun_at=NOW)
    parked = Waiting.objects.create(
        channel=channel,
        seq=1,
        object="XF:recall.1",
        term=1,
        n=1,
        leaf="0" * 64,
        kind="recall",
        team="XF",
        epoch=1,
        marking_text="[]",
        state="parked",
        reason="reference",
        examined=1,
        signer="F",
        size_bytes=1,
        way="jetstream",
        arrived_at=NOW,
        body=b"{}",
    )
    WaitingFor.objects.create(waiting=parked, what="recall:XA:1")

    heeded(xe, Recall(narrowed=Version(1, 3)))

    parked.refresh_from_db()
    assert parked.ready


# ---- heeding


def test_heeding_deletes_the_content_everywhere_and_keeps_a_tombstone() -> None:
    from tansiq.exchange.models import OutboxRow, RecallHeard, Recipient, SharedObject, Statement
    from tansiq.exchange.node import publishing

    desk = Desk(texts={"XA:1": "words"})
    xe = node("XE", desk=desk)
    shared = applied()
    publishing.forward(xe, "XA:1", "XF", NOW)
    Recipient.objects.filter(object="XA:1").update(attempted_at=NOW)

    reason = heeded(xe, Recall(narrowed=Version(1, 2)))

    shared = SharedObject.objects.get()
    assert (reason, desk.withdrawn, desk.texts) == ("deleted", ["XA:1"], {})
    assert (shared.statement, shared.proven, shared.known, shared.narrowed_n) == (None, None, True, 2)
    assert not Statement.objects.filter(object="XA:1")
    assert not OutboxRow.objects.filter(statement__object="XA:1")
    assert outbox() == [("XF", "urgent", {"object": "XA:1", "narrowed": {"term": 1, "n": 2}, "left": None, "epoch": 0})]
    assert RecallHeard.objects.values_list("object", "outcome", "reason").get() == ("XA:1", "deleted", "deleted")


def test_heeding_destroys_bodies_that_carried_it() -> None:
    from tansiq.exchange.models import OutChannel, Sent

    xe = node("XE")
    shared = applied()
    channel = OutChannel.objects.create(peer="XF", lane="normal", incarnation="1-aaaaaaaaaaaaaaaa", given=1)
    Sent.objects.create(
        channel=channel, first=1, last=1, body=b"planted", statement=shared.statement, made_at=NOW, covered_at=NOW
    )

    heeded(xe, Recall(narrowed=Version(1, 2)))

    assert Sent.objects.values_list("body", "statement", "skipped").get() == (None, None, "entitlement")


def test_heeding_leaves_a_later_version_alone() -> None:
    from tansiq.exchange.models import SharedObject

    xe = node("XE")
    applied(version=Version(1, 5))

    heeded(xe, Recall(narrowed=Version(1, 5)))

    assert SharedObject.objects.get().statement.n == 5


def test_version_addressed_under_a_later_roster_survives_that_a_team_left() -> None:
    from tansiq.exchange.models import SharedObject

    xe = node("XE", epoch=3)
    applied(epoch=3)

    heeded(xe, Recall(left=Version(1, 1), epoch=2))

    assert SharedObject.objects.get().statement is not None


def test_recalls_in_any_order_leave_one_tombstone() -> None:
    from tansiq.exchange.models import SharedObject
    from tansiq.exchange.node.tombstones import recall_of

    xe = node("XE")
    recalls = [Recall(narrowed=Version(2, 1)), Recall(left=Version(1, 9), epoch=4), Recall(narrowed=Version(1, 3))]

    for recall in recalls:
        heeded(xe, recall)

    assert recall_of(SharedObject.objects.get()) == Recall(Version(2, 1), Version(1, 9), 4)


# ---- keeping


def test_what_a_person_keeps_is_not_deleted_and_its_originator_is_told_why() -> None:
    from tansiq.audit.models import Entry
    from tansiq.exchange.models import SharedObject
    from tansiq.exchange.node.recalls import keep

    desk = Desk()
    xe = node("XE", desk=desk)
    applied()
    keep(xe, "XA:1", Reason.EVIDENCE, by=GRACE, now=NOW, why="case 7")

    reason = heeded(xe, Recall(narrowed=Version(1, 2)))

    shared = SharedObject.objects.get()
    assert (reason, desk.withdrawn, shared.kept_by) == ("evidence", [], "GRACE")
    assert shared.statement is not None
    entry = Entry.objects.filter(verb="exchange.kept").get()
    assert (entry.item_kind, entry.item_id, entry.who) == ("object", "XA:1", "GRACE")


def test_what_is_kept_is_not_held_in_a_comparison() -> None:
    from tansiq.exchange.node.possession import compared
    from tansiq.exchange.node.recalls import keep

    xe = node("XE")
    applied()
    keep(xe, "XA:1", Reason.LAW, by=GRACE, now=NOW)
    before = [one.object for one in compared(xe, "XA")]

    heeded(xe, Recall(narrowed=Version(1, 2)))

    assert (before, list(compared(xe, "XA"))) == (["XA:1"], [])


def test_keeping_after_the_recall_is_said_in_the_next_receipt() -> None:
    from tansiq.exchange.models import InChannel, ObjectChange
    from tansiq.exchange.node.recalls import keep

    xe = node("XE")
    applied()
    heeded(xe, Recall(narrowed=Version(1, 2)))
    channel = InChannel.objects.create(
        peer="XA", lane="urgent", incarnation="1-aaaaaaaaaaaaaaaa", number=1, begun_at=NOW, changes=4, said=4
    )
    ObjectChange.objects.create(
        channel=channel, object=RECALL_ID, number=4, term=1, n=1, state="recalled", reason="deleted"
    )

    keep(xe, "XA:1", Reason.LAW, by=GRACE, now=NOW)

    channel.refresh_from_db()
    change = ObjectChange.objects.get()
    assert (channel.changes, channel.unsaid, change.number, change.reason) == (5, True, 5, "law")


@pytest.mark.parametrize("by", [Viewer(person="MOUSSA", team="XF"), Viewer.system(because="night")])
def test_only_a_person_of_this_node_keeps(by: Viewer) -> None:
    from tansiq.exchange.node.recalls import keep

    xe = node("XE")
    applied()

    with pytest.raises(NotAllowed):
        keep(xe, "XA:1", Reason.EVIDENCE, by=by, now=NOW)


# ---- passing on


def test_forwarder_recalls_when_a_proven_marking_excludes_its_recipient() -> None:
    from tansiq.exchange.models import Recipient
    from tansiq.exchange.node import publishing
    from tansiq.exchange.node.recalls import review_forwards

    xe = node("XE")
    shared = applied()
    publishing.forward(xe, "XA:1", "XF", NOW)
    narrower = applied_statement(Version(1, 2), "XE")
    shared.proven = narrower
    shared.save()

    review_forwards(xe, ["XA:1"], NOW)

    assert outbox()[-1] == (
        "XF",
        "urgent",
        {"object": "XA:1", "narrowed": {"term": 1, "n": 2}, "left": {"term": 1, "n": 1}, "epoch": 1},
    )
    assert not Recipient.objects.get(peer="XF").forwarded


def applied_statement(version: Version, *to: str) -> Statement:
    from tansiq.exchange.node import statements

    return statements.state(
        node("XA"),
        kind="case.note",
        object="XA:1",
        payload=payload(),
        markings=marked("XA", *to),
        team="XA",
        now=NOW,
        version=version,
    )


def test_forwarder_that_has_to_leave_passes_nothing_on() -> None:
    from tansiq.exchange.node import publishing

    xe = node("XE")
    applied()
    publishing.forward(xe, "XA:1", "XF", NOW)

    heeded(xe, Recall(left=Version(1, 1), epoch=1))

    assert outbox() == []


# ---- rosters


def test_roster_that_adds_a_member_sends_it_what_it_may_have() -> None:
    from tansiq.exchange.models import OutboxRow
    from tansiq.exchange.node.recalls import on_roster

    before, after = node(members=("XA", "XE")), node(epoch=2)
    published(before, "1", "XE", "XF")
    published(before, "2", "XE")
    OutboxRow.objects.all().delete()

    on_roster(before, after, NOW)

    assert outbox() == [("XF", "normal", "XA:1")]


def test_roster_that_removes_a_member_recalls_what_was_attempted() -> None:
    from tansiq.exchange.models import OutboxRow, RecallOrder
    from tansiq.exchange.node.recalls import on_roster

    before, after = node(), node(epoch=2, members=("XA", "XE"), former=("XF",))
    for name in "123":
        published(before, name, "XE", "XF")
    attempted("XA:1", "XE", "XF")
    attempted("XA:2", "XF")
    OutboxRow.objects.all().delete()

    on_roster(before, after, NOW)

    said = {"narrowed": None, "left": {"term": 1, "n": 1}, "epoch": 2}
    assert outbox() == [("XF", "urgent", {"object": name} | said) for name in ("XA:1", "XA:2")]
    assert set(RecallOrder.objects.values_list("cause", flat=True)) == {"roster"}


def test_roster_that_suspends_a_node_recalls_nothing_until_it_is_removed() -> None:
    from dataclasses import replace

    from tansiq.exchange.models import OutboxRow
    from tansiq.exchange.node.recalls import on_roster

    active, suspended = node(), replace(node(epoch=2, members=("XA", "XE")), suspended=frozenset({"XF"}))
    removed = node(epoch=3, members=("XA", "XE"), former=("XF",))
    published(active, "1", "XE", "XF")
    attempted("XA:1", "XE", "XF")
    OutboxRow.objects.all().delete()

    on_roster(active, suspended, NOW)
    meanwhile = outbox()
    on_roster(suspended, removed, NOW)

    assert meanwhile == []
    said = {"object": "XA:1", "narrowed": None, "left": {"term": 1, "n": 1}, "epoch": 3}
    assert outbox() == [("XF", "urgent", said)]


def test_node_that_was_suspended_gets_what_it_may_have_and_is_recalled_from_what_was_narrowed() -> None:
    from dataclasses import replace

    from tansiq.exchange.models import Link, OutboxRow
    from tansiq.exchange.node.recalls import on_roster

    active, suspended = node(), replace(node(epoch=2, members=("XA", "XE")), suspended=frozenset({"XF"}))
    for name in "12":
        published(active, name, "XE", "XF")
    attempted("XA:1", "XF")
    attempted("XA:2", "XF")
    OutboxRow.objects.all().delete()
    on_roster(active, suspended, NOW)
    published(suspended, "2", "XE")

    on_roster(suspended, node(epoch=3), NOW)

    waits = [(peer, lane, said) for peer, lane, said in outbox() if peer == "XF"]
    recall = {"object": "XA:2", "narrowed": {"term": 1, "n": 2}, "left": None, "epoch": 0}
    assert sorted(waits, key=str) == [("XF", "normal", "XA:1"), ("XF", "urgent", recall)]
    assert Link.objects.get(pk="XF").incomplete_since == NOW


def test_roster_that_ends_a_teams_community_recalls_green() -> None:
    from dataclasses import replace

    from tansiq.exchange.models import OutboxRow
    from tansiq.exchange.node.recalls import on_roster

    before = node()
    after = replace(node(epoch=2), community=frozenset({"XA", "XE"}))
    published(before, "1", markings=[Marking(Tlp.GREEN, "XA")])
    attempted("XA:1", "XE", "XF")
    OutboxRow.objects.all().delete()

    on_roster(before, after, NOW)

    assert [(peer, said["left"]) for peer, _lane, said in outbox()] == [("XF", {"term": 1, "n": 1})]


def test_lower_or_equal_roster_changes_nothing() -> None:
    from tansiq.exchange.models import OutboxRow
    from tansiq.exchange.node.recalls import on_roster

    published(node(), "1", "XE", "XF")
    attempted("XA:1", "XF")
    OutboxRow.objects.all().delete()

    on_roster(node(epoch=2), node(epoch=2, members=("XA", "XE")), NOW)

    assert outbox() == []


def test_roster_over_many_objects_decides_once_for_each_set_of_markings(monkeypatch: pytest.MonkeyPatch) -> None:
    from tansiq.exchange.models import OutboxRow
    from tansiq.exchange.node.here import Here
    from tansiq.exchange.node.publishing import Change, publish_all
    from tansiq.exchange.node.recalls import on_roster

    before, after = node(members=("XA", "XE")), node(epoch=2)
    changes = [
        Change(kind="case.note", name=f"{number:03}", payload=payload(), markings=marked("XA", "XE", "XF"), team="XA")
        for number in range(120)
    ]
    publish_all(before, changes, NOW)
    OutboxRow.objects.all().delete()
    asked: list[str] = []
    decide = Here.may_have
    monkeypatch.setattr(Here, "may_have", lambda self, peer, *rest: asked.append(peer) or decide(self, peer, *rest))

    on_roster(before, after, NOW)

    assert [said[0] for said in outbox()] == ["XF"] * 120
    assert asked == ["XF"]


# ---- embargoes


def test_embargo_that_ended_sends_what_it_held_back_once() -> None:
    from tansiq.exchange.models import Life, OutboxRow
    from tansiq.exchange.node.recalls import follow_embargoes

    xa = node()
    ends = NOW + timedelta(hours=2)
    embargoed = Marking(Tlp.GREEN, "XA", Audience.of(teams=["XE"]), embargo_until=ends)
    published(xa, "1", markings=[embargoed])
    first = outbox()
    OutboxRow.objects.all().delete()
    Life.objects.create(pk=1, began_at=NOW)

    sets = [follow_embargoes(xa, NOW + timedelta(hours=hours)) for hours in (1, 3, 5)]

    assert first == [("XE", "normal", "XA:1")]
    assert sets == [0, 1, 0]
    assert outbox() == [("XF", "normal", "XA:1")]
