"""Rows become bodies, and bodies attempts, each decided anew."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from federation_node.settling import Settling
from federation_node.values import FORGED, REALM, RECALL, Fact, Letter, Out, Recalling, envelope_of
from tansiq.exchange import held, sending
from tansiq.exchange.body import Author, Channel, Envelope, Lane, Placed, Skip, SkipReason
from tansiq.exchange.sending import Backlog, Entry, Room, Row, Way
from tansiq.exchange.values import digest


class Sending(Settling):
    """Rows become bodies, and bodies attempts, each decided anew."""

    def _mint(self, number: int) -> str:
        self.minted += 1
        letters = "abcdefghijklmnopqrstuvwxyz234567"
        seed = digest(f"{self.code} {self.machine} {self.minted}".encode())
        return f"{number}-" + "".join(
            letters[int(pair, 16) % 32] for pair in (seed[i : i + 2] for i in range(0, 32, 2))
        )

    def _may_go(self, peer: str, what: Fact | Recalling) -> bool:
        """The decision, under the roster and the marking of this moment (section 8.3)."""
        if isinstance(what, Recalling):
            return peer in self.roster.members | self.roster.former
        live = self.objects.get(what.object)
        allowed = live is not None and peer in self._audience(live.fact) and peer in what.audience
        return allowed and peer in self.roster.members

    def _uncovered(self, out: Out) -> list[Entry]:
        return [entry for entry in out.entries.values() if entry.covered_at is None]

    def _seal(self, peer: str, lane: Lane, out: Out, now: datetime) -> None:
        while out.rows:
            row, what = out.rows[0]
            waiting = self._uncovered(out)
            backlog = Backlog(len(waiting), sum(len(entry.body or b"") for entry in waiting))
            match sending.room(lane, backlog, row, limits=self.limits):
                case Room.WAIT:
                    return
                case Room.DROP:
                    out.rows.pop(0)
                    out.outgoing = sending.drop(out.outgoing)
                    self.incomplete.add(peer)
                    continue
            out.rows.pop(0)
            if not self._may_go(peer, what):
                continue
            owed = sending.owed_skip(out.outgoing)
            if owed:
                self._store(out, owed[0])
                out.outgoing = owed[1]
            if not out.outgoing.incarnation:
                out.outgoing = replace(out.outgoing, incarnation=self._mint(held.next_number(out.former, now=now)))
            channel = Channel(REALM, self.code, peer, lane, out.outgoing.incarnation)
            body = self._envelope(what, channel, out.outgoing.given + 1, out.outgoing.hash, now, row)
            entry, out.outgoing = sending.place(out.outgoing, row, body.written(), body.digest)
            self._store(out, entry)
            out.carried[entry.span.first] = what

    def _store(self, out: Out, entry: Entry) -> None:
        out.entries[entry.span.first] = entry

    def _envelope(
        self, what: Fact | Recalling, channel: Channel, seq: int, prev: str, now: datetime, row: Row | None = None
    ) -> Envelope:
        owner = self.code if isinstance(what, Recalling) else what.owner
        forged = isinstance(what, Fact) and FORGED in what.text
        payload = (
            json.dumps([what.object, list(what.recall.narrowed), list(what.recall.left), what.recall.epoch])
            if isinstance(what, Recalling)
            else what.payload
        )
        assert row is not None or isinstance(what, Fact)
        return Envelope(
            id=f"{channel.incarnation}.{seq}",
            realm=REALM,
            sender=channel.sender,
            recipient=channel.recipient,
            epoch=self.roster.epoch,
            sent_at=now,
            lane=channel.lane,
            incarnation=channel.incarnation,
            seq=seq,
            prev=prev,
            kind=row.kind if row else what.kind,  # type: ignore[union-attr]
            schema=1,
            object=row.object if row else what.object,
            version=row.version if row else what.version,  # type: ignore[union-attr]
            marking=json.dumps([] if isinstance(what, Recalling) else sorted(what.audience)),
            payload=payload,
            author=Author(team=owner, person="", key="", marking="", epoch=1, signature=b"forged" if forged else b""),
            via=() if owner == self.code else (self.code,),
        )

    def _attempts(self, peer: str, lane: Lane, out: Out, now: datetime) -> Iterator[Letter]:
        for entry in self._uncovered(out):
            what = out.carried.get(entry.span.first)
            if what is not None and not self._may_go(peer, what):
                self._store(out, replace(entry, body=None, row=None, skipped=SkipReason.ENTITLEMENT))
                del out.carried[entry.span.first]
        uncovered = sending.joined(self._uncovered(out))
        for first in [entry.span.first for entry in self._uncovered(out)]:
            del out.entries[first]
        out.entries |= {entry.span.first: entry for entry in uncovered}
        out.entries = dict(sorted(out.entries.items()))
        due = sending.due(
            uncovered, out.belief, lane=lane, has_mail=True, heard_at=out.heard_at, now=now, window=self.window
        )
        letters = []
        for entry, ways in due:
            body = self._body(peer, lane, out, entry, now)
            tried = sending.attempted(entry, ways, lane=lane, now=now)
            self._store(out, sending.handed_in(tried, now=now) if Way.MAIL in ways else tried)
            if isinstance(body, Envelope) and body.kind != RECALL:
                self.sent_to.setdefault(body.object, set()).add(peer)
            letters += [Letter(self.code, peer, body, way) for way in sorted(ways)]
        return iter(letters)

    def _body(self, peer: str, lane: Lane, out: Out, entry: Entry, now: datetime) -> Placed:
        if entry.body is not None:
            return envelope_of(entry.body)
        assert entry.skipped is not None
        span = entry.span
        return Skip(
            id="skip",
            realm=REALM,
            sender=self.code,
            recipient=peer,
            epoch=self.roster.epoch,
            sent_at=now,
            lane=lane,
            incarnation=out.outgoing.incarnation,
            seq=span.first,
            prev=span.prev,
            last=span.last,
            hash_after=span.digest,
            reason=entry.skipped,
        )
