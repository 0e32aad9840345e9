"""Open a report for reading, whatever it is packed in, as a stream that never holds it whole."""

from __future__ import annotations

import gzip
import io
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import IO

import zstandard

from tansiq.core.errors import N_, TansiqError

CHUNK_BYTES = 1 << 20


class UnreadableReport(TansiqError):
    """The report cannot be opened or unpacked; ``why`` is the system's or the unpacker's own word."""

    code = "feeds.report.unreadable"
    message = N_("Report {file} cannot be read: {why}.")
    remedy = N_("Check the file, fetch it again from its source, and ingest it once more.")
    exit_code = 3


class NotAFile(TansiqError):
    code = "feeds.report.not_a_file"
    message = N_("{file} is a folder or a device, not a report.")
    remedy = N_("Name the files in it, for instance {file}/*.")
    exit_code = 3


class ManyMembers(TansiqError):
    code = "feeds.report.many_members"
    message = N_("Archive {file} holds {count} files; a report is one file.")
    remedy = N_("Unpack it and ingest the files one by one.")
    exit_code = 3


SUFFIXES = {".gz": b"\x1f\x8b", ".zip": b"PK\x03\x04", ".zst": b"\x28\xb5\x2f\xfd"}


def packing(head: bytes) -> str:
    """ ".gz", ".zip", ".zst" by the first bytes, or "" for a plain report: content decides, never the name."""
    return next((suffix for suffix, magic in SUFFIXES.items() if head.startswith(magic)), "")


def plain_name(name: str) -> str:
    """The file name without folder and without the suffix of its packing."""
    path = Path(name)
    return path.stem if path.suffix.lower() in SUFFIXES else path.name


DAMAGE = (OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError, zstandard.ZstdError)
"""What reading a damaged, locked or encrypted file raises; wrapped at once, so that no other error passes for it."""


class Stream:
    """The unpacked bytes of one report. ``read`` gives what was asked for, less only at the end."""

    def __init__(self, source: IO[bytes], name: str) -> None:
        self.source, self.name = source, name

    def read(self, size: int) -> bytes:
        parts, wanted = [], size
        try:
            while wanted and (part := self.source.read(wanted)):
                parts.append(part)
                wanted -= len(part)
        except DAMAGE as error:
            raise UnreadableReport(file=self.name, why=reason(error)) from error
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def readline(self, size: int) -> bytes:
        try:
            return self.source.readline(size)
        except DAMAGE as error:
            raise UnreadableReport(file=self.name, why=reason(error)) from error


@contextmanager
def opened(path: Path, *, name: str = "", file: IO[bytes] | None = None) -> Iterator[Stream]:
    """The report at ``path`` (or in ``file``, which is closed at the end), unpacked as it is read.

    Args:
        name: what an error calls it.
    Raises: UnreadableReport: missing, or damaged (a cut gzip file raises where the cut is met); NotAFile;
        ManyMembers: a zip archive of several files.
    """
    name = name or str(path)
    with ExitStack() as closing:
        try:
            if file is None and not stat.S_ISREG(path.stat().st_mode):
                raise NotAFile(file=name)
            packed = closing.enter_context(file or path.open("rb"))
            source = closing.enter_context(unpacked(packed, packing(packed.peek(4)[:4]), name))  # type: ignore[attr-defined]
        except DAMAGE as error:
            raise UnreadableReport(file=name, why=reason(error)) from error
        yield Stream(source, name)


def reason(error: BaseException) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__


def unpacked(file: IO[bytes], kind: str, name: str) -> AbstractContextManager[IO[bytes]]:
    if kind == ".gz":
        return gzip.GzipFile(fileobj=file)  # type: ignore[return-value]
    if kind == ".zst":
        return io.BufferedReader(zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True), CHUNK_BYTES)
    if kind == ".zip":
        archive = zipfile.ZipFile(file)
        members = [member for member in archive.infolist() if not member.is_dir()]
        if len(members) != 1:
            raise ManyMembers(file=name, count=len(members))
        return archive.open(members[0])
    return nullcontext(file)


def verify(path: Path, *, name: str) -> None:
    """Read a packed report to its end, so that one cut in half is refused before any of its lines is stored."""
    with path.open("rb") as file:
        kind = packing(file.read(4))
    if kind:
        with opened(path, name=name) as stream:
            while stream.read(CHUNK_BYTES):
                pass
            if kind == ".zst" and not whole_zstd(path):
                raise UnreadableReport(file=name, why="the compressed data ends before its end mark")


def whole_zstd(path: Path) -> bool:
    """Whether the last zstd frame is complete: the stream reader takes a cut file for a short one.

    Read in small pieces, since a piece is unpacked whole and a hostile one of 4 KiB makes 128 MiB.
    """
    unpacker, between_frames = zstandard.ZstdDecompressor().decompressobj(), True
    with path.open("rb") as file:
        while piece := file.read(4096):
            while piece:
                unpacker.decompress(piece)
                piece, between_frames = unpacker.unused_data, unpacker.eof
                if unpacker.eof:
                    unpacker = zstandard.ZstdDecompressor().decompressobj()
    return between_frames
