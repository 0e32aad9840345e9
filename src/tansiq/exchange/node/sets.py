"""Rows made of rows, in one statement: what a roster changes for a million objects never leaves the database."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import DateTimeField, F, Model, QuerySet, Value

from tansiq.exchange.models import Recipient


def insert(model: type[Model], columns: dict[str, Any], rows: QuerySet[Any], *, on_conflict: str = "") -> int:
    """Insert a row for each of ``rows``. Returns: how many.

    Args:
        columns: field -> its value, an expression over ``rows``; the others have their usual values.
        on_conflict: SQL; ``rows`` must have a condition then.
    """
    columns = _usual(model) | columns
    expressions = {f"insert_{name}": value for name, value in columns.items()}
    chosen = rows.annotate(**expressions).values_list(*expressions)
    select, parameters = chosen.query.sql_with_params()
    quoted = connection.ops.quote_name
    names = ", ".join(quoted(model._meta.get_field(name).column) for name in columns)
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {quoted(model._meta.db_table)} ({names}) {select} {on_conflict}", parameters)
        return cursor.rowcount


def _usual(model: type[Model]) -> dict[str, Any]:
    """What a row has where nothing is said: Django's defaults are not the database's."""
    fields = [field for field in model._meta.concrete_fields if not field.null and not field.primary_key]
    plain = [
        field for field in fields if not field.is_relation and (field.has_default() or field.empty_strings_allowed)
    ]
    return {field.name: Value(field.get_default(), output_field=field) for field in plain}


def moment(now: datetime) -> Value:
    return Value(now, output_field=DateTimeField())


def attempted(peer: str, objects: QuerySet[Any], now: datetime) -> int:
    """Count these objects (rows with an ``object``) as attempted to ``peer``: each may be there."""
    table = connection.ops.quote_name(Recipient._meta.db_table)
    return insert(
        Recipient,
        {"object": F("object"), "peer": Value(peer), "attempted_at": moment(now)},
        objects,
        on_conflict=(
            "ON CONFLICT (object, peer) DO UPDATE "
            f"SET attempted_at = COALESCE({table}.attempted_at, EXCLUDED.attempted_at)"
        ),
    )
