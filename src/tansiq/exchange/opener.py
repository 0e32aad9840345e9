"""Opening what anybody may have sent, in a process of its own whose memory and time are bounded (sections 5.2 and 18).

The library finds out that a message is compressed by unpacking it, before any signature: a bomb of 1 MB would take the
node's memory. So a child process opens; what kills it is junk, and another child goes on with the next message. The
child gets the node's secret keys over a pipe, never by arguments or files, and ends when its parent does.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence

from tansiq.exchange import opening
from tansiq.exchange.opening import READY, Bounds, framed, unframed
from tansiq.exchange.reasons import JunkReason
from tansiq.exchange.seal import SEALED_LIMIT_BYTES, Junk, Sealed, Unsealed
from tansiq.openpgp.sealing import Secret

_START_SECONDS = 60.0
_FROM_OUTSIDE = frozenset({signal.SIGKILL, signal.SIGTERM, signal.SIGHUP})
_AHEAD_BYTES = 256 * 1024
"""Of messages written before the answers to those before them came."""
_USUAL = Bounds()


class OpenerFailed(RuntimeError):
    """The child process does not start: this machine's fault, or this program's."""


class _Died(Exception):
    """The child is gone or was silent for too long. ``outside``: somebody else may have ended it."""

    def __init__(self, *, outside: bool) -> None:
        super().__init__(outside)
        self.outside = outside


class Opener:
    """A child process that opens; started when first needed, and again whenever it died. Safe between threads.

    A new roster or a new key of this node needs a new opener: what is believed is fixed when it is made.

    Args:
        secrets: of this node, the present one first.
        signers: node certificates that are believed (``Facts.believed_certificates``).
        bounds: of each message.
    """

    def __init__(self, secrets: Sequence[Secret], signers: Sequence[bytes], *, bounds: Bounds = _USUAL) -> None:
        self._setup = opening.write_setup([secret.write() for secret in secrets], signers, bounds)
        self._silence_seconds = bounds.silence_seconds
        self._child: _Child | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Opener:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """Of the process that opens, for whoever watches what it takes; None while there is none."""
        return self._child.pid if self._child is not None else None

    def close(self) -> None:
        """Ends the child; the next message would start another."""
        with self._lock:
            self._end()

    def open(self, sealed: Sealed) -> Unsealed | Junk:
        """As ``open_all``, of one message."""
        return self.open_all([sealed])[0]

    def open_all(self, messages: Sequence[Sealed]) -> list[Unsealed | Junk]:
        """An outcome for each message, in their order.

        Raises: OpenerFailed, where no child can be started.
        """
        with self._lock:
            outcomes: list[Unsealed | Junk] = []
            try:
                self._open_all(messages, outcomes)
            except BaseException:
                self._end()  # its answers would be taken for those of the next messages
                raise
            return outcomes

    def _open_all(self, messages: Sequence[Sealed], outcomes: list[Unsealed | Junk]) -> None:
        tried_again = -1
        while len(outcomes) < len(messages):
            if len(messages[len(outcomes)].data) > SEALED_LIMIT_BYTES:
                outcomes.append(Junk("5.1", JunkReason.SIZE))
                continue
            try:
                self._running().answer(messages, outcomes)
            except _Died as died:
                self._end()
                if died.outside and tried_again != len(outcomes):
                    tried_again = len(outcomes)
                    continue
                outcomes.append(Junk("5.2", JunkReason.BOMB))

    def _running(self) -> _Child:
        if self._child is None:
            self._child = _Child(self._setup, self._silence_seconds)
        return self._child

    def _end(self) -> None:
        if self._child is not None:
            self._child.end()
            self._child = None


class _Child:
    """One process and its pipes, which never block: it may wait to be read from while it is written to."""

    def __init__(self, setup: bytes, silence_seconds: float) -> None:
        """Raises: OpenerFailed."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", opening.__name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "RUST_BACKTRACE": "0", "RUST_LIB_BACKTRACE": "0"},
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._to, self._from = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._to, False)
        os.set_blocking(self._from, False)
        self._silence_seconds = silence_seconds
        self._outgoing, self._incoming = bytearray(framed(setup)), bytearray()
        try:
            ready = self._next(_START_SECONDS)
        except _Died:
            ready = b""
        if ready != READY:
            self.end()
            raise OpenerFailed(f"the process that opens messages ended with {self._process.returncode}")

    @property
    def pid(self) -> int:
        return self._process.pid

    def answer(self, messages: Sequence[Sealed], outcomes: list[Unsealed | Junk]) -> None:
        """Appends the outcome of each message that has none, up to the first that is too long.

        Raises: _Died; the first message without an outcome is the one that it died of.
        """
        written = first = len(outcomes)
        ahead: list[int] = []
        while True:
            while written < len(messages) and (not ahead or sum(ahead) < _AHEAD_BYTES):
                if len(messages[written].data) > SEALED_LIMIT_BYTES:
                    break
                self._outgoing += framed(messages[written].data)
                ahead.append(len(messages[written].data))
                written += 1
            if not ahead:
                assert written > first
                return
            outcomes.append(opening.read_answer(self._next(self._silence_seconds)))
            del ahead[0]

    def _next(self, seconds: float) -> bytes:
        """The next frame from the child; meanwhile what is to be written is written. Raises: _Died."""
        until = time.monotonic() + seconds
        while (frame := unframed(self._incoming)) is None:
            polled = select.poll()
            polled.register(self._from, select.POLLIN)
            if self._outgoing:
                polled.register(self._to, select.POLLOUT)
            ready = {handle for handle, _ in polled.poll(max(0.0, until - time.monotonic()) * 1000)}
            if not ready:
                raise _Died(outside=False)
            if self._to in ready:
                self._write()
            if self._from in ready:
                self._read()
        return frame

    def _write(self) -> None:
        try:
            del self._outgoing[: os.write(self._to, self._outgoing[: 1 << 16])]
        except BlockingIOError:
            return
        except BrokenPipeError:
            self._outgoing.clear()  # the end of its answers says that it died, after those that it gave

    def _read(self) -> None:
        data = os.read(self._from, 1 << 20)
        if not data:
            code = self._process.wait()
            raise _Died(outside=-code in _FROM_OUTSIDE)
        self._incoming += data

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            try:
                pipe.close()
            except BrokenPipeError:
                continue
