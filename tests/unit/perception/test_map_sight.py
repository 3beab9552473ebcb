"""Ground, decks, buildings and tunnels in the view of sensors, each side of their edges."""

from __future__ import annotations

import numpy as np
import pytest

from v2x.world.road_map import Structure
from v2x.world.synthetic import manhattan

from ..channel.hills import Road, house, map_of, terrain_of
from .looking import look, sees, with_view

BRIDGE, TUNNEL = Structure.BRIDGE, Structure.TUNNEL
PLAIN = Road(points=[(-500, -500, 0), (-490, -500, 0)])
#: An eye 1.3 m above the road in the middle of the car; points at three quarters of 1.6 m.
CAMERA = with_view(mount=0.0, height_m=1.3, half_angle_deg=180.0)
AIM_M = 1.2


def ridge(crest_m: float):
    """Return a map with a ridge of this height across x = 0, flat from 20 m on."""
    return map_of(
        PLAIN,
        terrain=terrain_of(
            lambda x, y: crest_m * np.clip(1.0 - np.abs(x) / 20.0, 0.0, 1.0), step_m=5.0
        ),
    )


@pytest.mark.parametrize(("crest_m", "seen"), [(1.2, True), (1.3, False), (20.0, False)])
def test_a_crest_hides_from_the_line_of_sight_on(crest_m: float, seen: bool) -> None:
    # The line from 1.3 m to 1.2 m is 1.25 m high over the crest.
    state = {"x_m": [-50.0, 50.0], "sensor": CAMERA}
    assert sees(road_map=ridge(crest_m), **state) == seen
    assert sees(road_map=ridge(crest_m), solid=False, **state)
    # On this side of it and from higher up there is nothing in the way.
    assert sees([-50.0, -25.0], sensor=CAMERA, road_map=ridge(crest_m))
    assert sees([-50.0, 50.0], sensor=CAMERA, road_map=ridge(crest_m), z_m=25.0)


DECK = map_of(
    Road(points=[(-200, 0, 8), (200, 0, 8)], structure=BRIDGE, lanes=2, level=1),
    Road(points=[(-200, 0.5, 0), (200, 0.5, 0)]),
)


def test_the_deck_hides_the_other_level_only() -> None:
    x, level = [0.0, 40.0], {"sensor": CAMERA, "road_map": DECK}
    assert sees(x, z_m=[8.0, 8.0], **level)
    assert sees(x, z_m=[0.0, 0.0], **level)
    assert not sees(x, z_m=[8.0, 0.0], **level)
    assert not sees(x, z_m=[0.0, 8.0], **level)


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_the_view_past_a_deck_begins_at_its_edge(side: float) -> None:
    # The deck is 7 m wide. From 1.3 m above its middle, a line to 1.2 m above the ground leaves
    # the height of the deck after a share s = 1.3 / 8.1 of the way: 3.5 m to the side if the
    # other is 21.8 m off.
    edge_m = 3.5 * (8.0 + 1.3 - AIM_M) / 1.3
    for across_m, seen in ((edge_m - 0.5, False), (edge_m + 0.5, True)):
        state = {"y_m": [0.0, side * across_m], "z_m": [8.0, 0.0]}
        assert sees([0.0, 0.1], sensor=CAMERA, road_map=DECK, **state) == seen


@pytest.mark.parametrize(("top_m", "seen"), [(1.2, True), (1.3, False), (30.0, False)])
def test_a_building_hides_below_its_roof(top_m: float, seen: bool) -> None:
    road_map = map_of(PLAIN, buildings=house(0.0, 0.0, 10.0, top_m))
    assert sees([-50.0, 50.0], sensor=CAMERA, road_map=road_map) == seen
    # Past its corner, which is 5 m off.
    for y_m, clear in ((4.9, seen), (5.1, True), (-4.9, seen), (-5.1, True)):
        assert sees([-50.0, 50.0], sensor=CAMERA, road_map=road_map, y_m=y_m) == clear
    # A building stays on a map that is laid flat.
    assert sees([-50.0, 50.0], sensor=CAMERA, road_map=road_map, solid=False) == seen


BORE = map_of(
    Road(points=[(-300, 0, 0), (-100, 0, 0)]),
    Road(points=[(-100, 0, 0), (100, 0, 0)], structure=TUNNEL, level=-1),
    Road(points=[(100, 0, 0), (300, 0, 0)]),
    Road(points=[(-100, 30, 0), (100, 30, 0)], structure=TUNNEL, level=-1),
)
#: Edges of the bore and of its twin.
IN, OUT, TWIN = 1, -1, 3


def test_tunnel_walls_hide_but_for_the_mouth() -> None:
    def seen(x, tunnel, y_m=0.0):
        return sees(x, sensor=CAMERA, road_map=BORE, tunnel=tunnel, y_m=y_m)

    assert seen([0.0, 50.0], [IN, IN])
    # Out of the mouth, along the axis; half of the mouth is 3.5 m wide.
    assert seen([90.0, 120.0], [IN, OUT])
    assert seen([120.0, 90.0], [OUT, IN])
    # From 20 m inside to 20 m outside, the mouth is half-way: 7 m off the axis is its edge.
    assert seen([80.0, 120.0], [IN, OUT], [0.0, 6.5])
    assert not seen([80.0, 120.0], [IN, OUT], [0.0, 7.5])
    assert not seen([80.0, 120.0], [IN, OUT], [0.0, -7.5])
    # Rock: another tube, and the road beside the tunnel.
    assert not seen([0.0, 0.0], [IN, TWIN], [0.0, 30.0])
    assert not seen([0.0, 30.0], [IN, OUT], [0.0, 0.0])
    # Laid flat, tunnels are not there.
    assert look([0.0, 30.0], sensor=CAMERA, road_map=BORE, tunnel=[IN, OUT], solid=False) == {
        (0, 1),
        (1, 0),
    }


def test_blocks_of_a_street_grid_hide_who_is_in_another_street() -> None:
    grid = manhattan()
    assert grid.corridor_x is not None
    edge = int(np.flatnonzero(grid.corridor_x >= 0)[0])
    x, y = 0.5 * (grid.edge_from_xy + grid.edge_to_xy)[edge]
    state = {"sensor": CAMERA, "road_map": grid}
    assert sees([x, x + 30.0], y_m=[y, y], **state)
    assert not sees([x, x], y_m=[y, y + 60.0], **state)
