"""Something that is wrong with an installation, in the same form wherever it was found."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    BAD = "bad"  # something does not work, or is not safe
    WARN = "warn"  # it works, and should be seen to


@dataclass(frozen=True, slots=True)
class Finding:
    """``what`` and ``remedy`` are English templates, filled from ``values`` when they are said."""

    code: str
    severity: Severity
    what: str
    remedy: str
    values: dict[str, Any] = field(default_factory=dict, hash=False)


def bad(code: str, what: str, remedy: str, **values: Any) -> Finding:
    return Finding(code, Severity.BAD, what, remedy, values)


def warn(code: str, what: str, remedy: str, **values: Any) -> Finding:
    return Finding(code, Severity.WARN, what, remedy, values)
