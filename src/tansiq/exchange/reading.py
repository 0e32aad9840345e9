"""Bodies of others read, in two steps: what gives a body its place (5.5), and what an envelope says (5.11).

Of a body whose place is known and whose content is unfit the position is taken all the same, so the two are apart.
What is read writes the same bytes again: fields that are not known here stay in ``extra``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tansiq.exchange import canonical, requests_reading, values
from tansiq.exchange.body import (
    LARGEST_BLOB_BYTES,
    MOST_BLOBS,
    MOST_FORWARDERS,
    MOST_GAPS,
    MOST_OBJECTS,
    Author,
    BlobReference,
    Envelope,
    Lane,
    ObjectState,
    Placed,
    Receipt,
    Skip,
    SkipReason,
    State,
)
from tansiq.exchange.fields import Fields
from tansiq.exchange.receiving import NO_VERSION
from tansiq.exchange.requests import CHUNK_HEAD_BYTES, CHUNK_PREFIX, Answer, Ask
from tansiq.exchange.values import LARGEST, Unfit

_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}")
_NAME = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069/\\]{1,255}")  # raw: people are told it
_REASON = re.compile(r"([a-z_]+(\.[a-z_]+)*)?")
_LONGEST_REASON = 64
_LONGEST_SIGNATURE = 4096


Head = Placed | Receipt | Ask | Answer


def read_content(content: bytes) -> tuple[Any, bytes | None]:
    """What was sealed, by check 5.4: canonical JSON, and the bytes of a chunk where one is with it (section 3.6).

    Raises: Unfit.
    """
    if not content.startswith(CHUNK_PREFIX):
        return canonical.read_canonical(content), None
    head, chunk = requests_reading.split_chunk(content)
    return canonical.read_canonical(head, limit_bytes=CHUNK_HEAD_BYTES), chunk


def read_head(said: Any, chunk: bytes | None = None) -> Head:
    """What gives a body its place (5.5): all of it but of an envelope, the rest of which is in ``extra``, unread.

    Args: as ``read_content`` gives them.
    Raises: Unfit.
    """
    fields = Fields(said, "body")
    fields.whole("v", least=1, most=1)
    kind = fields.text("t", longest=16)
    common: dict[str, Any] = {
        "id": fields.form("id", values.UUID7),
        "realm": fields.form("realm", values.REALM),
        "sender": fields.form("from", values.CODE),
        "recipient": fields.form("to", values.CODE),
        "epoch": fields.whole("epoch", least=1),
        "sent_at": fields.moment("sent_at"),
    }
    if common["sender"] == common["recipient"]:
        raise Unfit(field="body.to", expected="another node")
    if kind in ("ask", "answer"):
        return requests_reading.read_request(fields, common, kind, chunk)
    if chunk is not None:
        raise Unfit(field="body.t", expected="answer, where a chunk comes with it")
    common |= {
        "lane": fields.one_of("lane", Lane),
        "incarnation": fields.form("incarnation", values.INCARNATION),
    }
    if kind == "receipt":
        return _receipt(fields, common)
    common |= {"seq": fields.whole("seq", least=1), "prev": fields.form("prev", values.DIGEST)}
    if (common["seq"] == 1) and common["prev"] != values.EMPTY_DIGEST:
        raise Unfit(field="body.prev", expected="the digest of nothing")
    if kind == "skip":
        return _skip(fields, common)
    if kind == "envelope":
        return Placed(**common, extra={"t": kind, **fields.left()})
    raise Unfit(field="body.t", expected="envelope, skip, receipt, ask or answer")


def read_envelope(head: Placed) -> Envelope:
    """The rest of an envelope (5.11). ``head``: from ``read_head``. Raises: Unfit."""
    fields = Fields(dict(head.extra), "envelope")
    if fields.any("t") != "envelope":
        raise ValueError("no envelope")
    blobs = fields.items("blobs", _blob, most=MOST_BLOBS)
    via = fields.items("via", _node, most=MOST_FORWARDERS)
    author = _author(fields.any("author"))
    if author.epoch > head.epoch:
        raise Unfit(field="author.epoch", expected="at most the envelope's")
    version = fields.version("version")
    if version == NO_VERSION:
        raise Unfit(field="envelope.version", expected="above 0.0")
    return Envelope(
        id=head.id,
        realm=head.realm,
        sender=head.sender,
        recipient=head.recipient,
        epoch=head.epoch,
        sent_at=head.sent_at,
        lane=head.lane,
        incarnation=head.incarnation,
        seq=head.seq,
        prev=head.prev,
        kind=fields.form("kind", values.KIND),
        schema=fields.whole("schema", least=1),
        object=fields.form("object", values.OBJECT),
        version=version,
        marking=fields.text("marking"),
        payload=fields.text("payload"),
        author=author,
        blobs=blobs,
        via=via,
        extra=fields.left(),
    )


def _author(said: Any) -> Author:
    fields = Fields(said, "author")
    return Author(
        team=fields.form("team", values.CODE),
        person=fields.form("person", values.PERSON),
        epoch=fields.whole("epoch", least=1),
        key=fields.form("key", values.FINGERPRINT),
        marking=fields.text("marking"),
        signature=fields.bytes("signature", longest=_LONGEST_SIGNATURE),
        extra=fields.left(),
    )


def _blob(said: Any) -> BlobReference:
    fields = Fields(said, "blob")
    key = fields.bytes("key", longest=32)
    if len(key) != 32:
        raise Unfit(field="blob.key", expected="32 bytes")
    return BlobReference(
        digest=fields.form("digest", values.DIGEST),
        key=key,
        size_bytes=fields.whole("size_bytes", least=0, most=LARGEST_BLOB_BYTES),
        media_type=fields.form("media_type", _MEDIA_TYPE),
        name=fields.form("name", _NAME),
        extra=fields.left(),
    )


def _node(said: Any) -> str:
    if type(said) is not str or not values.CODE.fullmatch(said):
        raise Unfit(field="envelope.via", expected=values.CODE.pattern)
    return said


def _skip(fields: Fields, common: Mapping[str, Any]) -> Skip:
    last = fields.whole("last", least=common["seq"])
    count = fields.whole("count", least=1)
    if count != last - common["seq"] + 1:
        raise Unfit(field="skip.count", expected="last - seq + 1")
    hash_after = fields.form("hash_after", values.DIGEST)
    reason = fields.one_of("reason", SkipReason)
    return Skip(**common, last=last, hash_after=hash_after, reason=reason, extra=fields.left())


def _receipt(fields: Fields, common: Mapping[str, Any]) -> Receipt:
    through = fields.whole("through", least=0)
    highest = fields.whole("highest", least=through)
    gaps = fields.items("gaps", _gap, most=MOST_GAPS)
    edges = [through, *(edge for gap in gaps for edge in gap), highest]
    bounds = zip(edges[::2], edges[1::2], strict=True)  # (through, first), (last, first), … (last, highest)
    if gaps and (gaps[0][0] != through + 1 or any(low >= high for low, high in bounds)):
        raise Unfit(field="receipt.gaps", expected="in order between through and highest")
    if bool(gaps) is not (highest > through):
        raise Unfit(field="receipt.gaps", expected="there if and only if something is missing")
    since = fields.whole("since", least=0)
    return Receipt(
        **common,
        n=fields.whole("n", least=1),
        through=through,
        body_hash=fields.form("body_hash", values.DIGEST),
        highest=highest,
        gaps=gaps,
        since=since,
        changes=fields.whole("changes", least=since),
        objects=fields.items("objects", _object_state, most=MOST_OBJECTS),
        clock=fields.moment("clock"),
        extra=fields.left(),
    )


def _gap(said: Any) -> tuple[int, int]:
    if type(said) is not list or len(said) != 2 or any(type(edge) is not int for edge in said):
        raise Unfit(field="receipt.gaps", expected="pairs of positions")
    first, last = said
    if not 1 <= first <= last <= LARGEST:
        raise Unfit(field="receipt.gaps", expected="pairs of positions in order")
    return first, last


def _object_state(said: Any) -> ObjectState:
    fields = Fields(said, "receipt.objects")
    state = fields.one_of("state", State)
    reason = fields.form("reason", _REASON)
    if bool(reason) is (state in (State.STORED, State.HAD)) or len(reason) > _LONGEST_REASON:
        raise Unfit(field="receipt.objects.reason", expected="there for all but stored and had")
    return ObjectState(
        object=fields.form("object", values.OBJECT),
        version=fields.version("version"),
        state=state,
        reason=reason,
        extra=fields.left(),
    )
