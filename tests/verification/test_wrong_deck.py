"""Who is taken to be on one's own deck: closed forms against positioning, map and scene."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.spatial import cKDTree

from tests.deck_pairs import (
    HALF_LENGTH_M,
    believed_of,
    couples,
    decks,
    gnss,
    scene_of_couples,
    stack,
    standing,
)
from v2x.applications.warnings.base import WarningContext
from v2x.applications.warnings.intersection import IcwParams, IntersectionCollisionWarning
from v2x.metrics.wrong_deck import (
    gate_accepts,
    near_in_plan,
    same_of_two,
    takes_crossing_road,
    takes_parallel_road,
)
from v2x.mobility.fleet import FleetState
from v2x.mobility.junctions import lane_network
from v2x.mobility.positioning import Positioning
from v2x.mobility.positioning_params import PositioningParams
from v2x.perception.scene import LevelCheck
from v2x.perception.ways import Ways
from v2x.world.road_map import RoadMap
from v2x.world.store import builtin_map, load_map
from v2x.world.weather import WeatherParams

N = 8000
GATE_M = 3.5


def near(found: float, expected: float, n: int = N) -> bool:
    """Return whether a share of n independent draws is within three sigma of its chance."""
    return abs(found - expected) <= 3.0 * math.sqrt(expected * (1.0 - expected) / n) + 1e-12


def taken_for_same(
    fleet: FleetState, road_map: RoadMap, params: PositioningParams, check: LevelCheck
) -> float:
    believed = believed_of(fleet, road_map, params)
    return 1.0 - float(np.mean(scene_of_couples(fleet, road_map, believed, check, GATE_M).apart))


@pytest.mark.parametrize("apart_m", [6.0, 7.0, 8.0, 15.0])
@pytest.mark.parametrize(("above_m", "below_m"), [(1.0, 1.0), (2.6, 8.75), (5.0, 5.0), (0.5, 10.0)])
def test_a_gate_with_another_spread_on_each_deck(
    apart_m: float, above_m: float, below_m: float
) -> None:
    """Under the upper deck satellites are worse: the difference has the spread of both."""
    road_map = stack(apart_m)
    fleet = couples(road_map, (0, 1), (500.0, 525.0), n=N)
    params = PositioningParams(
        open_sigma_m=above_m / 1.75, deck_sigma_m=below_m / 1.75, vertical_ratio=1.75
    )
    believed = believed_of(fleet, road_map, params)
    np.testing.assert_allclose(believed.vertical_sigma_m, np.repeat([below_m, above_m], N))
    found = 1.0 - np.mean(scene_of_couples(fleet, road_map, believed, LevelCheck.GATE).apart)
    assert near(float(found), float(gate_accepts(apart_m, above_m, below_m, GATE_M)))


def test_errors_of_neighbours_are_independent_and_last() -> None:
    """No common part, now or half a minute on; within a second an error hardly changes."""
    road_map = stack(7.0)
    positioning = Positioning(gnss(5.0, 1.75), road_map, 3)
    errors = []
    for second in (0.0, 1.0, 30.0):
        fleet = couples(road_map, (0, 1), (500.0, 525.0), n=N)
        believed = positioning.believe(
            standing(
                road_map, fleet.edge, fleet.offset_m + 10.0 * second, round(second * 1_000_000)
            )
        )
        errors.append(believed.z_m - fleet.z_m)
    for error in errors:
        assert abs(np.corrcoef(error[:N], error[N:])[0, 1]) <= 3.0 / math.sqrt(N)
    kept = np.corrcoef(errors[0][N:], errors[1][N:])[0, 1]
    assert kept == pytest.approx(math.exp(-1.0 / 60.0), abs=0.005)


@pytest.mark.parametrize("grade", [0.0, 0.04, 0.06])
@pytest.mark.parametrize("gap_m", [30.0, 60.0, 100.0])
@pytest.mark.parametrize("sigma_z_m", [1.0, 5.0])
def test_a_gate_misses_true_dangers_on_slopes(grade: float, gap_m: float, sigma_z_m: float) -> None:
    """On one road the climb between both is what the distance of decks was above."""
    road_map = decks([[(0.0, 0.0, 0.0), (1000.0, 0.0, 1000.0 * grade)]])
    fleet = couples(road_map, (0, 0), (400.0, 400.0 + gap_m), n=N)
    params = gnss(sigma_z_m / 1.75, 1.75)
    expected = float(gate_accepts(grade * gap_m, sigma_z_m, sigma_z_m, GATE_M))
    assert near(taken_for_same(fleet, road_map, params, LevelCheck.GATE), expected)
    assert taken_for_same(fleet, road_map, params, LevelCheck.MAP_HEIGHT) == 1.0


@pytest.mark.parametrize("aside_m", [4.0, 8.0])
@pytest.mark.parametrize("sigma_m", [2.0, 5.0])
@pytest.mark.parametrize(("ratio", "map_height_sigma_m"), [(1.5, 0.5), (2.0, 4.0), (0.3, 4.0)])
def test_parallel_decks(
    aside_m: float, sigma_m: float, ratio: float, map_height_sigma_m: float
) -> None:
    road_map = stack(7.0, aside_m)
    fleet = couples(road_map, (0, 1), (500.0, 525.0), n=N)
    params = gnss(sigma_m, ratio, map_height_sigma_m=map_height_sigma_m)
    for check, above_m in ((LevelCheck.MAP, 0.0), (LevelCheck.MAP_HEIGHT, 7.0)):
        wrong = takes_parallel_road(
            aside_m,
            above_m,
            sigma_m,
            sigma_m * ratio,
            width_m=road_map.lane_width_m,
            map_height_sigma_m=map_height_sigma_m,
        )
        expected = float(same_of_two(wrong, wrong))
        assert near(taken_for_same(fleet, road_map, params, check), expected)


def test_two_roads_at_one_place_are_the_same_in_plan() -> None:
    """The closed form has no answer, the matcher takes the first: nobody is told apart."""
    assert np.isnan(takes_parallel_road(0.0, 0.0, 5.0, 5.0, width_m=3.5))
    road_map = stack(7.0)
    fleet = couples(road_map, (0, 1), (500.0, 525.0), n=100)
    assert taken_for_same(fleet, road_map, gnss(5.0, 1.75), LevelCheck.MAP) == 1.0


@pytest.mark.parametrize("angle_deg", [10.0, 20.0, 30.0])
@pytest.mark.parametrize("before_m", [0.0, 10.0, 30.0])
@pytest.mark.parametrize("sigma_m", [5.0, 10.0])
def test_decks_that_cross(angle_deg: float, before_m: float, sigma_m: float) -> None:
    angle, half_m = math.radians(angle_deg), 500.0
    east, north = half_m * math.cos(angle), half_m * math.sin(angle)
    road_map = decks(
        [
            [(-half_m, 0.0, 0.0), (half_m, 0.0, 0.0)],
            [(-east, -north, 7.0), (east, north, 7.0)],
        ]
    )
    fleet = couples(road_map, (0, 1), (half_m - before_m, half_m - before_m), n=N)
    believed = believed_of(fleet, road_map, gnss(sigma_m, 1.75, match_heading_sigma_deg=10.0))
    expected = takes_crossing_road(
        before_m,
        angle,
        sigma_m,
        width_m=road_map.lane_width_m,
        heading_sigma_rad=math.radians(10.0),
    )
    assert near(float(np.mean(believed.edge_by_plan != fleet.edge)), expected, 2 * N)


def test_crossing_at_a_right_angle_alarms_in_plan_and_not_by_map() -> None:
    """ICW above and below one another: 2-D nearly always, the gate by its formula, the map never.

    Horizontal errors of 0.5 m do not change who comes to the crossing within 2 s of the other.
    """
    road_map = decks(
        [
            [(-500.0, 0.0, 0.0), (500.0, 0.0, 0.0)],
            [(0.0, -500.0, 7.0), (0.0, 500.0, 7.0)],
        ]
    )
    fleet = couples(road_map, (0, 1), (470.0, 470.0), (15.0, 15.0), n=N)
    believed = believed_of(fleet, road_map, gnss(0.5, 10.0))
    context = WarningContext(lane_network(road_map), WeatherParams(), seed=1)
    icw = IntersectionCollisionWarning(IcwParams(), context)
    expected = {
        LevelCheck.NONE: 1.0,
        LevelCheck.GATE: float(gate_accepts(7.0, 5.0, 5.0, GATE_M)),
        LevelCheck.MAP: 0.0,
        LevelCheck.MAP_HEIGHT: 0.0,
    }
    for check, share in expected.items():
        judgement = icw.judge(scene_of_couples(fleet, road_map, believed, check, GATE_M))
        assert near(float(judgement.raised.sum()) / N, share), check


def test_2_d_path_of_an_uncertain_pair() -> None:
    """Within 2.5 m of the path, from errors of both across it."""
    road_map = stack(7.0)
    fleet = couples(road_map, (0, 1), (500.0, 525.0), n=N)
    params = PositioningParams(open_sigma_m=1.5, deck_sigma_m=5.0)
    believed = believed_of(fleet, road_map, params)
    scene = scene_of_couples(fleet, road_map, believed, LevelCheck.NONE)
    expected = float(near_in_plan(scene.half_widths_m[0] + 0.5, 1.5, 5.0))
    assert near(float(np.mean(scene.in_path)), expected)


@pytest.fixture(scope="module")
def huangjuewan() -> RoadMap:
    return load_map(builtin_map("huangjuewan"))


def interchange_couples(road_map: RoadMap, copies: int) -> FleetState:
    """Return couples within 30 m of each other in plan, on decks that do not meet."""
    n_places = np.maximum(1, road_map.edge_length_m // 15.0).astype(np.int64)
    edge = np.repeat(np.arange(road_map.n_edges, dtype=np.int32), n_places)
    rank = np.arange(len(edge)) - np.repeat(np.cumsum(n_places) - n_places, n_places)
    offset_m = (rank + 0.5) / n_places[edge] * road_map.edge_length_m[edge]
    fleet = standing(road_map, edge, offset_m)
    one, other = (
        cKDTree(np.stack([fleet.x_m, fleet.y_m], 1)).query_pairs(30.0, output_type="ndarray").T
    )
    ways = Ways(lane_network(road_map), 300.0)
    joined = ~np.isnan(ways.between(edge[one], edge[other]).ahead_m)
    joined |= ~np.isnan(ways.between(edge[other], edge[one]).ahead_m)
    joined |= ~np.isnan(ways.meeting(edge[one], edge[other])[0])
    apart = (fleet.level[one] != fleet.level[other]) & ~joined
    rows = np.concatenate([np.tile(one[apart], copies), np.tile(other[apart], copies)])
    return standing(road_map, edge[rows], offset_m[rows])


@pytest.mark.parametrize("params", [PositioningParams(), gnss(5.0 / 1.75, 1.75), gnss(0.5, 2.0)])
def test_the_real_five_level_interchange(huangjuewan: RoadMap, params: PositioningParams) -> None:
    """Every pair of decks of Huangjuewan, each couple with its own distance and spreads."""
    fleet = interchange_couples(huangjuewan, copies=12)
    n = fleet.n_rows // 2
    believed = believed_of(fleet, huangjuewan, params)
    scene = scene_of_couples(fleet, huangjuewan, believed, LevelCheck.GATE, GATE_M)
    sigma_m = believed.vertical_sigma_m
    chance = gate_accepts(fleet.z_m[n:] - fleet.z_m[:n], sigma_m[:n], sigma_m[n:], GATE_M)
    taken = ~scene.apart
    levels = np.sort(np.stack([fleet.level[:n], fleet.level[n:]]), axis=0)
    n_compared = 0
    for pair in np.unique(levels, axis=1).T:
        here = (levels == pair[:, None]).all(axis=0)
        spread = math.sqrt(float(np.sum(chance[here] * (1.0 - chance[here]))))
        assert abs(float(taken[here].sum() - chance[here].sum())) <= 3.0 * spread + 1.0, pair
        n_compared += int(here.sum())
    assert n_compared == n > 5000
    for check, most in ((LevelCheck.MAP, 0.1), (LevelCheck.MAP_HEIGHT, 0.1)):
        apart = scene_of_couples(fleet, huangjuewan, believed, check).apart
        assert np.mean(~apart) < most
    plan = scene_of_couples(fleet, huangjuewan, believed, LevelCheck.NONE)
    assert not plan.apart.any()


def test_cars_end_half_a_length_behind_their_front() -> None:
    """The helper places fronts, as the rest of the simulator does."""
    fleet = couples(stack(7.0), (0, 1), (500.0, 525.0), n=1)
    assert fleet.x_m.tolist() == [500.0 - HALF_LENGTH_M, 525.0 - HALF_LENGTH_M]
    assert fleet.offset_m.tolist() == [500.0, 525.0]
