"""Files beside envelopes: encrypted once, in chunks, for all recipients (section 9). Never a whole file in memory."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from tansiq.exchange.body import LARGEST_BLOB_BYTES, BlobReference
from tansiq.exchange.values import Unfit, length_prefixed

CHUNK_BYTES = 512 * 1024
TAG_BYTES = 16
STRIDE_BYTES = CHUNK_BYTES + TAG_BYTES
"""From one chunk of ciphertext to the next, where all stand one after another."""


class TooLarge(ValueError):
    """The caller's own fault: a file beyond 2 GiB is split or shared otherwise."""


def new_key() -> bytes:
    """For one file and never for another: nonces are the numbers of its chunks."""
    return secrets.token_bytes(32)


def chunk_count(size_bytes: int) -> int:
    """How many chunks a plaintext of ``size_bytes`` has; one, an empty one, for an empty file.

    Raises: TooLarge.
    """
    if not 0 <= size_bytes <= LARGEST_BLOB_BYTES:
        raise TooLarge(size_bytes)
    return max(1, -(-size_bytes // CHUNK_BYTES))


def chunk_size(size_bytes: int, index: int) -> int:
    """Bytes of ciphertext of chunk ``index``, from 0, of a plaintext of ``size_bytes``."""
    return min(CHUNK_BYTES, size_bytes - index * CHUNK_BYTES) + TAG_BYTES


def ciphertext_bytes(size_bytes: int) -> int:
    """Of a file of ``size_bytes``: a tag more for each chunk."""
    return size_bytes + chunk_count(size_bytes) * TAG_BYTES


def indices(runs: Iterable[tuple[int, int]]) -> Iterator[int]:
    """The numbers that runs of chunks, first and last, stand for."""
    for first, last in runs:
        yield from range(first, last + 1)


def encrypted(source: BinaryIO, *, size_bytes: int, key: bytes) -> Iterator[bytes]:
    """The chunks of ciphertext of a file, in order.

    Raises: TooLarge; ValueError, where ``source`` has not exactly ``size_bytes``: it was changed meanwhile.
    """
    count = chunk_count(size_bytes)
    cipher = ChaCha20Poly1305(key)
    for index in range(count):
        wanted = chunk_size(size_bytes, index) - TAG_BYTES
        plain = source.read(wanted)
        if len(plain) != wanted:
            raise ValueError("the file is shorter than it was")
        yield cipher.encrypt(_nonce(index), plain, _bound(index, count))
    if source.read(1):
        raise ValueError("the file is longer than it was")


def digest_of(chunks: Iterable[bytes]) -> str:
    """SHA-256 over the ciphertext of all chunks in order: the file's address."""
    running = hashlib.sha256()
    for chunk in chunks:
        running.update(chunk)
    return running.hexdigest()


def decrypted_chunk(chunk: bytes, index: int, *, of: BlobReference) -> bytes:
    """The plaintext of one chunk, from anybody; it shows that the chunk is right before all of them are here.

    Raises: Unfit.
    """
    count = chunk_count(of.size_bytes)
    if not 0 <= index < count or len(chunk) != chunk_size(of.size_bytes, index):
        raise Unfit(field=f"chunk {index}", expected="of its length")
    try:
        return ChaCha20Poly1305(of.key).decrypt(_nonce(index), chunk, _bound(index, count))
    except InvalidTag:
        raise Unfit(field=f"chunk {index}", expected="encrypted with the file's key") from None


def decrypted(chunks: Iterable[bytes], *, of: BlobReference) -> Iterator[bytes]:
    """The plaintext, chunk by chunk. What was yielded before an error is to be thrown away.

    Raises: Unfit, for a wrong chunk, one too many or one too few.
    """
    seen = 0
    for index, chunk in enumerate(chunks):
        yield decrypted_chunk(chunk, index, of=of)
        seen += 1
    if seen != chunk_count(of.size_bytes):
        raise Unfit(field="blob", expected="of all its chunks")


def _nonce(index: int) -> bytes:
    return index.to_bytes(12)


def _bound(index: int, count: int) -> bytes:
    """Additional data: a chunk fits in its place of a file of so many chunks and nowhere else."""
    return length_prefixed("tansiq.blob.v1", index, count)
