"""Compiled tables on disk: whole or not at all, and the current one by name."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest

from factories.attribution import NOON, address_table, compiled, events
from tansiq.attribution import folder
from tansiq.attribution.folder import Folder, Pointer, TableDamaged, TableNotWritten
from tansiq.attribution.table import AttributionTable, attribute
from tansiq.attribution.whois import Whois
from tansiq.core.claims import Claim

ADDRESSES = address_table([("192.0.2.0/24", 64496, "XA")])


def test_pointer_moved_on_leaves_open_tables_readable(tmp_path: Path) -> None:
    old = compiled(tmp_path, [Claim("XA-CERT", "cidr", "192.0.2.0/24")], addresses=ADDRESSES, number=1)
    book = Whois.open(tmp_path)
    assert book

    for number in (2, 3, 4):
        compiled(tmp_path, [], addresses=ADDRESSES, number=number)

    assert attribute(events({"ip": "192.0.2.1"}), table=old)["team"].to_list() == ["XA-CERT"]
    assert book.answer("192.0.2.1", now=NOON)["team"] == "XA-CERT"
    assert AttributionTable.current(tmp_path).claims_version == 4  # type: ignore[union-attr]


def test_pointer_moved_on_keeps_the_two_newest_folders(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        compiled(tmp_path, [], number=number)

    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "attribution-2-test",
        "attribution-3-test",
        "attribution.json",
    ]


def test_compile_twice_replaces_the_folder(tmp_path: Path) -> None:
    compiled(tmp_path, [], addresses=ADDRESSES)

    table = compiled(tmp_path, [Claim("XA-CERT", "country", "XA")], addresses=ADDRESSES)

    assert attribute(events({"ip": "192.0.2.1"}), table=table)["team"].to_list() == ["XA-CERT"]


@pytest.mark.parametrize("name", ["about.json", "columns.bin"])
def test_open_of_table_with_file_cut_short_is_refused(tmp_path: Path, name: str) -> None:
    compiled(tmp_path, [], addresses=ADDRESSES)
    cut = next(tmp_path.glob(f"*/{name}"))
    cut.write_bytes(cut.read_bytes()[:-1])

    with pytest.raises(TableDamaged) as refused:
        Folder(cut.parent)

    assert refused.value.values == {"folder": cut.parent, "file": name}
    assert Whois.open(tmp_path) is None


def test_open_of_table_with_file_missing_is_refused(tmp_path: Path) -> None:
    compiled(tmp_path, [])
    missing = next(tmp_path.glob("*/columns.bin"))
    missing.unlink()

    with pytest.raises(TableDamaged):
        AttributionTable.open(missing.parent)

    assert AttributionTable.current(tmp_path) is None


def test_pointer_of_another_format_is_no_pointer(tmp_path: Path) -> None:
    compiled(tmp_path, [])
    pointer = tmp_path / "attribution.json"
    pointer.write_text(json.dumps(json.loads(pointer.read_text()) | {"format": folder.FORMAT + 1}))

    assert Pointer(tmp_path).read() == {}
    assert Whois.open(tmp_path) is None


def test_write_on_full_disk_is_refused_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)

    with pytest.raises(TableNotWritten) as refused:
        compiled(tmp_path, [])

    assert (refused.value.values["reason"], refused.value.exit_code) == ("No space left on device", 4)
    assert list(tmp_path.iterdir()) == []


def test_lines_are_read_one_by_one(tmp_path: Path) -> None:
    compiled(tmp_path, [Claim("XA-CERT", "domain", name) for name in ("b.example", "a.example", "xn--4gbrim.example")])

    lines = Folder(next(tmp_path.glob("*/"))).text("domain")

    assert list(lines) == ["a.example", "b.example", "xn--4gbrim.example"]
    assert lines[1:] == ["b.example", "xn--4gbrim.example"]


def test_pointer_moved_on_removes_what_a_killed_writer_left(tmp_path: Path) -> None:
    left = tmp_path / ".attribution-1-test.4711"
    left.mkdir()
    (left / "columns.bin").write_bytes(b"half")

    compiled(tmp_path, [], number=2)

    assert not left.exists()
