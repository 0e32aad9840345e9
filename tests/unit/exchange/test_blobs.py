"""The store of blobs on disk: section 9."""

from __future__ import annotations

import io
import os
import random
import signal
import stat
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from tansiq.exchange import blob
from tansiq.exchange.blob import CHUNK_BYTES, indices
from tansiq.exchange.blob_room import BlobNoRoom
from tansiq.exchange.blobs import BlobChanged, BlobContradicts, BlobDamaged, BlobNotHeld, BlobStore, BlobTooLarge
from tansiq.exchange.body import LARGEST_BLOB_BYTES, BlobReference
from tansiq.exchange.values import Unfit

KEY = bytes(range(32))
PLAIN = random.Random(8).randbytes(3 * CHUNK_BYTES + 100)
CHUNKS = list(blob.encrypted(io.BytesIO(PLAIN), size_bytes=len(PLAIN), key=KEY))
REFERENCE = BlobReference(
    digest=blob.digest_of(CHUNKS), key=KEY, size_bytes=len(PLAIN), media_type="text/plain", name="a.txt"
)
SOURCE = Path(__file__).parents[3] / "src"


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "blobs", least_free_bytes=0)


def kept(store: BlobStore, plain: bytes = PLAIN) -> BlobReference:
    return store.keep(io.BytesIO(plain), size_bytes=len(plain), media_type="text/plain", name="a.txt")


def test_kept_file_is_held_and_read_again(store: BlobStore) -> None:
    reference = kept(store)

    assert store.is_held(reference)
    assert store.missing(reference) == ()
    assert b"".join(store.decrypted(reference)) == PLAIN
    assert list(store.digests()) == [reference.digest]
    assert list((store.folder / "drafts").iterdir()) == []


def test_kept_file_is_ciphertext_for_this_user_alone(store: BlobStore) -> None:
    reference = kept(store, b"marker " * 10_000)

    (path,) = store.folder.rglob(reference.digest)

    assert b"marker" not in path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700


def test_kept_twice_is_two_blobs_with_two_keys(store: BlobStore) -> None:
    first, second = kept(store), kept(store)

    assert first.digest != second.digest
    assert first.key != second.key


@pytest.mark.parametrize("said", [9, 11])
def test_kept_file_that_changes_meanwhile_is_not_kept(store: BlobStore, said: int) -> None:
    with pytest.raises(BlobChanged):
        store.keep(io.BytesIO(bytes(10)), size_bytes=said, media_type="text/plain", name="a.txt")

    assert list(store.digests()) == []
    assert store.room.taken_bytes() == 0


def test_kept_beyond_two_gibibytes_is_refused_unread(store: BlobStore) -> None:
    with pytest.raises(BlobTooLarge):
        store.keep(io.BytesIO(), size_bytes=LARGEST_BLOB_BYTES + 1, media_type="text/plain", name="a.txt")

    assert not store.folder.exists()


def test_missing_names_runs_and_the_lowest_of_them(store: BlobStore) -> None:
    assert store.missing(REFERENCE) == ((0, 3),)

    assert not store.receive(REFERENCE, 1, CHUNKS[1])

    assert store.missing(REFERENCE) == ((0, 0), (2, 3))
    assert store.missing(REFERENCE, most=1) == ((0, 0),)
    assert list(indices(store.missing(REFERENCE))) == [0, 2, 3]
    assert not store.is_held(REFERENCE)


def test_received_last_chunk_makes_it_held(store: BlobStore) -> None:
    outcomes = [store.receive(REFERENCE, index, CHUNKS[index]) for index in (3, 0, 0, 2, 1, 1)]

    assert outcomes == [False, False, False, False, True, True]
    assert [path.name for path in store.folder.glob("[!l]*/*")] == [REFERENCE.digest]


def test_received_wrong_chunk_is_unfit_and_leaves_nothing(store: BlobStore) -> None:
    for index, chunk in ((0, CHUNKS[1]), (1, CHUNKS[1][:-1]), (4, CHUNKS[3]), (-1, CHUNKS[0]), (0, b"")):
        with pytest.raises(Unfit):
            store.receive(REFERENCE, index, chunk)

    assert store.missing(REFERENCE) == ((0, 3),)
    assert not store.folder.exists()


def test_received_chunks_of_somebody_else_with_the_key_are_thrown_away(store: BlobStore) -> None:
    forged = list(blob.encrypted(io.BytesIO(bytes(len(PLAIN))), size_bytes=len(PLAIN), key=KEY))
    for index in range(3):
        store.receive(REFERENCE, index, CHUNKS[index])

    with pytest.raises(BlobContradicts):
        store.receive(REFERENCE, 3, forged[3])

    assert store.missing(REFERENCE) == ((0, 3),)
    assert all(store.receive(REFERENCE, index, CHUNKS[index]) is (index == 3) for index in range(4))


def test_references_to_one_digest_with_other_keys_or_sizes_do_not_meet(store: BlobStore) -> None:
    other = replace(REFERENCE, size_bytes=CHUNK_BYTES, key=bytes(32))
    (chunk,) = blob.encrypted(io.BytesIO(bytes(CHUNK_BYTES)), size_bytes=CHUNK_BYTES, key=bytes(32))
    store.receive(REFERENCE, 0, CHUNKS[0])

    with pytest.raises(BlobContradicts):
        store.receive(other, 0, chunk)

    assert store.missing(REFERENCE) == ((1, 3),)
    assert [store.receive(REFERENCE, index, CHUNKS[index]) for index in (1, 2, 3)] == [False, False, True]
    assert not store.is_held(other)
    wrong_key = replace(REFERENCE, key=bytes(32))
    with pytest.raises(BlobDamaged):
        list(store.decrypted(wrong_key))


def test_chunk_of_what_is_held_goes_to_another(store: BlobStore) -> None:
    for index, chunk in enumerate(CHUNKS):
        store.receive(REFERENCE, index, chunk)

    assert [store.chunk(REFERENCE.digest, index) for index in range(4)] == CHUNKS
    for index in (-1, 4, 4095):
        with pytest.raises(BlobNotHeld):
            store.chunk(REFERENCE.digest, index)


def test_what_is_not_held_is_neither_read_nor_passed_on(store: BlobStore) -> None:
    store.receive(REFERENCE, 0, CHUNKS[0])

    with pytest.raises(BlobNotHeld):
        store.decrypted(REFERENCE)
    with pytest.raises(BlobNotHeld):
        store.chunk(REFERENCE.digest, 0)


def test_held_file_that_the_disk_altered_is_mended(store: BlobStore) -> None:
    for index, chunk in enumerate(CHUNKS):
        store.receive(REFERENCE, index, chunk)
    path = store.folder / "held" / REFERENCE.digest
    with path.open("rb+") as file:
        file.seek(2 * CHUNK_BYTES)
        file.write(b"altered")

    with pytest.raises(BlobDamaged):
        list(store.decrypted(REFERENCE))
    assert not store.mend(REFERENCE)

    assert store.missing(REFERENCE) == ((1, 1),)
    assert store.receive(REFERENCE, 1, CHUNKS[1])
    assert store.mend(REFERENCE)


def test_mend_of_what_is_not_here_is_none(store: BlobStore) -> None:
    assert not store.mend(REFERENCE)


def test_deleted_blob_leaves_nothing(store: BlobStore) -> None:
    reference = kept(store)
    store.receive(REFERENCE, 0, CHUNKS[0])

    assert store.delete(reference.digest)
    assert store.delete(REFERENCE.digest)

    assert not store.delete(REFERENCE.digest)
    assert list(store.digests()) == []
    assert store.room.taken_bytes() == 0


# ---- room


def test_no_room_for_more_than_blobs_may_take(tmp_path: Path) -> None:
    store = BlobStore(tmp_path, most_bytes=2 * len(PLAIN), least_free_bytes=0)
    store.receive(REFERENCE, 0, CHUNKS[0])  # the rest of it is promised

    with pytest.raises(BlobNoRoom) as refused:
        kept(store, PLAIN[:-1])

    assert refused.value.values["free_bytes"] == 2 * len(PLAIN) - store.room.taken_bytes()
    assert kept(store, PLAIN[:CHUNK_BYTES]).size_bytes == CHUNK_BYTES


def test_no_room_for_what_others_need(tmp_path: Path) -> None:
    store = BlobStore(tmp_path, least_free_bytes=1 << 60)

    with pytest.raises(BlobNoRoom):
        kept(store)
    with pytest.raises(BlobNoRoom):
        store.receive(REFERENCE, 0, CHUNKS[0])

    assert store.room.taken_bytes() == 0


def test_disk_that_is_full_is_said_and_what_was_begun_goes_on(tmp_path: Path) -> None:
    script = f"""
import io, resource, signal, sys
from pathlib import Path
from tansiq.exchange.blob_room import BlobNoRoom
from tansiq.exchange.blobs import BlobStore
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
store = BlobStore(Path({str(tmp_path)!r}), least_free_bytes=0)
try:
    store.keep(io.BytesIO(bytes(2_000_000)), size_bytes=2_000_000, media_type="a/b", name="a")
except BlobNoRoom as refused:
    print(refused.code, list(store.digests()), store.room.taken_bytes())
"""
    said = subprocess.run(
        [sys.executable, "-c", script], env=_environment(), capture_output=True, text=True, check=True
    )

    assert said.stdout == "exchange.blob.no_room [] 0\n"


def test_sweep_removes_drafts_of_processes_that_are_gone(store: BlobStore) -> None:
    kept(store)
    left = store.folder / "drafts" / "left"
    left.write_bytes(b"of somebody who was killed")

    assert store.sweep() == 1

    assert not left.exists()


def test_sweep_leaves_drafts_that_are_being_written(store: BlobStore) -> None:
    began, may_end = threading.Event(), threading.Event()

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() == CHUNK_BYTES:
                began.set()
                may_end.wait(30)
            return super().read(size)

    references: list[BlobReference] = []
    source = Slow(PLAIN)
    thread = threading.Thread(
        target=lambda: references.append(
            store.keep(source, size_bytes=len(PLAIN), media_type="text/plain", name="a.txt")
        )
    )
    thread.start()
    assert began.wait(30)

    swept = store.sweep()
    may_end.set()
    thread.join(30)

    assert swept == 0
    assert store.is_held(references[0])


# ---- several at once, and killed


def test_received_by_several_threads_at_once_is_held_once(store: BlobStore) -> None:
    def receive(order: list[int]) -> None:
        for index in order:
            store.receive(REFERENCE, index, CHUNKS[index])

    orders = [random.Random(seed).sample(range(4), 4) for seed in range(8)]
    threads = [threading.Thread(target=receive, args=(order,)) for order in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert b"".join(store.decrypted(REFERENCE)) == PLAIN
    assert [path.name for path in store.folder.glob("[!l]*/*")] == [REFERENCE.digest]


RECEIVING = """
import io, random, sys
from pathlib import Path
from tansiq.exchange import blob
from tansiq.exchange.blob import indices
from tansiq.exchange.blobs import BlobStore
from tansiq.exchange.body import BlobReference
size = 24 * 1024 * 1024
plain = random.Random(9).randbytes(size)
chunks = list(blob.encrypted(io.BytesIO(plain), size_bytes=size, key=bytes(32)))
of = BlobReference(digest=blob.digest_of(chunks), key=bytes(32), size_bytes=size, media_type="a/b", name="a")
store = BlobStore(Path(sys.argv[1]), least_free_bytes=0)
print(of.digest, flush=True)
wanted = list(indices(store.missing(of)))
random.Random(len(wanted)).shuffle(wanted)
for index in wanted:
    sys.stdin.readline()  # not before whoever ends it has read what came before
    print(index, flush=True)
    store.receive(of, index, chunks[index])
print("held", b"".join(store.decrypted(of)) == plain, flush=True)
"""


def test_received_through_kills_goes_on_where_it_was(tmp_path: Path) -> None:
    chance = random.Random(10)
    asked_for: list[int] = []
    for _ in range(6):
        process = _receiving(tmp_path)
        assert process.stdout is not None
        process.stdout.readline()
        for _ in range(chance.randrange(1, 8)):
            _go_on(process)
            asked_for.append(int(process.stdout.readline()))
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()

    process = _receiving(tmp_path)
    *_, last = process.communicate()[0].splitlines()  # at the end of what it reads it goes on unasked

    assert last == "held True"
    assert len(set(asked_for)) > 6
    assert len(asked_for) - len(set(asked_for)) <= 6  # at most the one that was being written


def _receiving(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", RECEIVING, str(folder)],
        env=_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _go_on(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(SOURCE)}


# ---- memory

PASSING = """
import resource, sys
from pathlib import Path
from tansiq.exchange.blob import indices
from tansiq.exchange.blobs import BlobStore

class Zeros:
    def __init__(self, left): self.left = left
    def read(self, size=-1):
        given = min(size, self.left)
        self.left -= given
        return bytes(given)

size = int(sys.argv[2])
here, there = (BlobStore(Path(sys.argv[1]) / name, least_free_bytes=0) for name in ("here", "there"))
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
def passed(size):
    of = here.keep(Zeros(size), size_bytes=size, media_type="a/b", name="a")
    for index in indices(there.missing(of)):
        there.receive(of, index, here.chunk(of.digest, index))
    assert sum(map(len, there.decrypted(of))) == size
    for store in (here, there): store.delete(of.digest)
passed(4 * 1024 * 1024)
before = peak()
passed(size)
print(peak() - before)
"""


@pytest.mark.parametrize(
    "size_mb", [pytest.param(32), pytest.param(256, marks=pytest.mark.long), pytest.param(2048, marks=pytest.mark.long)]
)
def test_memory_does_not_grow_with_the_file(tmp_path: Path, size_mb: int) -> None:
    command = [sys.executable, "-c", PASSING, str(tmp_path), str(size_mb * 1024 * 1024)]

    said = subprocess.run(command, env=_environment(), capture_output=True, text=True, check=True)

    assert int(said.stdout) < 4 * 1024 * 1024
