"""Small maps with known answers, and an auditor that looks for impossible traffic."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from v2x.mobility.base import MobilityContext
from v2x.mobility.fleet import FleetState
from v2x.mobility.routed import RoutedTraffic
from v2x.world.geometry import Polylines, road_map_of
from v2x.world.osm_tags import DRIVE_CLASSES
from v2x.world.road_map import RoadMap

MOTORWAY, RAMP, STREET = (
    DRIVE_CLASSES.index(name) for name in ("motorway", "motorway_link", "secondary")
)
Line = Sequence[tuple[float, float] | tuple[float, float, float]]


def make_map(edges: Sequence[tuple[int, int, Line, dict[str, Any]]], **attributes: Any) -> RoadMap:
    """Return a map from (from, to, points, {lanes, limit_mps, road_class, structure, level})."""
    points = [tuple(p) + (0.0,) * (3 - len(p)) for _, _, line, _ in edges for p in line]
    array = np.array(points)
    extra = [options for *_, options in edges]
    return road_map_of(
        name="test",
        edge_from=[edge[0] for edge in edges],
        edge_to=[edge[1] for edge in edges],
        edge_lanes=[options.get("lanes", 1) for options in extra],
        edge_limit_mps=[options.get("limit_mps", 20.0) for options in extra],
        edge_class=[options.get("road_class", STREET) for options in extra],
        edge_structure=[options.get("structure", 0) for options in extra],
        edge_level=[options.get("level", 0) for options in extra],
        class_names=DRIVE_CLASSES,
        edge_name=[options.get("name", "") for options in extra],
        edge_osm_way=[options.get("way", -1) for options in extra],
        polylines=Polylines(
            np.cumsum([0] + [len(line) for _, _, line, _ in edges]), *array.T.copy()
        ),
        **attributes,
    )


def ring(circumference_m: float = 1000.0, lanes: int = 1, limit_mps: float = 20.0) -> RoadMap:
    """Return a circle of four one-way edges with points every 5 degrees."""
    n = 72
    # The length counts along the chords.
    radius = circumference_m / (n * 2.0 * math.sin(math.pi / n))
    angle = 2.0 * math.pi * np.arange(n + 1) / n
    xy = [(radius * math.cos(a), radius * math.sin(a)) for a in angle]
    xy[-1] = xy[0]
    options = {"lanes": lanes, "limit_mps": limit_mps}
    return make_map([(k, (k + 1) % 4, xy[18 * k : 18 * k + 19], options) for k in range(4)])


def on_ramp(
    main_lanes: int = 2, out_lanes: int = 2, ramp_lanes: int = 1, limit_mps: float = 25.0
) -> RoadMap:
    """Return a motorway from west to east that a ramp joins from the right at (0, 0)."""
    main = {"lanes": main_lanes, "limit_mps": limit_mps, "road_class": MOTORWAY}
    out = main | {"lanes": out_lanes}
    ramp = {"lanes": ramp_lanes, "limit_mps": 15.0, "road_class": RAMP}
    return make_map(
        [
            (0, 1, [(-800.0, 0.0), (0.0, 0.0)], main),
            (2, 1, [(-400.0, -60.0), (-60.0, -6.0), (0.0, 0.0)], ramp),
            (1, 3, [(0.0, 0.0), (800.0, 0.0)], out),
        ]
    )


def off_ramp(main_lanes: int = 3, out_lanes: int = 2, ramp_lanes: int = 1) -> RoadMap:
    """Return a motorway from west to east that a ramp leaves to the right at (0, 0)."""
    main = {"lanes": main_lanes, "limit_mps": 25.0, "road_class": MOTORWAY}
    return make_map(
        [
            (0, 1, [(-1200.0, 0.0), (0.0, 0.0)], main),
            (1, 2, [(0.0, 0.0), (600.0, 0.0)], main | {"lanes": out_lanes}),
            (
                1,
                3,
                [(0.0, 0.0), (60.0, -6.0), (400.0, -60.0)],
                {"lanes": ramp_lanes, "limit_mps": 15.0, "road_class": RAMP},
            ),
        ]
    )


def roundabout(radius_m: float = 25.0, arm_m: float = 300.0) -> RoadMap:
    """Return a roundabout of eight short edges with four two-way arms."""
    edges: list[tuple[int, int, Line, dict[str, Any]]] = []
    angle = [2.0 * math.pi * k / 8 for k in range(8)]
    corner = [(radius_m * math.cos(a), radius_m * math.sin(a)) for a in angle]
    circle = {"limit_mps": 9.0, "way": 7}
    edges += [(k, (k + 1) % 8, [corner[k], corner[(k + 1) % 8]], circle) for k in range(8)]
    for arm in range(4):
        a = math.pi / 2 * arm
        end = (arm_m * math.cos(a), arm_m * math.sin(a))
        # Traffic leaves the circle at the node it reaches first and enters at the next.
        leave, enter = (2 * arm - 1) % 8, (2 * arm) % 8
        edges.append((leave, 8 + 2 * arm, [corner[leave], end], {"limit_mps": 14.0}))
        edges.append(
            (9 + 2 * arm, enter, [(end[0], end[1] + 1.0), corner[enter]], {"limit_mps": 14.0})
        )
    return make_map(edges)


def build_model(road_map: RoadMap, seed: int = 1, **params: Any) -> RoutedTraffic:
    context = MobilityContext(road_map, seed, 10**10, ".")
    return RoutedTraffic(RoutedTraffic.Params(**params), context)


@dataclass
class Auditor:
    """Checks states of a routed model one after the other, from first principles.

    Attributes
    ----------
    hardest_mps2
        Hardest braking seen [m/s²].
    """

    model: RoutedTraffic
    hardest_mps2: float = 0.0
    _last: FleetState | None = field(default=None, repr=False)

    def look(self, state: FleetState) -> None:
        self.check_fields(state)
        self.check_lanes(state)
        self.check_crossings()
        if self._last is not None:
            self.check_motion(self._last, state)
        self._last = state

    def check_fields(self, state: FleetState) -> None:
        vehicles, road_map = self.model.vehicles, self.model.network.road_map
        on = state.active
        assert np.array_equal(on, state.edge >= 0)
        assert (state.gap_m[on] >= 0).all(), state.gap_m[on].min()
        follower = np.flatnonzero(state.leader >= 0)
        assert on[state.leader[follower]].all()
        assert (state.leader[follower] != follower).all()
        assert np.isinf(state.gap_m[state.leader < 0]).all()
        edge = state.edge[on]
        assert (state.lane[on] >= 0).all()
        assert (state.lane[on] < road_map.edge_lanes[edge]).all()
        assert (state.offset_m[on] >= 0).all()
        assert (state.offset_m[on] < road_map.edge_length_m[edge]).all()
        limit = road_map.edge_limit_mps[edge] * vehicles.speed_factor[on]
        assert (state.speed_mps[on] <= limit * (1 + 1e-9)).all()
        assert (state.speed_mps[on] >= 0).all()
        brake = np.array([8.0, 5.0, 5.0])[state.kind[on]]
        assert (state.acceleration_mps2[on] >= -brake - 1e-6).all(), state.acceleration_mps2.min()
        self.hardest_mps2 = min(self.hardest_mps2, float(state.acceleration_mps2[on].min()))
        assert len(np.unique(state.id[on])) == on.sum()

    def bodies(self) -> list[tuple[int, int, float, float, int]]:
        """Return (edge, lane, rear, front, row) of every stretch of lane that is taken."""
        vehicles, book = self.model.vehicles, self.model._book
        network = self.model.network
        found = []
        for row in np.flatnonzero(vehicles.stop >= 0).tolist():
            stop, lane = int(vehicles.stop[row]), int(vehicles.lane[row])
            side = int(vehicles.from_side[row])
            front = float(vehicles.offset_m[row])
            rear = front - float(vehicles.length_m[row])
            while True:
                edge = int(book.edge[stop])
                found += [(edge, taken, rear, front, row) for taken in {lane, lane + side}]
                stop = int(book.before[stop])
                if rear >= 0 or stop < 0:
                    break
                lane -= int(network.lane_shift[book.movement[stop]])
                length = float(network.road_map.edge_length_m[book.edge[stop]])
                rear, front = rear + length, front + length
        return found

    def check_lanes(self, state: FleetState) -> None:
        length_m = self.model.network.road_map.edge_length_m
        taken: dict[tuple[int, int], list[tuple[float, float, int]]] = {}
        for edge, lane, rear, front, row in self.bodies():
            piece = max(rear, 0.0), min(front, float(length_m[edge])), row
            taken.setdefault((edge, lane), []).append(piece)
        for place, pieces in taken.items():
            pieces.sort()
            for (_, front, a), (rear, _, b) in pairwise(pieces):
                # A rear on another approach touches the edge at its beginning only.
                assert front <= rear + 1e-9, (place, a, b, front, rear, state.time_us)

    def check_crossings(self) -> None:
        """No two vehicles whose ways cross are within the crossing area of a node."""
        vehicles, book = self.model.vehicles, self.model._book
        network = self.model.network
        inside: dict[int, list[tuple[int, int]]] = {}
        for row in np.flatnonzero(vehicles.stop >= 0).tolist():
            stop = int(vehicles.stop[row])
            movement = int(book.movement[stop])
            offset = float(vehicles.offset_m[row])
            rest = float(network.road_map.edge_length_m[book.edge[stop]]) - offset
            if movement >= 0 and rest < network.radius_m[movement] - 1e-6:
                inside.setdefault(int(network.node[movement]), []).append((movement, row))
            before = int(book.before[stop])
            if before >= 0:
                movement = int(book.movement[before])
                if offset - vehicles.length_m[row] < network.radius_m[movement] - 1e-6:
                    inside.setdefault(int(network.node[movement]), []).append((movement, row))
        for node, there in inside.items():
            for k, (one, a) in enumerate(there):
                for other, b in there[k + 1 :]:
                    crossing = int(network.crosses[one]) & int(network.bit[other])
                    assert not crossing, (node, a, b)

    def check_motion(self, last: FleetState, state: FleetState) -> None:
        same = (last.id == state.id) & (state.id >= 0)
        step_s = (state.time_us - last.time_us) * 1e-6
        moved = np.stack([state.x_m - last.x_m, state.y_m - last.y_m, state.z_m - last.z_m])
        period = self.model.network.road_map.wrap_length_m
        if period:
            moved[0] -= period * np.round(moved[0] / period)
        distance = np.sqrt((moved**2).sum(axis=0))[same]
        fastest = np.maximum(last.speed_mps, state.speed_mps)[same]
        # Sideways 3.5 m in 3 s at most; round corners the outer lane is longer.
        assert (distance <= 2.5 * fastest * step_s + 0.15).all(), distance.max()


@pytest.fixture(scope="session")
def maps() -> dict[str, Callable[..., RoadMap]]:
    from v2x.world import synthetic

    return {
        "ring": ring,
        "on-ramp": on_ramp,
        "off-ramp": off_ramp,
        "roundabout": roundabout,
        "grid": synthetic.manhattan,
        "junction": synthetic.junction,
        "highway": synthetic.highway,
    }


@pytest.fixture(scope="session")
def model_on() -> Callable[..., RoutedTraffic]:
    return build_model


@pytest.fixture(scope="session")
def map_of() -> Callable[..., RoadMap]:
    return make_map


@pytest.fixture(scope="session")
def auditor() -> type[Auditor]:
    return Auditor
