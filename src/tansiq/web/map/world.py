"""The drawing: outlines by country code, and markers where a state is too small to be met with a finger."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

RADIUS = 21  # units of the drawing: 24 CSS pixels across at its least width (.world svg in tansiq.css)

ASIDE = {
    "AE": (1284, 330),
    "AL": (1027, 207),
    "BH": (1331, 352),
    "BN": (1541, 408),
    "DJ": (1239, 392),
    "GM": (802, 356),
    "GW": (802, 402),
    "KM": (1197, 538),
    "KW": (1332, 398),
    "LB": (1081, 226),
    "MV": (1343, 448),
    "PS": (1034, 250),
    "QA": (1286, 376),
    "SL": (828, 446),
    "TG": (936, 462),
}
"""Where a marker stands, in the nearest free water; a line leads from it to the state."""


@dataclass(frozen=True, slots=True)
class Place:
    """A country to be shown.

    Attributes:
        alpha2: its ISO 3166 code.
        name: in the reader's language.
        url: where it leads.
        state: a tone of the style sheet (good, warn, bad, info, quiet), or empty.
        label: name and state in words: what a screen reader says of it.
    """

    alpha2: str
    name: str
    url: str
    state: str
    label: str


@dataclass(frozen=True, slots=True)
class Shape:
    """A place with its outline, and its marker if it has one: ``line`` leads from the place to the marker."""

    place: Place
    path: str
    marker: tuple[int, int] | None
    line: tuple[int, int, int, int] | None


@dataclass(frozen=True, slots=True)
class Drawing:
    """``land`` is all that leads nowhere, in one path; places with markers come last, so that nothing covers them."""

    width: int
    height: int
    radius: int
    land: str
    shapes: tuple[Shape, ...]


@cache
def world() -> dict[str, Any]:
    return json.loads((files("tansiq.web.map") / "world.json").read_text(encoding="utf-8"))


def drawing(places: Sequence[Place]) -> Drawing:
    """Places of codes that the map does not have are left to the table beside it."""
    source = world()
    countries = source["countries"]
    shown = {place.alpha2 for place in places}
    rest = "".join(outline["path"] for code, outline in countries.items() if code not in shown)
    shapes = [shape(place, countries[place.alpha2]) for place in places if place.alpha2 in countries]
    shapes.sort(key=lambda one: one.marker is not None)
    return Drawing(source["width"], source["height"], RADIUS, source["land"] + rest, tuple(shapes))


def shape(place: Place, outline: dict[str, Any]) -> Shape:
    if not outline["small"]:
        return Shape(place, outline["path"], marker=None, line=None)
    x, y = outline["at"]
    marker = ASIDE.get(place.alpha2, (x, y))
    return Shape(place, outline["path"], marker, None if marker == (x, y) else (x, y, *marker))
