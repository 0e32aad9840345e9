"""The number of the claim table: it rises in the transaction that changes what attribution or ``whois`` would say."""

from __future__ import annotations

from tansiq.members.models import ClaimTable


def locked() -> ClaimTable:
    """The one row that every writer takes first (on SQLite the transaction itself is the lock)."""
    ClaimTable.objects.get_or_create(pk=1)
    return ClaimTable.objects.select_for_update().get(pk=1)


def count_up(table: ClaimTable) -> int:
    table.number += 1
    table.save(update_fields=["number"])
    return table.number
