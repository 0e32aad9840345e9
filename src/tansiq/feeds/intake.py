"""Note which reports were taken in, for people who look for one by its name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tansiq.feeds.models import Report

FOLLOWS_THE_LAKE = ["lines", "blank", "events", "rejected"]


def record(rows: Iterable[Mapping[str, Any]]) -> None:
    """One row a report; of a report that is known already only the counts follow the lake, its first name stays."""
    Report.objects.bulk_create(
        [Report(**row) for row in rows],
        update_conflicts=True,
        unique_fields=["report_id"],
        update_fields=FOLLOWS_THE_LAKE,
        batch_size=500,
    )
