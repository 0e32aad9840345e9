"""Failures of the ground that every command stands on: the disk, the node's folder, the database."""

from __future__ import annotations

import errno
import signal
import sys

from tansiq.core.errors import N_, TansiqError

OF_STORAGE = {
    errno.EACCES, errno.EDQUOT, errno.EEXIST, errno.EFBIG, errno.EIO, errno.EISDIR, errno.ENAMETOOLONG,
    errno.ENODEV, errno.ENOENT, errno.ENOSPC, errno.ENOTDIR, errno.EPERM, errno.EROFS, errno.ESTALE,
}  # fmt: skip


class HomeUnusable(TansiqError):
    code = "home.unusable"
    message = N_("The node's folder {folder} cannot be used: {why}.")
    remedy = N_("Make room there and let yourself write there, or name another folder in TANSIQ_HOME.")
    exit_code = 4


class StorageTrouble(TansiqError):
    code = "storage.trouble"
    message = N_("{file} cannot be used: {why}.")
    remedy = N_("Check that there is room and that you may read and write there, then run the same command again.")
    exit_code = 4


class DatabaseTrouble(TansiqError):
    code = "database.trouble"
    message = N_("The node's database cannot be used: {why}.")
    remedy = N_("Check that there is room, that the database runs and that you may write there, then run it again.")
    exit_code = 4
    transient = True


def of_storage(error: BaseException) -> bool:
    return isinstance(error, OSError) and error.errno in OF_STORAGE


def why(error: BaseException) -> str:
    """The system's own words, on one line."""
    text = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
    return " ".join(text.split()).rstrip(".")


def understood(error: Exception) -> TansiqError | None:
    """What an unexpected error says to its reader, or None if it is a defect of the program."""
    if isinstance(error, OSError) and of_storage(error):
        return StorageTrouble(file=error.filename or "stdout", why=why(error))
    # Looked up, not imported: most commands never load the database's library.
    if (database := sys.modules.get("django.db.utils")) is None:
        return None
    if isinstance(error, database.OperationalError) or type(error) is database.DatabaseError:
        return DatabaseTrouble(why=why(error))
    return None


def heed_interrupts() -> None:
    """Have Ctrl-C end long work at once: the column engine, when it is loaded, takes the signal for itself and tells
    none but the thread that it works for at that moment, if any."""
    import polars  # noqa: F401

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.default_int_handler)
