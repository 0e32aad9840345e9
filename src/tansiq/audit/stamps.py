"""Moments as the chain stores them: text of one form, so that what is hashed is what is stored, on any database."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.db import models

WIDTH = len("2026-03-01T12:00:00.000000Z")


def stamp(at: datetime) -> str:
    """Raises: ValueError, for a time without a zone."""
    if at.tzinfo is None:
        raise ValueError("a time without a zone")
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


class StampField(models.CharField):
    """An aware UTC time to the program, 27 characters to the database; they sort as the times do."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{**options, "max_length": WIDTH})

    def to_python(self, value: Any) -> Any:
        return datetime.fromisoformat(value) if isinstance(value, str) else value

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        return None if value is None else datetime.fromisoformat(value)

    def get_prep_value(self, value: Any) -> Any:
        return stamp(value) if isinstance(value, datetime) else value
