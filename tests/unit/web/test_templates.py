"""What no template may hold: the policy of the portal forbids it, and the browser would drop it in silence."""

from __future__ import annotations

import re
from pathlib import Path

import tansiq.web

TEMPLATES = sorted(Path(tansiq.web.__file__).parent.glob("templates/**/*.html"))
INLINE = re.compile(r"\sstyle=|\son[a-z]+=|<style|<script(?![^>]*(\bsrc=|application/json))|hx-on|javascript:")
ELSEWHERE = re.compile(r"(src|action)=\"(https?:)?//")


def test_templates_hold_no_inline_style_or_script() -> None:
    found = {path.name: hit[0] for path in TEMPLATES if (hit := INLINE.search(path.read_text(encoding="utf-8")))}

    assert TEMPLATES
    assert found == {}


def test_templates_load_nothing_from_another_host() -> None:
    found = [path.name for path in TEMPLATES if ELSEWHERE.search(path.read_text(encoding="utf-8"))]

    assert found == []
