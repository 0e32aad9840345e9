"""Moments as the directory's files write them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from typing import Any

from tansiq.core.errors import N_, TansiqError
from tansiq.members.values import shown

_WRITTEN = re.compile(r"\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d))?")
_BEYOND_MICROSECONDS = re.compile(r"(\.\d{6})\d+")


class BadTime(TansiqError):
    code = "members.time.malformed"
    message = N_("{value} is not a moment.")
    remedy = N_("Write a date (2026-01-31) or date, time and zone (2026-01-31T12:00:00Z).")
    exit_code = 2


def moment(value: Any) -> datetime:
    """A TOML date or date-time, or RFC 3339 text, in UTC. A date is its first moment; a time without a zone is UTC."""
    try:
        if isinstance(value, str) and _WRITTEN.fullmatch(value):
            value = datetime.fromisoformat(_BEYOND_MICROSECONDS.sub(r"\1", value.upper()))
        if isinstance(value, datetime):
            return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
        if isinstance(value, date):
            return datetime.combine(value, time(), UTC)
    except (ValueError, OverflowError):
        pass
    raise BadTime(value=shown(value) if isinstance(value, str) else str(value))
