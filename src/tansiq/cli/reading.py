"""Files that a command is given to read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from tansiq.cli.trouble import why
from tansiq.core.errors import N_, TansiqError

Content = TypeVar("Content")


class Unreadable(TansiqError):
    code = "file.unreadable"
    message = N_("{file} could not be read: {reason}.")
    remedy = N_("Name a file that is there and that you may read.")
    exit_code = 3


def read(file: Path, by: Callable[[Path], Content] = Path.read_bytes) -> Content:
    """What ``by`` makes of ``file``. Raises: Unreadable; what ``by`` does besides."""
    try:
        return by(file)
    except OSError as error:
        raise Unreadable(file=file, reason=why(error)) from error
