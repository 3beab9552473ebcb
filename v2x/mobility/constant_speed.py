"""Vehicles that never change speed or lane: the drop of the 3GPP highway scenarios."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from v2x import rng
from v2x.errors import V2XError
from v2x.mobility.base import MobilityContext
from v2x.mobility.demand import check_amount, road_length_m, vehicle_count
from v2x.mobility.fleet import FleetState, NodeKind
from v2x.mobility.geometry import RoadGeometry
from v2x.mobility.junctions import LaneNetwork, lane_network
from v2x.mobility.placement import Spacing
from v2x.mobility.vehicle_classes import SIZES, Mix
from v2x.units import US_PER_S, kmh_to_mps
from v2x.world.road_map import FloatArray, IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class ConstantSpeedParams:
    """A drop of vehicles that keep their speed.

    Parameters
    ----------
    n_vehicles
        Number of vehicles. Set this or `density_per_km`.
    density_per_km
        Vehicles per kilometre of road, both directions together [1/km];
        :func:`~v2x.mobility.demand.road_length_m` says what a kilometre of road is.
    speed_kmh
        Speed [km/h]; TR 36.885 A.1.2 has 140 and 70. 0 freezes the drop.
    back_speed_kmh
        Speed of the carriageways that run against the first one [km/h]; `speed_kmh` if None.
    spacing
        ``uniform``: the i-th vehicle is i times the spacing along the road, lanes in turn.
        ``random``: gaps in each lane are independent and exponential but at least `min_gap_m`,
        TR 37.885.
    min_gap_m
        Least bumper-to-bumper gap [m]; 2 m in TR 37.885.
    mix
        Shares of cars, trucks and buses; cars only by default, TR 37.885 option A.
    """

    n_vehicles: int | None = None
    density_per_km: float | None = None
    speed_kmh: float = 140.0
    back_speed_kmh: float | None = None
    spacing: Spacing = Spacing.RANDOM
    min_gap_m: float = 2.0
    mix: Mix = field(default_factory=lambda: Mix(car=1.0, truck=0.0, bus=0.0))

    def __post_init__(self) -> None:
        """Reject impossible values and combinations."""
        check_amount(self.n_vehicles, self.density_per_km)
        Spacing(self.spacing)
        for name in ("speed_kmh", "back_speed_kmh"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 1000:
                raise ValueError(f"{name} must be in [0, 1000], got {value}")
        if not self.min_gap_m >= 0:
            raise ValueError(f"min_gap_m must be >= 0, got {self.min_gap_m}")


@dataclass(frozen=True, slots=True)
class _Chain:
    """A carriageway without junctions.

    Attributes
    ----------
    edge : (n_edges,) int32
        Edges one after the other.
    begin_m : (n_edges + 1,) float64
        Where each begins along the chain, and the chain's length [m].
    circular
        Whether the last edge leads to the first.
    lanes
        Lanes all along.
    back
        Whether it runs against the first chain.
    """

    edge: IntArray
    begin_m: FloatArray
    circular: bool
    lanes: int
    back: bool

    @property
    def length_m(self) -> float:
        """Length of the chain [m]."""
        return float(self.begin_m[-1])


class ConstantSpeed:
    """Vehicles on straight or circular carriageways, each lane moving as one.

    Who reaches the end of a carriageway is at its beginning again, with the same identity: on
    a ring or wrap-around map next to where it was, on a road with ends at the other one.

    Parameters
    ----------
    params
        Amount, speed and spacing.
    context
        Map and seed. Streams ``"mobility", "mix" | "start"``.

    Raises
    ------
    V2XError
        If the map has junctions, or cannot hold so many vehicles.
    """

    Params = ConstantSpeedParams

    def __init__(self, params: ConstantSpeedParams, context: MobilityContext) -> None:
        road_map = context.road_map
        self._geometry = RoadGeometry(road_map)
        self._chains = _chains(lane_network(road_map))
        n = vehicle_count(road_map, params.n_vehicles, params.density_per_km)
        self._kind = params.mix.kinds(n, rng.stream(context.seed, "mobility", "mix"))
        sizes = [SIZES[NodeKind(kind)] for kind in self._kind.tolist()]
        self._length_m = np.array([size.length_m for size in sizes])
        self._width_m = np.array([size.width_m for size in sizes])
        self._height_m = np.array([size.height_m for size in sizes])
        self._antenna_m = np.array([size.antenna_height_m for size in sizes])
        # Lane by lane, one of each carriageway in turn.
        most = max(chain.lanes for chain in self._chains)
        slots = [
            (c, lane)
            for lane in range(most)
            for c, chain in enumerate(self._chains)
            if lane < chain.lanes
        ]
        slot = np.arange(n) % len(slots)
        self._chain: IntArray = np.array([c for c, _ in slots], dtype=np.int32)[slot]
        self._lane: IntArray = np.array([lane for _, lane in slots], dtype=np.int32)[slot]
        speed = kmh_to_mps(params.speed_kmh)
        back = params.back_speed_kmh
        back_speed = speed if back is None else kmh_to_mps(back)
        pace = np.array([back_speed if chain.back else speed for chain in self._chains])
        self._speed_mps: FloatArray = pace[self._chain]
        self._chain_m = np.array([chain.length_m for chain in self._chains])[self._chain]
        if Spacing(params.spacing) is Spacing.UNIFORM:
            density = params.density_per_km
            total_m = road_length_m(road_map)
            self._start_m = self._uniform(n, density, total_m)
        else:
            self._start_m = self._random(
                slot, params.min_gap_m, rng.stream(context.seed, "mobility", "start")
            )
        self._leader = self._leaders(slot)
        self._check_overlap()
        self._begin_us: int | None = None

    @property
    def n_rows(self) -> int:
        """Rows of every state, fixed for the run."""
        return len(self._kind)

    def advance(self, time_us: int) -> FleetState:
        """Return the state at `time_us` [µs], not earlier than the last one asked for."""
        if self._begin_us is None:
            self._begin_us = time_us
        seconds = (time_us - self._begin_us) / US_PER_S
        middle_m = _within(self._start_m + self._speed_mps * seconds, self._chain_m)
        edge, offset_m = self._on_edge(middle_m)
        lateral_m = self._geometry.lane_lateral_m(edge, self._lane)
        x, y, z, heading = self._geometry.position(edge, offset_m, lateral_m)
        leader, gap_m = self._gaps(middle_m)
        front_edge, front_m = self._on_edge(self._front(middle_m))
        return FleetState(
            time_us=time_us,
            id=np.arange(self.n_rows, dtype=np.int64),
            kind=self._kind.copy(),
            x_m=x,
            y_m=y,
            z_m=z,
            heading_rad=heading,
            speed_mps=self._speed_mps.copy(),
            acceleration_mps2=np.zeros(self.n_rows),
            edge=front_edge,
            lane=self._lane.copy(),
            offset_m=front_m,
            level=self._geometry.level(front_edge),
            tunnel=self._geometry.tunnel(front_edge),
            length_m=self._length_m.copy(),
            width_m=self._width_m.copy(),
            height_m=self._height_m.copy(),
            antenna_height_m=self._antenna_m.copy(),
            leader=leader,
            gap_m=gap_m,
        )

    def _uniform(self, n: int, density_per_km: float | None, road_m: float) -> FloatArray:
        """Return the middles of equally spaced vehicles along their chains [m]."""
        spacing_m = road_m / n
        if density_per_km is not None and n * 1000.0 <= density_per_km * road_m * (1.0 + 1e-9):
            spacing_m = 1000.0 / density_per_km
        along_m = np.arange(n) * spacing_m
        back = np.array([chain.back for chain in self._chains])[self._chain]
        return _within(np.where(back, self._chain_m - along_m, along_m), self._chain_m)

    def _random(
        self, slot: NDArray[np.int64], min_gap_m: float, draw: np.random.Generator
    ) -> FloatArray:
        """Return the middles of vehicles with exponential gaps along their chains [m].

        The gaps between sorted uniform points on a ring are exponential ones with a given
        sum, so neither density nor length has to give way. Those below the least gap are
        raised to it, and the rest shortened in proportion.
        """
        start_m = np.empty(len(slot))
        for k in range(int(slot.max()) + 1):
            rows = np.flatnonzero(slot == k)
            m, length_m = len(rows), float(self._chain_m[rows[0]])
            free_m = length_m - float(self._length_m[rows].sum())
            spare_m = free_m - m * min_gap_m
            if spare_m < 0.0:
                raise V2XError(
                    f"a lane of {length_m:.0f} m cannot hold {m} vehicles at least "
                    f"{min_gap_m} m apart",
                    key="traffic",
                    remedy="ask for fewer vehicles, a lower density or a longer map",
                )
            phase, *points = draw.random(m).tolist()
            edges = np.concatenate([[0.0], np.sort(points), [1.0]])
            gap_m = np.maximum(np.diff(edges) * free_m, min_gap_m) - min_gap_m
            total_m = float(gap_m.sum())
            gap_m = min_gap_m + gap_m * (spare_m / total_m if total_m > 0.0 else 0.0)
            pitch_m = self._length_m[rows] + gap_m
            rear_m = phase * length_m + np.cumsum(pitch_m) - pitch_m
            start_m[rows] = rear_m + 0.5 * self._length_m[rows]
        return _within(start_m, self._chain_m)

    def _leaders(self, slot: NDArray[np.int64]) -> IntArray:
        """Return the row of the vehicle ahead in the lane of each, around the chain."""
        leader = np.full(len(slot), -1, dtype=np.int32)
        order = np.lexsort((self._start_m, slot))
        for k in range(int(slot.max()) + 1):
            rows = order[slot[order] == k]
            if len(rows) > 1:
                leader[rows] = np.roll(rows, -1)
        return leader

    def _gaps(self, middle_m: FloatArray) -> tuple[IntArray, FloatArray]:
        """Return leaders and gaps; on a road with ends the first in a lane has no leader."""
        ahead = np.maximum(self._leader, 0)
        distance_m = middle_m[ahead] - middle_m
        circular = np.array([chain.circular for chain in self._chains])[self._chain]
        seen = (self._leader >= 0) & (circular | (distance_m > 0.0))
        gap_m = _within(distance_m, self._chain_m)
        gap_m = gap_m - 0.5 * (self._length_m + self._length_m[ahead])
        return (
            np.where(seen, self._leader, np.int32(-1)),
            np.where(seen, gap_m, np.inf),
        )

    def _check_overlap(self) -> None:
        leader, gap_m = self._gaps(self._start_m)
        least = int(np.argmin(gap_m))
        if gap_m[least] < 0.0:
            raise V2XError(
                f"vehicles {least} and {leader[least]} would overlap by {-gap_m[least]:.2f} m",
                key="traffic",
                remedy="ask for fewer vehicles, a lower density or more lanes",
            )

    def _front(self, middle_m: FloatArray) -> FloatArray:
        """Return where the front bumpers are along the chains [m]; none is beyond its end."""
        front_m = middle_m + 0.5 * self._length_m
        circular = np.array([chain.circular for chain in self._chains])[self._chain]
        last_m = np.nextafter(self._chain_m, 0.0)
        return np.where(circular, _within(front_m, self._chain_m), np.minimum(front_m, last_m))

    def _on_edge(self, along_m: FloatArray) -> tuple[IntArray, FloatArray]:
        """Return edge and offset of points along the chains."""
        edge = np.empty(len(along_m), dtype=np.int32)
        offset_m = np.empty(len(along_m))
        for c, chain in enumerate(self._chains):
            rows = self._chain == c
            k = np.searchsorted(chain.begin_m, along_m[rows], side="right") - 1
            k = np.clip(k, 0, len(chain.edge) - 1)
            edge[rows] = chain.edge[k]
            offset_m[rows] = along_m[rows] - chain.begin_m[k]
        return edge, offset_m


def _within(values: FloatArray, period: FloatArray) -> FloatArray:
    """Return `values` modulo `period`, exactly where they are within it already."""
    return np.asarray(values - np.floor(values / period) * period)


def _chains(network: LaneNetwork) -> list[_Chain]:
    """Return the carriageways of a map without junctions."""
    road_map = network.road_map
    n_in = np.bincount(network.to_edge, minlength=road_map.n_edges)
    n_out = np.bincount(network.from_edge, minlength=road_map.n_edges)
    if n_in.max(initial=0) > 1 or n_out.max(initial=0) > 1:
        raise V2XError(
            f"the map {road_map.name!r} has junctions",
            key="traffic.type",
            remedy="use type: routed, or a map of plain roads such as the synthetic highway",
        )
    onward = dict(zip(network.from_edge.tolist(), network.to_edge.tolist(), strict=True))
    starts = np.flatnonzero(n_in == 0).tolist()
    left = set(range(road_map.n_edges))
    chains: list[_Chain] = []
    ahead = np.zeros(2)
    # Roads with ends from their beginnings, then what is left, which are rings.
    for start in starts + sorted(left):
        if start not in left:
            continue
        path = [start]
        left.remove(start)
        while (after := onward.get(path[-1], -1)) in left:
            path.append(after)
            left.remove(after)
        begin_m = np.concatenate([[0.0], np.cumsum(road_map.edge_length_m[path])])
        direction = _direction(network, path)
        chains.append(
            _Chain(
                edge=np.array(path, dtype=np.int32),
                begin_m=begin_m,
                circular=onward.get(path[-1], -1) == start,
                lanes=int(road_map.edge_lanes[path].min()),
                back=float(direction @ ahead) < 0.0,
            )
        )
        if len(chains) == 1:
            ahead = direction
    return chains


def _direction(network: LaneNetwork, path: list[int]) -> FloatArray:
    """Return the direction in which a chain begins, not normalised."""
    road_map = network.road_map
    a = int(road_map.first_point[path[0]])
    return np.array(
        [
            road_map.point_x_m[a + 1] - road_map.point_x_m[a],
            road_map.point_y_m[a + 1] - road_map.point_y_m[a],
        ]
    )
