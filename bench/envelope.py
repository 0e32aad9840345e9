"""Envelopes sealed and opened, beside the OpenPGP library alone on the same bytes, in one run, alternating.

    python -m bench.envelope [--count 2000] [--rounds 5] [--nodes 57]

The library alone: encrypt and sign, decrypt and verify, keys parsed beforehand. What the exchange does more: the body,
the author's signature, the choice of certificate among all nodes', the checks, and the process that opens.
By processor time of all processes, so that a busy machine gives the same figures; ``wall`` is what a clock says.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pysequoia

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from factories import exchange as make
from tansiq.exchange import canonical, trust
from tansiq.exchange.author import said_by
from tansiq.exchange.body import Envelope
from tansiq.exchange.opener import Opener
from tansiq.exchange.seal import Sealed, Unsealed, unsealed
from tansiq.exchange.trust import Authentic

FILLER = "x" * 700
"""Makes a payload of 1 kB in all."""


def sealed_one(number: int) -> Sealed:
    """A statement signed by its team, put into an envelope, sealed: all that one recipient costs."""
    payload = canonical.write({"n": number, "text": FILLER})
    return make.sealed(make.envelope(make.statement(payload=payload)))


def verified(opened: Unsealed, facts: trust.Facts, judge: make.LenientJudge) -> Envelope:
    now = make.now()
    body = trust.authenticate(opened, facts)
    assert isinstance(body, Authentic), body
    admitted = trust.admit(body, facts, now=now)
    assert isinstance(admitted, Authentic), admitted
    found = trust.examine(admitted, facts, judge, now=now)
    assert isinstance(found, Envelope), found
    return found


def processor_seconds(pid: int | None) -> float:
    """Of this process, and of the one that opens (in hundredths: Linux)."""
    own = time.process_time()
    if pid is None:
        return own
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return own + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def timed(count: int, work: Callable[[], object], pid: int | None) -> tuple[float, float]:
    """Per second of the processor, and of the clock."""
    used, began = processor_seconds(pid), time.perf_counter()
    work()
    wall = time.perf_counter() - began
    return count / (processor_seconds(pid) - used), count / wall


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--count", type=int, default=2000)
    asked.add_argument("--rounds", type=int, default=5)
    asked.add_argument("--nodes", type=int, default=57)
    args = asked.parse_args()
    others = [make.node_key(f"N{number}") for number in range(args.nodes - 3)]
    facts = make.facts()
    facts = make.replace(facts, node_keys={**facts.node_keys, **{key.fingerprint: key for key in others}})
    judge, here = make.LenientJudge(), make.node_secret("XB")
    certificate = pysequoia.Cert.from_bytes(here.certificate)
    signer_certificate = pysequoia.Cert.from_bytes(make.node_secret("XA").certificate)
    signer, decryptor = make.node_secret("XA").signer(), here.decryptor()
    messages = [sealed_one(number) for number in range(args.count)]
    contents = [
        made.content for made in (unsealed(one, by=[here], signers=facts.believed_certificates()) for one in messages)
    ]  # type: ignore[union-attr]

    def raw_seal() -> None:
        for content in contents:
            pysequoia.encrypt(content, recipients=[certificate], signer=signer, armor=False)

    def raw_open() -> None:
        for message in messages:
            pysequoia.decrypt(message.data, decryptor=decryptor, store=lambda _: [signer_certificate])

    envelope = verified(opened[0], facts, judge)
    platform = make.platform_secret("XA-CERT")
    platform_signer, platform_certificate = platform.signer(), pysequoia.Cert.from_bytes(platform.certificate)
    statement = said_by(envelope).encoded()

    def raw_seal_both() -> None:
        for content in contents:
            pysequoia.sign(platform_signer, statement, mode=pysequoia.SignatureMode.DETACHED, armor=False)
            pysequoia.encrypt(content, recipients=[certificate], signer=signer, armor=False)

    def raw_open_both() -> None:
        for message in messages:
            pysequoia.decrypt(message.data, decryptor=decryptor, store=lambda _: [signer_certificate])
            read = pysequoia.Sig.from_bytes(envelope.author.signature)
            pysequoia.verify(bytes=statement, store=lambda _: [platform_certificate], signature=read)

    def open_here() -> None:
        for message in messages:
            opened = unsealed(message, by=[here], signers=facts.believed_certificates())
            assert isinstance(opened, Unsealed)
            verified(opened, facts, judge)

    rates: dict[str, list[float]] = {}
    walls: dict[str, list[float]] = {}
    with Opener([here], facts.believed_certificates()) as opener:
        began = time.perf_counter()
        opener.open(messages[0])
        start_seconds = time.perf_counter() - began

        def open_apart(messages: list[Sealed] = messages) -> None:
            for opened in opener.open_all(messages):
                assert isinstance(opened, Unsealed)
                verified(opened, facts, judge)

        work: dict[str, Callable[[], object]] = {
            "seal: library": raw_seal,
            "seal: library, author's signature too": raw_seal_both,
            "seal: body, author's signature, seal": lambda: [sealed_one(number) for number in range(args.count)],
            "open: library": raw_open,
            "open: library, author's signature too": raw_open_both,
            "open: here, all checks": open_here,
            "open: bounded process only": lambda: opener.open_all(messages),
            "open: bounded process, all checks": open_apart,
            "open: bounded process, one at a time": lambda: [opener.open(message) for message in messages],
        }
        for _ in range(args.rounds):
            for name, done in work.items():
                rate, wall = timed(args.count, done, opener.pid)
                rates.setdefault(name, []).append(rate)
                walls.setdefault(name, []).append(wall)
    report = {
        name: {"processor": round(statistics.median(rates[name])), "wall": round(statistics.median(walls[name]))}
        for name in work
    }
    figures = {
        "content_bytes": len(contents[0]),
        "sealed_bytes": len(messages[0].data),
        "nodes": args.nodes,
        "per_second": report,
        "seal_times_library": ratio(rates, "seal: library", "seal: body, author's signature, seal"),
        "seal_times_both": ratio(
            rates, "seal: library, author's signature too", "seal: body, author's signature, seal"
        ),
        "open_times_library": ratio(rates, "open: library", "open: bounded process, all checks"),
        "open_times_both": ratio(rates, "open: library, author's signature too", "open: bounded process, all checks"),
        "start_of_process_seconds": round(start_seconds, 3),
    }
    print(json.dumps(figures, indent=2))


def ratio(rates: dict[str, list[float]], library: str, ours: str) -> float:
    """How many times the library's time ours takes: the median of the rounds, each compared with itself."""
    return round(statistics.median(raw / own for raw, own in zip(rates[library], rates[ours], strict=True)), 2)


if __name__ == "__main__":
    main()
