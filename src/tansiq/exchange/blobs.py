"""Blobs on disk: ciphertext by its digest, written whole or chunk by chunk as it comes (section 9).

    held/<digest>                      all chunks one after another; their digest was right when it was put there
    arriving/<digest>.<bound>          chunks at their places, the others are holes; <bound>: of key and size
    arriving/<digest>.<bound>.seen     a byte for each chunk: 1, it was written
    drafts/…                           being encrypted here; locked by who does it
    locks/<first digit of the digest>  held while chunks are written and judged

Nothing but ciphertext is here, and never more than two chunks in memory. A chunk is tried by its tag before it is
written, the whole by its digest before it is held. So what a crash tears shows at the end and is asked for again, and
chunks need not be forced to the disk one by one.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from tansiq.core.errors import N_, TansiqError
from tansiq.exchange import blob
from tansiq.exchange.blob import (
    CHUNK_BYTES,
    STRIDE_BYTES,
    TAG_BYTES,
    chunk_count,
    chunk_size,
    ciphertext_bytes,
    decrypted_chunk,
)
from tansiq.exchange.blob_room import LEAST_FREE_BYTES, Room
from tansiq.exchange.body import LARGEST_BLOB_BYTES, BlobReference
from tansiq.exchange.values import Unfit, length_prefixed


class BlobTooLarge(TansiqError):
    """More than the protocol carries."""

    code = "exchange.blob.too_large"
    message = N_("{name} has {size_bytes} bytes. At most {most_bytes} bytes can be shared as one file.")
    remedy = N_("Split it into several files, or share it in another way.")
    exit_code = 2


class BlobChanged(TansiqError):
    """The file was written to while it was read."""

    code = "exchange.blob.changed"
    message = N_("{name} changed while it was read.")
    remedy = N_("Try again when nobody writes to it.")
    exit_code = 3
    transient = True


class BlobNotHeld(TansiqError):
    """Chunks are missing."""

    code = "exchange.blob.not_held"
    message = N_("The file {digest} is not all here yet.")
    remedy = N_("It can be read when the rest of it has come.")
    transient = True


class BlobDamaged(TansiqError):
    """What was held is not what it was: the disk's fault, or somebody's."""

    code = "exchange.blob.damaged"
    message = N_("The file {digest} is damaged in {folder}.")
    remedy = N_("The damaged parts are fetched again from who has them. Check the disk.")
    exit_code = 4
    transient = True


class BlobContradicts(TansiqError):
    """Every chunk has its tag, and the whole another digest: somebody who has the key made other chunks with it."""

    code = "exchange.blob.contradicts"
    message = N_("The chunks of the file {digest} that came are not those of its author.")
    remedy = N_("They were thrown away. Fetch it from another node, and tell the operators of those that sent them.")
    transient = True


class BlobStore:
    """A node's blobs. Safe between threads and processes.

    Args:
        folder: made when first needed, for this user alone.
        most_bytes: what all blobs may take; None: what the disk has.
        least_free_bytes: of the disk, left to others.
    """

    def __init__(
        self, folder: Path, *, most_bytes: int | None = None, least_free_bytes: int = LEAST_FREE_BYTES
    ) -> None:
        self.folder = folder
        self.room = Room(folder, most_bytes, least_free_bytes)
        self._held, self._arriving = folder / "held", folder / "arriving"
        self._drafts, self._locks = folder / "drafts", folder / "locks"

    # ---- of this node's own

    def keep(self, source: BinaryIO, *, size_bytes: int, media_type: str, name: str) -> BlobReference:
        """Encrypt a file with a key of its own and hold it; what envelopes say of it.

        Args:
            source: read from where it is to its end, which is to be after ``size_bytes``.

        Raises: BlobTooLarge, BlobNoRoom, BlobChanged.
        """
        if size_bytes > LARGEST_BLOB_BYTES:
            raise BlobTooLarge(name=name, size_bytes=size_bytes, most_bytes=LARGEST_BLOB_BYTES)
        self._make_folders()
        self.room.check(ciphertext_bytes(size_bytes))
        key = blob.new_key()
        draft = self._drafts / secrets.token_hex(16)
        try:
            chunks = blob.encrypted(source, size_bytes=size_bytes, key=key)
            with self.room.is_needed(ciphertext_bytes(size_bytes)):
                digest = self._written(draft, chunks, name=name)
            draft.replace(self._held / digest)
            _sync(self._held)
        finally:
            draft.unlink(missing_ok=True)
        return BlobReference(digest=digest, key=key, size_bytes=size_bytes, media_type=media_type, name=name)

    def _written(self, draft: Path, chunks: Iterator[bytes], *, name: str) -> str:
        running = hashlib.sha256()
        with open(_opened(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            try:
                for chunk in chunks:
                    running.update(chunk)
                    file.write(chunk)
            except ValueError:
                raise BlobChanged(name=name) from None
            file.flush()
            os.fsync(file.fileno())
        return running.hexdigest()

    # ---- of others

    def receive(self, of: BlobReference, index: int, chunk: bytes) -> bool:
        """One chunk, from anybody, in any order, any number of times. Whether the file is held now.

        Raises: Unfit, for a chunk that is not this one; BlobNoRoom; BlobContradicts.
        """
        decrypted_chunk(chunk, index, of=of)
        self._make_folders()
        with self._locked(of.digest):
            if self.is_held(of):
                return True
            data, seen = self._places(of)
            with self.room.is_needed(len(chunk)):
                if not data.exists():
                    self.room.check(ciphertext_bytes(of.size_bytes))
                    seen.unlink(missing_ok=True)
                    _write_at(data, 0, b"", create=True)
                    os.truncate(data, ciphertext_bytes(of.size_bytes))  # a hole that is promised to it
                _write_at(data, index * STRIDE_BYTES, chunk)
                _write_at(seen, index, b"\1", create=True)
            return all(self._seen(of)) and self._complete(of)

    def missing(self, of: BlobReference, *, most: int | None = None) -> tuple[tuple[int, int], ...]:
        """Runs of chunks, first and last, that are not here; the lowest ``most`` of them. Empty where it is held only.

        Raises: BlobContradicts.
        """
        if self.is_held(of) or (all(self._seen(of)) and self._settled(of)):
            return ()
        runs: list[tuple[int, int]] = []
        for index, there in enumerate(self._seen(of)):
            if there:
                continue
            if runs and runs[-1][1] == index - 1:
                runs[-1] = (runs[-1][0], index)
            elif most is not None and len(runs) == most:
                break
            else:
                runs.append((index, index))
        return tuple(runs)

    def mend(self, of: BlobReference) -> bool:
        """Look whether what is held is right, and take what is not for missing. Whether it is held still.

        Raises: BlobContradicts.
        """
        self._make_folders()
        with self._locked(of.digest):
            path = self._held / of.digest
            if not path.exists():
                return False
            if self._digest_of(path) == of.digest:
                return True
            data, seen = self._places(of)
            path.replace(data)
            _write_at(seen, 0, b"\1" * chunk_count(of.size_bytes), create=True)
            return self._complete(of)

    def _settled(self, of: BlobReference) -> bool:
        """All chunks had come when this node died: whether it is held now."""
        with self._locked(of.digest):
            return self.is_held(of) or (all(self._seen(of)) and self._complete(of))

    def _complete(self, of: BlobReference) -> bool:
        """All chunks are said to be here: hold them if they are, else miss what is not. The lock is held."""
        data, seen = self._places(of)
        if data.exists() and self._digest_of(data) == of.digest:
            with data.open("rb") as file:
                os.fsync(file.fileno())
            data.replace(self._held / of.digest)
            _sync(self._held)
            seen.unlink(missing_ok=True)
            return True
        right = set(self._right(of, data)) if data.exists() else set()
        wanted_bytes = ciphertext_bytes(of.size_bytes)
        if len(right) == chunk_count(of.size_bytes):
            if data.stat().st_size == wanted_bytes:
                self._forget(of)
                raise BlobContradicts(digest=of.digest)
            os.truncate(data, wanted_bytes)
            return self._complete(of)
        for index in range(chunk_count(of.size_bytes)):
            if index not in right:
                _write_at(seen, index, b"\0")
        return False

    def _right(self, of: BlobReference, data: Path) -> Iterator[int]:
        """Numbers of the chunks in a file that have their tags."""
        with data.open("rb") as file:
            for index in range(chunk_count(of.size_bytes)):
                file.seek(index * STRIDE_BYTES)
                try:
                    decrypted_chunk(file.read(chunk_size(of.size_bytes, index)), index, of=of)
                except Unfit:
                    continue
                yield index

    # ---- reading

    def is_held(self, of: BlobReference) -> bool:
        """Whether all of it is here. A reference to it with another size is not to it."""
        try:
            return (self._held / of.digest).stat().st_size == ciphertext_bytes(of.size_bytes)
        except FileNotFoundError:
            return False

    def has(self, digest: str) -> bool:
        """Whether all of some file of this digest is here."""
        return (self._held / digest).exists()

    def chunk(self, digest: str, index: int) -> bytes:
        """Ciphertext of one chunk, for another node. Raises: BlobNotHeld, also for a chunk that it does not have."""
        if index >= 0:
            with contextlib.suppress(FileNotFoundError), (self._held / digest).open("rb") as file:
                file.seek(index * STRIDE_BYTES)
                chunk = file.read(STRIDE_BYTES)
                if len(chunk) >= TAG_BYTES:
                    return chunk
        raise BlobNotHeld(digest=digest)

    def decrypted(self, of: BlobReference) -> Iterator[bytes]:
        """The file, chunk by chunk.

        Raises: BlobNotHeld, before the first; BlobDamaged, where the disk did not keep it: ``mend`` it.
        """
        if not self.is_held(of):
            raise BlobNotHeld(digest=of.digest)
        return self._decrypted(of)

    def _decrypted(self, of: BlobReference) -> Iterator[bytes]:
        with (self._held / of.digest).open("rb") as file:
            try:
                yield from blob.decrypted(iter(lambda: file.read(STRIDE_BYTES), b""), of=of)
            except Unfit:
                raise BlobDamaged(digest=of.digest, folder=self._held) from None

    # ---- in order

    def delete(self, digest: str) -> bool:
        """All of it, and what was arriving. Whether anything was there."""
        self._make_folders()
        with self._locked(digest):
            found = [self._held / digest, *self._arriving.glob(f"{digest}.*")]
            there = [path for path in found if path.exists()]
            for path in there:
                path.unlink()
            return bool(there)

    def sweep(self) -> int:
        """Remove drafts of processes that are gone. How many there were."""
        removed = 0
        for draft in self._drafts.glob("*"):
            with contextlib.suppress(FileNotFoundError, BlockingIOError), draft.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if draft.stat().st_size:  # else it may be about to be locked
                    draft.unlink()
                    removed += 1
        return removed

    def digests(self) -> Iterator[str]:
        """Of what is held, and of what is arriving."""
        names = (path.name.partition(".")[0] for part in (self._held, self._arriving) for path in part.glob("*"))
        return iter(dict.fromkeys(names))

    def touched_at(self, digest: str) -> datetime | None:
        """When something of it was last written, by the clock of the disk; None where there is nothing."""
        seconds = [0.0]
        for path in (self._held / digest, *self._arriving.glob(f"{digest}.*")):
            with contextlib.suppress(FileNotFoundError):
                seconds.append(path.stat().st_mtime)
        return datetime.fromtimestamp(max(seconds), UTC) if max(seconds) else None

    # ---- places

    def _make_folders(self) -> None:
        for folder in (self.folder, self._held, self._arriving, self._drafts, self._locks):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    @contextlib.contextmanager
    def _locked(self, digest: str) -> Iterator[None]:
        """Against other threads and processes: what was judged right is not written to afterwards."""
        with open(_opened(self._locks / digest[0], os.O_RDWR | os.O_CREAT), "rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _places(self, of: BlobReference) -> tuple[Path, Path]:
        """Where its chunks arrive, and which of them did. Two references to one digest do not meet here."""
        bound = hashlib.sha256(length_prefixed("tansiq.arriving", of.key, of.size_bytes)).hexdigest()[:16]
        return self._arriving / f"{of.digest}.{bound}", self._arriving / f"{of.digest}.{bound}.seen"

    def _seen(self, of: BlobReference) -> list[bool]:
        count = chunk_count(of.size_bytes)
        try:
            marks = self._places(of)[1].read_bytes()
        except FileNotFoundError:
            marks = b""
        return [mark == 1 for mark in marks[:count].ljust(count, b"\0")]

    def _forget(self, of: BlobReference) -> None:
        for path in self._places(of):
            path.unlink(missing_ok=True)

    @staticmethod
    def _digest_of(path: Path) -> str:
        with path.open("rb") as file:
            return blob.digest_of(iter(lambda: file.read(CHUNK_BYTES), b""))


def _opened(path: Path, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC, 0o600)


def _write_at(path: Path, offset: int, data: bytes, *, create: bool = False) -> None:
    handle = _opened(path, os.O_WRONLY | (os.O_CREAT if create else 0))
    try:
        view = memoryview(data)
        while view:
            written = os.pwrite(handle, view, offset)
            view, offset = view[written:], offset + written
    finally:
        os.close(handle)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
