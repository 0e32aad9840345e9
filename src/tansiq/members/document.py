"""A file of teams as text."""

from __future__ import annotations

from pathlib import Path

from tansiq.core.errors import N_, TansiqError
from tansiq.members.mistakes import BadStatement, Mistake, NotUtf8

SIZE_LIMIT_BYTES = 64 << 20
"""Some three million claims; what is larger is not a file of teams."""


class UnreadableFile(TansiqError):
    code = "members.file.unreadable"
    message = N_("{file} could not be read: {reason}.")
    remedy = N_("Name a TOML file that you may read.")
    exit_code = 3


class TooLargeFile(TansiqError):
    code = "members.file.size"
    message = N_("{file} is larger than {limit_megabytes} MB.")
    remedy = N_("Name a TOML file of teams, or split it by team.")
    exit_code = 2


def document(path: Path) -> str:
    """The text of the file at ``path``, which must be UTF-8 (TOML 1.0.0); a byte-order mark is passed over."""
    try:
        with path.open("rb") as file:
            content = file.read(SIZE_LIMIT_BYTES + 1)
    except OSError as error:
        raise UnreadableFile(file=str(path), reason=error.strerror or type(error).__name__) from error
    if len(content) > SIZE_LIMIT_BYTES:
        raise TooLargeFile(file=str(path), limit_megabytes=SIZE_LIMIT_BYTES >> 20)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = content.count(b"\n", 0, error.start) + 1
        raise BadStatement([Mistake(row, "", "", NotUtf8(byte=f"0x{content[error.start]:02X}"))]) from error
