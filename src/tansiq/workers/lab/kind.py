"""What nodes of a lab tell each other: notes of three lanes, and a record of each that was applied and deleted."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db import connection

from tansiq.exchange.body import Lane
from tansiq.exchange.kinds import KNOWN, Kind, Kinds, Said

KINDS = {Lane.URGENT: "lab.alert", Lane.NORMAL: "lab.note", Lane.BULK: "lab.record"}
TABLES = (
    "CREATE TABLE lab_deed (number INTEGER PRIMARY KEY, object TEXT NOT NULL, term INTEGER, n INTEGER, text TEXT)",
    "CREATE TABLE lab_note (object TEXT PRIMARY KEY, term INTEGER NOT NULL, n INTEGER NOT NULL, text TEXT NOT NULL)",
)
"""The first says in which order what was done: a version applied, or, without one, the object deleted."""


def create_tables() -> None:
    with connection.cursor() as cursor:
        for statement in TABLES:
            cursor.execute(statement)


def register(kinds: Kinds = KNOWN) -> None:
    """Once, in processes of a lab only."""
    for lane, name in KINDS.items():
        kinds.register(
            Kind(
                name,
                schema=1,
                lane=lane,
                fits=_fits,
                apply=_apply,
                withdraw=_withdraw,
                self_contained=lane is Lane.URGENT,
                references=_references,
            )
        )


def _fits(payload: Any) -> bool:
    return (
        isinstance(payload, dict)
        and isinstance(payload.get("text"), str)
        and isinstance(payload.get("refers"), list)
        and all(isinstance(one, str) for one in payload["refers"])
    )


def _references(payload: Any) -> Collection[str]:
    return list(payload["refers"])


def _apply(said: Said, _now: datetime) -> None:
    term, n = said.version
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO lab_deed (object, term, n, text) VALUES (%s, %s, %s, '')", [said.object, term, n])
        cursor.execute(
            "INSERT INTO lab_note VALUES (%s, %s, %s, %s)"
            " ON CONFLICT (object) DO UPDATE SET term = excluded.term, n = excluded.n, text = excluded.text",
            [said.object, term, n, said.payload["text"]],
        )


def _withdraw(object_id: str, _now: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO lab_deed (object, text) VALUES (%s, 'deleted')", [object_id])
        cursor.execute("DELETE FROM lab_note WHERE object = %s", [object_id])
