"""Files beside envelopes: section 9."""

from __future__ import annotations

import io
import os
import tracemalloc
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from tansiq.exchange import blob
from tansiq.exchange.blob import CHUNK_BYTES, TAG_BYTES, TooLarge
from tansiq.exchange.body import LARGEST_BLOB_BYTES, BlobReference
from tansiq.exchange.values import Unfit

KEY = bytes(range(32))


def stored(plain: bytes) -> tuple[list[bytes], BlobReference]:
    chunks = list(blob.encrypted(io.BytesIO(plain), size_bytes=len(plain), key=KEY))
    reference = BlobReference(
        digest=blob.digest_of(chunks), key=KEY, size_bytes=len(plain), media_type="text/plain", name="a.txt"
    )
    return chunks, reference


@pytest.mark.parametrize(
    ("size", "chunks"), [(0, 1), (1, 1), (CHUNK_BYTES, 1), (CHUNK_BYTES + 1, 2), (3 * CHUNK_BYTES, 3)]
)
def test_encrypted_and_decrypted_is_the_file(size: int, chunks: int) -> None:
    plain = os.urandom(size)

    held, reference = stored(plain)

    assert len(held) == chunks == blob.chunk_count(size)
    assert sum(map(len, held)) == size + chunks * TAG_BYTES
    assert blob.digest_of(held) == reference.digest
    assert b"".join(blob.decrypted(held, of=reference)) == plain


def test_encrypted_is_what_the_protocol_says() -> None:
    chunks, _ = stored(b"a" * (CHUNK_BYTES + 1))

    bound = b"tansiq.blob.v1\0" + bytes(7) + b"\x011" + bytes(7) + b"\x012"
    assert ChaCha20Poly1305(KEY).decrypt(bytes(11) + b"\x01", chunks[1], bound) == b"a"


@pytest.mark.parametrize(
    "wrong",
    [
        lambda chunks: chunks[:-1],
        lambda chunks: [*chunks, chunks[-1]],
        lambda chunks: [chunks[1], chunks[0], chunks[2]],
        lambda chunks: [chunks[0], chunks[0], chunks[2]],
        lambda chunks: [chunks[0][:-1] + bytes([chunks[0][-1] ^ 1]), *chunks[1:]],
        lambda chunks: [chunks[0][:-1], *chunks[1:]],
        lambda chunks: [],
    ],
)
def test_decrypted_chunks_that_are_not_the_files_are_unfit(wrong: object) -> None:
    chunks, reference = stored(os.urandom(2 * CHUNK_BYTES + 5))

    given = wrong(chunks)  # type: ignore[operator]

    assert blob.digest_of(given) != reference.digest
    with pytest.raises(Unfit):
        list(blob.decrypted(given, of=reference))


def test_decrypted_chunk_shows_before_the_others_came_that_it_is_right() -> None:
    chunks, reference = stored(b"a" * CHUNK_BYTES + b"bc")

    assert blob.decrypted_chunk(chunks[1], 1, of=reference) == b"bc"
    for index in (-1, 0, 2):
        with pytest.raises(Unfit):
            blob.decrypted_chunk(chunks[1], index, of=reference)
    with pytest.raises(Unfit):
        blob.decrypted_chunk(chunks[1], 1, of=replace(reference, key=bytes(32)))


@pytest.mark.parametrize("said", [9, 11])
def test_encrypted_file_that_changed_meanwhile_is_an_error(said: int) -> None:
    with pytest.raises(ValueError, match="than it was"):
        list(blob.encrypted(io.BytesIO(bytes(10)), size_bytes=said, key=KEY))


def test_encrypted_beyond_two_gibibytes_is_the_callers_fault() -> None:
    assert blob.chunk_count(LARGEST_BLOB_BYTES) == 4096
    with pytest.raises(TooLarge):
        blob.chunk_count(LARGEST_BLOB_BYTES + 1)


def test_encrypted_holds_a_chunk_at_a_time() -> None:
    class Zeros(io.RawIOBase):
        left = 64 * CHUNK_BYTES

        def read(self, size: int = -1) -> bytes:
            given = min(size, self.left)
            self.left -= given
            return bytes(given)

    tracemalloc.start()
    digest = blob.digest_of(blob.encrypted(Zeros(), size_bytes=64 * CHUNK_BYTES, key=KEY))  # type: ignore[arg-type]
    _, most_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert len(digest) == 64
    assert most_bytes < 5 * CHUNK_BYTES


def test_new_key_is_never_the_same() -> None:
    assert len({blob.new_key() for _ in range(100)}) == 100
