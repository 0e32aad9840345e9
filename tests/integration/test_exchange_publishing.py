"""What a publication leaves in a node's tables: versions, rows of the outbox, recalls."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from factories.exchange_node import NOW, Desk, marked, payload
from tansiq.core.marking import Audience, Marking, Tlp
from tansiq.exchange.body import Channel, Lane, Version
from tansiq.exchange.values import EMPTY_DIGEST

if TYPE_CHECKING:
    from tansiq.exchange.models import Statement
    from tansiq.exchange.node.here import Here

pytestmark = pytest.mark.usefixtures("database")


def node(code: str = "XA", **changes: Any) -> Here:
    from factories.exchange_node import here

    return here(code, **changes)


def published(xa: Here, name: str = "1", *teams: str, text: str = "words", kind: str = "case.note") -> Statement:
    from tansiq.exchange.node.publishing import publish

    return publish(xa, kind=kind, name=name, payload=payload(text), markings=marked("XA", *teams), team="XA", now=NOW)


def addressed(statement: Statement, channel: Channel, seq: int, prev: str, *, here: Here) -> dict[str, Any]:
    from tansiq.exchange.node import statements

    return statements.placed(statements.content_fields(statement, here), channel, seq, prev, here=here, now=NOW)


def outbox() -> list[tuple[str, str, str, tuple[int, int]]]:
    """Recipient, lane, object and version, in the order in which they would be sealed."""
    from tansiq.exchange.models import OutboxRow

    rows = OutboxRow.objects.order_by("id").select_related("statement")
    return [(row.peer, row.lane, row.statement.object, (row.statement.term, row.statement.n)) for row in rows]


def test_publish_for_two_writes_their_rows_with_the_version() -> None:
    from tansiq.exchange.models import SharedObject

    statement = published(node(), "1", "XE", "XF")

    assert outbox() == [("XE", "normal", "XA:1", (1, 1)), ("XF", "normal", "XA:1", (1, 1))]
    row = SharedObject.objects.get()
    assert (row.object, row.owner, row.kind, row.statement_id) == ("XA:1", "XA", "case.note", statement.pk)


def test_publish_again_is_the_next_version() -> None:
    xa = node()

    versions = [published(xa, "1", "XE", text=text) for text in ("one", "two", "three")]

    assert [(one.term, one.n) for one in versions] == [(1, 1), (1, 2), (1, 3)]


def test_publish_many_is_as_one_after_the_other() -> None:
    from tansiq.exchange.node.publishing import Change, publish_all

    changes = [
        Change(kind=kind, name=name, payload=payload(text), markings=marked("XA", *to), team="XA")
        for kind, name, text, to in [
            ("event", "1", "a", ["XE"]),
            ("alert", "2", "b", ["XF"]),
            ("event", "1", "c", ["XE"]),
        ]
    ]

    publish_all(node(), changes, NOW)

    assert outbox() == [
        ("XE", "bulk", "XA:1", (1, 1)),
        ("XF", "urgent", "XA:2", (1, 1)),
        ("XE", "bulk", "XA:1", (1, 2)),
    ]


def test_publish_under_embargo_goes_to_the_named_only() -> None:
    from tansiq.exchange.node.publishing import publish

    until = NOW + timedelta(hours=1)
    marking = Marking(Tlp.GREEN, "XA", Audience.of(teams=["XE"]), embargo_until=until)

    publish(node(), kind="alert", name="1", payload=payload(), markings=[marking], team="XA", now=NOW)

    assert outbox() == [("XE", "urgent", "XA:1", (1, 1))]


def test_publish_for_a_team_of_another_node_is_refused() -> None:
    from tansiq.exchange.node.publishing import NotOurs, publish

    with pytest.raises(NotOurs):
        publish(node(), kind="alert", name="1", payload=payload(), markings=marked("XE"), team="XE", now=NOW)


def test_publish_longer_than_a_body_is_refused_and_leaves_nothing() -> None:
    from tansiq.exchange.models import SharedObject, Statement
    from tansiq.exchange.node.statements import TooLong

    with pytest.raises(TooLong):
        published(node(), "1", "XE", text="x" * 512 * 1024)

    assert (Statement.objects.count(), SharedObject.objects.count(), outbox()) == (0, 0, [])


def test_version_0_0_which_no_recall_could_name_is_not_signed() -> None:
    from tansiq.exchange.models import Statement
    from tansiq.exchange.node import statements

    said: dict[str, Any] = {"kind": "case.note", "payload": payload(), "markings": marked("XA", "XE"), "team": "XA"}

    with pytest.raises(ValueError, match="XA:1"):
        statements.state(node(), object="XA:1", version=Version(0, 0), now=NOW, **said)

    assert Statement.objects.count() == 0


def test_publish_while_held_is_refused() -> None:
    from tansiq.exchange.models import Life
    from tansiq.exchange.node.publishing import NodeIsHeld

    Life.objects.update_or_create(pk=1, defaults={"number": 1, "held_since": NOW, "began_at": NOW})

    with pytest.raises(NodeIsHeld):
        published(node(), "1", "XE")


def test_publish_after_a_restore_raises_the_term_once_for_each_object() -> None:
    from tansiq.exchange.models import Life

    xa = node()
    published(xa, "1", "XE")
    Life.objects.all().delete()
    Life.objects.create(number=1, began_at=NOW)

    later = [published(xa, name, "XE", text=text) for name, text in [("1", "a"), ("1", "b"), ("2", "c"), ("2", "d")]]

    assert [(one.term, one.n) for one in later] == [(2, 1), (2, 2), (2, 1), (2, 2)]


def test_what_is_published_can_be_verified_by_its_recipient() -> None:
    from factories.exchange_node import here
    from tansiq.exchange import canonical, reading
    from tansiq.exchange.trust import Authentic, examine

    xa, xe = node(), here("XE", desk=Desk())
    statement = published(xa, "1", "XE")
    channel = Channel("live", "XA", "XE", Lane.NORMAL, "1-abcdefghijklmnop")

    written = canonical.write(addressed(statement, channel, 1, EMPTY_DIGEST, here=xa)).encode()

    body = Authentic.stored(written, signer=xa.secrets[0].fingerprint)
    envelope = reading.read_envelope(body.head)
    assert examine(body, xe.facts, xe.judge(NOW), now=NOW) == envelope
    assert envelope.written() == written


def test_what_came_is_kept_and_sent_on_with_the_forwarder_named() -> None:
    from tansiq.exchange import reading
    from tansiq.exchange.node import statements

    xa, xe = node(), node("XE")
    channel = Channel("live", "XA", "XE", Lane.NORMAL, "1-abcdefghijklmnop")
    onwards = Channel("live", "XE", "XF", Lane.NORMAL, "1-abcdefghijklmnop")
    fields = addressed(published(xa, "1", "XE", "XF"), channel, 1, EMPTY_DIGEST, here=xa)
    sent = reading.read_envelope(reading.read_head(fields))

    kept = statements.stored(sent, "XA", NOW)
    fields = addressed(kept, onwards, 4, "ab" * 32, here=xe)
    onward = reading.read_envelope(reading.read_head(fields))

    assert statements.stored(sent, "XF", NOW).pk == kept.pk
    assert (onward.via, onward.author, onward.payload, onward.seq) == (("XE",), sent.author, sent.payload, 4)
    assert statements.said(kept).payload == payload()
    assert statements.markings_of(kept) == tuple(marked("XA", "XE", "XF"))


def test_leaf_of_what_is_kept_is_the_digest_of_what_was_signed() -> None:
    import json

    from factories.exchange import blob_reference
    from tansiq.exchange import author, reading
    from tansiq.exchange.node import statements
    from tansiq.exchange.values import digest

    xa = node()
    kept = statements.state(
        xa, kind="case.note", object="XA:1", payload=payload(), markings=marked("XA", "XE"), team="XA", person="AMINA",
        blobs=[blob_reference()], now=NOW,
    )  # fmt: skip
    channel = Channel("live", "XA", "XE", Lane.NORMAL, "1-abcdefghijklmnop")
    sent = reading.read_envelope(reading.read_head(addressed(kept, channel, 1, EMPTY_DIGEST, here=xa)))

    content = json.loads(bytes(kept.content))

    assert kept.leaf == statements.leaf_of(content, "live") == digest(author.said_by(sent).encoded())
    assert statements.leaf_of(content, "drill-1") != kept.leaf
