"""Roadside units in a run: who hears them, whom they tell of, what is counted of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from v2x.applications.joined import JoinedMessages
from v2x.mobility.fleet import FleetState, NodeKind
from v2x.mobility.joined import JoinedFleet
from v2x.mobility.roadside import RoadsideRows
from v2x.records.tables import FIRST_ROADSIDE_ID, Direction, Outcome
from v2x.sim.neighbours import NeighbourRoads
from v2x.sim.recorder import Recorder, RecordParams
from v2x.sim.simulation import Simulation
from v2x.world.road_map import RoadMap, Structure
from v2x.world.rsu_sites import RsuSites
from v2x.world.synthetic import highway

from ...simulation_parts import (
    HEARD_TO_150_M,
    FrozenFleet,
    ScheduledPackets,
    Tables,
    build,
    every,
    fleet_state,
)
from ..channel.hills import Road, map_of

RECORDS = RecordParams(max_distance_m=300.0, awareness_range_m=300.0)


def sites_at(*x_m: float) -> RsuSites:
    n = len(x_m)
    zero, edge = np.zeros(n), np.zeros(n, dtype=np.int32)
    return RsuSites(
        x_m=np.array(x_m),
        y_m=zero + 8.0,
        z_m=zero.copy(),
        antenna_height_m=zero + 5.0,
        heading_rad=zero.copy(),
        edge=edge,
        tunnel=edge - 1,
        level=edge.copy(),
        offset_m=np.array(x_m),
        lateral_m=zero.copy(),
        name=tuple(f"RSU {k}" for k in range(n)),
    )


def run(vehicles_m: list[float], units_m: list[float], *, relay: bool, linked: bool) -> Tables:
    """Run everybody sending each 100 ms, each in a slot of its own; they hear 150 m far."""
    n, m = len(vehicles_m), len(units_m)
    plan = [p for row in range(n) for p in every(100_000, 29, 1_000 * (row + 1), row)]
    own = [p for row in range(m) for p in every(100_000, 29, 20_000 + 1_000 * row, row)]
    parts = build(
        JoinedFleet(FrozenFleet(x_m=vehicles_m), RoadsideRows(sites_at(*units_m))),
        application=JoinedMessages(ScheduledPackets(plan), ScheduledPackets(own), m),
        propagation=HEARD_TO_150_M,
        records=RECORDS,
        duration_s=3.0,
    )
    parts = replace(
        parts,
        recorder=Recorder(RECORDS, warmup_us=0, roadside=m > 0),
        neighbours=NeighbourRoads(highway(), 300.0, relay=relay, linked=linked),
    )
    Simulation(parts).run()
    return parts.recorder.tables(0)


def totals(tables: Tables) -> dict[str, int]:
    """Return the sums of the awareness table at its last sample."""
    table = tables["awareness"]
    last = table["time_s"] == table["time_s"].max()
    return {key: int(table[key][last].sum()) for key in table if key.startswith("n_")}


@pytest.mark.parametrize(("relay", "known"), [(False, 0), (True, 2)])
def test_a_unit_in_the_middle_makes_two_know_each_other(relay: bool, known: int) -> None:
    """Vehicles 250 m apart do not hear each other; each hears the unit half-way."""
    counted = totals(run([0.0, 250.0], [125.0], relay=relay, linked=False))
    assert (counted["n_pairs"], counted["n_direct"]) == (2, 0)
    assert counted["n_with_relay"] == known


@pytest.mark.parametrize(("linked", "known"), [(False, 0), (True, 2)])
def test_units_far_apart_need_the_fibre(linked: bool, known: int) -> None:
    """Each vehicle hears a unit of its own; the units do not hear the other's vehicle."""
    counted = totals(run([0.0, 280.0], [-50.0, 330.0], relay=True, linked=linked))
    assert (counted["n_pairs"], counted["n_with_relay"]) == (2, known)


def test_neighbours_are_known_without_units_too() -> None:
    """0 and 1 hear each other, 2 is too far from 0 and heard by 1; the bins are of 20 m."""
    table = run([0.0, 100.0, 220.0], [], relay=False, linked=False)["awareness"]
    assert sorted(set(table["time_s"].tolist())) == [1.0, 2.0, 3.0]
    at_end = table["time_s"] == 3.0
    by_bin = {
        upper: (pairs, direct)
        for upper, pairs, direct in zip(
            table["bin_upper_m"][at_end],
            table["n_pairs"][at_end],
            table["n_direct"][at_end],
            strict=True,
        )
        if pairs
    }
    assert by_bin == {100.0: (2, 2), 120.0: (2, 2), 220.0: (2, 0)}


def test_what_was_heard_long_ago_is_not_known() -> None:
    """The only packet is sent at 0.1 s; it counts in the sample of 1 s, not in that of 2 s."""
    parts = build(
        FrozenFleet(x_m=[0.0, 100.0]),
        application=ScheduledPackets([(100_000, 0)]),
        records=RECORDS,
        duration_s=2.5,
    )
    Simulation(parts).run()
    table = parts.recorder.tables(0)["awareness"]
    known = [int(table["n_direct"][table["time_s"] == t].sum()) for t in (1.0, 2.0)]
    assert known == [1, 0]


def test_directions_are_counted_apart_and_packets_at_road_users_only() -> None:
    tables = run([0.0, 250.0], [125.0], relay=True, linked=False)
    links = tables["links"]

    def count(direction: Direction, *outcomes: Outcome) -> int:
        rows = (links["direction"] == direction) & np.isin(links["outcome"], outcomes)
        return int(links["n"][rows].sum())

    everything = tuple(Outcome)
    # 29 packets each: vehicle to vehicle in vain, to and from the unit with success.
    assert count(Direction.V2V, *everything) == 58
    assert count(Direction.V2V, Outcome.RECEIVED) == 0
    assert count(Direction.V2I, *everything) == count(Direction.V2I, Outcome.RECEIVED) == 58
    assert count(Direction.I2V, *everything) == count(Direction.I2V, Outcome.RECEIVED) == 58
    packets = tables["packets"]
    from_unit = packets["tx_id"] >= FIRST_ROADSIDE_ID
    assert (packets["n_intended"][from_unit] == 2).all()
    assert (packets["n_intended"][~from_unit] == 1).all()
    assert (packets["n_received"][~from_unit] == 0).all()


def test_gaps_and_ages_are_those_between_road_users() -> None:
    tables = run([0.0, 250.0], [125.0], relay=True, linked=False)
    assert tables["freshness"]["n"].sum() == 0
    with_pair = run([0.0, 100.0], [50.0], relay=True, linked=False)
    alone = run([0.0, 100.0], [], relay=True, linked=False)
    for key in ("quantity", "value_ms", "n"):
        np.testing.assert_array_equal(with_pair["freshness"][key], alone["freshness"][key])


def test_units_are_no_vehicles_but_have_places() -> None:
    tables = run([0.0, 250.0], [125.0], relay=False, linked=False)
    trajectories = tables["trajectories"]
    unit = trajectories["kind"] == NodeKind.RSU
    assert set(trajectories["x_m"][unit].tolist()) == {125.0}
    assert set(trajectories["id"][unit].tolist()) == {FIRST_ROADSIDE_ID}
    assert len(tables["safety"]["gap_m"]) == 0


def interchange() -> RoadMap:
    """Return a road, a bridge across it, and a ramp of 250 m from one to the other."""
    foot, top = (100.0, 0.0, 0.0), (0.0, 100.0, 6.0)
    return map_of(
        Road(points=[(-400.0, 0.0, 0.0), foot], two_way=True),
        Road(points=[foot, (500.0, 0.0, 0.0)], two_way=True),
        Road(points=[(0.0, -400.0, 6.0), top], structure=Structure.BRIDGE, level=1, two_way=True),
        Road(points=[foot, (175.0, 100.0, 3.0), top], two_way=True),
    )


@pytest.mark.parametrize(
    ("edge", "offset_m", "x_m", "y_m", "other"),
    [
        # Crossing: 100 m from the foot, 100 m from the top, right above each other.
        ((0, 4), (400.0, 400.0), (0.0, 0.0), (0.0, 0.0), True),
        # On the ramp's end and on the bridge beyond it: 40 m of road, 40 m apart.
        ((6, 4), (270.0, 480.0), (30.0, 0.0), (100.0, 80.0), False),
        # On the bridge both.
        ((4, 4), (400.0, 480.0), (0.0, 0.0), (0.0, 80.0), False),
    ],
)
def test_other_levels_are_those_without_a_short_way(
    edge: tuple[int, int],
    offset_m: tuple[float, float],
    x_m: tuple[float, float],
    y_m: tuple[float, float],
    other: bool,
) -> None:
    road_map = interchange()

    class Parked:
        n_rows = 2

        def advance(self, time_us: int) -> FleetState:
            return fleet_state(
                time_us,
                x_m,
                y_m=y_m,
                edge=edge,
                offset_m=offset_m,
                level=road_map.edge_level[list(edge)],
            )

    parts = build(
        Parked(),
        application=ScheduledPackets([(850_000, 0), (860_000, 1)]),
        road_map=road_map,
        records=RECORDS,
        duration_s=1.2,
    )
    Simulation(parts).run()
    counted = totals(parts.recorder.tables(0))
    assert counted["n_pairs"] == counted["n_direct"] == 2
    assert counted["n_other_level"] == counted["n_other_level_known"] == (2 if other else 0)


def test_ways_are_the_shortest_along_the_road_in_either_direction() -> None:
    routes = NeighbourRoads(interchange(), 300.0).routes
    n = len(routes.start) - 1
    away = np.full((n, n), np.inf)
    row = np.repeat(np.arange(n), np.diff(routes.start))
    away[row, routes.node] = routes.length_m
    np.testing.assert_array_equal(away, away.T)
    assert not away.diagonal().any()
    # foot to the top of the ramp, and on along the bridge
    ramp_m = np.sqrt(75.0**2 + 100.0**2 + 9.0) + np.sqrt(175.0**2 + 9.0)
    assert away[1, 4] == pytest.approx(ramp_m, rel=1e-6)
    assert np.isinf(away[0, 3])  # 500 m + ramp + 500 m is beyond 650 m
