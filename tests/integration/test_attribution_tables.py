"""The compiled table follows the claims and the address table."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from conftest import environment
from factories.attribution import AS_OF, NOON, address_table
from tansiq.addresses.table import publish
from tansiq.attribution.folder import Pointer
from tansiq.attribution.whois import Whois

PROGRAM = """
from tansiq.cli import node
home = node.opened()
from tansiq.workers.tables import refresh
refresh(home)
"""


def start(home: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", PROGRAM], env=environment(home))


def refresh(home: Path) -> dict[str, Any]:
    """Refresh in a process of its own, as every command does; returns what the pointer then says."""
    assert start(home).wait(timeout=60) == 0
    return Pointer(home / "tables").read()


def test_refresh_of_a_fresh_node_answers_by_the_shipped_claims(home: Path) -> None:
    said = refresh(home)

    book = Whois.open(home / "tables")
    assert book
    answer = book.answer("MA", now=NOON)
    assert (said["addresses"], said["addresses_as_of"]) == ("none", None)
    assert (answer["attributed_by"], answer["reason"]) == ("country", "country MA")
    assert answer["team"]


def test_refresh_without_change_compiles_nothing(home: Path) -> None:
    refresh(home)
    pointer = home / "tables" / "attribution.json"
    before = pointer.stat().st_mtime_ns

    refresh(home)

    assert pointer.stat().st_mtime_ns == before


def test_refresh_after_new_addresses_compiles_anew(home: Path) -> None:
    before = refresh(home)
    addresses = publish(address_table([("192.0.2.0/24", 64496, "MA")]), home / "tables", now=NOON)

    said = refresh(home)

    book = Whois.open(home / "tables")
    assert book
    assert said["folder"] != before["folder"]
    assert (said["addresses"], said["addresses_as_of"]) == (addresses.name, AS_OF.isoformat())
    assert book.answer("192.0.2.1", now=NOON)["reason"] == "country MA"


def test_refresh_of_damaged_table_compiles_anew(home: Path) -> None:
    folder = home / "tables" / refresh(home)["folder"]
    (folder / "columns.bin").write_bytes(b"cut")

    refresh(home)

    assert Whois.open(home / "tables")


def test_refresh_by_several_processes_at_once_leaves_one_table(home: Path) -> None:
    addresses = address_table([("192.0.2.0/24", 64496, "MA")])
    publish(addresses, home / "tables", now=NOON - timedelta(days=1))

    processes = [start(home) for _ in range(4)]

    assert [process.wait(timeout=120) for process in processes] == [0, 0, 0, 0]
    assert [path.name for path in (home / "tables").glob("attribution-*")] == [
        Pointer(home / "tables").read()["folder"]
    ]
