"""SPAT and MAP of the lights that traffic obeys."""

from __future__ import annotations

import numpy as np
import pytest

from v2x.messages.coding.wire import BEYOND
from v2x.messages.csae.elements import Position3D
from v2x.messages.csae.frame import decode, encode
from v2x.messages.csae.map_from_roads import MapMaker, MapParams
from v2x.messages.csae.signal_plan import intersection_state, two_axis_plan
from v2x.messages.csae.signal_state import spat_of
from v2x.messages.csae.spat import ControllerStatus, Light, SignalPhaseAndTiming
from v2x.mobility.junctions import LaneNetwork, lane_network
from v2x.mobility.signals.actuated import ActuatedControl, ActuatedParams
from v2x.mobility.signals.axes import AxesControl, AxesParams
from v2x.mobility.signals.base import Detection, SignalContext, SignalControl
from v2x.mobility.signals.fixed import FixedControl, FixedParams
from v2x.world import synthetic

ANCHOR = Position3D(latitude_deg=29.5, longitude_deg=106.5, elevation_m=300.0)


def network_of(kind: str = "junction") -> LaneNetwork:
    return lane_network(synthetic.build(kind, lanes_per_direction=2))


def control_of(network: LaneNetwork, kind: str) -> SignalControl:
    context = SignalContext(
        network=network, flow_per_s=np.full(network.n_movements, 0.02), cycle_s=60.0, clear_s=4.0
    )
    if kind == "axes":
        return AxesControl(AxesParams(), context)
    if kind == "fixed":
        return FixedControl(FixedParams(), context)
    return ActuatedControl(ActuatedParams(), context)


@pytest.mark.parametrize("time_s", [0.0, 12.3, 26.0, 29.9, 30.0, 59.9, 61.0])
def test_the_clock_of_the_axes_is_told_as_by_its_plan(time_s: float) -> None:
    network = network_of()
    control = control_of(network, "axes")
    control.advance(round(time_s * 1e6), None)
    told = spat_of(control, 0, round(time_s * 1e6))
    plan = intersection_state(told.node, two_axis_plan(60.0, 4.0), time_s)
    for one, other in zip(told.phases, plan.phases, strict=True):
        assert one.phase_id == other.phase_id
        for state, expected in zip(one.states, other.states, strict=True):
            assert state.light == expected.light
            assert state.timing is not None
            assert expected.timing is not None
            for name in ("start_s", "min_end_s", "max_end_s", "likely_end_s"):
                assert getattr(state.timing, name) == getattr(expected.timing, name)


def test_the_likely_end_of_a_fixed_plan_is_when_it_ends() -> None:
    network = network_of()
    control = control_of(network, "fixed")
    for time_us in range(0, 120_000_000, 7_300_000):
        control.advance(time_us, None)
        told = spat_of(control, 0, time_us)
        assert told.status == ControllerStatus.FIXED_TIME
        for phase in told.phases:
            state = phase.states[0]
            assert state.timing is not None
            end_us = time_us + round(float(state.timing.likely_end_s) * 1e6)
            probe = control_of(network, "fixed")
            probe.advance(end_us - 100_000, None)
            before = spat_of(probe, 0, end_us - 100_000).phases[phase.phase_id - 1].states[0]
            assert before.light == state.light
            probe.advance(end_us + 100_000, None)
            after = spat_of(probe, 0, end_us + 100_000).phases[phase.phase_id - 1].states[0]
            assert after.light == phase.states[1].light


def test_lights_that_wait_for_traffic_tell_what_they_know() -> None:
    network = network_of()
    control = control_of(network, "actuated")
    none = np.zeros(network.n_movements, dtype=np.bool_)
    control.advance(0, Detection(none, none))
    told = spat_of(control, 0, 0)
    assert told.status == ControllerStatus.TRAFFIC_DEPENDENT
    green = told.phases[0].states[0]
    assert green.light is Light.PROTECTED_GREEN
    assert green.timing is not None
    assert (green.timing.min_end_s, green.timing.likely_end_s) == (8.0, BEYOND)
    # Somebody comes elsewhere: now it will end, after 40 s at the latest.
    control.advance(1_000_000, Detection(control.phase == 2, none))
    green = spat_of(control, 0, 1_000_000).phases[0].states[0]
    assert green.timing is not None
    assert (green.timing.min_end_s, green.timing.likely_end_s) == (7.0, 7.0)
    assert green.timing.max_end_s == 40.0


@pytest.mark.parametrize("kind", ["axes", "fixed", "actuated"])
def test_it_fits_into_the_message(kind: str) -> None:
    network = network_of()
    control = control_of(network, kind)
    message = SignalPhaseAndTiming(count=1, intersections=(spat_of(control, 0, 0),))
    assert decode(encode(message)) == message


@pytest.mark.parametrize("kind", ["axes", "fixed", "actuated"])
@pytest.mark.parametrize("road", ["junction", "hill-arterial"])
def test_the_phases_of_map_are_those_of_spat(kind: str, road: str) -> None:
    """From each lane of MAP over its phase to the light of SPAT: the one traffic obeys."""
    network = network_of(road)
    control = control_of(network, kind)
    maker = MapMaker(network, MapParams(anchor=ANCHOR), control.phase)
    none = np.zeros(network.n_movements, dtype=np.bool_)
    road_map = network.road_map
    for time_us in (0, 21_000_000, 45_000_000):
        control.advance(time_us, Detection(none, none))
        for node in np.flatnonzero(road_map.node_signal).tolist():
            lights = {
                phase.phase_id: phase.states[0].light
                for phase in spat_of(control, node, time_us).phases
            }
            for link in maker.node(node).links or ():
                (edge,) = np.flatnonzero(
                    (road_map.edge_to == node) & (road_map.edge_from == link.upstream_node.node)
                )
                for lane in link.lanes:
                    for connection in lane.connections or ():
                        onto = [
                            m
                            for m in range(*network.first_movement[edge : edge + 2].tolist())
                            if road_map.edge_to[network.to_edge[m]] == connection.remote_node.node
                        ]
                        assert connection.phase_id is not None
                        is_green = lights[connection.phase_id] in (
                            Light.PROTECTED_GREEN,
                            Light.PERMISSIVE_GREEN,
                        )
                        assert is_green == bool(control.green[onto[0]])
