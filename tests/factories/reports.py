"""Report files for tests: Shadowserver-shaped, with repeats and rotten lines, the same for the same seed."""

from __future__ import annotations

import random
from pathlib import Path

HEADER = "timestamp,severity,ip,protocol,port,asn,geo,hostname,tag,infection,dst_ip,dst_port,event_id"
TAGS = ("openrdp", "botnet", "ssl-freak", "brute-force")


def shadowserver(path: Path, *, lines: int, seed: int = 0, days: int = 2) -> dict[str, int]:
    """Write a report; returns how many of its lines are good, rotten and blank (the header among the blank ones)."""
    draw = random.Random(seed)
    rows = [HEADER]
    good: list[str] = []
    counts = {"events": 0, "rejected": 0, "blank": 1}
    for number in range(lines):
        kind = draw.random()
        if kind < 0.03:
            rows.append(draw.choice(ROTTEN))
            counts["rejected"] += 1
        elif kind < 0.05:
            rows.append("")
            counts["blank"] += 1
        else:
            row = draw.choice(good) if good and kind < 0.2 else event(draw, number, days)
            good.append(row)
            rows.append(row)
            counts["events"] += 1
    path.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
    return counts


ROTTEN = (
    '"2026-03-01 00:00:00","high"',
    '"2026-13-41 00:00:00","high","192.0.2.1","tcp","80","","","","openrdp","","","","x"',
    '"2026-03-01 00:00:00","high","192.0.2.999","tcp","80","","","","openrdp","","","","x"',
    '"2026-03-01 00:00:00","high,"192.0.2.1","tcp","80","","","","openrdp","","","","x"',
    "<html>503 Service Unavailable</html>",
)


def event(draw: random.Random, number: int, days: int) -> str:
    address = (
        f"198.51.{draw.randrange(100, 104)}.{draw.randrange(256)}" if draw.random() < 0.9 else f"2001:db8::{number:x}"
    )
    cells = (
        f"2026-03-{draw.randrange(1, 1 + days):02} {draw.randrange(24):02}:{draw.randrange(60):02}:00",
        draw.choice(("critical", "high", "medium", "low")),
        address,
        "tcp",
        str(draw.randrange(1, 65536)),
        "",
        "",
        draw.choice(("", f"host{draw.randrange(50)}.example", "www.agency.gov.example")),
        draw.choice(TAGS),
        draw.choice(("", "mirai", "conficker")),
        "203.0.113.9",
        "443",
        str(number),
    )
    return ",".join(f'"{cell}"' for cell in cells)
