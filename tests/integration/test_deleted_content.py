"""What is deleted from a node's SQLite database is not found in its file any more."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

MARKER = "what-nobody-may-find-again"
KEEP_AND_DELETE = f"""
import sys
from datetime import UTC, datetime
from tansiq.cli import node
home = node.opened()
from django.db import connection
from tansiq.exchange.models import Evidence

def is_in_the_file() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return b"{MARKER}" in home.database.read_bytes()

body = b"{MARKER} " * 2000
kept = [
    Evidence.objects.create(peer="XB", what="clone", digest=str(number), body=body, seen_at=datetime.now(UTC))
    for number in range(50)
]
before = is_in_the_file()
Evidence.objects.all().delete()
print(before, is_in_the_file())
"""


@pytest.mark.sqlite(why="PostgreSQL overwrites at its next vacuum")
def test_content_that_was_deleted_is_overwritten_in_the_file(
    home: Path, run_python: Callable[..., CompletedProcess[str]]
) -> None:
    done = run_python(KEEP_AND_DELETE)

    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["True", "False"]
