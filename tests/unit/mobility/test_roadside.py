"""Roadside units as rows of the fleet."""

from __future__ import annotations

import numpy as np

from v2x.mobility.fleet import NodeKind
from v2x.mobility.joined import JoinedFleet, only_last, without_last
from v2x.mobility.roadside import RoadsideRows
from v2x.records.tables import FIRST_ROADSIDE_ID
from v2x.world.roadside_params import RoadsideParams
from v2x.world.rsu_sites import RsuSites, sites
from v2x.world.synthetic import highway

from ...simulation_parts import FrozenFleet


def four_sites() -> RsuSites:
    return sites(highway(), RoadsideParams(placement="spacing", spacing_m=500.0, height_m=7.0))


def test_units_follow_the_road_users_and_never_move() -> None:
    road_users = FrozenFleet(x_m=[0.0, 50.0], speed_mps=20.0, leaves_us=[10**9, 100_000])
    found = four_sites()
    fleet = JoinedFleet(road_users, RoadsideRows(found))
    assert fleet.n_rows == 6
    first, later = fleet.advance(0), fleet.advance(2_000_000)
    assert first.id.tolist() == [0, 1, *(FIRST_ROADSIDE_ID + k for k in range(4))]
    assert later.id.tolist() == [0, -1, *first.id[2:].tolist()]
    assert later.x_m[0] == 40.0
    for state in (first, later):
        units = only_last(state, 4)
        np.testing.assert_array_equal(units.x_m, found.x_m)
        np.testing.assert_array_equal(units.antenna_height_m, 7.0)
        assert (units.kind == NodeKind.RSU).all()
        assert not units.speed_mps.any()
        assert (units.leader == -1).all()
        # No body: nothing is blocked by a pole.
        assert not units.height_m.any()


def test_the_road_users_are_as_they_were() -> None:
    road_users = FrozenFleet(x_m=[0.0, 50.0, 90.0], speed_mps=[5.0, 6.0, 7.0])
    alone = road_users.advance(300_000)
    state = without_last(JoinedFleet(road_users, RoadsideRows(four_sites())).advance(300_000), 4)
    for name in alone.__slots__:
        np.testing.assert_array_equal(getattr(state, name), getattr(alone, name))


def test_ids_are_their_own_as_hash_words_too() -> None:
    """Kernels hash 32 bits of an id; -1, of empty rows, and all vehicles' are others."""
    words = (FIRST_ROADSIDE_ID + np.arange(100_000)).astype(np.uint32)
    assert len(np.unique(words)) == 100_000
    assert words.min() > 3 * 10**9
    assert words.max() < np.array(-1).astype(np.uint32)
