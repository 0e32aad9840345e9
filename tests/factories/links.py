"""A node in a federation, with a link in every state that there is. Dull and obvious."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from factories import rosters
from factories.exchange_bodies import Stream
from factories.exchange_node import marked
from tansiq.core.marking import Audience, Marking, Tlp
from tansiq.exchange import roster_change
from tansiq.exchange.values import EMPTY_DIGEST, digest

if TYPE_CHECKING:
    from tansiq.core.home import Home
    from tansiq.exchange.join import JoinRequest
    from tansiq.exchange.models import Statement, Waiting
    from tansiq.exchange.roster import Roster

EVERY_STATE = {
    "XB": "never",
    "XC": "away",
    "XD": "clock",
    "XE": "equal",
    "XG": "differs",
    "XH": "alarm",
    "XM": "frozen",
}
"""Peer -> how its link stands after ``every_state``."""
SECRET = "Content-7f40"
"""In what XE sent for XA-CERT alone, and what waits."""
OURS, GUESTS, THEIRS = "XA-CERT:case.7f41", "XF-CERT:case.7f42", "XE-CERT:case.7f43"
FOR_GUESTS = "XE-CERT:case.7f44"
"""Of XE's team, for XF-CERT alone."""


def federated(
    *,
    peers: Sequence[str] = tuple(EVERY_STATE),
    guests: Sequence[str] = ("XF-CERT",),
    request: JoinRequest | None = None,
) -> Roster:
    """A roster with this node (named if nobody did before), its guests and ``peers``, stored as accepted.

    Args:
        request: of this node, with keys of its own; None: with keys that nothing can be signed with.
    """
    from factories import signin
    from tansiq.members.models import Node

    named = {"code": "XA", "name": "XA", "language": "en", "team": signin.team_of("XA-CERT"), "set_up_at": signin.now()}
    node, _is_new = Node.objects.get_or_create(pk=1, defaults=named)
    draft = rosters.founded(*peers)
    ours = request or rosters.request(node.code, "XA-CERT")
    draft = roster_change.admit(draft, ours, rosters.WORDS)
    for guest in guests:
        key = rosters.platform_secret(guest, node.code).certificate
        draft = roster_change.admit(draft, replace(ours, team=guest, platform_certificate=key), rosters.WORDS)
    store(draft)
    return draft


def store(roster: Roster) -> None:
    from tansiq.exchange.models import RosterRecord
    from tansiq.exchange.roster_signing import signed

    one = signed(roster, rosters.signer())
    RosterRecord.objects.create(
        realm=roster.realm,
        epoch=roster.epoch,
        digest=one.digest,
        text=one.text,
        signatures=[],
        issued_at=roster.issued_at,
        accepted_at=roster.issued_at,
    )


def every_state(now: datetime) -> None:
    """Links of ``EVERY_STATE`` as their rows say it, each heard two minutes ago unless its state is another."""
    from tansiq.exchange.models import Comparison, Evidence, Link, WayHeard
    from tansiq.exchange.node import alarms

    lately, before, long_ago = now - timedelta(minutes=2), now - timedelta(hours=5), now - timedelta(days=12)
    usual = {"heard_at": lately, "heard_way": "jetstream", "heard_epoch": 1, "clock_offset_ms": 140}
    equal = {"equal_at": before, "compared_at": before}
    for peer, more in {
        "XC": equal | {"heard_at": long_ago, "heard_way": "mail"},
        "XD": equal | {"clock_offset_ms": -5_400_000},
        "XE": equal | {"heard_version": "tansiq/0.9.2"},
        "XG": equal | {"incomplete_since": before, "heard_epoch": 2},
        "XH": equal,
        "XM": equal | {"frozen_at": before, "incomplete_since": before},
    }.items():
        Link.objects.create(peer=peer, **(usual | more))
    WayHeard.objects.create(peer="XE", way="jetstream", heard_at=lately, attempted_at=lately)
    WayHeard.objects.create(peer="XE", way="mail", attempted_at=before, failed_at=before, failure="failed")
    WayHeard.objects.create(peer="XC", way="mail", heard_at=long_ago, attempted_at=long_ago, failed_at=long_ago)
    alarms.raise_alarm("exchange.not_entitled", "XH", {"count": 3, "lane": "normal"}, before)
    alarms.raise_alarm("exchange.clone", "XM", {"what": "equivocation", "lane": "urgent"}, before)
    Evidence.objects.create(
        peer="XM", lane="urgent", position=7, what="equivocation", digest=digest(b"one"), body=b"one", seen_at=before
    )
    for number, said in enumerate(({"equal": True}, {"equal": False, "missing": 4, "different": 1}, {}), 1):
        moments = {"began_at": before, "last_at": before, "ended_at": before}
        Comparison.objects.create(id=f"0000000{number}", peer="XE", outward=number != 2, **moments, **said)


def statement(object_id: str, *, made_at: datetime, kind: str = "case.note") -> Statement:
    from tansiq.exchange import markings
    from tansiq.exchange.models import MarkingSet, Statement

    team = object_id.partition(":")[0]
    text = markings.write([Marking(Tlp.AMBER_STRICT, team, Audience.of(teams=["XE-CERT"]))])
    marking, _is_new = MarkingSet.objects.get_or_create(key=digest(text.encode()), defaults={"text": text})
    return Statement.objects.create(
        object=object_id,
        term=1,
        n=1,
        leaf=digest(object_id.encode()),
        kind=kind,
        team=team,
        marking=marking,
        content=b"{}",
        made_at=made_at,
    )


def on_the_way(now: datetime, *, peer: str = "XE") -> None:
    """For ``peer``: an object of this node, sealed; one of its guest, with a receipt; each again, not sealed yet."""
    from tansiq.exchange.models import OutboxRow, OutChannel, Sent

    before = now - timedelta(hours=3)
    ours, theirs = statement(OURS, made_at=before), statement(GUESTS, made_at=before)
    channel = OutChannel.objects.create(
        peer=peer,
        lane="normal",
        incarnation="5-abcdefghijklmnop",
        given=3,
        hash=EMPTY_DIGEST,
        believed_hash=EMPTY_DIGEST,
        waiting_bodies=1,
        waiting_bytes=4_096,
    )
    common = {"channel": channel, "prev": EMPTY_DIGEST, "digest": EMPTY_DIGEST, "made_at": before, "attempts": 2}
    Sent.objects.create(
        first=1, last=1, body=b"{}", statement=theirs, size_bytes=900, first_sent_at=before, covered_at=now, **common
    )
    Sent.objects.create(
        first=2, last=2, body=b"{}", statement=ours, size_bytes=4_096, first_sent_at=before, mailed=1, **common
    )
    Sent.objects.create(first=3, last=5, skipped="limit", covered_at=now, **common)
    for one in (ours, theirs):
        OutboxRow.objects.create(peer=peer, lane="bulk", statement=one, size_bytes=50_000, put_at=before)


def came(
    name: str,
    *,
    to: Sequence[str] = ("XA-CERT",),
    state: str = "quarantined",
    reason: str = "payload",
    at: datetime,
    stream: Stream | None = None,
    text: str = SECRET,
    **more: object,
) -> Waiting:
    """A version of XE-CERT's object that waits here, for people of ``to``."""
    from tansiq.exchange.models import InChannel, Waiting

    stream = stream or Stream("XE", "XA")
    marking = marked("XE-CERT", *to)
    body = stream.says(name, team="XE-CERT", object=f"XE-CERT:{name}", marking=marking, text=text, at=at)
    channel, _is_new = InChannel.objects.get_or_create(
        peer=stream.sender,
        lane=stream.lane.value,
        incarnation=stream.incarnation,
        defaults={"number": 5, "begun_at": at, "hash": EMPTY_DIGEST},
    )
    from tansiq.exchange import markings

    fields: dict[str, object] = {
        "channel": channel,
        "seq": stream.given,
        "object": f"XE-CERT:{name}",
        "term": 1,
        "n": 1,
        "leaf": digest(body.content),
        "kind": "case.note",
        "team": "XE-CERT",
        "epoch": 1,
        "marking_text": markings.write(marking),
        "unfit": reason if state == "quarantined" else "",
        "state": state,
        "reason": reason,
        "examined": 1,
        "signer": body.signer,
        "size_bytes": len(body.content),
        "way": "jetstream",
        "arrived_at": at,
        "body": body.content,
    }
    return Waiting.objects.create(**(fields | more))


def recalled(now: datetime) -> None:
    """One recall of each kind of end, ordered by this node; one that came."""
    from tansiq.exchange.models import RecallHeard, RecallOrder

    before = now - timedelta(days=1)
    for peer, outcome, reason in (
        ("XC", "", ""),
        ("XE", "deleted", "deleted"),
        ("XG", "kept", "law"),
        ("XH", "refused", "not_owner"),
    ):
        answered = now if outcome else None
        RecallOrder.objects.create(
            object=OURS,
            peer=peer,
            cause="marking",
            ordered_at=before,
            outcome=outcome,
            reason=reason,
            answered_at=answered,
        )
    RecallOrder.objects.create(object=GUESTS, peer="XE", cause="roster", ordered_at=before)
    RecallHeard.objects.create(
        recall="XE-CERT:recall.1", peer="XE", object=THEIRS, heard_at=now, outcome="deleted", reason="deleted"
    )


def asked_for(now: datetime) -> int:
    """Two communication checks of XE-CERT, one of which was answered here. Returns: number of the other."""
    from tansiq.exchange.models import CheckHeard

    before = now - timedelta(hours=1)
    CheckHeard.objects.create(
        round="7f47", team="XE-CERT", sent_at=before, heard_at=before, seen_at=now, seen_by="P-7F48"
    )
    return CheckHeard.objects.create(round="7f49", team="XE-CERT", sent_at=now, heard_at=now).pk


def drawn(home: Home) -> JoinRequest:
    """A request of this node, ``XA`` if nobody named it, whose keys are in ``home`` from now on."""
    from tansiq.exchange import custody, nkey
    from tansiq.exchange.join import JoinRequest
    from tansiq.members.models import Node

    code = Node.objects.values_list("code", flat=True).first() or "XA"
    keys = custody.draw(home, code=code, team="XA-CERT", realm="live")
    return JoinRequest(
        realm="live",
        node=code,
        team="XA-CERT",
        node_certificate=keys.node[0].certificate,
        platform_certificate=keys.platform["XA-CERT"][0].certificate,
        nkey=nkey.public(keys.seed),
        mail="",
    )


def _in_use_since(issued_at: datetime) -> None:
    """This node's key and all others', by the roster that brought them."""
    from tansiq.exchange.models import RosterRecord

    RosterRecord.objects.update(issued_at=issued_at)


def filled(now: datetime, request: JoinRequest | None = None) -> tuple[int, int]:
    """All of the above, but for checks. Returns: number of a version that waits, and of an alarm."""
    from tansiq.exchange.models import Alarm, ParkedBody

    federated(request=request)
    _in_use_since(now - timedelta(days=100))
    every_state(now)
    on_the_way(now)
    recalled(now)
    stream = Stream("XE", "XA")
    waiting = came("case.7f43", at=now, stream=stream)
    came("case.7f44", at=now, stream=stream, to=["XF-CERT"], state="parked", reason="reference", text="For guests")
    came("case.7f45", at=now, stream=stream, state="refused", refused="payload", refused_by="P-ELSE")
    ParkedBody.objects.create(
        digest=digest(b"whole"),
        signer="F" * 40,
        peer="XG",
        lane="bulk",
        reason="epoch",
        epoch=2,
        sent_at=now,
        way="mail",
        arrived_at=now,
        size_bytes=2,
        body=b"{}",
    )
    return waiting.pk, Alarm.objects.get(peer="XH").pk
