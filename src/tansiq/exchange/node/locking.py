"""Rows that nobody else changes until the transaction ends, where the database has several writers."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.db.models import QuerySet


def lock(rows: QuerySet[Any]) -> None:
    """In the order of their keys; to be read afterwards, in a query of its own.

    A query that locks and joins at once joins a row that it had to wait for to what that row referred to before: of a
    reference that may be null it gets nothing (PostgreSQL, READ COMMITTED). SQLite has one writer.
    """
    if connection.features.has_select_for_update:
        list(rows.select_for_update().order_by("pk").values_list("pk"))
