from __future__ import annotations

import errno
from pathlib import Path

import pytest

from tansiq.notices import folder as folders
from tansiq.notices.folder import FolderNotWritten, replacing


def test_replacing_an_absent_folder_makes_it(tmp_path: Path) -> None:
    with replacing(tmp_path / "day" / "XA-CERT") as fresh:
        (fresh / "a").write_text("new")

    assert (tmp_path / "day" / "XA-CERT" / "a").read_text() == "new"
    assert [path.name for path in (tmp_path / "day").iterdir()] == ["XA-CERT"]


def test_replacing_a_folder_leaves_nothing_of_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "XA-CERT"
    with replacing(target) as fresh:
        (fresh / "old").write_text("old")

    with replacing(target) as fresh:
        (fresh / "new").write_text("new")

    assert [path.name for path in target.iterdir()] == ["new"]
    assert [path.name for path in tmp_path.iterdir()] == ["XA-CERT"]


def test_replacing_where_folders_cannot_be_exchanged_renames_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "_exchanged", lambda one, other: False)
    target = tmp_path / "XA-CERT"
    target.mkdir()
    (target / "old").write_text("old")

    with replacing(target) as fresh:
        (fresh / "new").write_text("new")

    assert [path.name for path in target.iterdir()] == ["new"]
    assert [path.name for path in tmp_path.iterdir()] == ["XA-CERT"]


def test_replacing_that_fails_halfway_leaves_the_old_folder(tmp_path: Path) -> None:
    target = tmp_path / "XA-CERT"
    target.mkdir()
    (target / "old").write_text("old")

    with pytest.raises(ValueError, match="halfway"), replacing(target) as fresh:
        (fresh / "new").write_text("new")
        raise ValueError("halfway")

    assert [path.name for path in target.iterdir()] == ["old"]
    assert [path.name for path in tmp_path.iterdir()] == ["XA-CERT"]


def test_replacing_on_a_full_disk_says_so_and_leaves_the_old_folder(tmp_path: Path) -> None:
    target = tmp_path / "XA-CERT"
    target.mkdir()

    with pytest.raises(FolderNotWritten) as refused, replacing(target):
        raise OSError(errno.ENOSPC, "No space left on device")

    assert refused.value.exit_code == 4
    assert "No space left on device" in str(refused.value)
    assert [path.name for path in tmp_path.iterdir()] == ["XA-CERT"]
