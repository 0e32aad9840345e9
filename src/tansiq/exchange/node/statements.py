"""Versions of objects as their authors signed them: made, kept, and put into envelopes again (sections 3.3 and 4)."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from tansiq.core.errors import N_, TansiqError
from tansiq.core.marking import Marking
from tansiq.exchange import author, canonical, markings, values
from tansiq.exchange.body import BlobReference, Channel, Envelope, Lane, Version
from tansiq.exchange.canonical import BODY_LIMIT_BYTES
from tansiq.exchange.kinds import Said
from tansiq.exchange.models import MarkingSet, Statement
from tansiq.exchange.node.here import Here
from tansiq.exchange.receiving import NO_VERSION

OF_THE_CHANNEL = frozenset(
    {"v", "t", "id", "realm", "from", "to", "epoch", "sent_at", "lane", "incarnation", "seq", "prev"}
)
"""Fields of an envelope that say how it goes, not what it says."""
ROOM_FOR_CHANNEL_BYTES = 1024
"""More than these fields, and one code more in ``via``, can take."""
BATCH = 500


class NoPlatformKey(TansiqError):
    code = "exchange.no_platform_key"
    message = N_("Team {team} has no platform key on this node, so nothing can be signed for it.")
    remedy = N_("Make one, and have the next roster name it.")
    exit_code = 2


class TooLong(TansiqError):
    code = "exchange.too_long"
    message = N_("{object} takes {size_bytes} bytes, and at most {limit_bytes} fit in one message between nodes.")
    remedy = N_("Shorten it, or attach what is long as a file.")
    exit_code = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """What a team is about to sign.

    Attributes:
        payload: JSON as Python has it.
        epoch: of the roster under which it is signed; 0: of the one here.
    """

    kind: str
    object: str
    version: Version
    payload: Any
    markings: Collection[Marking]
    team: str
    person: str = ""
    blobs: Sequence[BlobReference] = ()
    epoch: int = 0


@transaction.atomic
def state(
    here: Here,
    *,
    kind: str,
    object: str,
    payload: Any,
    markings: Collection[Marking],
    team: str,
    person: str = "",
    blobs: Sequence[BlobReference] = (),
    now: datetime,
    version: Version | None = None,
) -> Statement:
    """Sign one version of an object with the team's platform key, and keep it.

    Args:
        payload: JSON as Python has it.
        version: 1.1 where none is given: an object of which there is one version only.

    Raises: NoPlatformKey, TooLong; KeyError for a kind that this program does not know; ValueError for a version that
        is not above 0.0, which could not be recalled (section 3.3).
    """
    text = Text(
        kind=kind,
        object=object,
        version=version or Version(1, 1),
        payload=payload,
        markings=markings,
        team=team,
        person=person,
        blobs=blobs,
    )
    return state_all(here, [text], now)[0]


@transaction.atomic
def state_all(here: Here, texts: Sequence[Text], now: datetime) -> list[Statement]:
    """``state`` for many. Raises: as it."""
    drafts = [_signed(here, text, now) for text in texts]
    keep_markings({draft.marking for draft in drafts})
    rows = [_row(draft, "", now) for draft in drafts]
    for text, row in zip(texts, rows, strict=True):
        if not fits_a_body(row):
            limit = BODY_LIMIT_BYTES - ROOM_FOR_CHANNEL_BYTES
            raise TooLong(object=text.object, size_bytes=len(row.content), limit_bytes=limit)
    made = Statement.objects.bulk_create(rows, batch_size=BATCH)
    _note_files(made, now)
    return made


def _signed(here: Here, text: Text, now: datetime) -> Envelope:
    """Of the channel's fields there are none yet: they are left out of what is kept."""
    if not text.version > NO_VERSION:
        raise ValueError(f"{text.object} as version {text.version.term}.{text.version.n}")
    kind = here.kinds.by_name()[text.kind]
    secret = here.platform.get(text.team)
    if secret is None:
        raise NoPlatformKey(team=text.team)
    said = author.Statement(
        realm=here.realm,
        kind=kind.name,
        schema=kind.schema,
        object=text.object,
        version=text.version,
        marking=markings.write(text.markings),
        team=text.team,
        person=text.person,
        epoch=text.epoch or here.epoch,
        payload=canonical.write(text.payload),
        blobs=tuple(text.blobs),
    )
    return Envelope(
        id="",
        realm=here.realm,
        sender=here.code,
        recipient="",
        epoch=here.epoch,
        sent_at=now,
        lane=kind.lane,
        incarnation="",
        seq=0,
        prev="",
        kind=said.kind,
        schema=said.schema,
        object=said.object,
        version=said.version,
        marking=said.marking,
        payload=said.payload,
        author=said.signed(secret),
        blobs=said.blobs,
    )


@transaction.atomic
def stored(envelope: Envelope, came_from: str, now: datetime) -> Statement:
    """The row of what another node sent; there is one of each version, text and set of markings."""
    keep_markings([envelope.marking])
    row = _row(envelope, came_from, now)
    found, _made = Statement.objects.get_or_create(
        object=row.object,
        term=row.term,
        n=row.n,
        leaf=row.leaf,
        marking_id=row.marking_id,
        defaults={
            "kind": row.kind,
            "team": row.team,
            "content": row.content,
            "came_from": came_from,
            "made_at": now,
        },
    )
    _note_files([found], now)
    return found


def _note_files(made: Collection[Statement], now: datetime) -> None:
    from tansiq.exchange.node.uses import note_statements  # which decides by what is kept here

    note_statements(made, now)


def _row(envelope: Envelope, came_from: str, now: datetime) -> Statement:
    return Statement(
        object=envelope.object,
        term=envelope.version.term,
        n=envelope.version.n,
        leaf=author.said_by(envelope).leaf,
        kind=envelope.kind,
        team=envelope.author.team,
        marking_id=marking_key(envelope.marking),
        content=content_of(envelope),
        came_from=came_from,
        made_at=now,
    )


def content_of(envelope: Envelope) -> bytes:
    """Canonical JSON of the fields that belong to no channel, those that this program does not know among them."""
    fields = {name: value for name, value in envelope.fields().items() if name not in OF_THE_CHANNEL}
    return canonical.write(fields).encode()


def leaf_of(content: Mapping[str, Any], realm: str) -> str:
    """Of what ``content_of`` made."""
    said, version = content["author"], content["version"]
    return author.Statement(
        realm=realm,
        kind=content["kind"],
        schema=content["schema"],
        object=content["object"],
        version=Version(version["term"], version["n"]),
        marking=said["marking"],
        team=said["team"],
        person=said["person"],
        epoch=said["epoch"],
        payload=content["payload"],
        blobs=tuple(blob_of(blob) for blob in content["blobs"]),
    ).leaf


def fits_a_body(statement: Statement) -> bool:
    """Whether it can be sent from here: its content, and what a channel adds (section 3)."""
    return len(statement.content) + ROOM_FOR_CHANNEL_BYTES <= BODY_LIMIT_BYTES


def via_of(statement: Statement) -> list[str]:
    """The nodes that had forwarded it when it came."""
    via: list[str] = json.loads(bytes(statement.content))["via"]
    return via


def keep_markings(texts: Collection[str]) -> None:
    """Have a row for each canonical set of markings; there are few."""
    wanted = {marking_key(text): text for text in texts}
    known = MarkingSet.objects.in_bulk(wanted)
    new = [MarkingSet(key=key, text=text) for key, text in sorted(wanted.items()) if key not in known]
    if new:
        MarkingSet.objects.bulk_create(new, ignore_conflicts=True)


def marking_key(text: str) -> str:
    return values.digest(text.encode())


def markings_of(statement: Statement) -> tuple[Marking, ...]:
    """The markings under which it is here."""
    return markings.read(statement.marking.text)


def said(statement: Statement) -> Said:
    """What a desk is told of it."""
    content = json.loads(bytes(statement.content))
    return Said(
        kind=statement.kind,
        schema=content["schema"],
        object=statement.object,
        version=Version(statement.term, statement.n),
        team=statement.team,
        person=content["author"]["person"],
        marking=content["marking"],
        payload=json.loads(content["payload"]),
        blobs=tuple(blob_of(blob) for blob in content["blobs"]),
    )


def blob_of(said: Mapping[str, Any]) -> BlobReference:
    """A reference to a file, as the content of a version has it."""
    return BlobReference(
        digest=said["digest"],
        key=values.read_bytes(said["key"]),
        size_bytes=said["size_bytes"],
        media_type=said["media_type"],
        name=said["name"],
    )


def content_fields(statement: Statement, here: Here) -> dict[str, Any]:
    """What it says, whoever it goes to. Who is no home of the author's team adds itself to those that forwarded it."""
    content: dict[str, Any] = json.loads(bytes(statement.content))
    if not here.lives_here(statement.team):
        content["via"] = [*content["via"], here.code]
    return content


def placed(
    content: dict[str, Any], channel: Channel, seq: int, prev: str, *, here: Here, now: datetime
) -> dict[str, Any]:
    """``content`` addressed to the channel's recipient, under the roster here: a whole envelope as JSON says it."""
    return content | {
        "v": 1,
        "t": "envelope",
        "id": values.new_id(now),
        "realm": channel.realm,
        "from": channel.sender,
        "to": channel.recipient,
        "epoch": here.epoch_for(channel.recipient),
        "sent_at": values.write_time(now),
        "lane": channel.lane.value,
        "incarnation": channel.incarnation,
        "seq": seq,
        "prev": prev,
    }


def lane_of(here: Here, kind: str) -> Lane:
    """Raises: KeyError, for a kind that this program does not know: it was never applied, so it never goes on."""
    return here.kinds.by_name()[kind].lane
