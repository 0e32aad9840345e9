"""Rows that nobody else changes until the transaction ends, where the database has several writers.

Whoever needs several locks takes them in this order: the node's life, objects, channels (by peer, then by lane), what
is known of recipients.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any, TypeVar

from django.db import OperationalError, connection
from django.db.models import QuerySet

Done = TypeVar("Done")
TRIES = 5
LONGEST_SECONDS = 0.2
_ENDED = ("40001", "40P01")
"""SQLSTATE of a transaction that was ended so that others go on: it can be done again as it was."""


def lock(rows: QuerySet[Any], *order: str) -> None:
    """In an order that all keep to; to be read afterwards, in a query of its own.

    A query that locks and joins at once joins a row that it had to wait for to what that row referred to before: of a
    reference that may be null it gets nothing (PostgreSQL, READ COMMITTED). SQLite has one writer.

    Args:
        order: fields; none: the key.
    """
    if connection.features.has_select_for_update:
        list(rows.select_for_update().order_by(*(order or ("pk",))).values_list("pk"))


def share(rows: QuerySet[Any]) -> None:
    """Nobody locks these entirely until the transaction ends; who shares them, or locks them without the key, may."""
    if connection.vendor == "postgresql":
        text, parameters = rows.order_by().values("pk").query.sql_with_params()
        with connection.cursor() as cursor:
            cursor.execute(f"{text} FOR KEY SHARE", parameters)


def again_after_deadlock(work: Callable[[], Done]) -> Done:
    """``work`` is one transaction. Where it is but a part of one, that has to be done again by whoever began it."""
    for _try in range(TRIES - 1):
        try:
            return work()
        except OperationalError as error:
            if connection.in_atomic_block or getattr(error.__cause__, "sqlstate", None) not in _ENDED:
                raise
            time.sleep(random.uniform(0, LONGEST_SECONDS))  # the other goes first, else both meet again
    return work()
