"""Ctrl-C at any moment after the program's first line: no word, nothing left to explain."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conftest import environment
from factories.interrupting import wait_for_first_line

MOMENTS = 20


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
@pytest.mark.parametrize("verb", ["members whois MA --json", "feeds ingest auto REPORT"])
def test_ctrl_c_at_a_random_early_moment_ends_without_a_word(home: Path, tmp_path: Path, verb: str) -> None:
    report = tmp_path / "report.txt"
    report.write_text("192.0.2.1\n", encoding="ascii")
    command = [sys.executable, "-m", "tansiq", *verb.replace("REPORT", str(report)).split()]
    # Python's own choice of warnings, as a user has it: an import that ends in its middle leaves a file open.
    settings = environment(home) | {"PYTHONWARNINGS": ""}
    draw = random.Random()
    talk = subprocess.run(command, env=settings, capture_output=True, text=True, timeout=120, check=True).stderr
    ends = []

    for _moment in range(MOMENTS):
        seconds = draw.uniform(0, 0.6)
        with subprocess.Popen(
            command, env=settings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as going:
            wait_for_first_line(going)
            time.sleep(seconds)
            going.send_signal(signal.SIGINT)
            _out, said = going.communicate(timeout=120)
        ends.append((round(seconds, 4), going.returncode, said))

    # 0 where it was quicker than the signal.
    assert [end for end in ends if end[1] not in (130, -signal.SIGINT, 0) or not talk.startswith(end[2])] == []
