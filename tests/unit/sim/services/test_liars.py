"""What attackers say of themselves, as receivers place it on the road."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from tests.simulation_parts import fleet_state
from tests.unit.perception.roads import BACK, BRIDGE, STRAIGHT, WEST, fork_map, on_roads
from v2x.mobility.fleet import FleetState
from v2x.perception.own_state import OwnStates
from v2x.perception.states import States
from v2x.security.attacks.base import Claims, IndexArray
from v2x.security.attacks.params import AttackerParams
from v2x.sim.services.liars import ClaimedPlaces, Liars, Told

ROAD = fork_map()


class Says:
    """Adds to what its attackers would say."""

    number = 99
    invents_names = False

    def __init__(self, **more: float) -> None:
        self.more = more

    def claims(self, truth: Claims, attacker: IndexArray) -> Claims:
        own = truth.chosen(attacker)
        return replace(own, **{name: getattr(own, name) + by for name, by in self.more.items()})


def replace_height(attack: Says) -> Says:
    return Says(**attack.more | {"z_m": 4.0})


def own_of(fleet: FleetState) -> States:
    return OwnStates(ROAD, by_height=False).of(fleet, None)


def told(
    fleet: FleetState, attack: Says, *, by_height: bool = False, share: float = 1.0, **params: float
) -> Told:
    places = ClaimedPlaces(ROAD, by_height=by_height)
    liars = Liars(attack, AttackerParams(share=share, **params), places, 1)
    return liars.told(fleet, own_of(fleet), np.ones(fleet.n_rows, dtype=np.bool_))


def same(one: States, other: States) -> bool:
    return all(
        np.array_equal(getattr(one, item.name), getattr(other, item.name))
        for item in fields(States)
    )


def test_claims_are_placed_on_the_road_where_they_claim_to_be() -> None:
    """100 m farther on, the road has become another one; 4 m to the left is the next lane."""
    fleet = on_roads(ROAD, [WEST], [150.0], y_m=-2.0, lane=0, speed_mps=10.0)
    said = told(fleet, Says(x_m=100.0, speed_mps=3.0)).states
    assert said.edge.tolist() == [STRAIGHT]
    assert said.offset_m[0] == pytest.approx(50.0)
    assert said.speed_mps.tolist() == [13.0]
    assert (said.level[0], said.lane[0]) == (0, own_of(fleet).lane[0])
    left = told(fleet, Says(y_m=ROAD.lane_width_m)).states
    assert (left.edge[0], left.lane[0]) == (WEST, said.lane[0] + 1)


def test_claims_beside_all_roads_are_off_the_road() -> None:
    fleet = on_roads(ROAD, [WEST], [50.0])
    said = told(fleet, Says(y_m=60.0)).states
    assert (said.edge[0], said.lane[0], said.level[0], said.offset_m[0]) == (-1, -1, 0, 0.0)


def test_a_turned_heading_is_on_the_other_carriageway() -> None:
    fleet = on_roads(ROAD, [WEST], [100.0])
    assert told(fleet, Says(heading_rad=np.pi)).states.edge.tolist() == [BACK]


@pytest.mark.parametrize(("height_m", "edge"), [(8.0, BRIDGE), (0.0, WEST)])
def test_heights_choose_among_decks_where_receivers_go_by_them(height_m: float, edge: int) -> None:
    """Half-way between the directions of two roads one above the other."""
    fleet = on_roads(ROAD, [WEST], [100.0])
    turned = Says(heading_rad=np.pi / 4, z_m=height_m, speed_mps=1.0)
    assert told(fleet, turned, by_height=True).states.edge.tolist() == [edge]
    by_plan = told(fleet, turned).states.edge
    assert by_plan.tolist() == told(fleet, replace_height(turned)).states.edge.tolist()


def test_who_does_not_lie_says_what_it_believes() -> None:
    fleet = on_roads(ROAD, [WEST, WEST, WEST], [50.0, 90.0, 130.0], kind=[0, 4, 0])
    own = own_of(fleet)
    assert same(told(fleet, Says(), share=1.0).states, own)
    assert same(told(fleet, Says(x_m=9.0), share=0.0).states, own)
    lied = told(fleet, Says(x_m=9.0))
    assert lied.forged.tolist() == [True, False, True]
    assert lied.states.x_m[1] == own.x_m[1]


def test_lies_begin_at_their_time() -> None:
    before = fleet_state(400_000, [50.0])
    after = fleet_state(500_000, [50.0])
    assert told(before, Says(x_m=9.0), from_s=0.5).forged.tolist() == [False]
    assert told(after, Says(x_m=9.0), from_s=0.5).forged.tolist() == [True]


def test_who_has_no_device_says_nothing_wrong() -> None:
    fleet = on_roads(ROAD, [WEST, WEST], [50.0, 90.0])
    liars = Liars(Says(x_m=9.0), AttackerParams(share=1.0), ClaimedPlaces(ROAD, by_height=False), 1)
    lied = liars.told(fleet, own_of(fleet), np.array([True, False]))
    assert lied.forged.tolist() == [True, False]


def test_an_invented_course_does_not_bend() -> None:
    fleet = on_roads(ROAD, [WEST, WEST], [50.0, 90.0], speed_mps=10.0)
    own = replace(own_of(fleet), yaw_rate_radps=np.array([0.2, 0.2]))
    equipped = np.ones(2, dtype=np.bool_)
    for attack, yaw_rate in ((Says(x_m=9.0), 0.2), (Says(speed_mps=-10.0), 0.0)):
        places = ClaimedPlaces(ROAD, by_height=False)
        liars = Liars(attack, AttackerParams(share=1.0), places, 1)
        said = liars.told(fleet, own, equipped).states
        assert said.yaw_rate_radps.tolist() == [yaw_rate, yaw_rate]


def test_of_several_messages_the_first_counts() -> None:
    class Twice(Says):
        def claims(self, truth: Claims, attacker: IndexArray) -> Claims:
            own = truth.chosen(attacker)
            both = own.chosen(np.array([0, 0]))
            return replace(both, x_m=both.x_m + np.array([5.0, 7.0]))

    fleet = on_roads(ROAD, [WEST], [50.0])
    said = told(fleet, Twice()).states
    assert said.x_m[0] - fleet.x_m[0] == pytest.approx(5.0)
