"""What asks and answers are made of: subjects, fields that are not known here, pieces of long texts (section 3.6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from tansiq.exchange import values


class About(StrEnum):
    """What is asked for."""

    ROSTER = "roster"
    RECEIPT = "receipt"
    CHUNKS = "chunks"
    RECOVERY = "recovery"
    COMPARISON = "comparison"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What every part of an ask or an answer has: fields that this program does not know."""

    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def fields(self) -> dict[str, Any]:
        """As a body says them: names to what JSON has."""
        return dict(self.extra)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece(Said):
    """A run of the bytes of a text that one body may not hold.

    Attributes:
        digest, size_bytes: of the whole text.
        offset: of the first byte of ``data`` in it.
    """

    digest: str
    size_bytes: int
    offset: int
    data: bytes

    @property
    def name(self) -> str:
        """What the text is of."""
        raise NotImplementedError

    @property
    def is_last(self) -> bool:
        """Whether the text ends with it."""
        return self.offset + len(self.data) == self.size_bytes

    def fields(self) -> dict[str, Any]:
        return {
            **self.extra,
            "digest": self.digest,
            "size_bytes": self.size_bytes,
            "offset": self.offset,
            "bytes": values.write_bytes(self.data),
        }
