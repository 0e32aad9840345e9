"""The map: every state of the federation is on it, and within reach."""

from __future__ import annotations

import pytest

from tansiq.members.shipped import shipped_directory
from tansiq.web.map import world
from tansiq.web.map.world import Place

STATES = [country.alpha2 for country in shipped_directory().countries]


def place(alpha2: str) -> Place:
    return Place(alpha2, alpha2, f"/teams/?country={alpha2}", "", alpha2)


def test_map_of_all_states_of_the_federation_shows_each_once() -> None:
    drawn = world.drawing([place(alpha2) for alpha2 in STATES])

    assert len(STATES) == 57
    assert sorted(shape.place.alpha2 for shape in drawn.shapes) == sorted(STATES)
    assert [shape.place.alpha2 for shape in drawn.shapes if not shape.path and not shape.marker] == []


@pytest.mark.parametrize("alpha2", ["BH", "MV", "KM", "BN", "QA", "PS", "GM", "DJ", "LB", "KW"])
def test_small_state_gets_a_marker(alpha2: str) -> None:
    drawn = world.drawing([place(alpha2)])

    assert drawn.shapes[0].marker is not None


def test_markers_stand_apart_and_within_the_drawing() -> None:
    drawn = world.drawing([place(alpha2) for alpha2 in STATES])
    marks = [shape.marker for shape in drawn.shapes if shape.marker]

    apart = [((ax - bx) ** 2 + (ay - by) ** 2) ** 0.5 for i, (ax, ay) in enumerate(marks) for bx, by in marks[:i]]

    assert min(apart) >= 2 * world.RADIUS
    assert all(0 < x < drawn.width and 0 < y < drawn.height for x, y in marks)


def test_place_that_the_map_does_not_have_is_left_to_the_table() -> None:
    drawn = world.drawing([place("XA"), place("BH")])

    assert [shape.place.alpha2 for shape in drawn.shapes] == ["BH"]


def test_country_that_is_shown_is_not_also_drawn_as_land() -> None:
    without, with_it = world.drawing([]), world.drawing([place("DZ")])

    assert len(without.land) - len(with_it.land) == len(with_it.shapes[0].path) > 0


def test_map_data_stays_small() -> None:
    assert len(world.files("tansiq.web.map").joinpath("world.json").read_bytes()) < 120_000
