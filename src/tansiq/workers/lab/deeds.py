"""What is done in a node's name for a moment: by its desks, its signer, its operator. Each in a process of its own."""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tansiq.core.marking import Audience, Marking, Tlp
from tansiq.exchange import bundle, custody, file, jetstream
from tansiq.exchange.blobs import BlobStore
from tansiq.exchange.body import Lane
from tansiq.exchange.carried import Outbound, Outcome
from tansiq.exchange.models import SharedObject
from tansiq.exchange.node import comparing, exporting, forwarding, importing, issuing, life, publishing, statements
from tansiq.exchange.node.here import Here
from tansiq.exchange.node.inbox import Became
from tansiq.exchange.node.publishing import Change, NodeIsHeld
from tansiq.exchange.parts import Header
from tansiq.exchange.seal import Sealed, Unsealed, unsealed
from tansiq.exchange.transport import Transport
from tansiq.exchange.values import new_id
from tansiq.workers.lab import founding, kind, line
from tansiq.workers.lab.node import become, here
from tansiq.workers.lab.place import Place

Said = Mapping[str, Any]
A_TRANSACTION = 5_000
FLAWS: Mapping[str, dict[str, Any]] = {"": {}, "payload": {"refers": "?"}, "reference": {"refers": ["XA:never"]}}
"""What is wrong with an object that is published with it: quarantined wherever it comes, or parked for ever."""
CONNECT_SECONDS = 10.0
SEALED_SECONDS = 15.0


def publish(place: Place, name: str, said: Said) -> int:
    """``objects`` new objects of a ``lane``, for the nodes ``to`` (empty: the community). Returns: how many."""
    this, watched = here(become(place, name), place, name)
    lane, text = Lane(said["lane"]), _text(said)
    changes = [
        Change(
            kind=kind.KINDS[lane],
            name=f"lab.{said['series']}.{number}",
            payload={"text": text, "refers": []} | FLAWS[said.get("flaw", "")],
            markings=[_marking(this, said["to"])],
            team=this.team,
        )
        for number in range(said["objects"])
    ]
    return _published(this, changes, watched.clock)


def change(place: Place, name: str, said: Said) -> list[str]:
    """A new version of ``objects`` of its own; with ``to`` for these nodes from now on. Returns: the text of each."""
    this, watched = here(become(place, name), place, name)
    changes = []
    for row in _own(this, said):
        last = statements.said(row.statement)
        markings = [_marking(this, said["to"])] if said["to"] is not None else statements.markings_of(row.statement)
        changes.append(
            Change(
                kind=row.kind,
                name=row.object.partition(":")[2],
                payload=last.payload,
                markings=markings,
                team=this.team,
            )
        )
    done = _published(this, changes, watched.clock)
    return [change.payload["text"] for change in changes[:done]]


def withdraw(place: Place, name: str, said: Said) -> list[str]:
    """Take ``objects`` of its own back. Returns: their ids."""
    this, watched = here(become(place, name), place, name)
    done = []
    for row in _own(this, said):
        try:
            publishing.withdraw(this, row.object, watched.clock())
            done.append(row.object)
        except NodeIsHeld:
            break
    return done


def forward(place: Place, name: str, said: Said) -> list[str]:
    """``objects`` of others to the nodes ``to``. Returns: those that could go, once for each node."""
    this, watched = here(become(place, name), place, name)
    rows = _drawn(SharedObject.objects.exclude(owner=this.team), said)
    going = ((row.object, peer) for row in rows for peer in said["to"])
    return [name for name, peer in going if forwarding.forward(this, name, peer, watched.clock())]


def _published(this: Here, changes: Sequence[Change], clock: Any) -> int:
    try:
        for first in range(0, len(changes), A_TRANSACTION):
            publishing.publish_all(this, changes[first : first + A_TRANSACTION], clock())
    except NodeIsHeld:
        return 0
    return len(changes)


def _text(said: Said) -> str:
    return f"{said['marker']} ".ljust(said["size_bytes"], ".")


def _marking(this: Here, to: Sequence[str]) -> Marking:
    """Teams of a lab are called as their nodes."""
    if not to:
        return Marking(Tlp.GREEN, this.team)
    return Marking(Tlp.AMBER_STRICT, this.team, Audience.of(teams=to))


def _own(this: Here, said: Said) -> list[SharedObject]:
    return _drawn(SharedObject.objects.filter(owner=this.team, withheld=False), said)


def _drawn(rows: Any, said: Said) -> list[SharedObject]:
    """``objects`` of those that a lab's kinds have, drawn by ``seed``; of ``series`` alone if one is named."""
    rows = rows.filter(kind__in=kind.KINDS.values(), statement__isnull=False)
    if said.get("series"):
        rows = rows.filter(object__contains=f":lab.{said['series']}.")
    there = list(rows.select_related("statement").order_by("object"))
    return random.Random(said["seed"]).sample(there, min(said["objects"], len(there)))


# ---- the federation


def issue(place: Place, name: str, said: Said) -> int:
    """The next roster by the signer. Returns: its epoch."""
    home = become(place, name)
    _this, watched = here(home, place, name)
    changes = issuing.Changes(
        remove=said.get("remove", ()),
        rotate=[founding.request(place, code) for code in said.get("rotate", ())],
        forward=said.get("forward", ()),
    )
    signed = issuing.issue(home, changes, by=founding.SYSTEM, now=watched.clock())
    founding.keep_roster(place, signed)
    return signed.epoch


def ask_for_keys(place: Place, name: str, said: Said) -> None:
    """The request by which a node's keys are replaced."""
    _asked, file = issuing.request(become(place, name), rotate=True)
    (place.folder / f"{name}.join.json").write_bytes(file)


def flood(place: Place, name: str, said: Said) -> int:
    """What a member does whom nothing binds: ``messages`` of noise to every peer, on every lane, as fast as it can.

    Returns: how many the message server took.
    """
    home = become(place, name)
    this, _watched = here(home, place, name)
    chance = random.Random(said["seed"])
    noise = [chance.randbytes(said["size_bytes"]) for _ in range(8)]
    messages = [
        Outbound(
            jetstream.subject(this.realm, peer, lane, this.code), chance.choice(noise), new_id(_watched.clock()) + ".1"
        )
        for _ in range(said["messages"])
        for lane in Lane
        for peer in sorted(this.peers)
    ]
    seed = custody.load(home, realm=this.realm).seed
    with Transport([place.read()["url"]], seed, this.code, this.realm) as transport:
        transport.wait(CONNECT_SECONDS)
        return transport.publish_many(messages).count(Outcome.ACKNOWLEDGED)


# ---- the operator


def back_up(place: Place, name: str, said: Said) -> None:
    with sqlite3.connect(place.home(name).database) as of, sqlite3.connect(place.backup(name)) as to:
        of.backup(to)


def declare_restored(place: Place, name: str, said: Said) -> None:
    this, watched = here(become(place, name), place, name)
    life.restore(this, watched.clock())


def want_compared(place: Place, name: str, said: Said) -> None:
    this, watched = here(become(place, name), place, name)
    for peer in said["peers"]:
        comparing.want(this, peer, watched.clock())


# ---- who looks


def open_tap(place: Place, name: str, said: Said) -> dict[str, Any]:
    """Whatever the message server ever handed to a node, opened with all keys that it has.

    Returns: ``opened``, how many messages that was possible with; ``found``, which ``markers`` are in them.
    """
    this, _watched = here(become(place, name), place, name)
    markers = {marker.encode(): marker for marker in said["markers"]}
    signers = this.facts.believed_certificates()
    count, found = 0, set()
    for message in line.tapped(place.tap(name)):
        opened = unsealed(Sealed(message), by=this.secrets, signers=signers)
        if isinstance(opened, Unsealed):
            count += 1
            found |= {marker for written, marker in markers.items() if written in opened.content}
    return {"opened": count, "found": sorted(found)}


# ---- a stick


def carry_off(place: Place, name: str, said: Said) -> None:
    """Write a file for the nodes ``to``, when the node's own process has given positions to what is for them."""
    home = become(place, name)
    this, watched = here(home, place, name)
    until = time.monotonic() + SEALED_SECONDS
    while exporting.unsealed(said["to"]) and time.monotonic() < until:
        time.sleep(0.1)
    now = watched.clock()
    worker = f"lab carry {name}"
    given = exporting.Exporting(this, said["to"], store=BlobStore(home.blobs), worker=worker, now=now)
    header = Header.of(realm=this.realm, sender=this.code, made_at=now, to=said["to"])
    file.write(Path(said["stick"]), header, given.parts())


def take_in(place: Place, name: str, said: Said) -> int:
    """Take in a file that another node has written. Returns: bodies that came by it first."""
    home = become(place, name)
    this, watched = here(home, place, name)
    store = BlobStore(home.blobs)
    with (
        importing.Importing(lambda: here(home, place, name)[0], store=store, clock=watched.clock) as taking,
        bundle.opened(Path(said["stick"]), realm=this.realm) as opened,
    ):
        taking.take(opened.parts(here=this.code))
        return taking.imported.became[Became.TAKEN]
