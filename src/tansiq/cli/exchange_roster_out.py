"""The files that ``tansiq roster`` writes.

A roster is signed once, and is in force from then on: so that its file can be written is tried before. It is written
beside its place and renamed, so that half a roster is never handed on.
"""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from tansiq.cli.trouble import StorageTrouble, why
from tansiq.core.errors import N_, TansiqError

Write = Callable[[str | bytes], None]
"""Fills the file, once. Raises: StorageTrouble."""


class Unwritten(TansiqError):
    """What was signed stands, and to sign it again is refused."""

    code = "exchange.roster.unwritten"
    message = N_("The roster of epoch {epoch} is signed, but {file} could not be written: {why}.")
    remedy = N_("Make room there, or name another file: `{command}` writes it once more.")
    exit_code = 4


@contextmanager
def opened(out: Path) -> Iterator[Write]:
    """What fills ``out``, which is as it was if nothing does. Raises: StorageTrouble, at once: nothing can."""
    with _trouble(out):
        file, beside = _begun(out)

    def write(content: str | bytes) -> None:
        with _trouble(out):
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            if beside is not None:
                os.fsync(file.fileno())
                beside.replace(os.path.realpath(out))

    try:
        yield write
    finally:
        with suppress(OSError):  # of what could not be written: told already
            file.close()
        if beside is not None:
            beside.unlink(missing_ok=True)


@contextmanager
def signed(epoch: int, out: Path, *, again: str) -> Iterator[None]:
    """A roster is signed by now. ``again``: the command that writes it once more. Raises: Unwritten."""
    try:
        yield
    except StorageTrouble as error:
        raise Unwritten(epoch=epoch, file=out, why=error.values["why"], command=again) from error


def _begun(out: Path) -> tuple[BinaryIO, Path | None]:
    """The file to write into, and its path where it is one beside ``out``: not for a pipe or a terminal."""
    if out.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(out))
    if out.exists() and not out.is_file():
        return out.open("wb"), None
    place = Path(os.path.realpath(out))
    beside = place.with_name(f".{place.name[:200]}.{secrets.token_hex(4)}")
    return beside.open("xb"), beside


@contextmanager
def _trouble(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageTrouble(file=out, why=why(error)) from error
