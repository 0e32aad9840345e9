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


class Work:
    """What is measured, by its name; each does all messages once."""

    def __init__(self, count: int, nodes: int) -> None:
        others = [make.node_key(f"N{number}") for number in range(nodes - 3)]
        known = make.facts()
        self.facts = make.facts(node_keys={**known.node_keys, **{key.fingerprint: key for key in others}})
        self.judge, self.here = make.LenientJudge(), make.node_secret("XB")
        self.opener = Opener([self.here], self.facts.believed_certificates())
        self.messages = [sealed_one(number) for number in range(count)]
        opened = [one for one in self.opener.open_all(self.messages) if isinstance(one, Unsealed)]
        self.contents = [one.content for one in opened]
        first = verified(opened[0], self.facts, self.judge)
        self.statement, self.signature = said_by(first).encoded(), first.author.signature
        sender, team = make.node_secret("XA"), make.platform_secret("XA-CERT")
        self.signer, self.team_signer, self.decryptor = sender.signer(), team.signer(), self.here.decryptor()
        self.to, self.sender, self.team = (
            pysequoia.Cert.from_bytes(secret.certificate) for secret in (self.here, sender, team)
        )

    def library_seals(self, *, author: bool) -> None:
        for content in self.contents:
            if author:
                pysequoia.sign(self.team_signer, self.statement, mode=pysequoia.SignatureMode.DETACHED, armor=False)
            pysequoia.encrypt(content, recipients=[self.to], signer=self.signer, armor=False)

    def library_opens(self, *, author: bool) -> None:
        for message in self.messages:
            pysequoia.decrypt(message.data, decryptor=self.decryptor, store=lambda _: [self.sender])
            if author:
                read = pysequoia.Sig.from_bytes(self.signature)
                pysequoia.verify(bytes=self.statement, store=lambda _: [self.team], signature=read)

    def exchange_seals(self) -> None:
        for number in range(len(self.messages)):
            sealed_one(number)

    def exchange_opens_here(self) -> None:
        for message in self.messages:
            opened = unsealed(message, by=[self.here], signers=self.facts.believed_certificates())
            assert isinstance(opened, Unsealed)
            verified(opened, self.facts, self.judge)

    def exchange_opens_apart(self) -> None:
        for opened in self.opener.open_all(self.messages):
            assert isinstance(opened, Unsealed)
            verified(opened, self.facts, self.judge)

    def named(self) -> dict[str, Callable[[], object]]:
        return {
            "seal: library": lambda: self.library_seals(author=False),
            "seal: library, two signatures": lambda: self.library_seals(author=True),
            "seal: exchange": self.exchange_seals,
            "open: library": lambda: self.library_opens(author=False),
            "open: library, two signatures": lambda: self.library_opens(author=True),
            "open: exchange, in this process": self.exchange_opens_here,
            "open: exchange": self.exchange_opens_apart,
            "open: bounded process alone": lambda: self.opener.open_all(self.messages),
            "open: bounded process alone, one by one": lambda: [self.opener.open(one) for one in self.messages],
        }


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--count", type=int, default=2000)
    asked.add_argument("--rounds", type=int, default=5)
    asked.add_argument("--nodes", type=int, default=57)
    args = asked.parse_args()
    work = Work(args.count, args.nodes)
    rates: dict[str, list[float]] = {name: [] for name in work.named()}
    walls: dict[str, list[float]] = {name: [] for name in work.named()}
    with work.opener:
        for _ in range(args.rounds):
            for name, done in work.named().items():
                rate, wall = timed(args.count, done, work.opener.pid)
                rates[name].append(rate)
                walls[name].append(wall)
    figures = {
        "content_bytes": len(work.contents[0]),
        "sealed_bytes": len(work.messages[0].data),
        "nodes": args.nodes,
        "per_second": {
            name: {"processor": round(statistics.median(rates[name])), "wall": round(statistics.median(walls[name]))}
            for name in rates
        },
        "times_the_library": {
            f"{what}: {library}": ratio(rates, f"{what}: {library}", f"{what}: exchange")
            for what in ("seal", "open")
            for library in ("library", "library, two signatures")
        },
    }
    print(json.dumps(figures, indent=2))


def ratio(rates: dict[str, list[float]], library: str, ours: str) -> float:
    """How many times the library's time ours takes: the median of the rounds, each compared with itself."""
    return round(statistics.median(raw / own for raw, own in zip(rates[library], rates[ours], strict=True)), 2)


if __name__ == "__main__":
    main()
