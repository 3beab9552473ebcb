"""A breakdown in fog: flawless drivers stop, people pile up, and warned people do not."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest

from v2x.mobility.base import MobilityContext
from v2x.mobility.drivers.params import FlawlessParams, HumanParams
from v2x.mobility.fleet import FleetState, KeyEvent
from v2x.mobility.hazards.params import StoppedVehicleParams
from v2x.mobility.reactions import Action, Demands, ReactionParams, Reactions
from v2x.mobility.routed import RoutedTraffic
from v2x.world.geometry import Polylines, road_map_of
from v2x.world.osm_tags import DRIVE_CLASSES
from v2x.world.road_map import RoadMap
from v2x.world.weather import WeatherParams

SEEDS = (1, 2, 3, 4, 5)
VISIBILITY_M, BEGIN_S, END_S = 60.0, 20, 80
#: Speed from which even a slow driver stops within the sight [m/s], and how far ahead of trouble
#: it is asked for [m].
CAREFUL_MPS, WARNED_M = 8.0, 700.0
#: People who drive as if they saw more than twice as far as they do.
PEOPLE = HumanParams(sight_trust=2.5)


def straight() -> RoadMap:
    """Return two lanes in one direction, 3 km long, with a limit of 100 km/h."""
    return road_map_of(
        name="straight",
        edge_from=[0],
        edge_to=[1],
        edge_lanes=[2],
        edge_limit_mps=[100.0 / 3.6],
        edge_structure=[0],
        edge_class=[0],
        class_names=DRIVE_CLASSES,
        edge_name=[""],
        polylines=Polylines(np.array([0, 2]), np.array([0.0, 3000.0]), np.zeros(2), np.zeros(2)),
    )


def ideal_alerts(state: FleetState) -> Demands:
    """Ask all who near a vehicle that stands or is going to, as if everything were known."""
    trouble = np.flatnonzero(state.active & (state.flags & KeyEvent.HAZARD_LIGHTS != 0))
    if not len(trouble):
        return Demands.none()
    others = np.flatnonzero(state.active & (state.flags & KeyEvent.HAZARD_LIGHTS == 0))
    way_m = state.offset_m[trouble] - state.offset_m[others][:, None]
    way_m = np.where(way_m > 0.0, way_m, np.inf).min(axis=1)
    near = way_m < WARNED_M
    rows, way_m = others[near], way_m[near]
    speed = state.speed_mps[rows]
    braking = (speed**2 - CAREFUL_MPS**2) / (2.0 * np.maximum(way_m - VISIBILITY_M, 5.0))
    hard = braking > 1.0
    return Demands(
        row=np.concatenate([rows, rows[hard]]).astype(np.int32),
        action=np.repeat([Action.SLOW, Action.BRAKE], [len(rows), hard.sum()]).astype(np.int32),
        value=np.concatenate([np.full(len(rows), CAREFUL_MPS), braking[hard]]),
    )


def run(
    seed: int,
    drivers: FlawlessParams | HumanParams,
    reactions: ReactionParams | None,
    look: Callable[[FleetState], Any] | None = None,
) -> RoutedTraffic:
    context = MobilityContext(
        straight(),
        seed,
        10**9,
        ".",
        weather=WeatherParams(visibility_m=VISIBILITY_M),
        drivers=drivers,
        hazard=StoppedVehicleParams(into_m=2000.0, from_s=BEGIN_S),
    )
    model = RoutedTraffic(RoutedTraffic.Params(n_vehicles=40), context)
    told = None if reactions is None else Reactions(reactions, seed, model.reroute)
    for k in range(END_S * 10):
        state = model.advance(k * 100_000)
        if look is not None:
            look(state)
        if told is not None:
            told.apply(k * 100_000, state, ideal_alerts(state), model.controls)
    return model


@cache
def n_collisions(drivers: FlawlessParams | HumanParams, reactions: ReactionParams | None) -> int:
    """Return the collisions of all seeds together."""
    return sum(len(run(seed, drivers, reactions).collisions) for seed in SEEDS)


def test_flawless_drivers_never_collide() -> None:
    assert n_collisions(FlawlessParams(), None) == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_people_who_overdrive_their_sight_collide(seed: int) -> None:
    model = run(seed, PEOPLE, None)
    assert len(model.collisions) >= 2
    assert model.hazard is not None
    assert model.hazard.since_us is not None


def test_people_who_go_by_sight_collide_less() -> None:
    assert n_collisions(HumanParams(), None) < 0.2 * n_collisions(PEOPLE, None)


def test_early_alerts_prevent_most_collisions() -> None:
    assert n_collisions(PEOPLE, ReactionParams(compliance=1.0)) < 0.3 * n_collisions(PEOPLE, None)


def test_automated_vehicles_do_no_worse_than_people() -> None:
    automated = n_collisions(PEOPLE, ReactionParams(automated_share=1.0))
    assert automated <= n_collisions(PEOPLE, ReactionParams(compliance=1.0))


def test_alerts_that_nobody_follows_change_no_byte() -> None:
    """Compliance 0 is the run without alerts, whatever is said."""
    without: list[FleetState] = []
    ignored: list[FleetState] = []
    run(2, PEOPLE, None, without.append)
    run(2, PEOPLE, ReactionParams(compliance=0.0), ignored.append)
    for one, other in zip(without, ignored, strict=True):
        for name in FleetState.__slots__:
            assert np.array_equal(getattr(one, name), getattr(other, name)), name


def test_twins_are_alike_until_the_first_alert() -> None:
    """What is known changes nothing before it is known."""
    states: list[list[FleetState]] = [[], []]
    for told, seen in zip((None, ReactionParams()), states, strict=True):
        run(3, PEOPLE, told, seen.append)
    first = next(k for k, state in enumerate(states[0]) if ideal_alerts(state).n_demands)
    assert first > 0
    for one, other in zip(states[0][:first], states[1][:first], strict=True):
        assert np.array_equal(one.x_m, other.x_m)
    assert not np.array_equal(states[0][-1].x_m, states[1][-1].x_m)
