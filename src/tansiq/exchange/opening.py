"""The process that opens: what ``opener.Opener`` starts, and how the two talk over pipes (section 18).

The parent writes a setup, then messages; the child answers READY, then each message in its order. Everything is
framed by four bytes of length. The child can write no file, leaves no core, and dies of a message that takes more than
its bounds.
"""

from __future__ import annotations

import base64
import json
import math
import os
import resource
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from tansiq.exchange.reasons import JunkReason
from tansiq.exchange.seal import Junk, Sealed, Unsealed, unsealed
from tansiq.openpgp.sealing import Secret

READY = b"READY"
_OPENED, _JUNK = b"O", b"J"


@dataclass(frozen=True, slots=True)
class Bounds:
    """Of one message.

    Attributes:
        memory_bytes: of address space beyond what the process has when it is ready.
        cpu_seconds: rounded up by the kernel to the next second.
        silence_seconds: of wall clock, after which the parent gives it up.
    """

    memory_bytes: int = 128 * 1024 * 1024
    cpu_seconds: int = 3
    silence_seconds: float = 60.0


def framed(data: bytes) -> bytes:
    """With its length before it, four bytes big-endian; what ``unframed`` takes apart."""
    return len(data).to_bytes(4) + data


def unframed(buffer: bytearray) -> bytes | None:
    """The first whole frame, taken out of ``buffer``; None while it is not whole."""
    end = 4 + int.from_bytes(buffer[:4])
    if len(buffer) < 4 or len(buffer) < end:
        return None
    frame = bytes(buffer[4:end])
    del buffer[:end]
    return frame


def write_setup(secrets: Sequence[bytes], signers: Sequence[bytes], bounds: Bounds) -> bytes:
    """What the child needs to know. ``secrets``: as ``Secret.write`` gives them."""
    setup = {
        "secrets": [base64.b64encode(secret).decode() for secret in secrets],
        "signers": [base64.b64encode(signer).decode() for signer in signers],
        "bounds": asdict(bounds),
    }
    return json.dumps(setup).encode()


def write_answer(outcome: Unsealed | Junk) -> bytes:
    """For the pipe to the parent; ``read_answer`` reads it."""
    if isinstance(outcome, Unsealed):
        return _OPENED + outcome.signer.encode() + b"\0" + outcome.content
    return _JUNK + json.dumps([outcome.check, outcome.reason, outcome.detail]).encode()


def read_answer(answer: bytes) -> Unsealed | Junk:
    """What the child made of a message."""
    if answer[:1] == _OPENED:
        signer, _, content = answer[1:].partition(b"\0")
        return Unsealed(content, signer.decode())
    check, reason, detail = json.loads(answer[1:])
    return Junk(check, JunkReason(reason), detail)


def main() -> None:
    """Until the parent closes its end of the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to end
    source, answers = sys.stdin.buffer, sys.stdout.buffer
    said = _read_frame(source)
    if said is None:  # the parent is gone before it said anything
        return
    setup = json.loads(said)
    secrets = [Secret.read(base64.b64decode(text)) for text in setup["secrets"]]
    signers = [base64.b64decode(text) for text in setup["signers"]]
    bounds = Bounds(**setup["bounds"])
    _bound(bounds)
    _write_frame(answers, READY)
    while (message := _read_frame(source)) is not None:
        _allow_seconds(bounds.cpu_seconds)
        try:
            outcome = unsealed(Sealed(message), by=secrets, signers=signers)
        except MemoryError:
            os._exit(3)
        _write_frame(answers, write_answer(outcome))


def _bound(bounds: Bounds) -> None:
    """From here on: what is allocated beyond the bound fails, and the library ends the process for it."""
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, sys.stderr.fileno())
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_AS, _address_space() + bounds.memory_bytes)


def _allow_seconds(seconds: int) -> None:
    """Of processor time from now on; the limit counts from the start of the process, so it is moved ahead."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(used.ru_utime + used.ru_stime) + seconds, hard))


def _limit(kind: int, most: int) -> None:
    _, hard = resource.getrlimit(kind)
    resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def _address_space() -> int:
    """Bytes that this process has mapped; where the system does not tell, as much as it may come to."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[0]) * resource.getpagesize() if statm.exists() else 1024**3


def _read_frame(source: BinaryIO) -> bytes | None:
    head = source.read(4)
    if len(head) < 4:
        return None
    data = source.read(int.from_bytes(head))
    return data if len(data) == int.from_bytes(head) else None


def _write_frame(to: BinaryIO, data: bytes) -> None:
    to.write(framed(data))
    to.flush()


if __name__ == "__main__":
    main()
