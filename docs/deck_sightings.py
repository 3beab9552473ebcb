"""What vehicles of the five-level interchange take each other for: the part of a study.

``make_wrong_deck.py`` writes what is measured here into ``docs/decks.md``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from make_positioning import standing
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from study import Row

from v2x.metrics.statistics import Interval, proportion_interval
from v2x.metrics.wrong_deck import gate_accepts, same_of_two, takes_parallel_road
from v2x.mobility.fleet import FleetState
from v2x.mobility.junctions import lane_network
from v2x.mobility.positioning import BelievedState, Positioning, PositioningParams
from v2x.perception.board import Board
from v2x.perception.information import InformationParams
from v2x.perception.ldm import Heard, LocalDynamicMap
from v2x.perception.own_state import OwnStates
from v2x.perception.scene import LevelCheck, Outlook, Scene
from v2x.perception.seen import nothing_seen
from v2x.perception.ways import Ways
from v2x.scenario.assemble import load_road_map, replication_seed
from v2x.scenario.schema import load_scenario
from v2x.scenario.traffic import mobility_of
from v2x.world.geometry import Polylines, road_map_of
from v2x.world.road_map import FloatArray, IntArray, RoadMap

SEED, REPLICATIONS = 1, 5
#: Draws of all errors over the motion of one replication.
DRAWS = 10
GATE_M = InformationParams().gate_m
#: Distances of decks and vertical sigmas of the stack [m], and couples at each.
APART_M, SIGMA_Z_M, COUPLES = (6.0, 7.0, 8.0, 15.0), (1.0, 2.6, 5.0, 8.75), 20_000
#: Vehicles this near in plan meet [m]; looked at from the end of the warm-up to that of the run.
MEET_M, FIRST_S, LAST_S, STEP_S = 50.0, 4.0, 20.0, 0.5
MOTION_US = 100_000

#: Who tells decks apart, by which states of itself and of the other; the last has no elevation
#: in the messages and only its own height for the map.
OWN_HEIGHT = "map, own height"
CHECKS = {
    "2-D": LevelCheck.NONE,
    "gate": LevelCheck.GATE,
    "map": LevelCheck.MAP,
    "map and heights": LevelCheck.MAP_HEIGHT,
    OWN_HEIGHT: LevelCheck.MAP,
}
BoolArray = NDArray[np.bool_]
Pairs = tuple[NDArray[np.intp], NDArray[np.intp]]


class Watcher:
    """Says which vehicles a check takes to be on other decks of a map."""

    def __init__(self, road_map: RoadMap) -> None:
        self._map = road_map
        self.ways = Ways(lane_network(road_map), 300.0)
        self._own = {by: OwnStates(road_map, by_height=by) for by in (False, True)}

    def apart(
        self, fleet: FleetState, believed: BelievedState | None, pairs: Pairs, check: str
    ) -> BoolArray:
        """Return it for pairs of a host and another row."""
        host, remote = pairs
        kind = CHECKS[check]
        by_height = kind is LevelCheck.MAP_HEIGHT
        told = self._own[by_height].of(fleet, believed)
        own = self._own[True].of(fleet, believed) if check == OWN_HEIGHT else told
        ldm = LocalDynamicMap(fleet.n_rows, 200_000, MOTION_US)
        ldm.tell(fleet, told)
        now_us = np.full(len(host), fleet.time_us, dtype=np.int64)
        heard = Heard(remote.astype(np.int32), host.astype(np.int32), now_us)
        n = self._map.n_edges
        scene = Scene(
            fleet,
            own,
            ldm.known(fleet, heard),
            nothing_seen(fleet.time_us),
            Board(fleet.n_rows, 1_000_000),
            fleet.active,
            Outlook(
                ways=self.ways,
                level_check=kind,
                gate_m=GATE_M,
                lane_width_m=self._map.lane_width_m,
                wrap_length_m=0.0,
                friction=np.full(n, 0.7),
                grade=np.zeros(n),
                limit_mps=self._map.edge_limit_mps,
            ),
        )
        return scene.apart

    def truly(
        self, edge_of: IntArray, level_of: IntArray, pairs: Pairs
    ) -> tuple[BoolArray, BoolArray]:
        """Return which pairs are on decks that do not meet, and which are on one road."""
        host, remote = pairs
        edge, other = edge_of[host], edge_of[remote]
        one_road = ~np.isnan(self.ways.between(edge, other).ahead_m)
        one_road |= ~np.isnan(self.ways.between(other, edge).ahead_m)
        meet = one_road | ~np.isnan(self.ways.meeting(edge, other)[0])
        return (level_of[host] != level_of[remote]) & ~meet, one_road


def two_decks(apart_m: float) -> RoadMap:
    """Return two straight roads one above the other."""
    return road_map_of(
        name="two decks",
        edge_from=[0, 2],
        edge_to=[1, 3],
        edge_lanes=[1, 1],
        edge_limit_mps=[16.7, 16.7],
        edge_level=[0, 1],
        edge_class=[0, 0],
        class_names=("trunk",),
        edge_name=("", ""),
        polylines=Polylines(
            np.array([0, 2, 4]),
            np.array([0.0, 1000.0, 0.0, 1000.0]),
            np.zeros(4),
            np.array([0.0, 0.0, apart_m, apart_m]),
        ),
    )


def stack_rows() -> Iterator[Row]:
    """Yield the shares taken to be on one deck in the stack, measured and by closed form."""
    for apart_m in APART_M:
        road_map = two_decks(apart_m)
        # Half of the hosts drive on the lower deck, half on the upper.
        own_deck = np.arange(COUPLES, dtype=np.int32) % 2
        edge = np.concatenate([own_deck, 1 - own_deck])
        fleet = standing(road_map, edge, np.full(2 * COUPLES, 500.0), np.zeros_like(edge))
        pairs = np.arange(COUPLES), np.arange(COUPLES) + COUPLES
        for sigma_m in SIGMA_Z_M:
            plan_m = sigma_m / PositioningParams().vertical_ratio
            params = PositioningParams(open_sigma_m=plan_m, deck_sigma_m=plan_m)
            believed = Positioning(params, road_map, SEED).believe(fleet)
            wrong = takes_parallel_road(0.0, apart_m, plan_m, sigma_m, width_m=4.0)
            closed = {
                "2-D": 1.0,
                "gate": float(gate_accepts(apart_m, sigma_m, sigma_m, GATE_M)),
                "map": 1.0,
                "map and heights": float(same_of_two(wrong, wrong)),
                OWN_HEIGHT: 0.5,
            }
            watcher = Watcher(road_map)
            for check in CHECKS:
                taken = ~watcher.apart(fleet, believed, pairs, check)
                share = proportion_interval(
                    taken.astype(np.float64), np.ones(COUPLES), over="couples"
                )
                variant = f"{apart_m:g} m, sigma {sigma_m:g} m"
                yield row_of("stack", f"{variant}, {check}", "taken for one deck", share)
                yield figure_of("stack", f"{variant}, {check}", "closed form", closed[check])


def figure_of(study: str, variant: str, figure: str, value: float, n: int = 0) -> Row:
    """Return a figure without limits as a row."""
    return Row(study, variant, figure, value, np.nan, np.nan, n)


def row_of(study: str, variant: str, figure: str, share: Interval) -> Row:
    """Return a share with its limits as a row."""
    return Row(study, variant, figure, share.value, share.low, share.high, share.n)


@dataclass(frozen=True, slots=True)
class Sightings:
    """Pairs of the moving traffic that are near in plan, one element per pair, instant and draw.

    Attributes
    ----------
    draw : (n,) int64
        Number of the draw of errors, over all replications.
    encounter : (n,) int64
        The same for one host and one other in one draw.
    levels : (n, 2) int32
        Both decks, the lower first.
    climb_m : (n,) float64
        Height of the other above the host [m].
    distance_m : (n,) float64
        In plan [m].
    apart, one_road : (n,) bool
        Whether they truly are on decks that do not meet, or one behind the other on one road.
    chance : (n,) float64
        Chance that the gate takes them to be on one deck.
    taken : dict of (n,) bool
        Whether each check does.
    """

    draw: NDArray[np.int64]
    encounter: NDArray[np.int64]
    levels: NDArray[np.int32]
    climb_m: FloatArray
    distance_m: FloatArray
    apart: BoolArray
    one_road: BoolArray
    chance: FloatArray
    taken: dict[str, BoolArray]


def sightings() -> Sightings:
    """Return what vehicles of the scenario take each other for, with its positioning."""
    scenario = load_scenario("interchange", [])
    params = scenario.positioning.params
    assert isinstance(params, PositioningParams)
    road_map = load_road_map(scenario)
    watcher = Watcher(road_map)
    found: list[tuple[NDArray[np.generic], ...]] = []
    for replication in range(REPLICATIONS):
        seed = replication_seed(SEED, replication)
        mobility = mobility_of(scenario, road_map, seed)
        draws = [Positioning(params, road_map, seed + 1000 * k) for k in range(DRAWS)]
        for tick in range(round(LAST_S * 10) + 1):
            fleet = mobility.advance(tick * MOTION_US)
            if tick % round(STEP_S * 10):
                continue
            believed = [positioning.believe(fleet) for positioning in draws]
            if tick < FIRST_S * 10:
                continue
            pairs = near_pairs(fleet.x_m, fleet.y_m, fleet.active & (fleet.edge >= 0))
            truth = watcher.truly(fleet.edge, fleet.level, pairs)
            for k, states in enumerate(believed):
                draw = replication * DRAWS + k
                found.append(_sight(watcher, fleet, states, pairs, truth, draw))
    columns = [np.concatenate(parts) for parts in zip(*found, strict=True)]
    draw_, encounter, levels, climb, distance, apart, one_road, chance, *taken = columns
    _, number = np.unique(encounter, axis=0, return_inverse=True)
    return Sightings(
        draw_,
        number.reshape(-1),
        levels,
        climb,
        distance,
        apart,
        one_road,
        chance,
        dict(zip(CHECKS, taken, strict=True)),
    )


def near_pairs(x_m: FloatArray, y_m: FloatArray, there: BoolArray) -> Pairs:
    """Return both rows of all pairs that are near each other in plan, each way round."""
    rows = np.flatnonzero(there)
    tree = cKDTree(np.stack([x_m[rows], y_m[rows]], axis=1))
    one, other = rows[tree.query_pairs(MEET_M, output_type="ndarray").T]
    return np.concatenate([one, other]), np.concatenate([other, one])


def _sight(
    watcher: Watcher,
    fleet: FleetState,
    believed: BelievedState,
    pairs: Pairs,
    truth: tuple[BoolArray, BoolArray],
    draw: int,
) -> tuple[NDArray[np.generic], ...]:
    host, remote = pairs
    climb_m = fleet.z_m[remote] - fleet.z_m[host]
    sigma_m = believed.vertical_sigma_m
    return (
        np.full(len(host), draw),
        np.stack([np.full(len(host), draw), fleet.id[host], fleet.id[remote]], axis=1),
        np.sort(np.stack([fleet.level[host], fleet.level[remote]], axis=1), axis=1),
        climb_m,
        np.hypot(fleet.x_m[remote] - fleet.x_m[host], fleet.y_m[remote] - fleet.y_m[host]),
        *truth,
        gate_accepts(climb_m, sigma_m[host], sigma_m[remote], GATE_M),
        *(~watcher.apart(fleet, believed, pairs, check) for check in CHECKS),
    )


def _share(seen: Sightings, here: BoolArray, counts: NDArray[np.generic]) -> Interval:
    """Return the share of sightings that count; limits over the draws of errors."""
    n_draws = REPLICATIONS * DRAWS
    total = np.bincount(seen.draw[here], minlength=n_draws).astype(np.float64)
    hits = np.bincount(seen.draw[here], weights=counts[here], minlength=n_draws)
    return proportion_interval(hits, total, over="draws")


def traffic_rows(seen: Sightings) -> Iterator[Row]:
    """Yield by decks what vehicles that are not on one deck are taken for, and at least once."""
    places = {"all decks": seen.apart}
    for pair in np.unique(seen.levels[seen.apart], axis=0):
        places[f"{pair[0]} and {pair[1]}"] = seen.apart & (seen.levels == pair).all(axis=1)
    for place, here in places.items():
        apart_m = np.abs(seen.climb_m[here])
        spread = np.quantile(apart_m, (0.05, 0.95))
        yield Row(
            "traffic", place, "distance of decks m", float(apart_m.mean()), *spread, here.sum()
        )
        yield row_of("traffic", place, "closed form", _share(seen, here, seen.chance))
        for check, taken in seen.taken.items():
            yield row_of("traffic", f"{place}, {check}", "instant", _share(seen, here, taken))
    yield from _encounter_rows(seen)
    for low_m, high_m in ((0.0, 25.0), (25.0, 50.0)):
        here = seen.one_road & (seen.distance_m > low_m) & (seen.distance_m <= high_m)
        place = f"one road, {low_m:g} to {high_m:g} m"
        exact = np.abs(seen.climb_m) >= GATE_M
        yield row_of("traffic", place, "climb above gate", _share(seen, here, exact))
        lost = _share(seen, here, 1.0 - seen.chance)
        yield row_of("traffic", place, "closed form", lost)
        for check, taken in seen.taken.items():
            yield row_of("traffic", f"{place}, {check}", "missed", _share(seen, here, ~taken))


def _encounter_rows(seen: Sightings) -> Iterator[Row]:
    """Yield the shares of encounters in which the mistake is made at least once."""
    here = np.flatnonzero(seen.apart)
    _, first, number = np.unique(seen.encounter[here], return_index=True, return_inverse=True)
    n_draws = REPLICATIONS * DRAWS
    draw = seen.draw[here][first]
    total = np.bincount(draw, minlength=n_draws).astype(np.float64)
    for check, taken in seen.taken.items():
        once = np.bincount(number.reshape(-1), weights=taken[here]) > 0
        hits = np.bincount(draw, weights=once, minlength=n_draws)
        share = proportion_interval(hits, total, over="draws")
        yield row_of("traffic", f"all decks, {check}", "at least once", share)
