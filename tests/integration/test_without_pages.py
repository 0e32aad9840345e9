"""Processes that show no pages load nothing of them: fifty-seven of them run on one machine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

Run = Callable[..., CompletedProcess[str]]
LOADED = """
import sys
from tansiq.cli import node
node.opened()
from tansiq.exchange.node.status import open_alarms
from tansiq.workers.exchange import serving
print(len(open_alarms()), sorted({"allauth", "django.contrib.sessions", "numpy", "tansiq.web.apps"} & set(sys.modules)))
"""
COMMANDS = """
import sys
from tansiq.cli import build
from tansiq import settings
build()
print(sorted({"asyncio", "cryptography", "django", "granian", "numpy", "pysequoia"} & set(sys.modules)))
"""
WORKER = """
import sys
from tansiq.cli import node
node.opened(sessions=True)
from tansiq.workers.jobs import forget_sessions, jobs
from datetime import UTC, datetime
loaded = sorted({"allauth", "numpy", "requests", "tansiq.web.apps"} & set(sys.modules))
print(forget_sessions(datetime.now(UTC)), loaded)
"""


def test_process_without_pages_loads_neither_pages_nor_accounts(run_python: Run) -> None:
    done = run_python(LOADED)

    assert (done.stdout, done.stderr) == ("0 []\n", "")


def test_commands_load_nothing_before_they_run(run_python: Run) -> None:
    done = run_python(COMMANDS)

    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_worker_knows_sessions_and_loads_no_pages(run_python: Run) -> None:
    done = run_python(WORKER)

    assert (done.stdout, done.stderr) == ("0 []\n", "")


def test_process_without_pages_sets_a_new_node_up_whole(run_python: Run, empty_home: Path) -> None:
    run_python("from tansiq.cli import node; node.opened()", at=empty_home)

    pages = "from tansiq.cli import node; node.opened(pages=True); from allauth.mfa.models import Authenticator as A"
    done = run_python(f"{pages}; print(A.objects.count())", at=empty_home)

    assert (done.stdout, done.stderr) == ("0\n", "")


def test_threads_share_their_memory_where_the_system_can(run_python: Run) -> None:
    done = run_python("import sys; from tansiq.workers import memory; print(memory.share_among_threads())")

    assert done.stdout in ("True\n", "False\n")
    assert done.returncode == 0
