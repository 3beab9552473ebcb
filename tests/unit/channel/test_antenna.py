"""Antennas: the vertical pattern, and where those of a fleet are."""

from __future__ import annotations

import numpy as np
import pytest

from v2x.channel.antenna import Antennas, vertical_pattern_db
from v2x.channel.obstacle_map import obstacle_map_of
from v2x.mobility.fleet import FleetState, NodeKind
from v2x.world.road_map import Structure

from .hills import Road, antennas, map_of


def test_half_power_lies_at_half_the_beamwidth() -> None:
    angle = np.radians([-5.0 - 15.0, -5.0, -5.0 + 15.0])
    assert vertical_pattern_db(angle, beamwidth_deg=30.0, downtilt_deg=5.0) == pytest.approx(
        [3.0, 0.0, 3.0]
    )
    assert vertical_pattern_db(-np.pi / 2, beamwidth_deg=30.0, side_lobe_db=25.0) == 25.0


def test_columns_must_fit() -> None:
    with pytest.raises(ValueError, match="tube"):
        Antennas(
            position_m=np.zeros((3, 2)),
            tube=np.zeros(1, dtype=np.int32),
            axis_rad=np.zeros(2),
            width_m=np.zeros(2),
            roadside=np.zeros(2, dtype=np.bool_),
        )
    assert len(antennas((0, 0, 1), (5, 0, 1))[np.array([1])]) == 1


def test_antennas_of_a_fleet() -> None:
    obstacles = obstacle_map_of(
        map_of(
            Road(points=[(0, 0, 0), (100, 0, 0)], lanes=3),
            Road(points=[(100, 0, 0), (200, 0, 0)], structure=Structure.TUNNEL, lanes=2),
        )
    )
    n = 3
    zeros, whole = np.zeros(n), np.zeros(n, dtype=np.int32)
    fleet = FleetState(
        time_us=0,
        id=np.arange(n),
        kind=np.array([NodeKind.CAR, NodeKind.CAR, NodeKind.RSU], dtype=np.int32),
        x_m=np.array([50.0, 150.0, 60.0]),
        y_m=zeros.copy(),
        z_m=np.array([1.0, 2.0, 3.0]),
        heading_rad=np.array([0.0, 0.5, 0.0]),
        speed_mps=zeros.copy(),
        acceleration_mps2=zeros.copy(),
        edge=np.array([0, 1, -1], dtype=np.int32),
        lane=whole.copy(),
        offset_m=zeros.copy(),
        level=whole.copy(),
        tunnel=np.array([-1, 1, -1], dtype=np.int32),
        length_m=zeros.copy(),
        width_m=zeros.copy(),
        height_m=zeros.copy(),
        antenna_height_m=np.array([1.6, 1.6, 5.0]),
        leader=whole.copy(),
        gap_m=zeros.copy(),
    )
    found = Antennas.of_fleet(fleet, np.array([2, 1]), obstacles)
    assert found.position_m.T.tolist() == [[60.0, 0.0, 8.0], [150.0, 0.0, 3.6]]
    assert found.tube.tolist() == [-1, 0]
    assert found.width_m.tolist() == [0.0, 7.0]
    assert found.axis_rad[1] == 0.5
    assert found.roadside.tolist() == [True, False]
