"""A node of its own for every test: its folder, and the program run in it as a user runs it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from factories import federation, federation_homes
from factories import postgres as servers
from factories.federation import Federation
from factories.federation_homes import Homes
from tansiq.core.home import Home

Run = Callable[..., subprocess.CompletedProcess[str]]


def pytest_runtest_setup(item: pytest.Item) -> None:
    mark = item.get_closest_marker("sqlite")
    if servers.WANTED and mark is not None:
        pytest.skip(f"not on PostgreSQL: {mark.kwargs['why']}")


@pytest.fixture(scope="session")
def cluster() -> Iterator[servers.Cluster]:
    """A private PostgreSQL server, one for the session."""
    with servers.cluster() as cluster:
        if cluster is None:
            pytest.skip("PostgreSQL's server is not installed (initdb, pg_ctl)")
        yield cluster


@pytest.fixture(scope="session", autouse=True)
def _database_wanted(request: pytest.FixtureRequest) -> None:
    """``TANSIQ_TEST_DATABASE=postgresql``: every node of a test keeps its tables and its lake's catalogue there."""
    if servers.WANTED:
        servers.running = request.getfixturevalue("cluster")


@pytest.fixture(autouse=True)
def _databases_dropped(request: pytest.FixtureRequest) -> Iterator[None]:
    if not servers.running:
        yield
        return
    folder = request.getfixturevalue("tmp_path")
    yield
    servers.running.drop(folder)


def environment(home: Path) -> dict[str, str]:
    """The environment of a user without settings of their own; the program speaks English."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("TANSIQ_", "DJANGO_", "LC_", "LANG"))
    }
    kept |= {"TANSIQ_HOME": str(home), "TANSIQ_LANGUAGE": "en", "PYTHONUTF8": "1", "PYTHONWARNINGS": "error"}
    return kept | ({"TANSIQ_DATABASE_URL": url} if (url := servers.url_of(home)) else {})


@pytest.fixture(scope="session")
def set_up_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A node set up once for the session, to be copied: migrations take longer than most tests."""
    home = tmp_path_factory.mktemp("node") / "home"
    command = [sys.executable, "-c", "from tansiq.cli import node; node.opened()"]
    subprocess.run(command, env=environment(home), check=True, timeout=120)
    if servers.running:
        servers.running.settle(home)
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

    def run_python(
        program: str, *, at: Path = home, seconds: float = 300, **extra: str
    ) -> subprocess.CompletedProcess[str]:
        return finished("-c", program, input=None, at=at, seconds=seconds, **extra)

    return run_python


def finished(
    *arguments: str | Path, input: str | bytes | None, at: Path, seconds: float = 300, **extra: str
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
        timeout=seconds,
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
    _hash_cheaply()
    settings.HOME = Home(path=home, lake=home / "lake", lake_catalogue=str(home / "lake.catalogue.sqlite"))
    if url := servers.url_of(home):
        settings.HOME = Home(path=home, lake=home / "lake", lake_catalogue=url)
        settings.DATABASES["default"].update(servers.described(url))
        del connections["default"]  # made anew for the other kind of database
        return
    settings.DATABASES["default"]["NAME"] = home / "tansiq.sqlite3"
    connections["default"].close()
    connections["default"].settings_dict["NAME"] = home / "tansiq.sqlite3"


def _hash_cheaply() -> None:
    """Argon2 as the node has it, at its least cost: it is most of what it takes to sign somebody in."""
    from django.contrib.auth.hashers import Argon2PasswordHasher as Argon2

    Argon2.time_cost, Argon2.memory_cost, Argon2.parallelism = 1, 8, 1


def without_compiled_table() -> None:
    """What was compiled from claims that are rolled back goes with them: the next test's may have the same number."""
    from django.conf import settings

    from tansiq.web.whois import book

    shutil.rmtree(settings.HOME.tables, ignore_errors=True)
    book._opened.cache_clear()


@pytest.fixture
def database(_connected: None) -> Iterator[None]:
    """The relational database of a node just set up, in this process; what the test writes is rolled back."""
    from django.db import transaction

    with transaction.atomic():
        yield
        transaction.set_rollback(True)
    without_compiled_table()


@pytest.fixture(scope="module")
def there(_connected: None) -> Iterator[Federation]:
    """Three teams and a person of every kind, signed in; for the tests of a module, which change nothing of it.

    What they proved when they signed in counts for as long as that takes: a walk may be slower than five minutes.
    """
    from django.db import transaction
    from django.test import override_settings

    with transaction.atomic(), override_settings(ACCOUNT_REAUTHENTICATION_TIMEOUT=24 * 3600):
        yield federation.seeded()
        transaction.set_rollback(True)


@pytest.fixture
def contexts(_connected: None) -> Iterator[None]:
    """Answers of the test client carry what their templates were given (``response.context``)."""
    from django.test.utils import setup_test_environment, teardown_test_environment

    setup_test_environment(debug=False)
    yield
    teardown_test_environment()


@pytest.fixture(scope="session")
def three_nodes(set_up_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Homes:
    """XA, XB and XC, each in a folder of its own, with keys and a roster; to be copied: making them takes long."""
    return federation_homes.made(tmp_path_factory.mktemp("three") / "federation", set_up_home, ("XA", "XB", "XC"))


@pytest.fixture
def homes(three_nodes: Homes, tmp_path: Path) -> Iterator[Homes]:
    """The same, for this test alone; whatever it starts there ends with it."""
    with three_nodes.copied(tmp_path / "federation") as copy:
        yield copy


@pytest.fixture
def postgres(cluster: servers.Cluster, tmp_path: Path) -> Iterator[str]:
    """Address of an empty database of PostgreSQL, whatever the other tests run on."""
    nowhere = tmp_path / "of-no-node"
    yield cluster.of(nowhere)
    cluster.drop(nowhere)


@pytest.fixture
def forgotten(database: None) -> Iterator[None]:
    """Rosters that were read are rolled back with the test."""
    from tansiq.exchange.node import rosters

    rosters._read.clear()
    yield
    rosters._read.clear()
