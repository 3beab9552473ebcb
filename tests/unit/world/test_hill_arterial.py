"""The arterial on a slope with a row of lights."""

from __future__ import annotations

import numpy as np
import pytest

from v2x.mobility.junctions import lane_network
from v2x.world import synthetic
from v2x.world.geometry import twin_edges
from v2x.world.mountain.hill_arterial import BAY_M, STREET


def test_it_climbs_one_way_and_descends_the_other() -> None:
    road_map = synthetic.build("hill-arterial", n_signals=5, spacing_m=300.0, grade=0.06)
    assert road_map.node_signal.sum() == 5
    x = np.sort(road_map.node_x_m[road_map.node_signal])
    assert np.diff(x).tolist() == pytest.approx([300.0] * 4)
    z = road_map.node_z_m[road_map.node_signal]
    assert np.ptp(z) == pytest.approx(4 * 300.0 * 0.06)
    rise = road_map.node_z_m[road_map.edge_to] - road_map.node_z_m[road_map.edge_from]
    run = road_map.node_x_m[road_map.edge_to] - road_map.node_x_m[road_map.edge_from]
    along = np.array([name == STREET for name in road_map.edge_name])
    assert rise[along] / np.abs(run[along]) == pytest.approx(0.06 * np.sign(run[along]))
    assert rise[~along] == pytest.approx(0.0)


def test_every_street_has_two_directions_that_belong_together() -> None:
    road_map = synthetic.build("hill-arterial")
    assert (twin_edges(road_map) >= 0).all()
    # Two ends of the arterial, and two of each of six side streets.
    network = lane_network(road_map)
    edges = np.arange(road_map.n_edges)
    assert (~np.isin(edges, network.to_edge)).sum() == 14
    assert (~np.isin(edges, network.from_edge)).sum() == 14


def test_turns_have_lanes_of_their_own_only_before_the_lights() -> None:
    road_map = synthetic.build("hill-arterial", n_signals=2)
    along = np.array([name == STREET for name in road_map.edge_name])
    before = along & road_map.node_signal[road_map.edge_to]
    assert (road_map.edge_lanes[before] == 4).all()
    assert (road_map.edge_lanes[along & ~before] == 2).all()
    run = np.abs(road_map.node_x_m[road_map.edge_to] - road_map.node_x_m[road_map.edge_from])
    assert run[before] == pytest.approx(BAY_M)
    network = lane_network(road_map)
    straight = before[network.from_edge] & along[network.to_edge]
    assert set(zip(network.lane_low[straight], network.lane_high[straight], strict=True)) == {
        (1, 2)
    }


@pytest.mark.parametrize(
    "wrong", [{"n_signals": 0}, {"spacing_m": 100.0}, {"side_m": 10.0}, {"lanes_per_direction": 0}]
)
def test_impossible_streets_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        synthetic.build("hill-arterial", **wrong)
