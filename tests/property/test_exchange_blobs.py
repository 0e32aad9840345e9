"""Blobs on disk: whatever comes, in whatever order, and whatever befalls the disk, the file is held in the end."""

from __future__ import annotations

import io
import os
import random
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tansiq.exchange import blob
from tansiq.exchange.blob import CHUNK_BYTES, STRIDE_BYTES, indices
from tansiq.exchange.blobs import BlobStore
from tansiq.exchange.body import BlobReference
from tansiq.exchange.values import Unfit

KEY = bytes(range(32))
PLAIN = random.Random(7).randbytes(4 * CHUNK_BYTES + 100)
CHUNKS = list(blob.encrypted(io.BytesIO(PLAIN), size_bytes=len(PLAIN), key=KEY))
REFERENCE = BlobReference(
    digest=blob.digest_of(CHUNKS), key=KEY, size_bytes=len(PLAIN), media_type="text/plain", name="a.txt"
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("chunk"), st.integers(0, 4)),
        st.tuples(st.just("wrong"), st.integers(0, 4)),
        st.tuples(st.just("elsewhere"), st.integers(0, 4)),
        st.tuples(st.just("cut"), st.integers(0, len(PLAIN))),
        st.tuples(st.just("zeros"), st.integers(0, 4)),
        st.tuples(st.just("unseen"), st.integers(0, 5)),
        st.tuples(st.just("claimed"), st.integers(0, 4)),
        st.tuples(st.just("lost"), st.just(0)),
        st.tuples(st.just("mend"), st.just(0)),
        st.tuples(st.just("delete"), st.just(0)),
    ),
    max_size=14,
)


def arriving(folder: Path, *, seen: bool) -> list[Path]:
    return [path for path in (folder / "arriving").glob("*") if (path.suffix == ".seen") is seen]


def befall(folder: Path, what: str, number: int) -> None:
    """What a crash or a disk can do to files on their way, or to one that is held."""
    for path in [*arriving(folder, seen=False), *(folder / "held").glob("*")]:
        if what == "cut":
            os.truncate(path, number)
        elif what == "zeros":
            with path.open("rb+") as file:
                file.seek(number * STRIDE_BYTES)
                file.write(bytes(1000))
        elif what == "lost" and path.parent.name == "arriving":
            path.unlink()
    for path in arriving(folder, seen=True):
        if what == "unseen":
            os.truncate(path, number)
        elif what == "claimed":
            path.write_bytes(path.read_bytes().ljust(5, b"\0")[:number] + b"\1" * (5 - number))


@settings(max_examples=60, deadline=None)
@given(steps, st.permutations(range(5)))
def test_blob_is_held_in_the_end_whatever_came_before(taken: list[tuple[str, int]], order: list[int]) -> None:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for what, number in taken:
            store = BlobStore(folder, least_free_bytes=0)  # each time another process's
            match what:
                case "chunk":
                    store.receive(REFERENCE, number, CHUNKS[number])
                case "wrong" | "elsewhere":
                    chunk = CHUNKS[number][:-1] + bytes([CHUNKS[number][-1] ^ 1])
                    other = chunk if what == "wrong" else CHUNKS[(number + 1) % 5]
                    try:
                        store.receive(REFERENCE, number, other)
                    except Unfit:
                        continue
                    raise AssertionError("a wrong chunk was taken")
                case "mend":
                    store.mend(REFERENCE)
                case "delete":
                    store.delete(REFERENCE.digest)
                case _:
                    befall(folder, what, number)

        store = BlobStore(folder, least_free_bytes=0)
        store.mend(REFERENCE)
        for _ in range(2):  # what a torn file only shows when all is said to be here is asked for again
            wanted = set(indices(store.missing(REFERENCE)))
            for index in order:
                if index in wanted:
                    store.receive(REFERENCE, index, CHUNKS[index])

        assert store.missing(REFERENCE) == ()
        assert store.is_held(REFERENCE)
        assert b"".join(store.decrypted(REFERENCE)) == PLAIN
        assert arriving(folder, seen=False) == arriving(folder, seen=True) == []


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 3 * CHUNK_BYTES))
def test_blob_kept_and_passed_on_is_the_file(size_bytes: int) -> None:
    plain = PLAIN[:size_bytes]
    with tempfile.TemporaryDirectory() as made:
        here, there = (BlobStore(Path(made) / name, least_free_bytes=0) for name in ("here", "there"))

        reference = here.keep(io.BytesIO(plain), size_bytes=size_bytes, media_type="text/plain", name="a.txt")
        for index in indices(there.missing(reference)):
            there.receive(reference, index, here.chunk(reference.digest, index))

        assert b"".join(there.decrypted(reference)) == plain
        assert (here.folder / "held" / reference.digest).read_bytes() == (
            there.folder / "held" / reference.digest
        ).read_bytes()
