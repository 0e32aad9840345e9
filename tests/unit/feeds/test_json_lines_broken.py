"""Lines of JSON that are broken in a way that the column engine itself stumbles over."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from tansiq.feeds.catalogue import FEEDS
from tansiq.feeds.parse import parse

GOOD = b'{"timestamp": "2026-01-01T00:00:00Z", "source_ip": "192.0.2.1"}\n'
CUT = b'{"timestamp":"2026-01-01T00:00:00Z","source_ip":"192.0\n'
MODIFIED_AT = datetime(2026, 3, 1, tzinfo=UTC)
WITH_NUL = b'{\x00Downadup", "source_ip": "192.0.2.4"}\n'


def test_broken_line_with_a_nul_is_a_reject_and_the_others_are_events(tmp_path: Path) -> None:
    path = tmp_path / "report.jsonl"
    path.write_bytes(GOOD + CUT + WITH_NUL + GOOD)

    (part,) = parse(path, FEEDS["jsonl"], name=path.name, block_bytes=1 << 20, modified_at=MODIFIED_AT)

    assert part.events["line_number"].to_list() == [1, 4]
    assert part.rejects["line_number"].to_list() == [2, 3]
