"""The database's own refusal to change rows: is it in place?"""

from __future__ import annotations

from django.db import connection

GUARDS = frozenset(
    f"{table}_{what}" for table in ("audit_entry", "audit_head", "audit_reason") for what in ("kept", "unchanged")
)
"""Names of the triggers that the migrations make."""

_FOUND = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'",
}


def present() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_FOUND[connection.vendor])
        return {name for (name,) in cursor.fetchall()} >= GUARDS
