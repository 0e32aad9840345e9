"""What goes wrong at one node, as its process finds it written in a file that may change at any time."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

EVERYBODY = "*"


@dataclass(frozen=True, slots=True)
class Faults:
    """Shares are from 0 to 1, of each message by itself.

    Attributes:
        drop: of what leaves, lost although the message server seems to have taken it.
        duplicate: of what leaves, sent twice.
        delay: of what leaves, held back for up to ``delay_seconds``.
        reorder: of what leaves or comes at once, in another order.
        cut_out, cut_in: codes of nodes to which nothing leaves, and from which nothing is let in; ``*``: all.
        skew_seconds: what the node's clock is off.
        tap: keep all that comes.
    """

    drop: float = 0.0
    duplicate: float = 0.0
    delay: float = 0.0
    delay_seconds: float = 2.0
    reorder: float = 0.0
    cut_out: frozenset[str] = field(default_factory=frozenset)
    cut_in: frozenset[str] = field(default_factory=frozenset)
    skew_seconds: float = 0.0
    tap: bool = False

    def cuts_out(self, peer: str) -> bool:
        return EVERYBODY in self.cut_out or peer in self.cut_out

    def cuts_in(self, peer: str) -> bool:
        return EVERYBODY in self.cut_in or peer in self.cut_in

    def written(self) -> str:
        return json.dumps(asdict(self) | {"cut_out": sorted(self.cut_out), "cut_in": sorted(self.cut_in)})

    @classmethod
    def read(cls, text: str) -> Faults:
        said: dict[str, Any] = json.loads(text)
        return cls(**said | {"cut_out": frozenset(said["cut_out"]), "cut_in": frozenset(said["cut_in"])})


def write(file: Path, faults: Faults) -> None:
    """Whole or not at all: a node may read it meanwhile."""
    draft = file.with_suffix(".draft")
    draft.write_text(faults.written())
    draft.rename(file)


class Watched:
    """The faults of now, and the clock that they leave a node."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._seen: tuple[int, int] | None = None
        self._faults = Faults()

    @property
    def now(self) -> Faults:
        try:
            stand = self._file.stat()
        except FileNotFoundError:
            return Faults()
        if (seen := (stand.st_mtime_ns, stand.st_ino)) != self._seen:
            self._faults, self._seen = Faults.read(self._file.read_text()), seen
        return self._faults

    def clock(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.now.skew_seconds)
