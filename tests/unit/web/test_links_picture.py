"""The picture of links: everything in its place, nothing on top of another, in both directions."""

from __future__ import annotations

import pytest

from tansiq.web.exchange import picture as drawing
from tansiq.web.exchange.picture import Picture, Point, picture

LONGEST = "X" * 32


def points(count: int) -> list[Point]:
    return [Point(f"X{number:03}", f"/{number}/", "equal", "equal", f"X{number:03}: equal") for number in range(count)]


def shown(count: int, *, rtl: bool = False) -> Picture:
    return picture(points(count), code="XA", rtl=rtl)


@pytest.mark.parametrize("rtl", [False, True])
@pytest.mark.parametrize("count", [1, 2, 3, 7, 56, 200])
def test_marks_are_apart_and_inside_the_drawing(count: int, rtl: bool) -> None:
    found = shown(count, rtl=rtl)

    spots = [(spoke.x, spoke.y) for spoke in found.spokes]
    assert len(spots) == count
    assert all(0 < x < found.width and 0 < y < found.height for x, y in spots)
    apart = [(ax - bx) ** 2 + (ay - by) ** 2 for i, (ax, ay) in enumerate(spots) for bx, by in spots[:i]]
    assert min(apart, default=10**6) >= (2 * drawing.RADIUS) ** 2


@pytest.mark.parametrize("count", [3, 56])
def test_longest_code_has_room_beside_its_mark(count: int) -> None:
    needed = len(LONGEST) * drawing.LETTER

    for spoke in shown(count).spokes:
        room = spoke.text_x if spoke.code_anchor == "end" else drawing.WIDTH - spoke.text_x
        assert room >= needed


def test_page_from_right_to_left_is_the_mirror_of_the_other() -> None:
    one, other = shown(7), shown(7, rtl=True)

    assert [(drawing.WIDTH - spoke.x, spoke.y) for spoke in one.spokes] == [(s.x, s.y) for s in other.spokes]
    assert {(s.code_anchor, s.said_anchor) for s in one.spokes} == {("start", "start"), ("end", "end")}
    assert {(s.code_anchor, s.said_anchor) for s in other.spokes} == {("start", "end"), ("end", "start")}


def test_middle_holds_the_longest_code_without_reaching_a_mark() -> None:
    found = picture(points(56), code=LONGEST, rtl=False)

    _left, top, width, height = found.box
    beside = [spoke for spoke in found.spokes if top - drawing.RADIUS <= spoke.y <= top + height + drawing.RADIUS]
    assert width >= len(LONGEST) * drawing.LETTER
    assert beside
    assert min(abs(spoke.x - found.width // 2) for spoke in beside) > width // 2 + drawing.RADIUS


def test_node_without_peers_stands_alone() -> None:
    assert shown(0).spokes == ()
