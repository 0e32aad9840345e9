"""Keeping the processes of a node alive: start, start again with growing pauses, stop in order."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tansiq.cli.speech import say
from tansiq.core.language import _
from tansiq.workers.parent import tied_to
from tansiq.workers.waiting import Signals

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 30.0
WELL_SECONDS = 60.0  # what ran so long and then ended is started again as if for the first time
FOREVER = 3600.0


@dataclass(frozen=True, slots=True)
class Part:
    """A process that a node consists of.

    Attributes:
        name: as the log calls it.
        command: makes what is run, anew each time (a free port, a configuration written).
        grace_seconds: how long it may take to end before it is killed.
    """

    name: str
    command: Callable[[], Sequence[str]]
    grace_seconds: float = 8.0


@dataclass(slots=True)
class Running:
    """One part, its process if there is one now, and when it is due again if not."""

    part: Part
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = FIRST_PAUSE_SECONDS
    due: float = 0.0

    def start(self) -> None:
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            self.part.command(),
            env=self.environment,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C comes to us alone: we end the parts in order
            preexec_fn=tied_to(os.getpid()),
        )

    def look_after(self) -> None:
        """Note an end, and start what is due."""
        if self.process is not None and (code := self.process.poll()) is not None:
            self.process = None
            self._plan(code)
        if self.process is None and time.monotonic() >= self.due:
            self.start()

    def _plan(self, code: int) -> None:
        now = time.monotonic()
        if now - self.started >= WELL_SECONDS:
            self.pause = FIRST_PAUSE_SECONDS
        log(
            _("The {part} ended ({end}); it is started again in {seconds} s.").format(
                part=_(self.part.name), end=ending(code), seconds=int(self.pause)
            )
        )
        self.due = now + self.pause
        self.pause = min(self.pause * 2, LONGEST_PAUSE_SECONDS)

    def stop(self) -> None:
        """End it: asked first, killed with all that it started when its time is over."""
        if self.process is None:
            return
        with suppress(ProcessLookupError):
            self.process.terminate()
        try:
            self.process.wait(self.part.grace_seconds)
        except subprocess.TimeoutExpired:
            log(_("The {part} does not end; it is killed.").format(part=_(self.part.name)))
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.process = None


@dataclass(slots=True)
class Node:
    """All the processes, in the order in which they start; they stop in the opposite order."""

    parts: Sequence[Part]
    environment: dict[str, str]
    running: list[Running] = field(default_factory=list)

    def start(self) -> None:
        for part in self.parts:
            one = Running(part, self.environment)
            self.running.append(one)
            one.start()

    def look_after(self, signals: Signals, *, until: Callable[[], bool], every: float = FOREVER) -> bool:
        """Keep all parts running until ``until`` says so (True) or a signal says to end (False)."""
        while not until():
            for one in self.running:
                one.look_after()
            pauses = [one.due - time.monotonic() for one in self.running if one.process is None]
            if signals.wait(min(pauses, default=FOREVER) if every == FOREVER else min([every, *pauses])):
                return False
        return True

    def stop(self) -> None:
        for one in reversed(self.running):
            one.stop()


def ending(code: int) -> str:
    """How a process ended, for the log."""
    if code < 0:
        return _("signal {number}").format(number=-code)
    return _("exit code {number}").format(number=code)


def log(text: str) -> None:
    say(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {text}")
