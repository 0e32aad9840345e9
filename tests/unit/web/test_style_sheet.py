"""The one style sheet: small, without sides, readable in both themes."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

SHEET = (files("tansiq.web") / "static" / "tansiq.css").read_text(encoding="utf-8")
RULES = re.sub(r"/\*.*?\*/", "", SHEET, flags=re.DOTALL)
LEAST_CONTRAST = 4.5  # WCAG 2.2, 1.4.3
PAIRS = [
    *[(ink, ground) for ink in ("ink", "muted", "accent") for ground in ("ground", "surface", "sunken", "raised")],
    *[(tone, f"{tone}-ground") for tone in ("good", "warn", "bad", "info")],
    *[(tone, "surface") for tone in ("good", "warn", "bad", "info")],
    *[("ink", f"{tone}-ground") for tone in ("good", "warn", "bad", "info", "accent")],
    *[("on-accent", ground) for ground in ("accent", "accent-strong", "good", "warn", "bad", "info", "muted")],
    ("accent", "accent-ground"),
    ("muted", "accent-ground"),
    ("ink", "map-quiet"),
]


def test_style_sheet_names_no_side_of_the_screen() -> None:
    sides = r"\b(left|right)\b|(margin|padding|border|inset)-(top|bottom)\b|^\s*(top|bottom|width|height)\s*:"

    found = [line for line in RULES.splitlines() if re.search(sides, line)]

    assert found == []


def test_style_sheet_weighs_less_than_forty_kilobytes() -> None:
    assert len(SHEET.encode()) < 40_000


def test_style_sheet_fetches_nothing_from_elsewhere() -> None:
    named = re.findall(r"url\(([^)]*)\)", RULES)

    assert named
    assert [url for url in named if not url.startswith('"vendor/plex/')] == []
    assert "@import" not in RULES


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), PAIRS)
def test_text_of_any_tone_on_its_ground_is_readable(ink: str, ground: str, theme: int) -> None:
    colours = tokens()

    assert contrast(colours[ink][theme], colours[ground][theme]) >= LEAST_CONTRAST


def tokens() -> dict[str, tuple[str, str]]:
    """Name of the token, its colour in the light and in the dark theme."""
    found = re.findall(r"--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)", RULES)
    return {name: (light, dark) for name, light, dark in found}


def contrast(one: str, other: str) -> float:
    brighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance of ``#rrggbb``."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
