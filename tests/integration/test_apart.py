"""Work in a copy of the process: what it says and how it fails arrive, what it loads does not."""

from __future__ import annotations

from collections.abc import Callable
from subprocess import CompletedProcess

import pytest

Run = Callable[..., CompletedProcess[str]]
BEGIN = """
import os, signal, sys
from tansiq.cli.apart import apart
from tansiq.cli.backbone import ServerMissing
def refuse(): raise ServerMissing(file="x")
def stop(): raise KeyboardInterrupt
def load():
    import numpy
    return len(numpy.arange(3))
"""


def test_apart_returns_what_work_does_and_keeps_nothing_of_what_it_loads(run_python: Run) -> None:
    done = run_python(BEGIN + "print(apart(load), 'numpy' in sys.modules)")

    assert (done.stdout, done.stderr, done.returncode) == ("3 False\n", "", 0)


def test_apart_raises_an_expected_failure_with_its_values(run_python: Run) -> None:
    done = run_python(BEGIN + "try: apart(refuse)\nexcept ServerMissing as error: print(error.values)")

    assert (done.stdout, done.stderr) == ("{'file': 'x'}\n", "")


def test_apart_raises_an_interrupt(run_python: Run) -> None:
    done = run_python(BEGIN + "try: apart(stop)\nexcept KeyboardInterrupt: print('stopped')")

    assert (done.stdout, done.stderr) == ("stopped\n", "")


@pytest.mark.parametrize(
    ("work", "code", "said"),
    [("lambda: 1 / 0", 1, "ZeroDivisionError: division by zero"), ("lambda: os.kill(os.getpid(), 9)", 247, "")],
)
def test_apart_ends_with_a_defect_that_was_shown(run_python: Run, work: str, code: int, said: str) -> None:
    done = run_python(BEGIN + f"apart({work}); print('on')")

    assert (done.stdout, done.returncode, said in done.stderr) == ("", code, True)


def test_apart_says_once_what_was_printed_before(run_python: Run) -> None:
    done = run_python(BEGIN + "print('before'); apart(lambda: print('within')); print('after')")

    assert done.stdout == "before\nwithin\nafter\n"
