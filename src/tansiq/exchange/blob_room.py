"""What room blobs have on a disk, and what they take of it: those that arrive with all that they will be."""

from __future__ import annotations

import contextlib
import errno
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tansiq.core.errors import N_, TansiqError

LEAST_FREE_BYTES = 1024**3
"""What blobs leave of a disk to everything else."""
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class BlobNoRoom(TansiqError):
    """The disk, or what may be used of it."""

    code = "exchange.blob.no_room"
    message = N_("{folder} has no room for {size_bytes} bytes more: {free_bytes} bytes can be used.")
    remedy = N_("Make room on this disk; what was begun is continued.")
    exit_code = 4
    transient = True


@dataclass(frozen=True, slots=True)
class Room:
    """Of the files in the folders of ``folder``; ``most_bytes`` and ``least_free_bytes`` as ``BlobStore`` has them."""

    folder: Path
    most_bytes: int | None
    least_free_bytes: int

    def check(self, size_bytes: int) -> None:
        """Raises: BlobNoRoom."""
        promised_bytes = sum(max(0, size - taken) for size, taken in self._sizes())
        free_bytes = shutil.disk_usage(self.folder).free - self.least_free_bytes - promised_bytes
        if self.most_bytes is not None:
            free_bytes = min(free_bytes, self.most_bytes - self.taken_bytes())
        if size_bytes > free_bytes:
            raise BlobNoRoom(folder=self.folder, size_bytes=size_bytes, free_bytes=max(0, free_bytes))

    @contextlib.contextmanager
    def is_needed(self, size_bytes: int) -> Iterator[None]:
        """What the system says of a full disk, in this program's words. Raises: BlobNoRoom."""
        try:
            yield
        except OSError as error:
            if error.errno not in _NO_ROOM:
                raise
            raise BlobNoRoom(folder=self.folder, size_bytes=size_bytes, free_bytes=0) from None

    def taken_bytes(self) -> int:
        """What all blobs take, and will take when they have come."""
        return sum(size_bytes for size_bytes, _taken_bytes in self._sizes())

    def _sizes(self) -> Iterator[tuple[int, int]]:
        """Of each file: its size, and what the disk gives it already."""
        for path in self.folder.glob("*/*"):
            with contextlib.suppress(FileNotFoundError):
                found = path.stat()
                yield found.st_size, found.st_blocks * 512
