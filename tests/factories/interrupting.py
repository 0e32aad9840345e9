"""When a process may be interrupted as its user would: not before the program itself runs."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

CAUGHT = 1 << (signal.SIGINT - 1)


def catches_interrupts(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return bool(int(status.partition("SigCgt:")[2].split()[0], 16) & CAUGHT)


def wait_for_first_line(going: subprocess.Popen[str]) -> None:
    """Python itself catches the signal as it starts; the program's first line undoes that."""
    for caught in (True, False):
        while going.poll() is None and catches_interrupts(going.pid) is not caught:
            time.sleep(0.0005)
