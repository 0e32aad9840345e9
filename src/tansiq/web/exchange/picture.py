"""The federation as this node sees it: itself in the middle, a peer at the end of every line. Coordinates only.

Every peer has its code and its state in letters beside its mark, so the drawing stays readable with 57 nodes: half of
them stand in a column on either side, and the lines fan out between. The page's reading side comes first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 1000  # units: CSS pixels at the drawing's least width (.spokes svg in tansiq.css)
ROW = 44
RADIUS = 13  # 26 pixels across: enough for a finger
MARGIN = 28
LEAST_HEIGHT = 240
NEAR, BULGE = 350, 55  # from the edge to a mark: at the ends of a column, and how much less in its middle
GAP = 12  # between a mark and its words
LETTER = 8.1  # of the mono font at 13 pixels
CENTRE_HEIGHT = 64


@dataclass(frozen=True, slots=True)
class Point:
    """A peer to be drawn.

    Attributes:
        standing: code of its state; it chooses the mark.
        said: the state in words.
        label: code and state in one: what a screen reader says of it.
    """

    code: str
    url: str
    standing: str
    said: str
    label: str


@dataclass(frozen=True, slots=True)
class Spoke:
    """A point in its place. ``code_anchor`` is of text from left to right, ``said_anchor`` of the page's direction."""

    point: Point
    x: int
    y: int
    text_x: int
    line: str
    code_anchor: str
    said_anchor: str


@dataclass(frozen=True, slots=True)
class Picture:
    width: int
    height: int
    radius: int
    centre: tuple[int, int]
    box: tuple[int, int, int, int]
    spokes: tuple[Spoke, ...]


def picture(points: Sequence[Point], *, code: str, rtl: bool) -> Picture:
    """``code``: of the node in the middle. ``rtl``: the page is read from right to left."""
    first, second = points[: (len(points) + 1) // 2], points[(len(points) + 1) // 2 :]
    height = max(LEAST_HEIGHT, len(first) * ROW + 2 * MARGIN)
    centre = (WIDTH // 2, height // 2)
    half = max(60, round(len(code) * LETTER / 2) + 18)
    columns = ((first, rtl), (second, not rtl))
    spokes = [
        _spoke(point, place, len(column), centre, half, far=far, rtl=rtl)
        for column, far in columns
        for place, point in enumerate(column)
    ]
    box = (centre[0] - half, centre[1] - CENTRE_HEIGHT // 2, 2 * half, CENTRE_HEIGHT)
    return Picture(WIDTH, height, RADIUS, centre, box, tuple(spokes))


def _spoke(point: Point, place: int, count: int, centre: tuple[int, int], half: int, *, far: bool, rtl: bool) -> Spoke:
    """``far``: in the column of greater x."""
    middle_x, middle_y = centre
    y = round(middle_y + (place - (count - 1) / 2) * ROW)
    bow = 1 - (2 * (place + 0.5) / count - 1) ** 2
    inset = round(NEAR - BULGE * bow)
    side = 1 if far else -1
    x = WIDTH - inset if far else inset
    start, end = middle_x + side * half, x - side * RADIUS
    bend = (start + end) // 2
    return Spoke(
        point,
        x=x,
        y=y,
        text_x=x + side * (RADIUS + GAP),
        line=f"M{start} {middle_y}C{bend} {middle_y} {bend} {y} {end} {y}",
        code_anchor="start" if far else "end",
        said_anchor="start" if far != rtl else "end",
    )
