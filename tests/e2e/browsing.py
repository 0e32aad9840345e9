"""What browser tests speak of: the site, pages of a browser, and what axe-core finds on one."""

from __future__ import annotations

import base64
import hmac
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

Opener = Callable[..., Page]
SignIn = Callable[..., Page]

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@dataclass
class Site:
    """A seeded node that answers; ``kept`` holds the cookies of whoever has signed in before."""

    address: str
    home: Path
    environment: dict[str, str]
    kept: dict[str, Any] = field(default_factory=dict)

    def run(self, *command: str, **named: Any) -> subprocess.CompletedProcess[str]:
        """A command of the program, or a Python program by ``-c``, at this node."""
        line = [sys.executable, *command] if command[0] == "-c" else [sys.executable, "-m", "tansiq", *command]
        return subprocess.run(line, env=self.environment, capture_output=True, text=True, timeout=120, **named)


def findings(page: Page) -> list[str]:
    """``rule: selector``. The policy of the portal lets no page evaluate script; the browser's own tools may."""
    results = Axe().run(page, options={"runOnly": {"type": "tag", "values": TAGS}})
    return [
        f"{violation['id']}: {' '.join(map(str, node['target']))}"
        for violation in results.response["violations"]
        for node in violation["nodes"]
    ]


def code(secret: str) -> str:
    """What an authenticator app with this key shows now (RFC 6238: SHA-1, six digits, thirty seconds)."""
    digest = hmac.digest(base64.b32decode(secret), (int(time.time()) // 30).to_bytes(8, "big"), "sha1")
    start = digest[-1] & 0x0F
    return f"{(int.from_bytes(digest[start : start + 4], 'big') & 0x7FFFFFFF) % 10**6:06}"
