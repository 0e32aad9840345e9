from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import pytest
import zstandard

from tansiq.feeds.reading.streams import ManyMembers, UnreadableReport, opened, plain_name, verify

TEXT = b"192.0.2.1\n" * 5000


def packed(folder: Path, kind: str, data: bytes = TEXT) -> Path:
    path = folder / f"report.txt{kind}"
    if kind == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("report.txt", data)
    else:
        path.write_bytes({"": bytes, ".gz": gzip.compress, ".zst": zstandard.compress}[kind](data))
    return path


@pytest.mark.parametrize("kind", ["", ".gz", ".zip", ".zst"])
def test_report_is_unpacked_whatever_it_is_called(tmp_path: Path, kind: str) -> None:
    path = packed(tmp_path, kind).rename(tmp_path / "misnamed.bin")

    verify(path, name="misnamed.bin")
    with opened(path) as stream:
        data = stream.read(len(TEXT) + 1)

    assert data == TEXT


@pytest.mark.parametrize("kind", [".gz", ".zip", ".zst"])
def test_packed_report_cut_in_half_is_refused(tmp_path: Path, kind: str) -> None:
    import random

    noise = random.Random(7).randbytes(300_000)  # does not compress, so half of the file is half of the data
    path = packed(tmp_path, kind, noise)
    path.write_bytes(path.read_bytes()[:150_000])

    with pytest.raises(UnreadableReport):
        verify(path, name="report")


def test_several_zstd_frames_and_gzip_members_are_one_report(tmp_path: Path) -> None:
    for kind, pack in ((".zst", zstandard.compress), (".gz", gzip.compress)):
        path = tmp_path / f"report{kind}"
        path.write_bytes(pack(b"one\n") + pack(b"two\n"))

        verify(path, name="report")
        with opened(path) as stream:
            assert stream.read(100) == b"one\ntwo\n"


def test_archive_of_several_files_is_refused_with_their_number(tmp_path: Path) -> None:
    path = tmp_path / "two.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", "a")
        archive.writestr("b.csv", "b")

    with pytest.raises(ManyMembers) as refused, opened(path):
        pass

    assert refused.value.values["count"] == 2


def test_missing_report_is_named_in_the_error(tmp_path: Path) -> None:
    with pytest.raises(UnreadableReport) as refused, opened(tmp_path / "absent.csv"):
        pass

    assert "absent.csv" in str(refused.value)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("in/2026-01-02-scan_ssh-sample-asn.csv.zip", "2026-01-02-scan_ssh-sample-asn.csv"), ("a.csv", "a.csv")],
)
def test_plain_name_drops_folder_and_packing(name: str, expected: str) -> None:
    assert plain_name(name) == expected
