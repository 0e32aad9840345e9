"""Hostile bytes for ten minutes: random mutations of honest messages, at each stage that reads from others.

``TANSIQ_FUZZ_SECONDS`` and ``TANSIQ_FUZZ_SEED`` change how long and from where; the counts are printed (``pytest -s``).
"""

from __future__ import annotations

import json
import os
import random
import time
from collections import Counter
from collections.abc import Callable

import pytest

from factories import exchange as make
from factories import exchange_requests as examples
from factories.openpgp_messages import compressed, literal, sealed_to
from tansiq.exchange import author, canonical, trust
from tansiq.exchange.body import Body, Envelope, Receipt, Skip
from tansiq.exchange.opener import Opener
from tansiq.exchange.requests import Answer, Ask
from tansiq.exchange.seal import Junk, Sealed, Unsealed
from tansiq.exchange.trust import Authentic
from tansiq.exchange.values import Unfit

FACTS = make.facts()
TOKENS = [
    b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"\\ud800", b"\\u0000", b"1e9", b"-0", b"0.1", b"9" * 30,
    b"NaN", b"null", b"true", b"\xef\xbb\xbf", b"\xff", b"\xed\xa0\x80", b"\x00", b"[" * 40, b'{"":' * 40, b'"from":',
    b'"to":"XB"', b'"v":1', b'"t":"receipt"', b'"t":"ask"', b'"about":"comparison"',
    b"tansiq.chunk.v1\x00", b'"XC"', b"9007199254740992", b"\xf0\x9f\x98\x80", b"\n", b"",
]  # fmt: skip


def mutated(data: bytes, others: list[bytes], chance: random.Random) -> bytes:
    """One to four changes, each of a bit, a byte, a run, a token, or a piece of another message."""
    altered = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(altered) + 1)
        length = min(chance.choice((1, 1, 2, 4, 16, 100)), len(altered) - at)
        match chance.randrange(6):
            case 0 if length:
                altered[at] ^= 1 << chance.randrange(8)
            case 1:
                altered[at : at + length] = chance.randbytes(length)
            case 2:
                del altered[at : at + length]
            case 3:
                altered[at : at + length] = chance.choice(TOKENS)
            case 4:
                other = chance.choice(others)
                start = chance.randrange(len(other))
                altered[at : at + length] = other[start : start + chance.choice((1, 8, 64, 400))]
            case _:
                altered[at:at] = altered[at : at + length]
    return bytes(altered)


def read_outcome(data: bytes) -> str:
    try:
        value = canonical.read(data)
    except Unfit as unfit:
        return f"unfit: {unfit.values['expected']}"
    assert value == json.loads(data)
    return "read"


def judged_outcome(content: bytes) -> str:
    """What becomes of it if a node of the federation had signed these very bytes."""
    body = trust.authenticate(Unsealed(content, make.node_secret("XA").fingerprint), FACTS)
    if isinstance(body, Junk):
        return f"junk {body.check}"
    admitted = trust.admit(body, FACTS, now=make.now())
    if not isinstance(admitted, Authentic):
        return f"{type(admitted).__name__.lower()} {admitted.check}"
    if isinstance(admitted.head, Skip | Receipt | Ask | Answer):
        assert admitted.head.written() == content
        return type(admitted.head).__name__.lower()
    examined = trust.examine(admitted, FACTS, make.LenientJudge(), now=make.now())
    if not isinstance(examined, Envelope):
        return f"{type(examined).__name__.lower()} {examined.check}"
    assert author.said_by(examined).encoded() == make.statement().encoded()
    assert examined.written() == content
    return "envelope"


def opened_outcomes(opener: Opener, messages: list[Sealed], honest: set[bytes]) -> list[str]:
    outcomes = opener.open_all(messages)
    assert {outcome.content for outcome in outcomes if isinstance(outcome, Unsealed)} <= honest
    return [f"junk {one.check} {one.reason}" if isinstance(one, Junk) else "unsealed" for one in outcomes]


def run(seconds: float, seed: int) -> dict[str, Counter[str]]:
    chance = random.Random(seed)
    bodies: list[Body] = [
        make.envelope(),
        make.skip(),
        make.receipt(),
        make.envelope(make.statement(blobs=(make.blob_reference(),))),
    ]
    requests = examples.bodies()
    contents = [body.written() for body in (bodies[0], bodies[1], bodies[2])]
    contents += [body.written() for body in requests]
    bodies += requests
    honest = {body.written() for body in bodies}
    to = make.node_secret("XB").certificate
    sealed = [make.sealed(body).data for body in bodies]
    crafted = [sealed_to(to, literal(contents[0])), sealed_to(to, compressed(literal(contents[0])))]
    counts: dict[str, Counter[str]] = {"read": Counter(), "judged": Counter(), "opened": Counter()}
    in_memory: list[tuple[str, Callable[[bytes], str]]] = [("read", read_outcome), ("judged", judged_outcome)]
    until = time.monotonic() + seconds
    with Opener([make.node_secret("XB")], FACTS.believed_certificates()) as opener:
        while time.monotonic() < until:
            for stage, outcome in in_memory:
                for _ in range(200):
                    counts[stage][outcome(mutated(chance.choice(contents), contents, chance))] += 1
            messages = [Sealed(mutated(chance.choice(sealed + crafted), sealed, chance)) for _ in range(200)]
            counts["opened"].update(opened_outcomes(opener, messages, honest))
            packets = [mutated(literal(contents[0]), contents, chance) for _ in range(20)]
            counts["opened"].update(opened_outcomes(opener, [Sealed(sealed_to(to, one)) for one in packets], honest))
    return counts


def test_mutated_messages_of_a_few_seconds_are_never_applied_and_never_crash() -> None:
    counts = run(4, seed=int(os.environ.get("TANSIQ_FUZZ_SEED", "1")))

    assert all(counter.total() > 500 for counter in counts.values())
    assert {"junk 5.4", "junk 5.5"} <= set(counts["judged"])


@pytest.mark.long
def test_mutated_messages_of_ten_minutes_are_never_applied_and_never_crash() -> None:
    seconds = float(os.environ.get("TANSIQ_FUZZ_SECONDS", "600"))
    seed = int(os.environ.get("TANSIQ_FUZZ_SEED", str(random.SystemRandom().randrange(2**32))))

    counts = run(seconds, seed)

    print(f"\nseed {seed}, {seconds:.0f} s")
    for stage, counter in counts.items():
        print(f"{stage}: {counter.total()} inputs")
        for outcome, number in counter.most_common():
            print(f"  {number:>9} {outcome}")
    assert all(counter.total() > 10_000 for counter in counts.values()) or seconds < 600
