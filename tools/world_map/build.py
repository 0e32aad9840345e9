"""From Natural Earth's countries to the few outlines that the portal draws.

Equal Earth projection (Šavrič, Patterson, Jenny 2018), since the sizes of states are compared on this map; arcs made
simpler once for both neighbours (Visvalingam and Whyatt 1993), so that no gap opens between them.
"""

from __future__ import annotations

import gzip
import heapq
import json
from itertools import pairwise
from math import asin, cos, radians, sin, sqrt
from pathlib import Path
from typing import Any

from babel.core import get_global

HERE = Path(__file__).resolve().parent
SOURCE = HERE / "countries-50m.json.gz"
TARGET = HERE.parent.parent / "src" / "tansiq" / "web" / "map" / "world.json"

WIDTH = 2000  # units of the drawing, about half a CSS pixel each
LEAST_AREA = 1.2  # square units: a corner that spans less than this is cut off
LEAST_RING = 5.0  # square units: an island smaller than this is left out, unless it is all there is of a state
SMALL = 260.0  # square units: a state smaller than this gets a marker
MIDDLE = 11.6  # degrees east: the edge of the drawing then runs through the Bering Strait and cuts no land
SOUTH, NORTH = -56.0, 78.0  # degrees shown
LISTED_WITH = {"Somaliland": "SO", "N. Cyprus": "CY"}
LEFT_OUT = {"AQ"}

Point = tuple[float, float]


def equal_earth(longitude: float, latitude: float) -> Point:
    a1, a2, a3, a4, m = 1.340264, -0.081106, 0.000893, 0.003796, sqrt(3) / 2
    t = asin(m * sin(radians(latitude)))
    x = radians(longitude) * cos(t) / (m * (a1 + 3 * a2 * t**2 + t**6 * (7 * a3 + 9 * a4 * t**2)))
    return x, t * (a1 + a2 * t**2 + t**6 * (a3 + a4 * t**2))


SCALE = WIDTH / (2 * equal_earth(180, 0)[0])
TOP = equal_earth(0, NORTH)[1]
HEIGHT = round((TOP - equal_earth(0, SOUTH)[1]) * SCALE)


def placed(longitude: float, latitude: float) -> Point:
    x, y = equal_earth((longitude - MIDDLE + 180) % 360 - 180, latitude)
    return x * SCALE + WIDTH / 2, (TOP - y) * SCALE


def arcs_of(topology: dict[str, Any]) -> list[list[Point]]:
    """Every arc, undone of its deltas, projected and made simpler."""
    (sx, sy), (tx, ty) = topology["transform"]["scale"], topology["transform"]["translate"]
    arcs = []
    for arc in topology["arcs"]:
        x = y = 0
        points = []
        for dx, dy in arc:
            x, y = x + dx, y + dy
            points.append(placed(x * sx + tx, y * sy + ty))
        arcs.append(simpler(points))
    return arcs


def triangle(a: Point, b: Point, c: Point) -> float:
    return abs((b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1])) / 2


def simpler(points: list[Point]) -> list[Point]:
    """Without the corners that span least; ends stay, and of a closed arc enough for an outline."""
    before, after = list(range(-1, len(points) - 1)), list(range(1, len(points) + 1))
    kept = [True] * len(points)
    left_over = len(points)
    fewest = 6 if points[0] == points[-1] else 2
    heap = [(triangle(points[i - 1], points[i], points[i + 1]), i) for i in range(1, len(points) - 1)]
    heapq.heapify(heap)
    while heap and left_over > fewest:
        area, i = heapq.heappop(heap)
        if not kept[i] or area != triangle(points[before[i]], points[i], points[after[i]]):
            continue  # an older opinion of this corner
        if area > LEAST_AREA:
            break
        kept[i] = False
        left_over -= 1
        b, a = before[i], after[i]
        after[b], before[a] = a, b
        for corner in (b, a):
            if 0 < corner < len(points) - 1:
                heapq.heappush(heap, (triangle(points[before[corner]], points[corner], points[after[corner]]), corner))
    return [point for point, keep in zip(points, kept, strict=True) if keep]


def ring(arcs: list[list[Point]], numbers: list[int]) -> list[Point]:
    points: list[Point] = []
    for number in numbers:
        arc = arcs[number] if number >= 0 else arcs[~number][::-1]
        points.extend(arc[1:] if points else arc)
    return points


def cut(points: list[Point]) -> bool:
    """Whether the edge of the drawing runs through it: so it does through one small island of the Aleutians."""
    return any(abs(b[0] - a[0]) > WIDTH / 2 for a, b in pairwise(points))


def area(points: list[Point]) -> float:
    return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise(points))) / 2


def centre(points: list[Point]) -> Point:
    """The centroid of an outline; of one without area, the middle of its corners."""
    doubled = sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise(points))
    if abs(doubled) < 1e-9:
        return sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points)
    pairs = list(pairwise(points))
    x = sum((a[0] + b[0]) * (a[0] * b[1] - b[0] * a[1]) for a, b in pairs) / (3 * doubled)
    y = sum((a[1] + b[1]) * (a[0] * b[1] - b[0] * a[1]) for a, b in pairs) / (3 * doubled)
    return x, y


def path(rings: list[list[Point]]) -> str:
    """Whole units, relative steps: ``M10 20l3-4 5 6z``."""
    parts = []
    for points in rings:
        whole = [(round(x), round(y)) for x, y in points]
        steps = [(bx - ax, by - ay) for (ax, ay), (bx, by) in pairwise(whole[:-1])]
        steps = [step for step in steps if step != (0, 0)]
        if len(steps) < 2:
            continue
        text = " ".join(f"{dx} {dy}" for dx, dy in steps).replace(" -", "-")
        parts.append(f"M{whole[0][0]} {whole[0][1]}l{text}z")
    return "".join(parts)


def code_of(geometry: dict[str, Any]) -> str:
    """The alpha-2 code, or nothing where ISO 3166 lists none."""
    if (name := geometry["properties"]["name"]) in LISTED_WITH:
        return LISTED_WITH[name]
    found = get_global("territory_aliases").get(geometry.get("id", ""), [""])
    return found[0]


def build() -> dict[str, Any]:
    topology = json.loads(gzip.decompress(SOURCE.read_bytes()))
    arcs = arcs_of(topology)
    outlines: dict[str, list[list[Point]]] = {}
    for geometry in topology["objects"]["countries"]["geometries"]:
        code = code_of(geometry)
        polygons = geometry["arcs"] if geometry["type"] == "MultiPolygon" else [geometry["arcs"]]
        if code not in LEFT_OUT:
            rings = (ring(arcs, numbers) for polygon in polygons for numbers in polygon)
            outlines.setdefault(code, []).extend(points for points in rings if not cut(points))
    return {
        "source": "Natural Earth 1:50m (public domain) by world-atlas 2.0.2; Equal Earth projection",
        "width": WIDTH,
        "height": HEIGHT,
        "land": path([points for points in outlines.pop("", []) if area(points) >= LEAST_RING]),
        "countries": {code: country(rings) for code, rings in sorted(outlines.items())},
    }


def country(rings: list[list[Point]]) -> dict[str, Any]:
    """Its outline, the middle of its largest part, and whether it is too small to be met with a finger."""
    rings = sorted(rings, key=area, reverse=True)
    small = sum(map(area, rings)) < SMALL
    shown = [points for points in rings if area(points) >= LEAST_RING] or ([] if small else rings[:1])
    x, y = centre(rings[0])
    return {"path": path(shown), "at": [round(x), round(y)], "small": small}


if __name__ == "__main__":
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(build(), ensure_ascii=False, separators=(",", ":")).replace('},"', '},\n"')
    TARGET.write_text(text + "\n")
