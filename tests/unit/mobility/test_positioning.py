"""Sky, errors and map together: what vehicles believe on small maps and on the real one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import numpy as np
import pytest

from v2x.mobility.fleet import FleetState, NodeKind
from v2x.mobility.geometry import RoadGeometry
from v2x.mobility.positioning import BelievedState, Positioning, PositioningParams
from v2x.records.tables import Sky
from v2x.world.road_map import RoadMap, Structure
from v2x.world.store import builtin_map, load_map

from ...simulation_parts import fleet_state

MakeMap = Callable[..., RoadMap]
ROAD, TUNNEL = 0, 1


@pytest.fixture
def portal(map_of: MakeMap) -> RoadMap:
    """200 m of road and 3 km of tunnel, then road again."""
    return map_of(
        [
            (0, 1, [(0.0, 0.0), (200.0, 0.0)], {}),
            (1, 2, [(200.0, 0.0), (3200.0, 0.0)], {"structure": Structure.TUNNEL, "level": -1}),
            (2, 3, [(3200.0, 0.0), (5000.0, 0.0)], {}),
        ]
    )


def cars_at(road_map: RoadMap, front_x_m: float, n: int, time_us: int, **more: Any) -> FleetState:
    edge = int(np.searchsorted([200.0, 3200.0], front_x_m, side="right"))
    offset_m = front_x_m - [0.0, 200.0, 3200.0][edge]
    columns = {
        "edge": edge,
        "offset_m": offset_m,
        "level": int(road_map.edge_level[edge]),
        "tunnel": edge if edge == TUNNEL else -1,
    }
    return fleet_state(time_us, np.full(n, front_x_m - 2.5), **columns | more)


def plan_error_m(believed: BelievedState, fleet: FleetState) -> np.ndarray:
    return np.hypot(believed.x_m - fleet.x_m, believed.y_m - fleet.y_m)


def test_the_error_grows_in_a_tunnel_and_goes_behind_it(portal: RoadMap) -> None:
    """1.5 % of 3 km is 45 m; at 22 m/s 20 degrees an hour are 0.76 degrees, half of it 19.8 m."""
    made = Positioning(PositioningParams(), portal, seed=1)
    n, step_m = 400, 11.0
    rms = []
    for tick in range(400):
        x = step_m * tick
        fleet = cars_at(portal, x, n, tick * 500_000)
        believed = made.believe(fleet)
        assert set(believed.sky.tolist()) == {Sky.TUNNEL if 200.0 <= x < 3200.0 else Sky.OPEN}
        rms.append(np.sqrt(np.mean(plan_error_m(believed, fleet) ** 2)))
    before, half_way, at_portal = rms[18], rms[155], rms[290]
    assert before == pytest.approx(1.5, rel=0.15)
    assert half_way == pytest.approx(np.hypot(22.5, 4.9), rel=0.15)
    assert at_portal == pytest.approx(np.hypot(45.0, 19.8), rel=0.15)
    # 5 s behind the portal a twentieth of it is left, and the error of satellites.
    assert rms[301] == pytest.approx(np.hypot(0.05 * at_portal, 1.5), rel=0.2)
    assert rms[350] == pytest.approx(1.5, rel=0.15)


def test_arrays_are_read_only_and_one_per_row(portal: RoadMap) -> None:
    fleet = cars_at(portal, 100.0, 5, 0)
    believed = Positioning(PositioningParams(), portal, seed=1).believe(fleet)
    for field in fields(BelievedState):
        if field.name != "time_us":
            values = getattr(believed, field.name)
            assert values.shape == (5,)
            assert not values.flags.writeable


def test_roadside_nodes_and_empty_rows_believe_the_truth(portal: RoadMap) -> None:
    kind = np.array([NodeKind.CAR, NodeKind.RSU, NodeKind.CAR, NodeKind.VRU])
    fleet = cars_at(portal, 100.0, 4, 0, kind=kind, id=[0, 1, -1, 3])
    believed = Positioning(PositioningParams(), portal, seed=1).believe(fleet)
    error = plan_error_m(believed, fleet)
    assert (error > 0).tolist() == [True, False, False, True]
    assert (believed.horizontal_sigma_m > 0).tolist() == [True, False, False, True]
    assert believed.sky.tolist() == [Sky.OPEN, -1, -1, Sky.OPEN]
    # Persons do not keep to roads.
    assert believed.edge_by_plan.tolist() == [ROAD, -1, -1, -1]
    assert believed.edge_by_height.tolist() == [ROAD, -1, -1, -1]


def test_the_front_of_a_vehicle_names_its_edge(portal: RoadMap) -> None:
    params = PositioningParams(open_sigma_m=1e-3, odometer_scale_sigma=0.0)
    made = Positioning(params, portal, seed=1)
    before, after = cars_at(portal, 199.9, 3, 0), cars_at(portal, 200.1, 3, 100_000)
    assert made.believe(before).edge_by_height.tolist() == [ROAD] * 3
    believed = made.believe(after)
    assert believed.edge_by_height.tolist() == [TUNNEL] * 3
    assert believed.level_by_height.tolist() == [-1] * 3
    assert believed.level_by_plan.tolist() == [-1] * 3


def test_the_same_seed_gives_the_same_bytes(portal: RoadMap) -> None:
    one, same, other = (Positioning(PositioningParams(), portal, seed) for seed in (7, 7, 8))
    for tick in range(5):
        fleet = cars_at(portal, 180.0 + 8.0 * tick, 20, tick * 100_000)
        a, b, c = one.believe(fleet), same.believe(fleet), other.believe(fleet)
    for field in fields(BelievedState):
        np.testing.assert_array_equal(getattr(a, field.name), getattr(b, field.name))
    assert (a.x_m != c.x_m).all()


def interchange(road_map: RoadMap) -> FleetState:
    """Return cars every 10 m within 500 m of the middle of the five-level interchange."""
    n_places = np.ceil(road_map.edge_length_m / 10.0).astype(np.int64)
    edge = np.repeat(np.arange(road_map.n_edges, dtype=np.int32), n_places)
    rank = np.arange(len(edge)) - np.repeat(np.cumsum(n_places) - n_places, n_places)
    offset_m = (rank + 0.5) / n_places[edge] * road_map.edge_length_m[edge]
    lane = (rank % road_map.edge_lanes[edge]).astype(np.int32)
    road = RoadGeometry(road_map)
    x, y, z, heading = road.position(edge, offset_m, road.lane_lateral_m(edge, lane))
    near = np.hypot(x + 1213.0, y - 3189.0) < 500.0
    columns = {"y_m": y, "z_m": z, "heading_rad": heading, "edge": edge, "offset_m": offset_m}
    columns |= {"level": road.level(edge), "tunnel": road.tunnel(edge), "length_m": 0 * x}
    return fleet_state(0, x[near], **{name: values[near] for name, values in columns.items()})


def test_decks_of_the_real_interchange() -> None:
    """Direction tells most decks apart; where it does not ask, height is what helps.

    docs/positioning.md has the figures of 20 vehicles at each place.
    """
    road_map = load_map(builtin_map("chongqing-central"))
    fleet = interchange(road_map)
    assert fleet.n_rows > 1000
    assert set(fleet.level.tolist()) == {0, 1, 2, 3, 4}
    wrong = {}
    for heading_sigma_deg in (10.0, 1e6):
        params = PositioningParams(match_heading_sigma_deg=heading_sigma_deg)
        believed = Positioning(params, road_map, seed=1).believe(fleet)
        wrong[heading_sigma_deg] = (
            np.mean(believed.level_by_plan != fleet.level),
            np.mean(believed.level_by_height != fleet.level),
        )
    under = np.mean(believed.sky == Sky.DECK)
    assert 0.02 < under < 0.1
    assert 0.01 < wrong[1e6][0] < 0.03
    assert wrong[1e6][1] < 0.5 * wrong[1e6][0]
    assert max(wrong[10.0]) < 0.006
