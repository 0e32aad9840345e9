"""The node's own secrets: drawn once, into files that only their owner reads."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tansiq.core.home import Home

PRIVATE_FOLDER, PRIVATE_FILE = 0o700, 0o600
KEY_BYTES = 48


def draw(home: Home) -> None:
    """Draw the secrets that are not there yet; those that are stay. Of two processes that draw, one wins for both."""
    home.secrets.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    for file in (home.session_key, home.backbone_token):
        if not file.exists():
            with drafted(file, secrets.token_urlsafe(KEY_BYTES)) as draft, suppress(FileExistsError):
                os.link(draft, file)


def write(file: Path, text: str) -> None:
    """``text`` into ``file`` with mode 0600, whole or not at all, whatever the umask and whatever was there."""
    with drafted(file, text) as draft:
        draft.rename(file)


@contextmanager
def drafted(file: Path, text: str) -> Iterator[Path]:
    """A file beside ``file`` that holds ``text`` on the disk, gone afterwards unless it was renamed."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    try:
        with os.fdopen(descriptor, "w") as out:
            os.fchmod(descriptor, PRIVATE_FILE)
            out.write(text)
            out.flush()
            os.fsync(descriptor)
        yield draft
    finally:
        draft.unlink(missing_ok=True)
