"""A sender on its database against a recipient of the engine, under a hostile network: chains, counters, arrival.

Hypothesis publishes, narrows, lets portions be sealed and attempted, delivers, loses, repeats, lets time pass, restores
the recipient from an old state, and removes it from the roster and takes it back. After every step the counters are
what the tables hold and nothing that left was forbidden then; in the end every position is covered and what the
recipient may have is there in its latest version.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from factories.exchange_node import NOW, here, marked, payload
from factories.positions import Kept
from tansiq.exchange import canonical, reading, receipts, receiving
from tansiq.exchange.body import MOST_GAPS, Envelope, Lane, Receipt, Skip
from tansiq.exchange.channel import LIMITS, Cursor, Limit, Span
from tansiq.exchange.receipts import Ledger
from tansiq.exchange.receiving import Place
from tansiq.exchange.values import new_id

if TYPE_CHECKING:
    from tansiq.exchange.node.leaving import Attempt

SPANS = [timedelta(seconds=1), timedelta(seconds=6), timedelta(seconds=70), timedelta(minutes=11), timedelta(days=1)]
PEER = "XE"
LANE = Lane.NORMAL
SMALL: Mapping[Lane, Limit] = {**LIMITS, LANE: Limit(4, 10**9)}


@dataclass
class Recipient:
    """One channel's end, by incarnation, and the versions that came."""

    cursors: dict[str, Cursor] = field(default_factory=dict)
    kept: dict[str, Kept] = field(default_factory=dict)
    ledgers: dict[str, Ledger] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    skipped: set[tuple[str, int]] = field(default_factory=set)

    def take(self, attempt: Attempt) -> None:
        head = reading.read_head(canonical.read_canonical(attempt.body))
        body = head if isinstance(head, Skip) else reading.read_envelope(head)
        channel = body.incarnation
        cursor, kept = self.cursors.setdefault(channel, Cursor()), self.kept.setdefault(channel, Kept())
        taken = receiving.take(cursor, kept, Span.of(body), is_skip=isinstance(body, Skip), limit=LIMITS[LANE])
        assert taken.place is not Place.FROZEN, (taken, body)
        self.cursors[channel] = taken.cursor
        self.ledgers.setdefault(channel, Ledger())
        if taken.place is not Place.NEW:
            return
        kept.add(Span.of(body))
        if isinstance(body, Envelope):
            self.versions[body.object] = max(self.versions.get(body.object, 0), body.version.n)

    def receipt(self, now: datetime) -> Receipt | None:
        if not self.cursors:
            return None
        channel = max(self.cursors)
        cursor, kept = self.cursors[channel], self.kept[channel]
        gaps = kept.gaps(cursor, most=MOST_GAPS)
        said, self.ledgers[channel] = receipts.make(self.ledgers[channel], cursor, gaps=gaps, changed={}, now=now)
        return Receipt(
            id=new_id(now),
            realm="live",
            sender=PEER,
            recipient="XA",
            epoch=1,
            sent_at=now,
            lane=LANE,
            incarnation=channel,
            n=said.n,
            through=said.through,
            body_hash=said.body_hash,
            highest=said.highest,
            gaps=said.gaps,
            clock=now,
        )


class Sender(RuleBasedStateMachine):
    """See the module."""

    @initialize(small=st.booleans())
    def begin(self, small: bool) -> None:
        from django.db import transaction

        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.now, self.epoch, self.member = NOW, 1, True
        self.limits, self.window = (SMALL, 3) if small else (LIMITS, 50)
        self.recipient = Recipient()
        self.snapshots: list[Recipient] = []
        self.letters: list[Attempt] = []
        self.audiences: dict[str, bool] = {}
        self.versions: dict[str, int] = {}
        self.complete = not small
        self._make()

    def _make(self) -> None:
        members = ("XA", PEER, "XF") if self.member else ("XA", "XF")
        former = () if self.member else (PEER,)
        self.here = here(
            "XA", epoch=self.epoch, members=members, former=former, limits=self.limits, window=self.window, mail=[PEER]
        )

    @rule(said=st.lists(st.tuples(st.sampled_from("1234"), st.booleans()), min_size=1, max_size=4))
    def publish(self, said: list[tuple[str, bool]]) -> None:
        from tansiq.exchange.node.publishing import Change, publish_all

        changes = [
            Change(
                kind="case.note",
                name=name,
                payload=payload("words"),
                markings=marked("XA", *([PEER] if for_peer else []), "XF"),
                team="XA",
            )
            for name, for_peer in said
        ]
        for statement in publish_all(self.here, changes, self.now):
            self.versions[statement.object] = statement.n
        for name, for_peer in said:
            self.audiences[f"XA:{name}"] = for_peer
        self.complete = self.complete and self.member

    @rule(worker=st.sampled_from("ab"), most=st.sampled_from([1, 3, 500]))
    def seal(self, worker: str, most: int) -> None:
        from tansiq.exchange.node.sealing import seal_channel

        if seal_channel(self.here, PEER, LANE, worker=worker, now=self.now, most=most):
            self.complete = self.complete and self.member

    @rule(most=st.sampled_from([1, 3, 500]))
    def attempt(self, most: int) -> None:
        from tansiq.exchange.node.attempts import due_attempts

        made = due_attempts(self.here, PEER, LANE, now=self.now, most=most)
        for attempt in made:
            self._check(attempt)
        self.letters += made
        if not self.member:
            self.complete = False

    def _check(self, attempt: Attempt) -> None:
        """Only to a member, only what it may have by now."""
        assert self.member
        if not attempt.is_skip:
            said = canonical.read(attempt.body)
            assert self.audiences[said["object"]], said["object"]
            assert PEER in said["marking"]

    @rule(index=st.integers(0, 20), keep=st.booleans())
    def deliver(self, index: int, keep: bool) -> None:
        if self.letters:
            index %= len(self.letters)
            self.recipient.take(self.letters[index] if keep else self.letters.pop(index))

    @rule(index=st.integers(0, 20))
    def lose(self, index: int) -> None:
        if self.letters:
            self.letters.pop(index % len(self.letters))

    @rule()
    def acknowledge(self) -> None:
        from tansiq.exchange.node.attempts import on_receipt

        receipt = self.recipient.receipt(self.now)
        if receipt is not None:
            follow = on_receipt(self.here, receipt, self.now)
            assert not follow.doubted
            assert not follow.frozen

    @rule(span=st.sampled_from(SPANS))
    def wait(self, span: timedelta) -> None:
        self.now += span

    @rule()
    def snapshot(self) -> None:
        self.snapshots.append(copy.deepcopy(self.recipient))

    @rule(index=st.integers(0, 5))
    def restore_recipient(self, index: int) -> None:
        """Its receipts go on above those of before: by the clock, which has moved on meanwhile."""
        if self.snapshots:
            self.now += timedelta(seconds=1)
            self.recipient = copy.deepcopy(self.snapshots[index % len(self.snapshots)])

    @rule()
    def remove_or_readmit(self) -> None:
        self.epoch, self.member = self.epoch + 1, not self.member
        self._make()

    @invariant()
    def the_counters_are_what_is_there(self) -> None:
        from tansiq.exchange.models import OutChannel, Sent

        for row in OutChannel.objects.all():
            waiting = list(Sent.objects.filter(channel=row, covered_at=None).values_list("size_bytes", flat=True))
            assert (row.waiting_bodies, row.waiting_bytes) == (len(waiting), sum(waiting))

    def teardown(self) -> None:
        from django.db import transaction

        try:
            self._heal()
        finally:
            transaction.set_rollback(True)
            self.atomic.__exit__(None, None, None)

    def _heal(self) -> None:
        """Everything arrives from now on."""
        from tansiq.exchange.models import OutboxRow, Sent

        if not self.member:
            self.remove_or_readmit()
        for _ in range(200):
            self.wait(timedelta(minutes=11))
            self.seal("a", 500)
            self.attempt(500)
            while self.letters:
                self.recipient.take(self.letters.pop(0))
            self.acknowledge()
            self.the_counters_are_what_is_there()
            rows = OutboxRow.objects.filter(peer=PEER, lane=LANE.value)
            if not rows.exists() and not Sent.objects.filter(covered_at=None).exists():
                break
        else:
            raise AssertionError("it never came to rest")
        if self.complete:
            due = {name: self.versions[name] for name, for_peer in self.audiences.items() if for_peer}
            assert {name: self.recipient.versions.get(name) for name in due} == due


@pytest.mark.usefixtures("database")
def test_the_sender_keeps_its_promises() -> None:
    examples = int(os.environ.get("TANSIQ_TEST_EXAMPLES", "40"))
    run_state_machine_as_test(
        Sender,
        settings=settings(
            max_examples=examples,
            stateful_step_count=25,
            deadline=None,
            phases=[Phase.generate],  # an example takes tenths of a second: to shrink one takes minutes
            suppress_health_check=list(HealthCheck),
        ),
    )
