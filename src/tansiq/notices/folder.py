"""A folder that is there wholly or not at all: written beside, synced, then put in its place."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tansiq.core.errors import N_, TansiqError

RENAME_EXCHANGE = 2  # linux/fs.h
AT_FDCWD = -100
OURS = "."  # of a folder being written or removed: hidden, and no team's code begins with a dot


class FolderNotWritten(TansiqError):
    code = "notices.folder.not_written"
    message = N_("The folder {folder} could not be written: {why}.")
    remedy = N_(
        "Make room or choose another folder with --into, then run the command again; what stood there is unchanged."
    )
    exit_code = 4
    transient = True


@contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """Yield an empty folder to fill; on leaving without an exception it takes the place of ``folder``.

    Everything in it is fsynced first. Where ``folder`` exists the two change places in one step, so that a reader or a
    crash sees the old content or the new. On an exception nothing changes and nothing is left behind.

    Raises: FolderNotWritten: the disk is full, read-only or refuses.
    """
    fresh: Path | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=f"{OURS}{folder.name}.", dir=folder.parent))
        yield fresh
        fresh.chmod(0o750)
        for path in (*sorted(fresh.iterdir()), fresh):
            _sync(path)
        _put(fresh, folder)
        _sync(folder.parent)
    except OSError as failure:
        raise FolderNotWritten(folder=folder, why=failure.strerror or str(failure)) from failure
    finally:
        if fresh is not None:
            shutil.rmtree(fresh, ignore_errors=True)


def _put(fresh: Path, folder: Path) -> None:
    """Leaves what stood at ``folder`` at ``fresh``."""
    if not folder.exists():
        fresh.rename(folder)
    elif not _exchanged(fresh, folder):
        # Some file systems cannot exchange. Then there is an instant without the folder, but never half of one.
        aside = fresh.with_name(fresh.name + ".old")
        folder.rename(aside)
        fresh.rename(folder)
        aside.rename(fresh)


def _exchanged(one: Path, other: Path) -> bool:
    """renameat2(2) with RENAME_EXCHANGE; False where the system or the file system has no such thing."""
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "renameat2"):
        return False
    if libc.renameat2(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE) == 0:
        return True
    if (code := ctypes.get_errno()) in (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP):
        return False
    raise OSError(code, os.strerror(code), str(other))


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
