"""What the node knows of a report besides its lines. Follows the lake, which alone says what was stored."""

from __future__ import annotations

from django.db import models


class Report(models.Model):
    report_id = models.CharField(max_length=64, primary_key=True)  # SHA-256 of the bytes as received
    name = models.CharField(max_length=1024)
    feed = models.CharField(max_length=64)
    size_bytes = models.BigIntegerField()
    received_at = models.DateTimeField()
    lines = models.BigIntegerField()
    blank = models.BigIntegerField()
    events = models.BigIntegerField()
    rejected = models.BigIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="report_lines_add_up",
                condition=models.Q(lines=models.F("blank") + models.F("events") + models.F("rejected")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.report_id[:12]})"
