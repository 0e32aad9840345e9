"""A node of its own for every test: its folder, and the program run in it as a user runs it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tansiq.core.home import Home

Run = Callable[..., subprocess.CompletedProcess[str]]


def environment(home: Path) -> dict[str, str]:
    """The environment of a user without settings of their own; the program speaks English."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("TANSIQ_", "DJANGO_", "LC_", "LANG"))
    }
    return kept | {"TANSIQ_HOME": str(home), "TANSIQ_LANGUAGE": "en", "PYTHONUTF8": "1", "PYTHONWARNINGS": "error"}


@pytest.fixture(scope="session")
def set_up_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A node set up once for the session, to be copied: migrations take longer than most tests."""
    home = tmp_path_factory.mktemp("node") / "home"
    command = [sys.executable, "-c", "from tansiq.cli import node; node.opened()"]
    subprocess.run(command, env=environment(home), check=True, timeout=120)
    return home


@pytest.fixture
def empty_home(tmp_path: Path) -> Path:
    """A folder in which nothing was ever done; the first command sets the node up."""
    return tmp_path / "home"


@pytest.fixture
def home(set_up_home: Path, tmp_path: Path) -> Path:
    """``TANSIQ_HOME`` of a node just set up: the shipped directory, no address tables, no events."""
    return Path(shutil.copytree(set_up_home, tmp_path / "home"))


@pytest.fixture
def run(home: Path) -> Run:
    """``run("members", "list", input=None, at=home, **environment)``: the program's own process, to its end."""

    def run(
        *arguments: str | Path, input: str | bytes | None = None, at: Path = home, **extra: str
    ) -> subprocess.CompletedProcess[str]:
        return finished("-m", "tansiq", *arguments, input=input, at=at, **extra)

    return run


@pytest.fixture
def run_python(home: Path) -> Run:
    """``run_python("import tansiq …")``: a program of the test's own in a process like ``run``'s."""

    def run_python(program: str, *, at: Path = home, **extra: str) -> subprocess.CompletedProcess[str]:
        return finished("-c", program, input=None, at=at, **extra)

    return run_python


def finished(
    *arguments: str | Path, input: str | bytes | None, at: Path, **extra: str
) -> subprocess.CompletedProcess[str]:
    text = input.decode("utf-8", "surrogateescape") if isinstance(input, bytes) else input
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        env=environment(at) | extra,
        input=text,
        stdin=subprocess.DEVNULL if text is None else None,
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        timeout=300,
    )


@pytest.fixture(scope="session")
def _connected(set_up_home: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Django in this process, on a copy of the node just set up; whatever a developer's environment says."""
    import django
    from django.conf import settings
    from django.db import connections

    home = Path(shutil.copytree(set_up_home, tmp_path_factory.mktemp("connected") / "home"))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tansiq.settings")
    django.setup()
    settings.DATABASES["default"]["NAME"] = home / "tansiq.sqlite3"
    settings.HOME = Home(path=home, lake=home / "lake", lake_catalogue=str(home / "lake.catalogue.sqlite"))
    connections["default"].close()
    connections["default"].settings_dict["NAME"] = home / "tansiq.sqlite3"


@pytest.fixture
def database(_connected: None) -> Iterator[None]:
    """The relational database of a node just set up, in this process; what the test writes is rolled back."""
    from django.db import transaction

    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def of_postgres(program: str) -> str | None:
    """A program of PostgreSQL's server, which Debian keeps out of the path."""
    places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"))
    return shutil.which(program) or (str(places[-1]) if places else None)


@pytest.fixture
def postgres() -> Iterator[str]:
    """A private cluster on a port of loopback, in a folder of its own."""
    initdb, pg_ctl = of_postgres("initdb"), of_postgres("pg_ctl")
    if not initdb or not pg_ctl:
        pytest.skip("PostgreSQL's server is not installed (initdb, pg_ctl)")
    folder = Path(tempfile.mkdtemp(prefix="tansiq-postgres-"))  # a short path, as sockets need, that others may enter
    as_user: list[str] = []
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        as_user = ["runuser", "-u", "postgres", "--"]
        shutil.chown(folder, "postgres", "postgres")
    cluster = str(folder / "cluster")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def server(*command: str) -> None:
        subprocess.run([*as_user, *command], check=True, cwd="/", stdout=subprocess.DEVNULL)

    server(initdb, "-D", cluster, "-A", "trust", "-U", "tansiq", "--no-sync")
    where = f"-k {folder} -c listen_addresses=127.0.0.1 -p {port}"
    server(pg_ctl, "-D", cluster, "-w", "-l", f"{cluster}/log", "-o", where, "start")
    yield f"postgresql://tansiq@127.0.0.1:{port}/postgres"
    server(pg_ctl, "-D", cluster, "-m", "immediate", "stop")
    shutil.rmtree(folder)
