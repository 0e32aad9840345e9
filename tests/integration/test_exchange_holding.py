"""Restored and cloned nodes on their tables: held, asking, given back, released; frozen, and freed by a roster.

There is one database. What a peer answers is worked out in it as the peer would have it, and undone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar, cast

import pytest

from factories.exchange import WRITTEN, platform_secret, written_otherwise
from factories.exchange_bodies import Stream, opened, with_signature
from factories.exchange_node import NOW, Desk, marked, payload
from tansiq.core.decision import NotAllowed
from tansiq.core.viewer import Role, Viewer
from tansiq.exchange import canonical, markings, reading, values
from tansiq.exchange.body import Lane, Version
from tansiq.exchange.held import Stand
from tansiq.exchange.receiving import Cause, Recall
from tansiq.exchange.requests import RecoveryAsked, RecoveryGiven, RosterAsked, Standing
from tansiq.exchange.trust import Authentic
from tansiq.openpgp.sealing import generate

if TYPE_CHECKING:
    from tansiq.exchange.models import SharedObject
    from tansiq.exchange.node.here import Here

pytestmark = pytest.mark.usefixtures("database")

AMINA = Viewer(person="AMINA", team="XA", roles=frozenset({Role.HEAD}))
LATER = NOW + timedelta(hours=1)
FIRST = Version(1, 1)

Said = TypeVar("Said")


def node(code: str = "XA", **changes: Any) -> Here:
    from factories.exchange_node import here

    return here(code, **changes)


def undone(work: Callable[[], Said]) -> Said:
    """What ``work`` returns, without what it wrote."""
    from django.db import transaction

    with transaction.atomic():
        said = work()
        transaction.set_rollback(True)
    return said


def live(
    object_id: str = "XA:1",
    *,
    version: Version = FIRST,
    to: Sequence[str] = ("XE", "XF"),
    text: str = "words",
    signed_by: Any = None,
) -> SharedObject:
    """A version as it is live in the database, at its owner or at whoever has it."""
    from tansiq.exchange.models import SharedObject
    from tansiq.exchange.node import statements

    owner = object_id.partition(":")[0]
    author = node(owner) if signed_by is None else replace(node(owner), platform={owner: signed_by})
    said = statements.Text(
        kind="case.note",
        object=object_id,
        payload=payload(text),
        markings=marked(owner, *to),
        team=owner,
        version=version,
    )
    made = statements.stored(statements._signed(author, said, NOW), "", NOW)  # there may be one of before
    shared, _is_new = SharedObject.objects.update_or_create(
        object=object_id,
        defaults={"kind": "case.note", "owner": owner, "statement": made, "proven": made, "epoch": 1, "known": True},
    )
    return shared


def restored(here: Here) -> None:
    from tansiq.exchange.node.holding import restore

    restore(here, NOW)


def asked(peer: str = "XE") -> RecoveryAsked:
    from tansiq.exchange.models import Link

    link = Link.objects.get(peer=peer)
    return RecoveryAsked(held=True, since=link.asking_since, after=link.asked_after)


def given_by(
    peer: str, setting: Callable[[], Any] = lambda: None, *, ask: RecoveryAsked | None = None
) -> RecoveryGiven:
    """What ``peer`` answers XA where its database is as ``setting`` makes it of this one."""
    from tansiq.exchange.node.holding import on_request

    question = ask or asked(peer)

    def work() -> RecoveryGiven:
        setting()
        return on_request(node(peer), "XA", question, NOW)[0]

    return undone(work)


def nothing_of(*peers: str) -> None:
    """These peers answer that they have nothing."""
    from tansiq.exchange.node.holding import on_answer

    for peer in peers:
        since = asked(peer).since
        assert on_answer(node(), peer, RecoveryGiven(since=since, after=""), LATER) == []


def own(object_id: str = "XA:1") -> tuple[int, int, bool]:
    """Version of an own object, and whether it is withheld."""
    from tansiq.exchange.models import SharedObject

    shared = SharedObject.objects.get(object=object_id)
    return shared.statement.term, shared.statement.n, shared.withheld


# ---- held


def test_restored_node_drops_what_was_to_be_sent_and_asks_everybody() -> None:
    from tansiq.exchange.models import OutboxRow, OutChannel, Sent
    from tansiq.exchange.node.holding import due_requests, is_held, waiting_for

    xa = node()
    shared = live()
    channel = OutChannel.objects.create(peer="XE", lane="normal", incarnation="5-aaaaaaaaaaaaaaaa", given=1)
    Sent.objects.create(channel=channel, first=1, last=1, body=b"{}", statement=shared.statement, made_at=NOW)
    OutboxRow.objects.create(peer="XE", lane="normal", statement=shared.statement, size_bytes=2, put_at=NOW)

    restored(xa)

    channel.refresh_from_db()
    assert is_held()
    assert (OutboxRow.objects.count(), Sent.objects.count()) == (0, 0)
    assert (channel.incarnation, channel.given, channel.former) == ("", 0, ["5-aaaaaaaaaaaaaaaa"])
    assert waiting_for(xa) == {"XE", "XF"}
    question = RecoveryAsked(held=True, since=NOW)
    assert due_requests(xa, NOW) == [("XE", question), ("XF", question)]


def test_requests_are_made_again_after_half_a_minute() -> None:
    from tansiq.exchange.node.holding import due_requests

    xa = node()
    restored(xa)
    due_requests(xa, NOW)

    times = [len(due_requests(xa, NOW + timedelta(seconds=seconds))) for seconds in (29, 30, 31)]

    assert times == [0, 2, 0]


def test_node_alone_is_released_at_once() -> None:
    from tansiq.exchange.node.holding import is_held

    restored(node(members=("XA",)))

    assert not is_held()


def test_held_node_publishes_nothing() -> None:
    from tansiq.exchange.node.publishing import NodeIsHeld, publish

    restored(node())

    with pytest.raises(NodeIsHeld) as held:
        publish(node(), kind="case.note", name="1", payload=payload(), markings=marked("XA"), team="XA", now=NOW)

    assert held.value.exit_code == 1  # no trouble of the disk: it waits for its peers


# ---- in doubt


def in_doubt(xa: Here, peer: str = "XE") -> None:
    """``peer`` has said that it holds what was never given here."""
    from tansiq.exchange.node.life import doubt

    doubt(xa, peer, Lane.NORMAL, "9-bbbbbbbbbbbbbbbb", NOW)


def test_peer_that_gives_back_what_this_node_signed_later_has_proven_that_it_is_a_backup() -> None:
    from tansiq.exchange.models import Alarm, Life
    from tansiq.exchange.node.holding import is_held, on_answer, waiting_for

    xa = node()
    live(version=FIRST)
    in_doubt(xa)

    following = on_answer(xa, "XE", given_by("XE", lambda: live(version=Version(1, 2))), LATER)

    assert (is_held(), waiting_for(xa), following) == (True, {"XE", "XF"}, [])
    assert (Life.objects.get().number, Life.objects.get().reason, own()) == (1, "higher", (1, 2, False))
    assert set(Alarm.objects.filter(ended_at=None).values_list("code", "peer")) == {
        ("exchange.doubted", "XE"),
        ("exchange.held", ""),
    }


def test_peer_that_gives_back_what_is_known_or_forged_has_proven_nothing() -> None:
    from tansiq.exchange.node.holding import is_held, on_answer

    xa = node()
    live(version=FIRST)
    in_doubt(xa)
    forged = generate("XA at its node", version=6)

    def had() -> None:
        live(version=Version(1, 2), signed_by=forged)
        live("XA:2", version=Version(1, 2), signed_by=forged)

    on_answer(xa, "XE", given_by("XE", had), LATER)

    assert (is_held(), own()) == (False, (1, 1, False))


def test_answer_of_a_peer_in_doubt_says_above_what_the_link_begins_anew() -> None:
    from tansiq.exchange.models import OutChannel
    from tansiq.exchange.node.holding import on_answer

    xa = node()
    in_doubt(xa)
    OutChannel.objects.filter(lane="bulk").update(incarnation="5-aaaaaaaaaaaaaaaa", given=3)
    stand = Stand(Lane.BULK, "8-cccccccccccccccc", n=7, changes=4)

    on_answer(xa, "XE", RecoveryGiven(since=asked().since, after="", stands=(Standing(stand=stand),)), LATER)

    bulk = OutChannel.objects.get(lane="bulk")
    assert (bulk.incarnation, sorted(bulk.former)) == ("", ["5-aaaaaaaaaaaaaaaa", "8-cccccccccccccccc"])


def test_peer_that_says_so_is_not_believed_while_this_node_is_held() -> None:
    from tansiq.exchange.models import Alarm, Link

    xa = node()
    restored(xa)

    in_doubt(xa)

    assert (Link.objects.get(peer="XE").doubted_at, Alarm.objects.count()) == (None, 0)


# ---- what comes back


def test_own_later_version_comes_back_to_its_desk_and_its_next_has_a_new_term() -> None:
    from tansiq.exchange.models import Recipient
    from tansiq.exchange.node.holding import is_held, on_answer
    from tansiq.exchange.node.publishing import publish

    desk = Desk()
    xa = node(desk=desk)
    live(version=FIRST)
    restored(xa)

    given = given_by("XE", lambda: live(version=Version(1, 3), text="later"))
    on_answer(xa, "XE", given, LATER)
    nothing_of("XF")

    assert not is_held()
    assert (own(), desk.texts) == ((1, 3, False), {"XA:1": "later"})
    assert set(Recipient.objects.filter(attempted_at__isnull=False).values_list("peer", flat=True)) == {"XE", "XF"}
    made = publish(xa, kind="case.note", name="1", payload=payload(), markings=marked("XA"), team="XA", now=LATER)
    assert (made.term, made.n) == (2, 1)


def test_everything_is_to_be_compared_after_the_release() -> None:
    from tansiq.exchange.models import Link

    restored(node())

    nothing_of("XE", "XF")

    assert set(Link.objects.filter(incomplete_since__isnull=False).values_list("peer", flat=True)) == {"XE", "XF"}
    assert not Link.objects.filter(asking_since__isnull=False).exists()


def test_lower_version_changes_nothing_but_that_the_peer_has_it() -> None:
    from tansiq.exchange.models import Recipient
    from tansiq.exchange.node.holding import on_answer

    xa = node()
    live(version=Version(1, 3), to=())
    restored(xa)

    on_answer(xa, "XE", given_by("XE", lambda: live(version=FIRST)), LATER)

    assert own() == (1, 3, False)
    assert list(Recipient.objects.values_list("object", "peer")) == [("XA:1", "XE")]


def test_version_that_was_given_two_contents_is_said_once_more_above_both() -> None:
    from tansiq.exchange.models import OutboxRow, SharedObject
    from tansiq.exchange.node import statements
    from tansiq.exchange.node.holding import ask_back, on_answer

    xa = node()
    live(version=Version(1, 2), text="what this life says")
    ask_back(xa, "XE", NOW)

    on_answer(xa, "XE", given_by("XE", lambda: live(version=Version(1, 2), text="what another said")), LATER)

    assert own() == (1, 3, False)
    shared = SharedObject.objects.select_related("statement__marking").get(object="XA:1")
    assert statements.said(shared.statement).payload == payload("what this life says")
    assert set(OutboxRow.objects.values_list("peer", "statement__n")) == {("XE", 3), ("XF", 3)}


def by_xf(change: Callable[[bytes], bytes] = bytes) -> Authentic:
    """XA:1 as it is live here, as XF passed it on to XE; its signature as ``change`` makes it."""
    from tansiq.exchange.models import SharedObject

    genuine = SharedObject.objects.select_related("statement").get(object="XA:1").statement
    marking, author = marked("XA", "XE", "XF"), with_signature(genuine, change)
    return Stream("XF").says("1", team="XA", text="words", marking=marking, author=author, via=("XF",))


def only(body: Authentic) -> None:
    """XE has this of XA:1, and nothing else."""
    from tansiq.exchange.models import SharedObject, Statement
    from tansiq.exchange.node import inbox

    SharedObject.objects.all().delete()
    Statement.objects.all().delete()
    inbox.receive(node("XE"), [(body, "jetstream")], now=NOW)


@pytest.mark.parametrize("way", WRITTEN)
def test_signature_that_was_written_otherwise_is_no_other_content(way: str) -> None:
    from tansiq.exchange.models import OutboxRow, Statement
    from tansiq.exchange.node.holding import ask_back, on_answer

    xa = node()
    live(version=FIRST)
    ask_back(xa, "XE", NOW)
    otherwise = by_xf(lambda signature: written_otherwise(signature, way))
    given = given_by("XE", lambda: only(otherwise))
    on_answer(xa, "XE", given, LATER)

    assert [piece.object for piece in given.pieces] == ["XA:1"]
    assert (own(), OutboxRow.objects.count(), Statement.objects.count()) == ((1, 1, False), 0, 1)


def test_of_what_comes_back_only_what_its_author_signed_is_kept() -> None:
    import json

    from tansiq.exchange.models import SharedObject, Statement
    from tansiq.exchange.node.holding import ask_back, on_answer

    xa = node()
    live(version=FIRST)
    before = bytes(Statement.objects.get().content)
    came = reading.read_envelope(by_xf().head)
    narrower = markings.write([*marked("XA", "XE", "XF"), *marked("XF", "XE")])
    more = replace(came, marking=narrower, author=replace(came.author, extra={"x": 1}), extra={"x": 2})
    ask_back(xa, "XE", NOW)
    given = given_by("XE", lambda: only(opened(more)))
    SharedObject.objects.all().delete()
    Statement.objects.all().delete()

    on_answer(xa, "XE", given, LATER)

    said = json.loads(b"".join(piece.data for piece in given.pieces))
    assert (said["marking"], said["author"]["x"], said["x"], said["via"]) == (narrower, 1, 2, ["XF", "XE"])
    assert bytes(SharedObject.objects.get().statement.content) == before


def test_objects_longer_than_a_page_come_in_pieces() -> None:
    from tansiq.exchange.node.holding import on_answer

    xa = node()
    restored(xa)
    texts = {name: name * 300_000 for name in "abc"}

    def had() -> None:
        for name, text in texts.items():
            live(f"XA:{name}", text=text)

    desk = Desk()
    questions, pages = [asked("XE")], 0
    while questions:
        given = given_by("XE", had, ask=questions[0])
        questions = on_answer(node(desk=desk), "XE", given, LATER)
        pages += 1

    assert desk.texts == {f"XA:{name}": text for name, text in texts.items()}
    assert pages > 1


def test_answer_to_an_earlier_restore_is_not_taken() -> None:
    from tansiq.exchange.models import SharedObject
    from tansiq.exchange.node.holding import on_answer, restore, waiting_for

    xa = node()
    restored(xa)
    given = given_by("XE", live)
    restore(xa, LATER)

    on_answer(xa, "XE", given, LATER)

    assert SharedObject.objects.count() == 0
    assert "XE" in waiting_for(xa)


def test_page_that_comes_twice_is_taken_once() -> None:
    from tansiq.exchange.node.holding import on_answer, waiting_for

    desk = Desk()
    xa = node(desk=desk)
    restored(xa)
    given = given_by("XE", live)

    on_answer(xa, "XE", given, LATER)
    again = on_answer(xa, "XE", given, LATER)

    assert (again, desk.applied, waiting_for(xa)) == ([], [("XA:1", FIRST)], {"XF"})


def test_own_object_that_was_narrowed_is_withheld_until_its_marking_is_set_again() -> None:
    from tansiq.exchange.node.holding import on_answer
    from tansiq.exchange.node.publishing import publish
    from tansiq.exchange.node.recalls import heed

    xa = node()
    live(version=FIRST)
    restored(xa)

    def recalled() -> None:
        heed(node("XE"), "XA:1", Recall(narrowed=Version(1, 4)), recall_id="XA:recall.1", came_from="XA", now=NOW)

    on_answer(xa, "XE", given_by("XE", recalled), LATER)
    nothing_of("XF")
    before = own()
    publish(xa, kind="case.note", name="1", payload=payload(), markings=marked("XA", "XE"), team="XA", now=LATER)

    assert (before, own()) == ((1, 1, True), (2, 1, False))


def test_node_that_was_never_restored_takes_no_peers_word_for_a_recall_of_its_own() -> None:
    from tansiq.exchange.models import Link, SharedObject
    from tansiq.exchange.node.holding import ask_back, on_answer
    from tansiq.exchange.node.recalls import heed
    from tansiq.exchange.node.tombstones import recall_of

    xa = node()
    live(version=FIRST)
    ask_back(xa, "XE", NOW)

    def recalled() -> None:
        heed(node("XE"), "XA:1", Recall(narrowed=Version(1, 4)), recall_id="XA:recall.1", came_from="XA", now=NOW)

    on_answer(xa, "XE", given_by("XE", recalled), LATER)

    assert (own(), recall_of(SharedObject.objects.get())) == ((1, 1, False), Recall())
    assert not Link.objects.filter(incomplete_since__isnull=False).exists()


def test_answer_that_nobody_waited_for_still_says_where_the_channels_stood() -> None:
    from tansiq.exchange.models import Link, OutChannel
    from tansiq.exchange.node.holding import is_held, on_answer, waive

    restored(node())
    since = asked().since
    for peer in ("XE", "XF"):
        waive(node(), peer, by=AMINA, reason="away", now=LATER)
    stand = Stand(Lane.NORMAL, "9-bbbbbbbbbbbbbbbb", n=70, changes=40)

    on_answer(node(), "XE", RecoveryGiven(since=since, after="", stands=(Standing(stand=stand),)), LATER)

    assert (is_held(), Link.objects.get(peer="XE").asking_since) == (False, None)
    assert OutChannel.objects.get(peer="XE", lane="normal").former == ["9-bbbbbbbbbbbbbbbb"]


def test_others_object_that_its_home_recalled_is_deleted() -> None:
    from tansiq.exchange.models import SharedObject
    from tansiq.exchange.node.holding import on_answer
    from tansiq.exchange.node.recalls import recall_from

    desk = Desk()
    xa = node(desk=desk)
    live("XE:1", to=("XA",))
    restored(xa)

    def ordered() -> None:
        recall_from(node("XE"), "XA", {"XE:1": Recall(narrowed=Version(1, 2))}, Cause.MARKING, NOW)

    on_answer(xa, "XE", given_by("XE", ordered), LATER)

    shared = SharedObject.objects.get()
    assert (shared.statement, shared.narrowed_n, desk.withdrawn) == (None, 2, ["XE:1"])


def test_recall_by_who_has_no_authority_deletes_nothing() -> None:
    from tansiq.exchange.models import SharedObject
    from tansiq.exchange.node.holding import on_answer
    from tansiq.exchange.node.recalls import recall_from

    xa = node(forwarders=["XA"])
    live("XE:1", to=("XA",))
    restored(xa)

    def ordered() -> None:
        recall_from(node("XF"), "XA", {"XE:1": Recall(narrowed=Version(1, 2))}, Cause.MARKING, NOW)

    on_answer(xa, "XF", given_by("XF", ordered), LATER)

    assert SharedObject.objects.get().statement is not None


def test_what_its_team_never_signed_is_disowned() -> None:
    from tansiq.exchange.models import SharedObject
    from tansiq.exchange.node.holding import on_answer
    from tansiq.exchange.node.tombstones import recall_of

    xa = node()
    restored(xa)

    forged = generate("XA at its node", version=6)
    on_answer(xa, "XE", given_by("XE", lambda: live(version=Version(1, 3), signed_by=forged)), LATER)

    shared = SharedObject.objects.get()
    assert (shared.statement, recall_of(shared)) == (None, Recall(narrowed=Version(1, 4)))
    assert ordered_recalls() == [("XE", {"object": "XA:1", "narrowed": {"term": 1, "n": 4}, "left": None, "epoch": 0})]


def ordered_recalls() -> list[tuple[str, Any]]:
    import json

    from tansiq.exchange.models import RecallOrder

    said = RecallOrder.objects.order_by("id").values_list("peer", "statement__content")
    return [(peer, json.loads(json.loads(bytes(content))["payload"])) for peer, content in said]


def test_channels_go_on_above_what_the_peer_has_seen() -> None:
    from tansiq.exchange.models import InChannel, OutChannel
    from tansiq.exchange.node.holding import on_answer

    xa = node()
    InChannel.objects.create(
        peer="XE", lane="normal", incarnation="3-aaaaaaaaaaaaaaaa", number=3, begun_at=NOW, n=5, changes=2, said=1
    )
    restored(xa)
    stand = Stand(Lane.NORMAL, "9-bbbbbbbbbbbbbbbb", n=70, changes=40)
    given = RecoveryGiven(since=asked().since, after="", stands=(Standing(stand=stand),))

    on_answer(xa, "XE", given, LATER)

    came, went = InChannel.objects.get(), OutChannel.objects.get()
    assert (came.n, came.changes, came.said, came.unsaid) == (70, 40, 40, True)
    assert (went.former, went.floor_n, went.floor_changes) == (["9-bbbbbbbbbbbbbbbb"], 70, 40)


def test_page_names_where_the_channels_stand() -> None:
    from tansiq.exchange.models import InChannel, OutChannel

    restored(node())

    def heard() -> None:
        for number in (3, 12):
            InChannel.objects.create(
                peer="XA", lane="bulk", incarnation=f"{number}-aaaaaaaaaaaaaaaa", number=number, begun_at=NOW
            )
        OutChannel.objects.create(peer="XA", lane="bulk", believed_n=8, believed_changes=6)

    stands = {said.stand.lane: said.stand for said in given_by("XE", heard).stands}

    assert stands[Lane.BULK] == Stand(Lane.BULK, "12-aaaaaaaaaaaaaaaa", 8, 6)
    assert stands[Lane.URGENT] == Stand(Lane.URGENT)


def test_page_names_no_number_from_which_one_could_not_go_on() -> None:
    from tansiq.exchange.models import InChannel, OutChannel

    restored(node())

    def heard() -> None:
        InChannel.objects.create(
            peer="XA", lane="bulk", incarnation=f"{10**14}-aaaaaaaaaaaaaaaa", number=10**14, begun_at=NOW
        )
        OutChannel.objects.create(peer="XA", lane="bulk", believed_n=values.LARGEST, believed_changes=values.LARGEST)

    stands = {said.stand.lane: said.stand for said in given_by("XE", heard).stands}

    assert stands[Lane.BULK] == Stand(Lane.BULK, "", 2**52 - 1, 2**52 - 1)


def test_highest_numbers_that_a_peer_may_say_leave_room_for_receipts_and_an_incarnation() -> None:
    from tansiq.exchange import held
    from tansiq.exchange.models import InChannel, OutChannel
    from tansiq.exchange.node import receipting
    from tansiq.exchange.node.holding import on_answer

    xa = node(members=("XA", "XE"))
    InChannel.objects.create(
        peer="XE", lane="normal", incarnation="3-aaaaaaaaaaaaaaaa", number=3, begun_at=NOW, hash=values.EMPTY_DIGEST
    )
    restored(xa)
    stand = Stand(Lane.NORMAL, f"{held.MOST_NUMBERED}-bbbbbbbbbbbbbbbb", held.MOST_COUNTED, held.MOST_COUNTED)
    on_answer(xa, "XE", RecoveryGiven(since=asked().since, after="", stands=(Standing(stand=stand),)), LATER)

    (receipt,) = receipting.due_receipts(xa, now=LATER)
    number = held.next_number(OutChannel.objects.get(lane="normal").former, now=LATER)

    assert reading.read_head(canonical.read_canonical(receipt.written())).n == held.MOST_COUNTED + 1
    assert values.INCARNATION.fullmatch(values.new_incarnation(number))


def test_who_is_no_member_is_told_nothing() -> None:
    from tansiq.exchange.node.holding import on_request

    live()

    assert on_request(node("XE", members=("XE", "XF")), "XA", RecoveryAsked(held=True, since=NOW), NOW) == []


def test_news_for_a_node_that_asks_back_is_to_be_compared_with_everybody() -> None:
    from tansiq.exchange.models import Link
    from tansiq.exchange.node.holding import ask_back, is_held, on_answer

    xa = node()
    live(version=FIRST)
    ask_back(xa, "XE", NOW)

    on_answer(xa, "XE", given_by("XE", lambda: live(version=Version(1, 2))), LATER)

    assert (own(), is_held()) == ((1, 2, False), False)
    assert set(Link.objects.filter(incomplete_since__isnull=False).values_list("peer", flat=True)) == {"XE", "XF"}


# ---- people and rosters


def test_waiver_releases_and_is_on_record() -> None:
    from tansiq.audit.models import Entry
    from tansiq.exchange.node.holding import is_held, waive

    restored(node())
    nothing_of("XE")

    waive(node(), "XF", by=AMINA, reason="its machine was lost", now=LATER)

    entry = Entry.objects.filter(verb="exchange.waived").get()
    assert not is_held()
    assert (entry.item_kind, entry.item_id, entry.who) == ("node", "XF", "AMINA")


@pytest.mark.parametrize(
    "by", [Viewer(person="AMINA", team="XA", roles=frozenset({Role.OBSERVER})), Viewer.system(because="night")]
)
def test_only_who_runs_the_node_waives(by: Viewer) -> None:
    from tansiq.exchange.node.holding import waive

    restored(node())

    with pytest.raises(NotAllowed):
        waive(node(), "XF", by=by, reason="no", now=LATER)


def test_held_node_asks_whom_a_roster_adds_and_waits_for_none_that_it_removes() -> None:
    from tansiq.exchange.node.holding import is_held, waiting_for
    from tansiq.exchange.node.recalls import on_roster

    before = node(members=("XA", "XE"))
    after = node(epoch=2, members=("XA", "XF"), former=("XE",))
    restored(before)

    on_roster(before, after, LATER)

    assert (waiting_for(after), is_held()) == ({"XF"}, True)
    on_roster(after, node(epoch=3, members=("XA",), former=("XE", "XF")), LATER)
    assert not is_held()


def test_members_that_a_roster_brings_together_ask_each_other_back() -> None:
    from tansiq.exchange.node.holding import due_requests
    from tansiq.exchange.node.recalls import on_roster

    before, after = node(members=("XA", "XE")), node(epoch=2)

    on_roster(before, after, NOW)

    assert due_requests(after, NOW) == [("XF", RecoveryAsked(held=False, since=NOW))]


# ---- clones


def frozen(here: Here, peer: str = "XE") -> None:
    from tansiq.exchange.node.holding import freeze

    freeze(
        here, peer, "clone", NOW, lane="normal", incarnation="4-aaaaaaaaaaaaaaaa", digest="ab" * 32, body=b"one",
        other_digest="cd" * 32, other_body=b"other",
    )  # fmt: skip


def test_clone_freezes_the_link_keeps_both_bodies_and_alarms() -> None:
    from tansiq.exchange.models import Alarm, Evidence, Link

    frozen(node())
    frozen(node())

    evidence = Evidence.objects.get()
    assert Link.objects.get(peer="XE").frozen_at == NOW
    assert (bytes(evidence.body), bytes(evidence.other_body), evidence.what) == (b"one", b"other", "clone")
    assert Alarm.objects.values_list("code", "peer").get() == ("exchange.clone", "XE")


def renewed(here: Here, code: str) -> Here:
    """The same under the next roster, with a new certificate for ``code`` and the old one ended."""
    from tansiq.exchange.facts import NodeKey

    epoch = here.epoch + 1
    keys = {
        fingerprint: replace(key, until_epoch=epoch) if key.node == code else key
        for fingerprint, key in here.facts.node_keys.items()
    }
    new = platform_secret(f"{code} anew")
    keys[new.fingerprint] = NodeKey(code, new.fingerprint, new.certificate, from_epoch=epoch)
    return replace(here, facts=replace(here.facts, epoch=epoch, node_keys=keys))


def test_of_one_channel_the_first_ten_stories_are_kept() -> None:
    from tansiq.exchange.models import Evidence, Link
    from tansiq.exchange.node.holding import freeze

    said = {"lane": "normal", "incarnation": "4-aaaaaaaaaaaaaaaa"}
    for number in range(12):
        Link.objects.filter(peer="XE").update(frozen_at=None)
        freeze(node(), "XE", "equivocation", NOW, digest=f"{number:064}", body=b"one", **said)
    freeze(node(), "XF", "equivocation", NOW, digest="ab" * 32, body=b"one", **said)

    kept = Evidence.objects.order_by("pk").values_list("peer", "digest")
    assert list(kept) == [*(("XE", f"{number:064}") for number in range(10)), ("XF", "ab" * 32)]


def test_of_a_frozen_peer_nothing_is_asked_but_rosters() -> None:
    from tansiq.exchange.node.asking import Asking

    asking = Asking(cast(Any, None))
    frozen(node())

    made = {
        peer: [
            asking.made(node(), peer, asked, NOW) is not None
            for asked in (RosterAsked(epoch=2), RecoveryAsked(held=True, since=NOW))
        ]
        for peer in ("XE", "XF")
    }

    assert made == {"XE": [True, False], "XF": [True, True]}


def test_only_a_roster_with_a_new_certificate_ends_a_freeze() -> None:
    from tansiq.exchange.models import Alarm, InChannel, Link
    from tansiq.exchange.node.recalls import on_roster

    xa = node()
    frozen(xa)
    InChannel.objects.create(
        peer="XE", lane="normal", incarnation="4-aaaaaaaaaaaaaaaa", number=4, begun_at=NOW, frozen=True
    )

    other = renewed(xa, "XF")
    on_roster(xa, other, LATER)
    still = Link.objects.get(peer="XE").frozen_at
    on_roster(other, renewed(other, "XE"), LATER)

    link, channel = Link.objects.get(peer="XE"), InChannel.objects.get()
    assert (still, link.frozen_at) == (NOW, None)
    assert (channel.frozen, channel.closed) == (False, True)
    assert link.incomplete_since == LATER
    assert link.asking_since == values.whole_milliseconds(LATER)
    assert not Alarm.objects.filter(ended_at=None).exists()
