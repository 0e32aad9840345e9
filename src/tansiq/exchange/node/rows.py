"""Many rows at once. Django writes one long statement for each hundred; one that is prepared once takes a third."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Model


def insert(
    rows: Sequence[Model],
    *,
    unique: Collection[str] = (),
    update: Collection[str] = (),
    keep: Collection[str] = (),
) -> None:
    """In the caller's transaction, without reading back the keys that the database gives.

    Args:
        rows: of one model, whose columns are numbers, texts, bytes, moments, and yes or no.
        unique, update: fields; where a row with the same ``unique`` is there, its ``update`` are written instead.
        keep: fields; the same of those that say nothing there.
    """
    if not rows:
        return
    meta, quote = rows[0]._meta, connection.ops.quote_name
    fields = [field for field in meta.concrete_fields if not field.generated and not _is_given(rows[0], field)]
    columns = {field.name: quote(field.column) for field in fields}
    text = f"INSERT INTO {quote(meta.db_table)} ({', '.join(columns.values())}) "
    text += f"VALUES ({', '.join(['%s'] * len(columns))})"
    if unique:
        keys = ", ".join(columns[name] for name in unique)
        text += f" ON CONFLICT ({keys}) DO UPDATE SET "
        changed = [f"{columns[name]} = EXCLUDED.{columns[name]}" for name in update]
        changed += [f"{columns[name]} = COALESCE({_of(meta, name)}, EXCLUDED.{columns[name]})" for name in keep]
        text += ", ".join(changed)
    names = [field.attname for field in fields]
    with connection.cursor() as cursor:
        cursor.executemany(text, [[_plain(getattr(row, name)) for name in names] for row in rows])
    for row in rows:
        row._state.adding = False


def update(rows: Sequence[Model], fields: Collection[str]) -> None:
    """Write these columns of rows that are there, each by its key. In the caller's transaction; columns as above."""
    if not rows:
        return
    meta, quote = rows[0]._meta, connection.ops.quote_name
    named = [meta.get_field(name) for name in fields]
    said = ", ".join(f"{quote(field.column)} = %s" for field in named)
    text = f"UPDATE {quote(meta.db_table)} SET {said} WHERE {quote(meta.pk.column)} = %s"
    with connection.cursor() as cursor:
        cursor.executemany(text, [[*(_plain(getattr(row, one.attname)) for one in named), row.pk] for row in rows])


def _of(meta: Any, name: str) -> str:
    """The column as the row has it that is there."""
    quote = connection.ops.quote_name
    return f"{quote(meta.db_table)}.{quote(meta.get_field(name).column)}"


def _is_given(row: Model, field: Any) -> bool:
    """A key that the database gives."""
    return bool(field.primary_key) and row.pk is None


def _plain(value: Any) -> Any:
    return connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value
