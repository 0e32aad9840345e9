"""The processes of a lab: nodes that go on, and what is done for a moment in one node's name. All are forks.

The process that forks has loaded the program and has neither a thread nor a connection to a database; what it loaded is
shared with all of them for as long as nobody writes it.
"""

from __future__ import annotations

import gc
import json
import os
import selectors
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from tansiq.core.errors import N_, TansiqError
from tansiq.workers.lab.place import Place
from tansiq.workers.parent import tied_to

END_SECONDS = 15.0
LOOK_SECONDS = 0.02
PARALLEL = max(2, os.cpu_count() or 2)

Work = Callable[[Place, str, Mapping[str, Any]], Any]
"""Done in a process of its own: where the lab is, the node's name, what to do it with. What it gives back is JSON."""


class DeedFailed(TansiqError):
    code = "lab.deed"
    message = N_("At node {node} it was not possible to {deed}: {why}")
    remedy = N_("See the log of the node in the lab's folder.")


@dataclass(slots=True)
class Crew:
    """``serve`` is what a node's process does until it is told to end."""

    place: Place
    serve: Callable[[Place, str], None]
    running: dict[str, int] = field(default_factory=dict)
    ended: dict[str, int] = field(default_factory=dict)

    def ready(self) -> None:
        """Called once, after everything was imported: what is loaded is never written again by a collection."""
        gc.collect()
        gc.freeze()

    def start(self, *names: str) -> None:
        for name in names:
            if name not in self.running:
                self.running[name] = _forked(lambda name=name: self._node(name))

    def _node(self, name: str) -> None:
        log = os.open(self.place.log(name), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(log, 1)
        os.dup2(log, 2)
        self.serve(self.place, name)

    def kill(self, *names: str) -> None:
        """As a power cut would: SIGKILL."""
        for name in names:
            if (pid := self.running.pop(name, None)) is not None:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)

    def stop(self, *names: str) -> None:
        """Asked to end; killed when its time is over."""
        ending = {name: self.running.pop(name) for name in names if name in self.running}
        for pid in ending.values():
            os.kill(pid, signal.SIGTERM)
        until = time.monotonic() + END_SECONDS
        while ending:
            for name, pid in list(ending.items()):
                if os.waitpid(pid, os.WNOHANG)[0]:
                    del ending[name]
                elif time.monotonic() > until:
                    os.kill(pid, signal.SIGKILL)
            time.sleep(LOOK_SECONDS)

    def look(self) -> dict[str, int]:
        """Nodes that ended by themselves, and their exit codes: nobody told them to."""
        gone = {}
        for name, pid in list(self.running.items()):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                del self.running[name]
                gone[name] = os.waitstatus_to_exitcode(status)
        self.ended |= gone
        return gone

    # ---- for a moment

    def do(self, name: str, work: Work, **said: Any) -> Any:
        """Raises: DeedFailed."""
        return self.do_all([(name, said)], work)[name]

    def do_all(self, asked: Iterable[tuple[str, Mapping[str, Any]]], work: Work) -> dict[str, Any]:
        """At several nodes, a few at once. Raises: DeedFailed, after all have ended."""
        waiting, done, failed = list(asked), {}, {}
        selector = selectors.DefaultSelector()
        under_way: dict[int, tuple[str, int, bytearray]] = {}
        while waiting or under_way:
            while waiting and len(under_way) < PARALLEL:
                name, said = waiting.pop(0)
                reading, pid = self._piped(name, work, said)
                under_way[reading] = (name, pid, bytearray())
                selector.register(reading, selectors.EVENT_READ)
            for key, _ in selector.select():
                name, pid, heard = under_way[key.fd]
                if piece := os.read(key.fd, 1 << 20):
                    heard += piece
                    continue
                selector.unregister(key.fd)
                os.close(key.fd)
                os.waitpid(pid, 0)
                del under_way[key.fd]
                answer = json.loads(heard or b'{"why": "the process ended"}')
                (failed if "why" in answer else done)[name] = answer.get("why", answer.get("done"))
        for name, why in failed.items():
            raise DeedFailed(node=name, deed=work.__name__.replace("_", " "), why=why)
        return done

    def _piped(self, name: str, work: Work, said: Mapping[str, Any]) -> tuple[int, int]:
        reading, writing = os.pipe()

        def child() -> None:
            os.close(reading)
            try:
                answer = {"done": work(self.place, name, said)}
            except Exception:
                answer = {"why": traceback.format_exc()}
            with os.fdopen(writing, "wb") as out:
                out.write(json.dumps(answer).encode())

        pid = _forked(child)
        os.close(writing)
        return reading, pid


def _forked(child: Callable[[], None]) -> int:
    """Returns: its pid. What it was started from ending, however, ends it too."""
    sys.stdout.flush()
    sys.stderr.flush()
    tie = tied_to(os.getpid())
    if not (pid := os.fork()):
        _leave(child, tie)
    return pid


def _leave(child: Callable[[], None], tie: Callable[[], None]) -> NoReturn:
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        os.setpgid(0, 0)
        tie()
        child()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def memory_of(pids: Sequence[int]) -> tuple[int, int]:
    """Resident and proportional bytes of processes: what is shared counts whole in the first, once in the second."""
    resident = proportional = 0
    for pid in pids:
        try:
            with Path(f"/proc/{pid}/smaps_rollup").open() as lines:
                said = dict(line.split()[:2] for line in lines if line.startswith(("Rss:", "Pss:")))
        except OSError:
            continue
        resident += int(said["Rss:"]) << 10
        proportional += int(said["Pss:"]) << 10
    return resident, proportional


def children_of(pid: int) -> list[int]:
    """Of whichever of its threads."""
    found: list[int] = []
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found += [int(word) for word in file.read_text().split()]
    return found


def processor_seconds(pids: Sequence[int]) -> float:
    """Of the processes so far."""
    ticks = 0
    for pid in pids:
        try:
            with Path(f"/proc/{pid}/stat").open() as file:
                words = file.read().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += int(words[11]) + int(words[12])
    return ticks / os.sysconf("SC_CLK_TCK")
