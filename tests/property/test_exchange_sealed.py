"""The way from sealed bytes to what is applied, with real keys: any order, repeats and mixed ways end in one state."""

from __future__ import annotations

from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from factories import exchange
from factories.positions import Kept
from tansiq.exchange import author, canonical, receiving, seal, trust
from tansiq.exchange.body import Envelope, Placed, Skip, SkipReason, State, Version
from tansiq.exchange.channel import LIMITS, Cursor, Span
from tansiq.exchange.reasons import Reason
from tansiq.exchange.receiving import Applied, Item, Place
from tansiq.exchange.seal import Sealed, Unsealed
from tansiq.exchange.values import EMPTY_DIGEST

OBJECTS = ("XA-CERT", "XA-CERT", "XA-CERT:2", "XA-CERT", "XA-CERT:2", "XA-CERT:3")
FORGED_AT, SKIPPED_AT = 5, 6


def bodies() -> list[Placed]:
    """Six positions in a chain: two objects, the fifth body not as its author signed it, the sixth a skip."""
    chain: list[Placed] = []
    prev = EMPTY_DIGEST
    for seq, name in enumerate(OBJECTS, 1):
        payload = canonical.write({"said": seq})
        said = exchange.statement(object=name, version=Version(1, seq), payload=payload)
        body: Placed = exchange.envelope(said, seq=seq, prev=prev)
        if seq == FORGED_AT:
            body = exchange.envelope(said, seq=seq, prev=prev, payload=canonical.write({"said": "another"}))
        if seq == SKIPPED_AT:
            body = exchange.skip(
                seq=seq,
                last=seq,
                prev=prev,
                hash_after=body.digest,
                reason=SkipReason.ENTITLEMENT,
                lane=body.lane,
                incarnation=body.incarnation,
            )
        prev = body.hash_after if isinstance(body, Skip) else body.digest
        chain.append(body)
    return chain


@cache
def sealed() -> list[list[Sealed]]:
    """Each body sealed twice, as by two ways."""
    by, to = exchange.node_secret("XA"), exchange.node_secret("XB").certificate
    return [[seal.seal(body, by=by, to=to) for _way in range(2)] for body in bodies()]


class Recipient:
    """XB: one channel, and what was applied of each object."""

    def __init__(self) -> None:
        self.cursor, self.kept = Cursor(), Kept()
        self.waiting: dict[str, dict[str, tuple[Item, int]]] = {}
        self.applied: dict[str, Applied] = {}
        self.log: list[tuple[str, Version]] = []

    def receive(self, arrived: Sealed) -> None:
        facts = exchange.facts(here="XB")
        opened = seal.unsealed(arrived, by=[exchange.node_secret("XB")], signers=facts.believed_certificates())
        assert isinstance(opened, Unsealed)
        authentic = trust.authenticate(opened, facts)
        assert isinstance(authentic, trust.Authentic)
        admitted = trust.admit(authentic, facts, now=exchange.now())
        assert isinstance(admitted, trust.Authentic)
        head = admitted.head
        assert isinstance(head, Placed)
        span = (
            Span(head.seq, head.last, head.prev, head.hash_after)
            if isinstance(head, Skip)
            else Span(head.seq, head.seq, head.prev, admitted.digest)
        )
        taken = receiving.take(self.cursor, self.kept, span, is_skip=isinstance(head, Skip), limit=LIMITS[head.lane])
        if taken.place is not Place.NEW:
            assert taken.place is Place.REPEAT
            return
        self.cursor = taken.cursor
        self.kept.add(span)
        if not isinstance(head, Skip):
            self._examine(admitted, head.seq)
        for name in list(self.waiting):
            self._settle(name)

    def _examine(self, authentic: trust.Authentic, seq: int) -> None:
        found = trust.examine(authentic, exchange.facts(here="XB"), exchange.LenientJudge(), now=exchange.now())
        if isinstance(found, Envelope):
            leaf = author.said_by(found).leaf
            item = Item(str(seq), found.object, found.version, leaf, found.epoch)
            self.waiting.setdefault(found.object, {})[item.key] = (item, seq)
        else:
            assert (seq, found.reason) == (FORGED_AT, Reason.SIGNATURE)

    def _settle(self, name: str) -> None:
        items = self.waiting[name]
        verdicts, applied = receiving.settle(
            [item for item, _seq in items.values()],
            applied=self.applied.get(name),
            recall=None,
            lacks=lambda item: None,
            behind_gap=lambda item: items[item.key][1] > self.cursor.through,
        )
        for verdict in verdicts:
            if verdict.state is State.STORED:
                self.log.append((name, verdict.item.version))
            if not verdict.is_open:
                del items[verdict.item.key]
        if applied is not None:
            self.applied[name] = applied


arrivals = st.permutations(range(len(OBJECTS))).flatmap(
    lambda order: st.lists(st.sampled_from(range(len(OBJECTS))), max_size=6).map(lambda more: [*order, *more])
)


@settings(max_examples=30, deadline=None)
@given(arrivals, st.randoms(use_true_random=False))
def test_sealed_bodies_in_any_order_by_mixed_ways_end_in_one_state(order: list[int], draw: object) -> None:
    recipient = Recipient()

    for index in order:
        recipient.receive(draw.choice(sealed()[index]))  # type: ignore[attr-defined]

    assert recipient.cursor.through == recipient.cursor.highest == len(OBJECTS)
    assert {name: applied.version for name, applied in recipient.applied.items()} == {
        "XA-CERT": Version(1, 4),
        "XA-CERT:2": Version(1, 3),
    }
    assert sorted(recipient.log) == sorted(set(recipient.log))
    for name in recipient.applied:
        versions = [version for logged, version in recipient.log if logged == name]
        assert versions == sorted(versions)
