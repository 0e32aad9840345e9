"""A node's line to the backbone with the faults that a scenario wants. In processes of a lab only."""

from __future__ import annotations

import errno
import os
import random
import struct
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from tansiq.exchange.body import Lane
from tansiq.exchange.carried import Outbound, Outcome, Received
from tansiq.workers.lab.faults import EVERYBODY, Watched

LENGTH = struct.Struct(">Q")
LATE_SECONDS = 0.05
CUT_SECONDS = 0.5


class Line(Protocol):
    """What is spoilt: ``workers.exchange.Line``."""

    def publish_many(self, messages: Sequence[Outbound], *, timeout_seconds: float = ...) -> list[Outcome]: ...
    def fetch(self, lane: Lane, most: int, timeout_seconds: float) -> list[Received]: ...
    def ack(self, received: Sequence[Received]) -> None: ...
    def close(self) -> None: ...


def tapped(tap: Path) -> Iterator[bytes]:
    """What a tap holds; nothing, where there is none. A message that a kill cut off is none."""
    if not tap.exists():
        return
    with tap.open("rb") as kept:
        while len(head := kept.read(LENGTH.size)) == LENGTH.size:
            (length,) = LENGTH.unpack(head)
            if len(message := kept.read(length)) < length:
                return
            yield message


def _keep(tap: Path, messages: Sequence[bytes]) -> None:
    """Whole or not at all. Raises: OSError."""
    before = tap.stat().st_size if tap.exists() else 0
    with tap.open("ab", buffering=0) as kept:
        try:
            for message in messages:
                written = LENGTH.pack(len(message)) + message
                if kept.write(written) < len(written):
                    raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
        except OSError:
            kept.truncate(before)
            raise


def _mend(tap: Path) -> None:
    """Take away what a kill left half written: what is kept next would not be found."""
    if tap.exists():
        os.truncate(tap, sum(LENGTH.size + len(message) for message in tapped(tap)))


class FaultyLine:
    """``line`` as the faults of the moment leave it. What is drawn is drawn from ``chance``."""

    def __init__(self, line: Line, faults: Watched, chance: random.Random, tap: Path) -> None:
        self._line, self._faults, self._chance, self._tap = line, faults, chance, tap
        _mend(tap)
        self._late: list[tuple[float, Outbound]] = []
        self._closed = threading.Event()
        self._lock = threading.Lock()
        threading.Thread(target=self._deliver_late, name="lab late", daemon=True).start()

    def publish_many(self, messages: Sequence[Outbound], *, timeout_seconds: float = 5.0) -> list[Outcome]:
        faults = self._faults.now
        outcomes = [Outcome.ACKNOWLEDGED] * len(messages)
        going: list[tuple[int, Outbound]] = []
        for number, message in enumerate(messages):
            peer = message.subject.split(".")[3]
            if faults.cuts_out(peer):
                outcomes[number] = Outcome.FAILED
            elif self._happens(faults.drop):
                continue
            elif self._happens(faults.delay):
                self._hold_back(message, self._chance.uniform(0, faults.delay_seconds))
            else:
                going.append((number, message))
            if not faults.cuts_out(peer) and self._happens(faults.duplicate):
                self._hold_back(replace(message, msg_id=f"{message.msg_id}.twice"), self._chance.uniform(0, 1))
        if self._happens(faults.reorder):
            self._chance.shuffle(going)
        sent = self._line.publish_many([message for _, message in going], timeout_seconds=timeout_seconds)
        for (number, _), outcome in zip(going, sent, strict=True):
            outcomes[number] = outcome
        return outcomes

    def fetch(self, lane: Lane, most: int, timeout_seconds: float) -> list[Received]:
        if EVERYBODY in self._faults.now.cut_in:
            self._closed.wait(min(timeout_seconds, CUT_SECONDS))
            return []
        came = self._line.fetch(lane, most, timeout_seconds)
        faults = self._faults.now
        let_in = [one for one in came if not faults.cuts_in(one.sender)]  # the rest is given out again after a minute
        if faults.tap and let_in:
            with self._lock, suppress(OSError):  # on a full disk nobody keeps anything
                _keep(self._tap, [body for one in let_in for body in one.bodies()])
        if self._happens(faults.reorder):
            self._chance.shuffle(let_in)
        return let_in

    def ack(self, received: Sequence[Received]) -> None:
        self._line.ack(received)

    def close(self) -> None:
        self._closed.set()
        self._line.close()

    def _happens(self, share: float) -> bool:
        return share > 0 and self._chance.random() < share

    def _hold_back(self, message: Outbound, seconds: float) -> None:
        with self._lock:
            self._late.append((time.monotonic() + seconds, message))

    def _deliver_late(self) -> None:
        while not self._closed.wait(LATE_SECONDS if self._late else CUT_SECONDS):
            with self._lock:
                now = time.monotonic()
                due = [message for at, message in self._late if at <= now]
                self._late = [(at, message) for at, message in self._late if at > now]
            faults = self._faults.now
            if due := [message for message in due if not faults.cuts_out(message.subject.split(".")[3])]:
                self._line.publish_many(due)
