"""``DatabaseFederation("XA", "XE", "XF")``: the nodes of ``federation``, each on a database of its own.

A ``DatabaseNode`` says and does what ``federation_node.Node`` does, by the functions of ``tansiq.exchange.node``: the
same scenarios and the same state machine run over both. Author signatures are real; the nodes' seals are left out.
"""

from __future__ import annotations

import json
import random
import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from factories import exchange_node as make
from factories import node_databases
from factories.exchange import node_secret, written_otherwise
from factories.node_databases import on
from federation import BEGINNING, Federation
from federation_node import REALM, Ask, Fact, Letter, Live, Roster
from tansiq.core.viewer import Role, Viewer
from tansiq.exchange import canonical, reading, values
from tansiq.exchange.body import Body, Channel, Lane, ObjectState, Placed, Receipt, State, Version
from tansiq.exchange.channel import Limit
from tansiq.exchange.compare import item_of
from tansiq.exchange.kinds import Said
from tansiq.exchange.node.here import Here
from tansiq.exchange.reasons import Reason
from tansiq.exchange.receiving import Recall
from tansiq.exchange.requests import ReceiptAsked, RecoveryAsked, RecoveryGiven
from tansiq.exchange.trust import Authentic

if TYPE_CHECKING:
    from tansiq.exchange.node.leaving import Attempt

KNOWN_AT_FIRST = ("alert", "case.note", "event")
ASKED_AGAIN = timedelta(seconds=5)
BEFORE = datetime.min.replace(tzinfo=UTC)


class Repeatable:
    """In place of ``secrets``: a run can be repeated."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self.choice = self._random.choice
        self.randbits = self._random.getrandbits


@cache
def django() -> None:
    import os

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tansiq.settings")
    import django

    django.setup()


@dataclass(frozen=True)
class Request:
    """A letter's content: what a restored node asks, or one that asks back."""

    asked: RecoveryAsked


@dataclass(frozen=True)
class Answer:
    given: RecoveryGiven


@dataclass
class Log:
    """The desk: what was applied and withdrawn of others' objects, in order."""

    code: str
    entries: list[tuple[str, str, Version]] = field(default_factory=list)

    def apply(self, said: Said, now: datetime) -> None:
        if said.team != self.code:
            self.entries.append(("applied", said.object, said.version))

    def withdraw(self, identifier: str, now: datetime) -> None:
        self.entries.append(("recalled", identifier, Version(0, 0)))


@dataclass
class OutView:
    """The sender's end of a channel, as far as tests look at it."""

    rows: int
    uncovered: int
    states: dict[str, ObjectState]


class DatabaseNode:
    """See the module. Methods are those of ``federation_node.Node``."""

    def __init__(
        self, code: str, roster: Roster, limits: dict[Lane, Limit], window: int, *, connection: Any = None
    ) -> None:
        self.code, self.roster, self.limits, self.window = code, roster, limits, window
        self.known: tuple[str, ...] = KNOWN_AT_FIRST
        self.desk = Log(code)
        self.now = BEGINNING
        self.asked: dict[tuple[str, ReceiptAsked], datetime] = {}
        django()
        self._take(connection or node_databases.new())

    def _take(self, connection: Any) -> None:
        """It is left with this node: a run makes thousands."""
        self.connection = connection
        weakref.finalize(self, node_databases.leave, connection).atexit = False

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "connection": node_databases.content_of(self.connection)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """A process that died: what was in memory only is gone."""
        from tansiq.exchange.node import comparing, returning

        self.__dict__.update(state)
        self._take(node_databases.new(state["connection"]))
        for memory in (returning._partial, comparing._opened):
            for key in [key for key in memory if key[0] == self.code]:
                del memory[key]

    def here(self, roster: Roster | None = None) -> Here:
        roster = roster or self.roster
        members = sorted(roster.members | {self.code}) if self.code in roster.members else sorted(roster.members)
        return make.here(
            self.code,
            epoch=roster.epoch,
            members=members,
            former=sorted(roster.former),
            mail=members,
            known=make.kinds(self.desk, known=self.known),  # type: ignore[arg-type]
            limits=self.limits,
            window=self.window,
        )

    @contextmanager
    def at(self, now: datetime | None = None) -> Iterator[Here]:
        self.now = now or self.now
        with on(self.connection):
            yield self.here()

    # ---- what people do

    def publish(
        self, name: str, *, audience: Iterable[str], text: str, kind: str = "case.note", needs: str = ""
    ) -> Fact | None:
        """None: a node that knows of a roster without it says nothing to the federation."""
        if self.code not in self.roster.members:
            return None
        from tansiq.exchange.models import SharedObject
        from tansiq.exchange.node import publishing

        with self.at() as here:
            before = SharedObject.objects.filter(object=f"{self.code}:{name}", statement__isnull=False).first()
            statement = publishing.publish(
                _knowing_all(here, self.desk),
                kind=before.kind if before else kind,
                name=name,
                payload=make.payload(text, needs=needs),
                markings=make.marked(self.code, *sorted(set(audience) - {self.code})),
                team=self.code,
                now=self.now,
            )
            return _fact(statement)

    def forward(self, identifier: str, peer: str) -> None:
        """It writes the author's signature otherwise before, as a forwarder may: which is to make no difference."""
        from tansiq.exchange.node import publishing

        with self.at() as here:
            if identifier.partition(":")[0] != self.code:
                _write_signature_otherwise(identifier)
            publishing.forward(here, identifier, peer, self.now)

    def refuse(self, now: datetime, *, also: frozenset[Reason] = frozenset()) -> None:
        """A person looks through what is quarantined, or parked for one of ``also``, and refuses all of it for good."""
        from tansiq.core.decision import NotAllowed
        from tansiq.exchange.models import Waiting
        from tansiq.exchange.node import settling

        person = Viewer(person=f"{self.code}-P", team=self.code, roles=frozenset({Role.ANALYST}), community=True)
        with self.at(now) as here:
            open_ones = Waiting.objects.exclude(state=State.REFUSED)
            wanted = [
                row.pk for row in open_ones.defer("body") if row.unfit or row.reason in {one.value for one in also}
            ]
            for pk in wanted:
                try:
                    settling.refuse(here, pk, person, now)
                except (settling.NotWaiting, NotAllowed):
                    continue

    def learn_kinds(self, now: datetime) -> None:
        from tansiq.exchange.node import settling

        self.known = (*KNOWN_AT_FIRST, "new.kind")
        with self.at(now) as here:
            settling.on_kinds_changed(here, now)
            _settle_ready(here, now)

    def on_roster(self, roster: Roster, now: datetime) -> list[Letter]:
        from tansiq.exchange.node import recalls, settling

        if roster.epoch <= self.roster.epoch:
            return []
        before, self.roster = self.here(), roster
        with self.at(now) as here:
            recalls.on_roster(before, here, now)
            settling.on_roster(here, now)
            _settle_ready(here, now)
        return self.unpark(now)

    # ---- a restore

    def restore(self, now: datetime, machine: int) -> None:
        from tansiq.exchange.node import holding

        with self.at(now) as here:
            holding.restore(here, now)

    # ---- the loops

    def tick(self, now: datetime) -> list[Letter]:
        from tansiq.exchange.node import due, holding, recalls, receipting

        with self.at(now) as here:
            letters = [Letter(self.code, peer, Request(asked)) for peer, asked in holding.due_requests(here, now)]
            if holding.is_held():
                return letters
            recalls.sign_recalls(here, now=now)
            for lane in Lane:
                letters += self._sealed(here, due.to_seal(here, lane), lane, now)
            for lane in Lane:
                for peer in sorted({*due.to_attempt(here, lane, now), *due.uncovered(here, lane, now)}):
                    letters += self._attempted(here, peer, lane, now)
            _settle_ready(here, now)
            letters += [Letter(self.code, one.recipient, one) for one in receipting.due_receipts(here, now=now)]
            letters += self._asks(here, now)
        return letters

    def _sealed(self, here: Here, peers: list[str], lane: Lane, now: datetime) -> list[Letter]:
        from tansiq.exchange.node import sealing

        left, letters = set(peers), []
        while left:
            made = sealing.seal(here, left, lane, worker=self.code, now=now)
            letters += self._letters(made.attempts)
            left -= set(made.waiting)
            if not made.more:
                break
        return letters

    def _attempted(self, here: Here, peer: str, lane: Lane, now: datetime) -> Iterator[Letter]:
        from tansiq.exchange.node import attempts

        return self._letters(attempts.due_attempts(here, peer, lane, now=now))

    def _letters(self, made: Iterable[Attempt]) -> Iterator[Letter]:
        for one in made:
            yield from (Letter(self.code, one.peer, read(one.body), way) for way in sorted(one.ways))

    def _asks(self, here: Here, now: datetime) -> Iterator[Letter]:
        """For receipts of which something was lost."""
        from tansiq.exchange.node import untold

        for peer, asked in untold.due_asks(here, now):
            if not timedelta(0) <= now - self.asked.get((peer, asked), BEFORE) < ASKED_AGAIN:
                self.asked[peer, asked] = now
                channel = Channel(REALM, self.code, peer, asked.lane, asked.incarnation)
                yield Letter(self.code, peer, Ask(channel=channel, since=asked.since))

    def unpark(self, now: datetime) -> list[Letter]:
        from tansiq.exchange.node import inbox

        with self.at(now) as here:
            outcomes = inbox.unpark(here, now)
            replies = [reply for outcome in outcomes for reply in self._follow(here, outcome, now)]
            _settle_ready(here, now)
            return replies

    # ---- what comes

    def receive(self, letter: Letter, now: datetime) -> list[Letter]:
        content, peer = letter.content, letter.sender
        if isinstance(content, Roster):
            return self.on_roster(content, now)
        with self.at(now) as here:
            return list(self._received(here, letter, now)) if peer != self.code else []

    def _received(self, here: Here, letter: Letter, now: datetime) -> Iterator[Letter]:
        from tansiq.exchange.node import holding, inbox, receipting

        content, peer = letter.content, letter.sender
        match content:
            case Request(asked):
                for given in holding.on_request(here, peer, asked, now):
                    yield Letter(self.code, peer, Answer(given))
            case Answer(given):
                for asked in holding.on_answer(here, peer, given, now):
                    yield Letter(self.code, peer, Request(asked))
            case Ask(channel=None, epoch=epoch):
                if self.roster.epoch >= epoch:
                    yield Letter(self.code, peer, self.roster)
            case Ask(channel=Channel() as channel, since=since):
                receipting.on_asked(here, peer, channel.lane, channel.incarnation, since)
            case Body():
                body = Authentic.stored(content.written(), signer=node_secret(peer).fingerprint)
                (outcome,) = inbox.receive(here, [(body, letter.way.value)], now=now)
                yield from self._follow(here, outcome, now)

    def _follow(self, here: Here, outcome: Any, now: datetime) -> Iterator[Letter]:
        from tansiq.exchange.node import attempts, inbox

        head = outcome.body.head
        if outcome.ask_roster:
            yield Letter(self.code, head.sender, Ask(epoch=head.epoch))
        is_behind = outcome.became is inbox.Became.REFUSED or head.epoch < here.epoch
        if is_behind and isinstance(head, Placed):  # what it would learn by a receipt, or by asking within the hour
            yield Letter(self.code, head.sender, self.roster)
        if outcome.became is inbox.Became.OTHER and isinstance(head, Receipt):
            follow = attempts.on_receipt(here, head, now)
            if follow.ask_since is not None:
                yield Letter(self.code, head.sender, Ask(channel=head.channel, since=follow.ask_since))

    # ---- comparison

    def shared_out(self, peer: str) -> dict[bytes, tuple[bytes, str]]:
        from tansiq.exchange.node.repairing import own_versions

        with self.at() as here:
            return _items(own_versions(here, peer, self.now))

    def shared_in(self, peer: str) -> dict[bytes, tuple[bytes, str]]:
        from tansiq.exchange.node.possession import compared

        with self.at() as here:
            return _items(compared(here, peer))

    def repair(self, peer: str, identifier: str) -> None:
        from tansiq.exchange.node import comparing

        with self.at() as here:
            comparing.repair(here, peer, [identifier], self.now)

    def ask_back(self, peer: str, now: datetime) -> None:
        from tansiq.exchange.node import holding

        with self.at(now) as here:
            holding.ask_back(here, peer, now)

    def note_equal(self, peer: str) -> None:
        from tansiq.exchange.models import Link

        with self.at():
            Link.objects.filter(peer=peer).update(incomplete_since=None)

    # ---- what tests look at

    @property
    def incomplete(self) -> set[str]:
        from tansiq.exchange.models import Link

        with self.at():
            return set(Link.objects.filter(incomplete_since__isnull=False).values_list("peer", flat=True))

    @property
    def held(self) -> Any:
        from tansiq.exchange.node import life

        with self.at():
            return life.held()

    @property
    def objects(self) -> dict[str, Live]:
        from tansiq.exchange.models import SharedObject

        with self.at():
            rows = (
                SharedObject.objects.filter(statement__isnull=False)
                .select_related("statement__marking")
                .order_by("object")
            )
            return {
                row.object: Live(_fact(row.statement, withheld=row.withheld), row.epoch)
                for row in rows.order_by("object")
            }

    @property
    def recalls(self) -> dict[str, Recall]:
        from tansiq.exchange.models import SharedObject
        from tansiq.exchange.node.tombstones import recall_of

        with self.at():
            found = {row.object: recall_of(row) for row in SharedObject.objects.all()}
            return {identifier: recall for identifier, recall in found.items() if recall != Recall()}

    @property
    def refused(self) -> set[tuple[str, Version]]:
        from tansiq.exchange.models import Waiting

        with self.at():
            rows = Waiting.objects.filter(state=State.REFUSED).values_list("object", "term", "n")
            return {(identifier, Version(term, n)) for identifier, term, n in rows}

    @property
    def log(self) -> list[tuple[str, str, Version]]:
        return self.desk.entries

    @property
    def evidence(self) -> list[str]:
        from tansiq.exchange.models import Evidence

        with self.at():
            return [str(row) for row in Evidence.objects.order_by("pk")]

    @property
    def outs(self) -> dict[tuple[str, Lane], OutView]:
        """Of a node one view of states: receipts of any lane tell them."""
        from tansiq.exchange.models import OutboxRow, OutChannel, Recipient, Sent

        with self.at():
            views: dict[tuple[str, Lane], OutView] = {}
            for channel in OutChannel.objects.all():
                states = Recipient.objects.filter(peer=channel.peer).exclude(state="")
                views[channel.peer, Lane(channel.lane)] = OutView(
                    OutboxRow.objects.filter(peer=channel.peer, lane=channel.lane).count(),
                    Sent.objects.filter(channel=channel, covered_at=None).count(),
                    {row.object: _state(row) for row in states},
                )
            return views

    def _stored(self) -> list[str]:
        from tansiq.exchange.models import Waiting

        with self.at():
            return list(Waiting.objects.exclude(state=State.REFUSED).values_list("object", flat=True))

    def is_quiet(self) -> bool:
        from tansiq.exchange.models import Link, OutboxRow, RecallOrder, Sent, Waiting
        from tansiq.exchange.node import holding

        members = self.roster.members
        with self.at():
            return not (
                holding.is_held()
                or Link.objects.filter(asking_since__isnull=False, peer__in=members).exists()
                or OutboxRow.objects.filter(peer__in=members).exists()
                or Sent.objects.filter(covered_at=None, channel__peer__in=members).exists()
                or RecallOrder.objects.filter(peer__in=members, answered_at=None).exists()
                or Waiting.objects.filter(ready=True).exists()
            )

    def has_news(self) -> bool:
        from tansiq.exchange.models import InChannel

        with self.at():
            return InChannel.objects.filter(unsaid=True, peer__in=self.roster.members).exists()

    def unrest(self) -> object:
        """Whom it waits for, where rows or bodies wait, what waits here."""
        from tansiq.exchange.models import Link, Waiting

        with self.at():
            asking = list(Link.objects.filter(asking_since__isnull=False).values_list("peer", flat=True))
            waiting = list(Waiting.objects.values_list("object", "term", "n", "state", "reason", "ready"))
        outs = {where: (out.rows, out.uncovered) for where, out in self.outs.items() if out.rows or out.uncovered}
        return self.held, asking, outs, waiting


class DatabaseFederation(Federation):
    """Runs can be repeated: what is minted comes from one seed."""

    make_node: Any = DatabaseNode

    def __init__(self, *codes: str, **options: Any) -> None:
        django()
        values.secrets = Repeatable(7)  # type: ignore[assignment]
        super().__init__(*codes, **options)


def read(body: bytes) -> Body:
    head = reading.read_head(*reading.read_content(body))
    return reading.read_envelope(head) if head.extra.get("t") == "envelope" else head  # type: ignore[arg-type]


def _knowing_all(here: Here, desk: Log) -> Here:
    """Who publishes knows the kind."""
    return replace(here, kinds=make.kinds(desk, known=(*KNOWN_AT_FIRST, "new.kind")))  # type: ignore[arg-type]


def _settle_ready(here: Here, now: datetime) -> None:
    from tansiq.exchange.node import holding, settling

    while not holding.is_held() and settling.settle_ready(here, now):
        pass


def _write_signature_otherwise(identifier: str) -> None:
    from tansiq.exchange.models import SharedObject, Statement

    row = SharedObject.objects.select_related("statement").filter(object=identifier, statement__isnull=False).first()
    content = json.loads(bytes(row.statement.content)) if row else {"author": {"signature": ""}}
    signature = values.read_bytes(content["author"]["signature"])
    if signature[:1] == b"\xc2" and signature[1] < 192:  # as it was made
        otherwise = values.write_bytes(written_otherwise(signature, "unhashed"))
        changed = content | {"author": content["author"] | {"signature": otherwise}}
        Statement.objects.filter(pk=row.statement_id).update(content=canonical.write(changed).encode())


def _fact(statement: Any, *, withheld: bool = False) -> Fact:
    from tansiq.exchange.node import statements

    said = statements.said(statement)
    (marking,) = statements.markings_of(statement)
    audience = frozenset() if withheld else marking.audience.teams - {marking.origin}
    version = Version(statement.term, statement.n)
    return Fact(said.object, version, said.kind, audience, said.payload["text"], said.payload.get("needs", ""))


def _state(row: Any) -> ObjectState:
    version = Version(row.state_term, row.state_n)
    return ObjectState(object=row.object, version=version, state=State(row.state), reason=row.reason)


def _items(rows: Iterable[Any]) -> dict[bytes, tuple[bytes, str]]:
    found = {}
    for one in rows:
        key, leaf = item_of(one.object, one.kind, one.version, one.leaf)
        found[key] = (leaf, one.object)
    return found
