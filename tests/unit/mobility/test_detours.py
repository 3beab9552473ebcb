"""New ways for vehicles under way."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from v2x.mobility.routed import RoutedTraffic
from v2x.mobility.vehicle_classes import Mix
from v2x.world import synthetic
from v2x.world.road_map import RoadMap

Maps = dict[str, Callable[..., RoadMap]]
ModelOn = Callable[..., RoutedTraffic]
CARS = Mix(car=1, truck=0, bus=0)


def ahead(model: RoutedTraffic, row: int) -> list[int]:
    """Return the edges of the way of a vehicle, from its own on."""
    stop, edges = int(model.vehicles.stop[row]), []
    while stop >= 0:
        edges.append(int(model._book.edge[stop]))
        stop = int(model._book.after[stop])
    return edges


def test_a_way_without_an_edge_leads_to_the_same_goal(model_on: ModelOn) -> None:
    model = model_on(synthetic.manhattan(), n_vehicles=60)
    model.advance(0)
    changed = 0
    for row in range(60):
        old = ahead(model, row)
        if len(old) < 4:
            continue
        avoid = old[len(old) // 2]
        found = model.reroute(row, frozenset((avoid,)))
        new = ahead(model, row)
        assert new[0] == old[0]
        assert new[-1] == old[-1]
        assert found == (avoid not in new)
        changed += found
    assert changed > 20
    # It goes on with that, and nobody overlaps or stops for ever.
    for k in range(1, 600):
        state = model.advance(k * 100_000)
    assert (state.gap_m[state.leader >= 0] > 0.0).all()
    assert model.n_arrived > 0
    assert model.n_given_up == 0


def test_a_way_round_is_told_from_the_usual_one(model_on: ModelOn) -> None:
    """Vehicles with one goal on one edge stay together: two ways must not have the same."""
    model = model_on(synthetic.manhattan(), n_vehicles=60)
    model.advance(0)
    goal = model._book.goal
    twice = 0
    for row in range(60):
        old, was = ahead(model, row), int(goal[model.vehicles.stop[row]])
        if len(old) < 6 or not model.reroute(row, frozenset((old[4],))):
            continue
        goal = model._book.goal
        assert goal[model.vehicles.stop[row]] != was
        # It can be sent elsewhere again, still to its goal.
        new = ahead(model, row)
        if len(new) > 6 and model.reroute(row, frozenset((old[4], new[4]))):
            assert ahead(model, row)[-1] == old[-1]
            assert not {old[4], new[4]} & set(ahead(model, row))
            twice += 1
    assert twice >= 3


def test_a_way_that_does_not_lead_there_stays(model_on: ModelOn) -> None:
    model = model_on(synthetic.manhattan(), n_vehicles=10)
    model.advance(0)
    before = ahead(model, 0)
    far = next(edge for edge in range(40) if edge not in before)
    n_stops = model._book.n_stops
    assert model.reroute(0, frozenset((far,)))
    assert (ahead(model, 0), model._book.n_stops) == (before, n_stops)


def test_without_another_way_there_is_none(maps: Maps, model_on: ModelOn) -> None:
    model = model_on(maps["on-ramp"](), n_vehicles=5)
    model.advance(0)
    row = int(np.flatnonzero(model._book.edge[model.vehicles.stop] < 2)[0])
    before = ahead(model, row)
    assert not model.reroute(row, frozenset((2,)))
    assert ahead(model, row) == before


def test_rings_lead_nowhere_else(maps: Maps, model_on: ModelOn) -> None:
    model = model_on(maps["ring"](), n_vehicles=3)
    model.advance(0)
    assert not model.reroute(0, frozenset((2,)))


def test_an_empty_row_has_no_way(maps: Maps, model_on: ModelOn) -> None:
    model = model_on(maps["on-ramp"](), n_vehicles=3)
    model.vehicles.stop[1] = -1
    assert not model.reroute(1, frozenset((2,)))


@pytest.mark.parametrize(("before_m", "turns"), [(5.0, False), (200.0, True)])
def test_who_is_too_near_drives_on_before_it_turns(
    maps: Maps, model_on: ModelOn, before_m: float, turns: bool
) -> None:
    """At 14 m/s nobody takes another street 5 m before the junction."""
    model = model_on(synthetic.manhattan(), n_vehicles=1, mix=CARS)
    model.advance(0)
    vehicles, book = model.vehicles, model._book
    length_m = model.network.road_map.edge_length_m
    row_edges = next(
        f for f in book.first if len(_way(book, f)) > 4 and length_m[book.edge[f]] > 210.0
    )
    vehicles.stop[0], vehicles.cleared[0], vehicles.lane[0] = row_edges, 0, 0
    vehicles.offset_m[0] = length_m[book.edge[row_edges]] - before_m
    vehicles.speed_mps[0] = 14.0
    model._kernel.arrange()
    onto = ahead(model, 0)[1]
    found = model.reroute(0, frozenset((onto,)))
    assert (ahead(model, 0)[1] != onto) == (found and turns)
    if not turns:
        assert not found


def _way(book: object, stop: int) -> list[int]:
    edges = []
    while stop >= 0:
        edges.append(int(book.edge[stop]))  # type: ignore[attr-defined]
        stop = int(book.after[stop])  # type: ignore[attr-defined]
    return edges
