"""The promises of the exchange (docs/reference/exchange-protocol.md) under a hostile network, crashes and old backups.

Three nodes in memory. Hypothesis publishes, narrows, forwards, delivers, drops, repeats, reorders, cuts, crashes,
restores, skews clocks and removes members as it likes; after every step nothing was applied twice or out of order and
nothing left for a removed member; whenever the world heals, everybody holds exactly what the owners say.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from federation import Federation
from federation_node import FORGED, POISON, RECALL, Fact
from tansiq.exchange.body import Envelope, Lane, State, Version
from tansiq.exchange.channel import Limit
from tansiq.exchange.sending import Way

CODES = ("XA", "XE", "XF")
SMALL = {Lane.URGENT: Limit(6, 10**9), Lane.NORMAL: Limit(5, 10**9), Lane.BULK: Limit(3, 10**9)}
SPANS = [timedelta(seconds=1), timedelta(seconds=70), timedelta(minutes=15), timedelta(hours=2), timedelta(days=3)]
RAN: Counter[str] = Counter()

nodes = st.sampled_from(CODES)


@dataclass(frozen=True)
class Change:
    """A version that somebody publishes of one of four objects."""

    code: str
    name: str
    audience: frozenset[str]
    kind: str
    flaw: str
    needs: str


changes = st.builds(
    Change,
    code=nodes,
    name=st.sampled_from("1234"),
    audience=st.sampled_from([CODES, CODES, CODES, CODES[:2], CODES[1:], CODES[::2], ()]).map(frozenset),
    kind=st.sampled_from(["case.note", "case.note", "alert", "event", "new.kind"]),
    flaw=st.sampled_from(["", "", "", "", "", POISON, FORGED]),
    needs=st.sampled_from(["", "", "1", "2"]),
)


class Exchange(RuleBasedStateMachine):
    """See the module.

    ``federation``: what the nodes are made of. ``forges``: whether an owner's signature can be bad.
    """

    federation: type[Federation] = Federation
    forges = True

    @initialize(small=st.booleans(), said=st.lists(changes, min_size=1, max_size=5))
    def begin(self, small: bool, said: list[Change]) -> None:
        limits = SMALL if small else None
        self.world = self.federation(*CODES, limits=limits, window=4 if small else 100)
        self.backups: dict[str, list[bytes]] = {code: [] for code in CODES}
        self.acknowledged: dict[tuple[str, str], Version] = {}
        self.restored: set[str] = set()
        self.facts = 0
        RAN["runs"] += 1
        self.publish(said, working=False)

    # ---- people

    @rule(said=st.lists(changes, min_size=1, max_size=5), working=st.booleans())
    def publish(self, said: list[Change], working: bool) -> None:
        for change in said:
            if self.world[change.code].held or change.code in self.world.off:
                continue
            self.facts += 1
            needed = f"{change.code}:{change.needs}" if change.needs and change.needs < change.name else ""
            flaw = "" if change.flaw == FORGED and not self.forges else change.flaw
            text = f"{flaw}{self.facts}"
            self.world[change.code].publish(
                change.name, audience=change.audience, text=text, kind=change.kind, needs=needed
            )
            if working:
                self.world.tick(change.code)

    @rule(code=nodes, peer=nodes, index=st.integers(0, 9))
    def forward(self, code: str, peer: str, index: int) -> None:
        node = self.world[code]
        others = sorted(identifier for identifier, live in node.objects.items() if live.fact.owner != code)
        if others and peer != code and not node.held:
            node.forward(others[index % len(others)], peer)

    @rule(code=nodes)
    def look_through_quarantine(self, code: str) -> None:
        self.world[code].refuse(self.world.clock(code))

    @rule(code=nodes)
    def upgrade(self, code: str) -> None:
        self.world[code].learn_kinds(self.world.clock(code))

    # ---- work and the network

    @rule(code=nodes)
    def work(self, code: str) -> None:
        self.world.tick(code)

    @rule()
    def everybody_works(self) -> None:
        self.world.run(rounds=2)

    @rule(index=st.integers(0, 30), times=st.integers(1, 4))
    def deliver(self, index: int, times: int) -> None:
        for _ in range(times):
            if self.world.letters:
                self.world.deliver(index % len(self.world.letters))

    @rule(index=st.integers(0, 30))
    def deliver_and_keep(self, index: int) -> None:
        if self.world.letters:
            self.world.deliver(index % len(self.world.letters), keep=True)

    @rule(index=st.integers(0, 30))
    def lose(self, index: int) -> None:
        if self.world.letters:
            self.world.letters.pop(index % len(self.world.letters))

    @rule(sender=nodes, recipient=nodes, way=st.sampled_from(Way))
    def cut(self, sender: str, recipient: str, way: Way) -> None:
        self.world.cut ^= {(sender, recipient, way)}

    @rule(code=nodes)
    def switch(self, code: str) -> None:
        self.world.off ^= {code}

    @rule(span=st.sampled_from(SPANS))
    def wait(self, span: timedelta) -> None:
        self.world.pass_time(span)

    @rule(code=nodes, hours=st.sampled_from([-24, -1, 0, 0, 1, 24]))
    def skew(self, code: str, hours: int) -> None:
        self.world.offsets[code] = timedelta(hours=hours)

    # ---- accidents

    @rule(code=nodes, stored=st.booleans())
    def crash_at_work(self, code: str, stored: bool) -> None:
        """What would have left is lost; what was decided is stored or not."""
        before, letters = self.world.backup(code), list(self.world.letters)
        self.world.tick(code)
        self.world.letters = letters
        if not stored:
            self.world.crash(code, before)

    @rule(index=st.integers(0, 30), stored=st.booleans())
    def crash_while_receiving(self, index: int, stored: bool) -> None:
        """The letter comes again, since nobody acknowledged it to the way."""
        if not self.world.letters:
            return
        index %= len(self.world.letters)
        code = self.world.letters[index].recipient
        before, letters = self.world.backup(code), list(self.world.letters)
        self.world.deliver(index)
        self.world.letters = letters
        if not stored:
            self.world.crash(code, before)

    @rule()
    def back_up(self) -> None:
        for code in CODES:
            if not self.world[code].held:
                self.backups[code].append(self.world.backup(code))

    @precondition(lambda self: any(self.backups.values()))
    @rule(code=nodes, index=st.integers(0, 5))
    def restore(self, code: str, index: int) -> None:
        """One node loses its disk between two times of rest of all; two at once can lose what only they had."""
        if self.backups[code] and self.restored <= {code}:
            self.restored.add(code)
            RAN["restores"] += 1
            self.world.restore(code, self.backups[code][index % len(self.backups[code])])

    # ---- members

    @rule(code=nodes)
    def remove_or_readmit(self, code: str) -> None:
        members = self.world.roster.members ^ {code}
        if len(members) >= 2:
            RAN["rosters"] += 1
            self.world.set_roster(frozenset(members))

    @rule(code=nodes)
    def tell_roster(self, code: str) -> None:
        self.world.announce(code)

    # ---- what has to hold

    @rule()
    def heal(self) -> None:
        self._heal()

    @invariant()
    def nothing_is_applied_twice_or_out_of_order(self) -> None:
        for node in self.world.nodes.values():
            live: dict[str, Version] = {}
            for what, identifier, version in node.log:
                if what == "recalled":
                    live.pop(identifier, None)
                else:
                    assert identifier not in live or live[identifier] < version, (node.code, identifier, node.log)
                    live[identifier] = version

    @invariant()
    def a_removed_member_gets_recalls_and_the_roster_only(self) -> None:
        for _epoch, letter in self.world.emitted:
            sender = self.world[letter.sender]
            if isinstance(letter.content, Envelope) and letter.content.kind != RECALL:
                assert letter.recipient in sender.roster.members or _epoch < sender.roster.epoch, letter
        self.world.emitted.clear()

    @invariant()
    def no_honest_channel_freezes(self) -> None:
        for node in self.world.nodes.values():
            assert node.evidence == [], node.code

    @invariant()
    def remember_receipts(self) -> None:
        for code, node in self.world.nodes.items():
            for (peer, _lane), out in node.outs.items():
                for said in out.states.values():
                    if said.state is State.STORED and said.object.startswith(f"{code}:"):
                        before = self.acknowledged.get((peer, said.object), Version(0, 0))
                        self.acknowledged[peer, said.object] = max(before, said.version)

    def _heal(self) -> None:
        RAN["heals"] += 1
        rounds = self.world.heal()
        event(f"healed in {min(rounds, 9)} rounds")
        if self.world.roster.members == frozenset(CODES):
            self.restored.clear()
        self.remember_receipts()
        for code in self.world.roster.members:
            for live in self.world[code].objects.values():
                if live.fact.owner == code:
                    self._everybody_has(live.fact)
        self._nothing_acknowledged_is_lost()

    def _everybody_has(self, fact: Fact) -> None:
        for code in self.world.roster.members - {fact.owner}:
            node = self.world[code]
            have = node.objects.get(fact.object)
            if code not in fact.audience:
                untold = FORGED in fact.text and have is not None and have.fact.version < fact.version
                assert have is None or untold, (code, fact, have)
            elif POISON in fact.text or FORGED in fact.text:
                assert have is None or have.fact.version < fact.version, (code, fact)
            elif (fact.object, fact.version) in node.refused:
                assert have is None or have.fact == fact or have.fact.version < fact.version, (code, fact)
            else:
                assert have is not None, (code, fact)
                assert have.fact == fact, (code, fact, have)

    def _nothing_acknowledged_is_lost(self) -> None:
        for (peer, identifier), version in self.acknowledged.items():
            owner = identifier.split(":")[0]
            if not {owner, peer} <= self.world.roster.members:
                continue
            recall = self.world[peer].recalls.get(identifier)
            deleted = identifier not in self.world[peer].objects
            if recall is not None and (version < recall.narrowed or (deleted and version <= recall.left)):
                continue  # the owner had it deleted there: who lost it since cannot have it back
            mine = self.world[owner].objects.get(identifier)
            assert mine is not None, (peer, identifier, version)
            assert mine.fact.version >= version, (peer, identifier, version, mine)

    def teardown(self) -> None:
        if hasattr(self, "world"):
            RAN["facts"] += self.facts
            RAN["letters"] += self.world.traffic.letters
            self._heal()


QUICK = settings(
    max_examples=150,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
    report_multiple_bugs=False,
)


def test_promises_hold_whatever_the_network_and_the_machines_do() -> None:
    run_state_machine_as_test(Exchange, settings=QUICK)

    assert min(RAN["facts"], RAN["letters"]) > 300
    assert min(RAN["restores"], RAN["rosters"]) > 5


@pytest.mark.long
def test_promises_hold_in_many_long_runs(capsys: pytest.CaptureFixture[str]) -> None:
    RAN.clear()
    examples = int(os.environ.get("TANSIQ_TEST_EXAMPLES", "1000"))

    run_state_machine_as_test(Exchange, settings=settings(QUICK, max_examples=examples, stateful_step_count=80))

    with capsys.disabled():
        print(f"\nexchange promises: {dict(RAN)}")
    assert RAN["heals"] > examples
