"""The file for a stick: section 16, File."""

from __future__ import annotations

import errno
import os
import random
import shutil
import struct
import subprocess
import sys
import time
import tracemalloc
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tansiq.exchange import bundle, file
from tansiq.exchange.body import Lane
from tansiq.exchange.bundle import OtherRealm, Report, UnreadableFile
from tansiq.exchange.file import MediumFull, MediumNotWritable, NotWritten, TooLargeForMedium
from tansiq.exchange.parts import MOST_ENTRIES, Chunk, Fault, ForNode, Header, Named, Part, RosterText
from tansiq.exchange.seal import SEALED_LIMIT_BYTES

AT = datetime(2026, 11, 22, 8, 0, 0, 123_456, tzinfo=UTC)
HEADER = Header.of(realm="live", sender="XA", made_at=AT, to=("XC", "XB", "XB"))
DIGEST = "ab" * 32
PARTS: list[Part] = [
    RosterText(6, b'{"epoch":6}'),
    RosterText(7, b'{"epoch":7}'),
    ForNode("XB", Lane.URGENT, b"\x85one"),
    ForNode("XB", Lane.URGENT, b"\x85two"),
    ForNode("XB", Lane.BULK, b"\x85three"),
    ForNode("XC", Lane.NORMAL, b"\x85four"),
    Chunk(DIGEST, 0, b"first" * 20),
    Chunk(DIGEST, 1, b"second"),
]
FOR_XB = [part for part in PARTS if not (isinstance(part, ForNode) and part.to == "XC")]
HEAD_JSON = HEADER.written()


def written(path: Path, parts: list[Part] | None = None) -> Path:
    file.write(path, HEADER, PARTS if parts is None else parts)
    return path


def read(path: Path, here: str = "XB") -> tuple[list[Part], Report]:
    with bundle.opened(path, realm="live") as opened:
        return list(opened.parts(here=here)), opened.report


def zipped(path: Path, *entries: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("tansiq.json", HEAD_JSON, zipfile.ZIP_STORED)
        for name, data in entries:
            archive.writestr(name, data)
    return path


def local(name: bytes, data: bytes, *, flags: int = 0, method: int = 0, size: int | None = None) -> bytes:
    length = len(data) if size is None else size
    head = struct.pack("<4s5H3L2H", b"PK\3\4", 20, flags, method, 0, 33, zlib.crc32(data), length, length, len(name), 0)
    return head + name + data


def test_file_holds_what_section_16_says_and_any_program_unpacks_it(tmp_path: Path) -> None:
    path = written(tmp_path / "stick.zip")

    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        assert archive.testzip() is None
        assert archive.read("XB/urgent/2.pgp") == b"\x85two"
        assert archive.read("tansiq.json") == (
            b'{"from":"XA","made_at":"2026-11-22T08:00:00.123Z","realm":"live","to":["XB","XC"],"v":1}'
        )
        assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}
    assert names == [
        "tansiq.json", "rosters/6.json", "rosters/7.json", "XB/urgent/1.pgp", "XB/urgent/2.pgp", "XB/bulk/1.pgp",
        "XC/normal/1.pgp", f"blobs/{DIGEST}/0", f"blobs/{DIGEST}/1",
    ]  # fmt: skip


def test_file_says_what_it_came_to_hold(tmp_path: Path) -> None:
    path = tmp_path / "stick.zip"

    said = file.write(path, HEADER, iter(PARTS))

    assert said == file.Written(path, path.stat().st_size, {"XB": 3, "XC": 1}, rosters=2, chunks=2)
    assert list(tmp_path.iterdir()) == [path]


def test_file_of_the_same_parts_is_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = written(tmp_path / "first.zip").read_bytes()
    tomorrow = time.time() + 86_400
    monkeypatch.setattr(time, "time", lambda: tomorrow)

    assert written(tmp_path / "second.zip").read_bytes() == first


@pytest.mark.parametrize(
    ("here", "expected", "report"),
    [
        ("XB", FOR_XB, Report(Counter({Lane.URGENT: 2, Lane.BULK: 1}), 2, 2, Counter({"XC": 1}), is_whole=True)),
        (
            "XC",
            [*PARTS[:2], *PARTS[5:]],
            Report(Counter({Lane.NORMAL: 1}), 2, 2, Counter({"XB": 3}), is_whole=True),
        ),
        ("XD", [*PARTS[:2], *PARTS[6:]], Report(Counter(), 2, 2, Counter({"XB": 3, "XC": 1}), is_whole=True)),
    ],
)
def test_each_node_reads_its_own_part_and_for_whom_the_rest_is(
    tmp_path: Path, here: str, expected: list[Part], report: Report
) -> None:
    path = written(tmp_path / "stick.zip")

    assert read(path, here) == (expected, report)


def test_file_of_another_realm_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "stick.zip")

    with pytest.raises(OtherRealm), bundle.opened(path, realm="drill-7"):
        pass


def test_file_cut_off_anywhere_gives_what_is_whole_and_names_where_it_ends(tmp_path: Path) -> None:
    path = written(tmp_path / "stick.zip")
    whole = path.read_bytes()
    starts = whole.index(b"PK\3\4", 10)
    directory = whole.index(b"PK\1\2")
    for length in range(starts, directory):
        path.write_bytes(whole[:length])

        parts, report = read(path)

        assert parts == FOR_XB[: len(parts)]
        assert (report.is_whole, [fault.fault for fault in report.faults]) == (False, [Fault.TRUNCATED])
    assert parts == FOR_XB[:-1] and report.faults == [Named(f"blobs/{DIGEST}/1", Fault.TRUNCATED)]


def test_file_with_a_damaged_header_is_read_on_behind_it(tmp_path: Path) -> None:
    path = written(tmp_path / "stick.zip")
    raw = bytearray(path.read_bytes())
    at = raw.index(b"PK\3\4", raw.index(b"XB/urgent/1.pgp"))
    raw[at : at + 20] = bytes(20)
    path.write_bytes(raw)

    parts, report = read(path)

    assert parts == [part for part in FOR_XB if part != PARTS[3]]
    assert (report.faults, report.is_whole) == ([Named("", Fault.DAMAGED)], False)


def test_entry_with_a_flipped_bit_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    path = written(tmp_path / "stick.zip")
    raw = bytearray(path.read_bytes())
    raw[raw.index(b"\x85two") + 2] ^= 4
    path.write_bytes(raw)

    parts, report = read(path)

    assert parts == [part for part in FOR_XB if part != PARTS[3]]
    assert report.faults == [Named("XB/urgent/2.pgp", Fault.DAMAGED)]


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd", "/etc/passwd", "XB/urgent/../../1.pgp", "XB\\urgent\\1.pgp", "C:/a", "XB/urgent/01.pgp",
        "XB/urgent/1.pgp/", "xb/urgent/1.pgp", "XB/other/1.pgp", "rosters/-1.json", "rosters/1.json.exe", "readme.txt",
        f"blobs/{'AB' * 32}/0", f"blobs/{DIGEST}/1e3", "XB/urgent/\u0661.pgp", "XB/urgent/1.pgp\n", "a" * 60_000,
    ],
)  # fmt: skip
def test_entry_of_another_name_is_passed_over_and_named(tmp_path: Path, name: str) -> None:
    path = zipped(tmp_path / "stick.zip", (name, b"x"), ("XB/bulk/1.pgp", b"\x85"))

    parts, report = read(path)

    assert parts == [ForNode("XB", Lane.BULK, b"\x85")]
    assert [(len(said) <= 80, said.isascii(), fault) for said, fault in report.faults] == [(True, True, Fault.NAME)]
    assert [path.name for path in tmp_path.iterdir()] == ["stick.zip"]


def test_entry_that_comes_twice_counts_once(tmp_path: Path) -> None:
    path = tmp_path / "stick.zip"
    path.write_bytes(
        local(b"tansiq.json", HEAD_JSON)
        + local(b"XB/bulk/1.pgp", b"first")
        + local(b"XB/bulk/1.pgp", b"second")
        + local(b"tansiq.json", HEAD_JSON)
        + b"PK\1\2"
    )

    parts, report = read(path)

    assert parts == [ForNode("XB", Lane.BULK, b"first")]
    assert report.faults == [Named("XB/bulk/1.pgp", Fault.REPEATED), Named("tansiq.json", Fault.REPEATED)]


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        (local(b"XB/bulk/1.pgp", b"x" * 20, flags=1), Fault.ENCRYPTED),
        (local(b"XB/bulk/1.pgp", b"x" * 20, method=99), Fault.ENCRYPTED),
        (local(b"XB/bulk/1.pgp", zlib.compress(b"x" * 20), method=8), Fault.COMPRESSED),
        (local(b"XB/bulk/1.pgp", b"x" * 20, flags=8, size=0), Fault.DAMAGED),
        (local(b"XB/bulk/1.pgp", b"x" * 20, size=0xFFFFFFFF), Fault.DAMAGED),
        (local(b"XB/bulk/1.pgp", b"x" * 20, size=100_000), Fault.DAMAGED),
        (local(b"XB/bulk/1.pgp", bytes(SEALED_LIMIT_BYTES + 1)), Fault.SIZE),
        (local(f"blobs/{DIGEST}/0".encode(), bytes(512 * 1024 + 17)), Fault.SIZE),
        (local(b"rosters/1.json", bytes((32 << 20) + 1)), Fault.SIZE),
    ],
    ids=["encrypted", "AES", "compressed", "length behind", "length elsewhere", "length beyond", "long", "long chunk",
         "long roster"],
)  # fmt: skip
def test_entry_that_is_not_as_it_may_be_is_passed_over_and_named(tmp_path: Path, entry: bytes, fault: Fault) -> None:
    path = tmp_path / "stick.zip"
    path.write_bytes(local(b"tansiq.json", HEAD_JSON) + entry + local(b"XB/bulk/2.pgp", b"good") + b"PK\1\2")

    parts, report = read(path)

    assert parts == [ForNode("XB", Lane.BULK, b"good")]
    assert [said.fault for said in report.faults] == [fault]
    assert report.faults[0].name in entry.decode("latin-1")


def test_bomb_packed_by_another_program_unpacks_to_nothing(tmp_path: Path) -> None:
    path = zipped(
        tmp_path / "bomb.zip", ("XB/bulk/1.pgp", bytes(200 << 20)), ("rosters/1.json", b""), method=zipfile.ZIP_DEFLATED
    )
    tracemalloc.start()

    parts, report = read(path)

    assert tracemalloc.get_traced_memory()[1] < 8 << 20
    tracemalloc.stop()
    assert (parts, report.faults[0]) == ([], Named("XB/bulk/1.pgp", Fault.COMPRESSED))


@pytest.mark.parametrize(
    "filling",
    [b"PK\3\4", b"PK\3\4\x14\0\0\0\0\0", local(b"x", b"", size=1 << 20), local(b"rosters/1.json", b"", size=30 << 20)],
    ids=["marks", "likely", "overlong", "overlapping"],
)
def test_file_made_to_take_long_is_read_in_a_short_time(tmp_path: Path, filling: bytes) -> None:
    path = tmp_path / "stick.zip"
    path.write_bytes(local(b"tansiq.json", HEAD_JSON) + filling * ((40 << 20) // len(filling)))
    began = time.process_time()

    parts, report = read(path)

    assert time.process_time() - began < 15
    assert (parts, report.is_whole, len(report.faults) <= 100) == ([], False, True)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"PK\3\4",
        b"PK\5\6" + bytes(18),
        b"\x7fELF" * 100,
        local(b"XB/bulk/1.pgp", b"\x85"),
        local(b"tansiq.json", b"{}"),
        local(b"tansiq.json", b"[" * 1000),
        local(b"tansiq.json", HEAD_JSON.replace(b'"v":1', b'"v":2')),
        local(b"tansiq.json", HEAD_JSON.replace(b'["XB","XC"]', b'["../x"]')),
        local(b"tansiq.json", b" " * 70_000 + HEAD_JSON),
        local(b"tansiq.json", HEAD_JSON)[:-3],
        local(b"tansiq.json", zlib.compress(HEAD_JSON), method=8),
    ],
)
def test_what_is_no_such_file_is_refused_with_its_reason(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "stick.zip"
    path.write_bytes(raw)

    with pytest.raises(UnreadableFile) as refused, bundle.opened(path, realm="live"):
        pass

    assert (refused.value.code, refused.value.values) == ("exchange.file.unreadable", {"path": path})


def test_what_is_not_there_or_no_file_is_refused_with_its_reason(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    whys = []
    for path in (tmp_path / "absent", tmp_path, pipe):
        with pytest.raises(UnreadableFile) as refused, bundle.opened(path, realm="live"):
            pass
        whys.append(refused.value.values.get("why"))

    assert whys == [os.strerror(errno.ENOENT), None, None]


def test_file_whose_entries_were_altered_at_random_never_raises(tmp_path: Path) -> None:
    path = written(tmp_path / "stick.zip")
    whole = path.read_bytes()
    chance = random.Random(7)
    outcomes: Counter[str] = Counter()
    for _ in range(1500):
        raw = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            at, length = chance.randrange(len(raw)), chance.choice((1, 1, 2, 4, 30))
            raw[at : at + length] = chance.choice((b"", b"PK\3\4", b"\xff" * length, chance.randbytes(length)))
        path.write_bytes(raw)
        try:
            parts, report = read(path)
        except UnreadableFile:
            outcomes["unreadable"] += 1
            continue
        outcomes["whole" if report.is_whole else "faults"] += 1
        assert report.is_whole or report.faults
        assert all(part.data for part in parts)
    assert sorted(outcomes) == ["faults", "unreadable", "whole"]


@pytest.mark.parametrize(
    "parts",
    [
        [PARTS[2], PARTS[0]],
        [PARTS[6], PARTS[2]],
        [PARTS[0], PARTS[0]],
        [PARTS[6], PARTS[6]],
        [ForNode("XD", Lane.BULK, b"\x85")],
    ],
)
def test_write_refuses_parts_that_no_file_may_have_and_leaves_nothing(tmp_path: Path, parts: list[Part]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        written(tmp_path / "stick.zip", parts)

    assert list(tmp_path.iterdir()) == []


def test_file_that_exists_stays_when_the_new_one_fails(tmp_path: Path) -> None:
    path = written(tmp_path / "stick.zip")
    before = path.read_bytes()

    def parts() -> Iterator[Part]:
        yield PARTS[0]
        raise OSError(errno.ENOSPC, "of the store, not of the stick")

    with pytest.raises(OSError, match="of the store") as failed:
        file.write(path, HEADER, parts())

    assert type(failed.value) is OSError
    assert (path.read_bytes(), list(tmp_path.iterdir())) == (before, [path])


def test_medium_that_is_full_or_read_only_is_said_and_nothing_is_left(tmp_path: Path) -> None:
    unshare = shutil.which("unshare")
    if not unshare or subprocess.run([unshare, "-rm", "true"], capture_output=True).returncode:
        pytest.skip("a medium of its own cannot be mounted here (unshare)")
    program = (
        "import os, subprocess, sys; from pathlib import Path; sys.path[:0] = sys.argv[2:]\n"
        "from tansiq.core.errors import TansiqError\n"
        "from unit.exchange import test_file_zip as t\n"
        "stick = Path(sys.argv[1])\n"
        "def attempt(size):\n"
        "    try: t.written(stick / 'stick.zip', [t.Chunk(t.DIGEST, n, bytes(9000)) for n in range(size)])\n"
        "    except TansiqError as error: print(error.code, end=' ')\n"
        "    print(sorted(os.listdir(stick)))\n"
        "attempt(20); attempt(2); attempt(20)\n"
        "subprocess.run(['mount', '-o', 'remount,ro', stick], check=True); attempt(2)\n"
    )
    script = 'mount -t tmpfs -o size=100k none "$1" && exec "$2" -B -c "$3" "$1" "$4"'
    tests = str(Path(__file__).parents[2])

    done = subprocess.run(
        [unshare, "-rm", "sh", "-c", script, "-", tmp_path, sys.executable, program, tests],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip

    assert (done.stdout.splitlines(), done.stderr) == (
        [
            "exchange.file.full []",
            "['stick.zip']",
            "exchange.file.full ['stick.zip']",
            "exchange.file.not_writable ['stick.zip']",
        ],
        "",
    )


def test_link_in_the_place_of_an_unfinished_file_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / ".stick.zip.part").symlink_to(victim)

    path = written(tmp_path / "stick.zip")

    assert (victim.read_text(), read(path)[0], path.is_symlink()) == ("precious", FOR_XB, False)


def test_medium_that_takes_no_larger_file_is_said(tmp_path: Path) -> None:
    program = (
        "import resource, signal, sys; from pathlib import Path; sys.path[:0] = sys.argv[2:]\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))\n"
        "from unit.exchange import test_file_zip as t\n"
        "try: t.written(Path(sys.argv[1]), [t.Chunk(t.DIGEST, n, bytes(9000)) for n in range(9)])\n"
        "except t.TooLargeForMedium: print('too large', len(list(Path(sys.argv[1]).parent.iterdir())))\n"
    )
    tests = str(Path(__file__).parents[2])

    done = subprocess.run(
        [sys.executable, "-B", "-c", program, tmp_path / "stick.zip", tests], capture_output=True, text=True, timeout=60
    )

    assert (done.stdout, done.stderr) == ("too large 0\n", "")


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (errno.EROFS, MediumNotWritable),
        (errno.EACCES, MediumNotWritable),
        (errno.EDQUOT, MediumFull),
        (errno.EFBIG, TooLargeForMedium),
        (errno.EIO, NotWritten),
    ],
)
def test_trouble_of_the_medium_has_words_of_its_own(tmp_path: Path, code: int, error: type[Exception]) -> None:
    with pytest.raises(error), file._telling(tmp_path):
        raise OSError(code, os.strerror(code))


def test_file_in_a_folder_that_is_not_there_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(NotWritten, match="No such file"):
        written(tmp_path / "absent" / "stick.zip")


@pytest.mark.parametrize("place", ["", ".", "/", "stick"])
def test_folder_in_place_of_a_file_is_not_written_over(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "stick").mkdir()

    with pytest.raises(NotWritten, match="Is a directory"):
        written(Path(place))

    assert [one.name for one in tmp_path.rglob("*")] == ["stick"]


def test_file_of_thousands_of_parts_is_written_and_read_one_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "stick.zip"
    chunk = bytes(512 * 1024 + 16)
    tracemalloc.start()

    file.write(path, HEADER, (Chunk(DIGEST, index, chunk) for index in range(200)))
    with bundle.opened(path, realm="live") as opened:
        count = sum(1 for _ in opened.parts(here="XB"))

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (count, opened.report.is_whole, peak < 4 << 20) == (200, True, True)


def test_file_has_as_many_entries_as_it_may_and_no_more(tmp_path: Path) -> None:
    path = tmp_path / "stick.zip"
    part = ForNode("XB", Lane.BULK, b"\x85")

    with pytest.raises(ValueError, match="too many"):
        file.write(path, HEADER, (part for _ in range(MOST_ENTRIES)))
    path.write_bytes(
        local(b"tansiq.json", HEAD_JSON)
        + b"".join(local(b"XB/bulk/%d.pgp" % index, b"\x85") for index in range(1, MOST_ENTRIES + 2))
    )
    parts, report = read(path)

    assert (len(parts), report.faults) == (MOST_ENTRIES - 1, [Named("", Fault.COUNT)])
