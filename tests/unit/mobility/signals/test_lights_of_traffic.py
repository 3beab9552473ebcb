"""Lights and traffic together: who stops, who goes on, who does not look."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest

from v2x.mobility.base import MobilityContext
from v2x.mobility.routed import RoutedParams, RoutedTraffic
from v2x.mobility.signals.actuated import ActuatedControl, ActuatedParams
from v2x.mobility.signals.approaches import approaching, detection
from v2x.mobility.signals.base import MakeSignals, movement_lights
from v2x.mobility.signals.fixed import FixedControl, FixedParams
from v2x.mobility.signals.lights import GREENS, Light
from v2x.mobility.signals.wave import WaveParams, wave_arrivals_us
from v2x.mobility.vehicle_classes import Mix
from v2x.world import synthetic
from v2x.world.road_map import RoadMap

CARS = Mix(car=1, truck=0, bus=0)


def traffic(
    signals: MakeSignals | None, road_map: RoadMap | None = None, n: int = 30, **params: Any
) -> RoutedTraffic:
    if road_map is None:
        road_map = synthetic.build("junction", lanes_per_direction=2)
    context = MobilityContext(road_map, 1, 10**10, ".", signals=signals)
    return RoutedTraffic(RoutedParams(n_vehicles=n, **params), context)


def fixed(**params: Any) -> MakeSignals:
    return partial(FixedControl, FixedParams(**params))


def actuated(**params: Any) -> MakeSignals:
    return partial(ActuatedControl, ActuatedParams(**params))


def passages(model: RoutedTraffic, seconds: int) -> list[tuple[int, Light]]:
    """Return row and light for everybody who passes a stop line."""
    network, vehicles, book = model.network, model.vehicles, model._book
    found = []
    before: dict[int, tuple[int, float]] = {}
    for k in range(10 * seconds):
        model.advance(k * 100_000)
        there = approaching(network, book, vehicles)
        light = movement_lights(model.lights.control, network).light
        now = {}
        for row, m, distance in zip(
            there.row.tolist(), there.movement.tolist(), there.distance_m.tolist(), strict=True
        ):
            now[row] = (int(vehicles.stop[row]), distance)
            was = before.get(row)
            if was and was[0] == now[row][0] and was[1] > 0.0 >= distance:
                found.append((row, Light(int(light[m]))))
        before = now
    return found


@pytest.mark.parametrize("signals", [fixed(), actuated()])
def test_nobody_passes_a_red_light(signals: MakeSignals) -> None:
    found = passages(traffic(signals), 400)
    assert len(found) > 80
    assert Light.RED not in {light for _, light in found}
    assert any(light in GREENS for _, light in found)


def test_whoever_does_not_notice_the_light_passes_it() -> None:
    red = [light for _, light in passages(traffic(actuated(runner_share=0.3)), 400)]
    share = red.count(Light.RED) / len(red)
    assert 0.03 < share < 0.3


def test_a_driver_who_is_told_to_brake_has_noticed() -> None:
    model = traffic(actuated(runner_share=1.0))
    model.advance(0)
    model.advance(100_000)
    rows = np.flatnonzero(model.vehicles.ignores >= 0)
    assert len(rows) > 3
    model.controls.ceiling_mps2[rows[:2]] = -1.0
    model.advance(200_000)
    assert (model.vehicles.ignores[rows[:2]] == -1).all()
    assert (model.vehicles.ignores[rows[2:]] >= 0).any()


@pytest.mark.parametrize(("short_m", "stops"), [(1.0, False), (-1.0, True)])
def test_the_dilemma_at_yellow(short_m: float, stops: bool) -> None:
    """Who can stop with 2 m/s² after a second, 3 m before the line, stops; others go on."""
    speed = 12.0
    room = speed + speed**2 / (2.0 * 2.0) + 3.0
    model = traffic(fixed(cycle_s=100.0), n=1, mix=CARS, speed_factor_spread=0.0)
    model.advance(0)
    vehicles, control = model.vehicles, model.lights.control
    node = int(model.network.node[model.network.signal >= 0][0])
    # Straight on from the west: its phase, and when that turns yellow.
    there = approaching(model.network, model._book, vehicles)
    movement = int(there.movement[0])
    phase = control.outlook(node)[int(control.phase[movement]) - 1]
    yellow = next(span for span in phase.spans if span.light is Light.YELLOW)
    time_us = yellow.start_us - 2_000_000
    green = next(span for span in phase.spans if span.light in GREENS)
    assert green.start_us <= time_us
    edge_m = float(model.network.road_map.edge_length_m[model._book.edge[vehicles.stop[0]]])
    line_m = edge_m - float(model.network.radius_m[movement])
    # Drive in the green long enough to be cleared, then put it where it has to decide.
    for at_us in range(100_000, yellow.start_us, 100_000):
        vehicles.offset_m[0] = line_m - 60.0
        vehicles.speed_mps[0] = speed
        model.advance(at_us)
    assert vehicles.cleared[0] == 1
    vehicles.offset_m[0] = line_m - room + short_m - speed * 0.1
    vehicles.speed_mps[0] = speed
    model.advance(yellow.start_us)
    assert (vehicles.cleared[0] == 0) == stops


def test_the_longer_yellow_leaves_nobody_in_the_red_downhill() -> None:
    road_map = synthetic.build("hill-arterial", n_signals=2)
    found = passages(traffic(fixed(), road_map, 40), 300)
    assert len(found) > 60
    assert Light.RED not in {light for _, light in found}


# Detectors -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("front_m", "waits", "passes"),
    [
        (40.0, False, False),  # not yet there
        (36.1, False, False),
        (35.9, True, True),  # front on the loop of six metres
        (26.0, True, True),  # rear still on it: a car of five metres
        (24.9, True, False),
        (0.1, True, False),
        (-0.1, False, False),
    ],
)
def test_what_a_detector_at_30_m_sees(front_m: float, waits: bool, passes: bool) -> None:
    model = traffic(actuated(), n=1, mix=CARS)
    model.advance(0)
    there = approaching(model.network, model._book, model.vehicles)
    there = replace(there, distance_m=np.array([front_m]))
    seen = detection(there, model.vehicles.length_m, 30.0, model.network.n_movements)
    movement = int(there.movement[0])
    assert (bool(seen.waits[movement]), bool(seen.passes[movement])) == (waits, passes)
    assert seen.waits.sum() == waits


# Green waves ---------------------------------------------------------------------------------


def test_a_green_wave_opens_each_light_when_the_first_arrives() -> None:
    road_map = synthetic.build("hill-arterial", n_signals=4)
    wave = WaveParams(street="Hill Arterial")
    model = traffic(fixed(wave=wave), road_map, 20)
    arrivals = wave_arrivals_us(model.network, wave)
    assert len(arrivals) == 4
    times = sorted(at for at, _ in arrivals.values())
    # 350 m at 50 km/h on a slope of 6 %.
    assert np.diff(times) == pytest.approx([25.2e6] * 3, abs=0.2e6)
    control = model.lights.control
    for node, (at_us, movement) in arrivals.items():
        fresh = traffic(fixed(wave=wave), road_map, 20).lights.control
        outlook = fresh.outlook(node)[int(control.phase[movement]) - 1]
        starts = [span.start_us for span in outlook.spans if span.light in GREENS]
        ends = [span.likely_end_us or 0 for span in outlook.spans if span.light in GREENS]
        period = _cycle_us(fresh, node)
        assert any((at_us - start) % period == 0 for start in starts)
        assert ends[0] > starts[0]


def _cycle_us(control: Any, node: int) -> int:
    return int(control._nodes[node].sequence.cycle_us)


def test_unknown_streets_and_short_cycles_are_refused() -> None:
    with pytest.raises(Exception, match="did you mean 'Hill Arterial'"):
        traffic(fixed(wave=WaveParams(street="Hill Arterail")), synthetic.build("hill-arterial"))
    with pytest.raises(Exception, match="need a cycle of at least"):
        traffic(fixed(cycle_s=30.0))
