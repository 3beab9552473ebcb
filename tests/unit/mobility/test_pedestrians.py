"""Pedestrians on pavements."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from v2x.errors import V2XError
from v2x.mobility.fleet import NodeKind
from v2x.mobility.joined import JoinedFleet
from v2x.mobility.pedestrians import PedestrianParams, Pedestrians
from v2x.records.tables import FIRST_PEDESTRIAN_ID, FIRST_ROADSIDE_ID
from v2x.world.pavements import BESIDE_M, pavements
from v2x.world.synthetic import highway, junction, manhattan

from ...simulation_parts import FrozenFleet


def people(n: int = 400, seed: int = 1, **params: Any) -> Pedestrians:
    return Pedestrians(PedestrianParams(n_pedestrians=n, **params), junction(), seed)


def test_they_walk_beside_the_lanes() -> None:
    """Whoever walks beside the arm along x is its lanes and half a pavement from the middle."""
    road = junction()
    columns = people().columns(0)
    lane_m = float(road.edge_lanes[0]) * road.lane_width_m
    off_axis = np.minimum(np.abs(columns["x_m"]), np.abs(columns["y_m"]))
    np.testing.assert_allclose(off_axis, lane_m + BESIDE_M, atol=1e-6)
    # nobody is on the carriageway of the other street
    assert np.maximum(np.abs(columns["x_m"]), np.abs(columns["y_m"])).min() >= lane_m + BESIDE_M
    assert (columns["kind"] == NodeKind.VRU).all()
    assert (columns["tunnel"] == -1).all()
    assert (columns["antenna_height_m"] == 1.5).all()


def test_they_are_spread_over_all_pavements() -> None:
    """By length: on four equal arms with two sides, an eighth each."""
    columns = people(4000).columns(0)
    counts = np.bincount(columns["edge"], minlength=8)
    assert len(counts) == 8
    sigma = math.sqrt(4000 * 1 / 8 * 7 / 8)
    assert (abs(counts - 500) < 4 * sigma).all()


def test_moments_of_the_speed() -> None:
    """Normal with 1.34 and 0.26 m/s; half of them walk each way."""
    columns = people(4000).columns(0)
    speed = columns["speed_mps"]
    assert abs(speed.mean() - 1.34) < 4 * 0.26 / math.sqrt(4000)
    assert abs(speed.std() - 0.26) < 4 * 0.26 / math.sqrt(2 * 4000)
    east = np.cos(columns["heading_rad"]) > 0.5
    west = np.cos(columns["heading_rad"]) < -0.5
    assert abs(east.sum() - west.sum()) < 4 * math.sqrt(2000)


def test_they_move_at_their_speed_and_turn_at_the_ends() -> None:
    crowd = people()
    before, after = crowd.columns(10_000_000), crowd.columns(10_100_000)
    step = np.hypot(after["x_m"] - before["x_m"], after["y_m"] - before["y_m"])
    same_way = after["heading_rad"] == before["heading_rad"]
    np.testing.assert_allclose(step[same_way], 0.1 * before["speed_mps"][same_way], rtol=1e-6)
    assert (step <= 0.1 * before["speed_mps"] + 1e-9).all()
    length = junction().edge_length_m[before["edge"]]
    for time_us in (0, 10**8, 10**9):
        offset = crowd.columns(time_us)["offset_m"]
        assert ((offset >= 0) & (offset <= length)).all()
    # after a walk to the end and back everybody is where they were
    one = people(1)
    round_trip_us = round(2e6 * float(one._length_m[0] / one._speed_mps[0]))
    assert one.columns(round_trip_us)["x_m"] == pytest.approx(one.columns(0)["x_m"], abs=0.01)


def test_ids_and_places_do_not_depend_on_how_many_there_are() -> None:
    few, many = people(10).columns(5_000_000), people(20).columns(5_000_000)
    assert few["id"].tolist() == [FIRST_PEDESTRIAN_ID + k for k in range(10)]
    for name in ("id", "x_m", "y_m", "speed_mps"):
        np.testing.assert_array_equal(few[name], many[name][:10])
    assert FIRST_PEDESTRIAN_ID + 10**6 < FIRST_ROADSIDE_ID
    assert not np.array_equal(few["x_m"], people(10, seed=2).columns(5_000_000)["x_m"])


def test_they_follow_the_vehicles_in_the_fleet() -> None:
    fleet = JoinedFleet(FrozenFleet(x_m=[0.0, 9.0]), people(3))
    assert fleet.n_rows == 5
    assert fleet.advance(0).kind.tolist() == [0, 0, 3, 3, 3]


def test_a_density_is_per_kilometre_of_pavement() -> None:
    town = manhattan()
    km = float(pavements(town).length_m.sum()) / 1000.0
    assert Pedestrians(PedestrianParams(per_km=10.0), town, 1).n_rows == round(10.0 * km)


def test_what_cannot_be() -> None:
    with pytest.raises(V2XError, match="no street with a pavement"):
        Pedestrians(PedestrianParams(n_pedestrians=1), highway(), 1)
    assert Pedestrians(PedestrianParams(), highway(), 1).n_rows == 0
    with pytest.raises(ValueError, match="per_km and n_pedestrians exclude each other"):
        PedestrianParams(n_pedestrians=1, per_km=1.0)
    with pytest.raises(ValueError, match=r"speed_mps must be within 0\.3 and 10"):
        PedestrianParams(speed_mps=0.1)
