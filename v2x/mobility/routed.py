"""Traffic that follows routes through a map: the model behind every real scenario."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from v2x import rng
from v2x._kernels.car_following import CarFollowing
from v2x.mobility.base import MobilityContext
from v2x.mobility.bodies import Bodies
from v2x.mobility.car_following import equilibrium_speed_mps
from v2x.mobility.conditions import RoadConditions, road_conditions
from v2x.mobility.curves import CurveParams
from v2x.mobility.demand import (
    DemandKind,
    check_amount,
    plan_trips,
    vehicle_count,
)
from v2x.mobility.driver import EyesParams
from v2x.mobility.entry import Entry, EntryRoad, place_at_entry
from v2x.mobility.fleet import FleetState
from v2x.mobility.geometry import RoadGeometry
from v2x.mobility.junctions import LaneNetwork, lane_network
from v2x.mobility.lane_change import LaneChangeParams
from v2x.mobility.placement import Spacing, place_vehicles
from v2x.mobility.routes import RouteBook, Router
from v2x.mobility.vehicle_classes import Mix, VehicleClasses
from v2x.mobility.vehicles import ClassTable, Settings, Vehicles, Workspace
from v2x.units import US_PER_S
from v2x.world.road_map import FloatArray

#: Vehicles that may try to enter in one step.
ENTRIES_PER_STEP = 8
#: A driver who has stood this long at the end of a lane that the route cannot use drives on [s].
MISSED_AFTER_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutedParams:
    """Amount, composition and behaviour of routed traffic.

    Parameters
    ----------
    n_vehicles
        Number of vehicles, kept constant: for each that leaves the map a new one enters as
        soon as there is room. Set this or `density_per_km`.
    density_per_km
        Vehicles per kilometre of road, both directions together [1/km];
        :func:`~v2x.mobility.demand.road_length_m` says what a kilometre of road is.
    mix
        Shares of cars, trucks and buses.
    classes
        Size, driver and engine of each class.
    lane_change
        MOBIL parameters.
    eyes
        How drivers go by what they see.
    curves
        How fast they take bends.
    spacing
        ``random`` (vehicles independent of each other) or ``uniform`` (equally spaced in
        time along the routes) at the start.
    demand
        Where trips begin and end.
    n_routes
        Trips that are drawn at the start; every vehicle makes one of them.
    speed_factor_spread
        Drivers take as limit the sign times a factor drawn uniformly from 1 minus to 1 plus
        this (assumption; SUMO's default deviation is 0.1).
    grade_compensation
        Share of gravity on a slope that drivers make up for, 0 to 1 (0.5, assumption).
    courtesy_s
        How long a standing driver must have waited at a node before slow traffic with
        priority lets it in; in proportion longer for faster traffic [s] (assumption).
    patience_s
        A vehicle that has stood still so long is taken off the map and counted in
        :attr:`RoutedTraffic.n_given_up` [s]; SUMO moves it elsewhere after the same time.
    signal_cycle_s, signal_clear_s
        Period of all traffic lights, half of it for each axis, and how much of each half is
        red for all [s] (assumption).
    step_s
        Longest step of the motion [s], at most 0.1.
    """

    n_vehicles: int | None = None
    density_per_km: float | None = None
    mix: Mix = field(default_factory=Mix)
    classes: VehicleClasses = field(default_factory=VehicleClasses)
    lane_change: LaneChangeParams = field(default_factory=LaneChangeParams)
    eyes: EyesParams = field(default_factory=EyesParams)
    curves: CurveParams = field(default_factory=CurveParams)
    spacing: Spacing = Spacing.RANDOM
    demand: DemandKind = DemandKind.AUTO
    n_routes: int = 500
    speed_factor_spread: float = 0.1
    grade_compensation: float = 0.5
    courtesy_s: float = 5.0
    patience_s: float = 300.0
    signal_cycle_s: float = 60.0
    signal_clear_s: float = 4.0
    step_s: float = 0.1

    def __post_init__(self) -> None:
        """Reject impossible values and combinations."""
        check_amount(self.n_vehicles, self.density_per_km)
        Spacing(self.spacing)
        DemandKind(self.demand)
        if self.n_routes < 1:
            raise ValueError(f"n_routes must be at least 1, got {self.n_routes}")
        if not 0 <= self.speed_factor_spread < 0.5:
            raise ValueError(
                f"speed_factor_spread must be in [0, 0.5), got {self.speed_factor_spread}"
            )
        if not 0 <= self.grade_compensation <= 1:
            raise ValueError(f"grade_compensation must be in [0, 1], got {self.grade_compensation}")
        if not (self.courtesy_s >= 0 and self.patience_s > MISSED_AFTER_S):
            raise ValueError(
                f"courtesy_s must be >= 0 and patience_s > {MISSED_AFTER_S}, "
                f"got {self.courtesy_s} and {self.patience_s}"
            )
        if not 0 <= 2 * self.signal_clear_s < self.signal_cycle_s:
            raise ValueError(
                f"signal_clear_s must be less than half of signal_cycle_s, "
                f"got {self.signal_clear_s} and {self.signal_cycle_s}"
            )
        if not 0.001 <= self.step_s <= 0.1:
            raise ValueError(f"step_s must be in [0.001, 0.1], got {self.step_s}")


class RoutedTraffic:
    """Cars, trucks and buses on their ways through the map.

    They follow each other by IDM across edges and junctions, feel slopes, grip and hot brakes,
    keep limits, slow down for bends and for what they cannot see, change lanes by MOBIL and for
    their routes, and enter junctions in an order in which everybody can stop behind everybody;
    they never overlap on a lane.

    Parameters
    ----------
    params
        Amount and behaviour.
    context
        Map, weather and seed. Streams
        ``"mobility", "trips" | "start" | "mix" | "drivers" | "entries"``.

    Attributes
    ----------
    network : LaneNetwork
        Lanes and movements.
    conditions : RoadConditions
        Grip, sight and speeds of the roads.
    vehicles : Vehicles
        State of the kernel, for inspection.
    n_given_up : int
        Vehicles so far that stood still for longer than `patience_s` and were taken away.
    n_arrived : int
        Vehicles so far that reached their destination.

    Raises
    ------
    V2XError
        If the map cannot hold so many vehicles, or no way leads through it.
    """

    Params = RoutedParams

    def __init__(self, params: RoutedParams, context: MobilityContext) -> None:
        road_map = context.road_map
        n = vehicle_count(road_map, params.n_vehicles, params.density_per_km)
        self._params = params
        self._geometry = RoadGeometry(road_map)
        self.network: LaneNetwork = lane_network(road_map)
        classes = params.classes.by_kind()
        self._classes = ClassTable.of(classes)
        self.conditions: RoadConditions = road_conditions(
            self.network,
            context.weather,
            self._classes.emergency_mps2,
            params.eyes,
            params.curves,
        )
        self._router = Router(self.network)
        self._book = RouteBook(self.network, self.conditions)
        self._trips = plan_trips(
            self.network,
            self._router,
            self._book,
            DemandKind(params.demand),
            params.n_routes,
            rng.stream(context.seed, "mobility", "trips"),
        )
        kind = params.mix.kinds(n, rng.stream(context.seed, "mobility", "mix"))
        sizes = [item.size for item in classes]
        self._length_m = np.array([size.length_m for size in sizes])[kind]
        self._width_m = np.array([size.width_m for size in sizes])[kind]
        self._height_m = np.array([size.height_m for size in sizes])[kind]
        self._antenna_m = np.array([size.antenna_height_m for size in sizes])[kind]
        self.vehicles = Vehicles.empty(kind, self._length_m)
        self._work = Workspace.of(self.network, n, self._classes.n_classes)
        self._kernel = CarFollowing(
            self.network,
            self.conditions,
            self._book,
            self._classes,
            self.vehicles,
            self._work,
            Settings(
                step_s=params.step_s,
                grade_compensation=params.grade_compensation,
                courtesy_s=params.courtesy_s,
                longest_m=float(self._length_m.max()),
                lane_change=params.lane_change,
                comfort_share=params.eyes.comfort_share,
                adaptation_s=params.eyes.portal_adaptation_s,
                dark_delay_s=params.eyes.portal_delay_s,
            ),
        )
        self._entry_road = EntryRoad(
            self.network,
            self.conditions,
            self._book,
            self._classes,
            self.vehicles,
            self._work,
            self._kernel,
        )
        self._drivers = rng.stream(context.seed, "mobility", "drivers")
        self._entries = rng.stream(context.seed, "mobility", "entries")
        self._id: NDArray[np.int64] = np.arange(n, dtype=np.int64)
        self._next_id = n
        self._bodies = Bodies(
            self._geometry, self.vehicles, self._book, params.lane_change.duration_s
        )
        self._detours: dict[tuple[int, int, int], int] = {}
        self._count = 0
        self._time_us: int | None = None
        self.n_given_up = 0
        self.n_arrived = 0
        self._start(rng.stream(context.seed, "mobility", "start"))

    @property
    def n_rows(self) -> int:
        """Rows of every state, fixed for the run."""
        return self.vehicles.n_rows

    @property
    def brake_temperature_c(self) -> FloatArray:
        """Temperature of everybody's brakes, (n_rows,) [°C]; NaN in empty rows."""
        brakes = [item.brakes for item in self._params.classes.by_kind()]
        ambient_c = np.array([item.ambient_c for item in brakes])[self.vehicles.kind]
        return np.where(self.vehicles.stop >= 0, ambient_c + self.vehicles.brake_rise_k, np.nan)

    def advance(self, time_us: int) -> FleetState:
        """Return the state at `time_us` [µs], not earlier than the last one asked for."""
        if self._time_us is None:
            self._time_us = time_us
        span_us = time_us - self._time_us
        if span_us < 0:
            raise ValueError(f"time_us {time_us} is before the last state, {self._time_us}")
        step_us = round(self._params.step_s * US_PER_S)
        n_steps = -(-span_us // step_us)
        begin_us = self._time_us
        for k in range(n_steps):
            self._step(begin_us + span_us * (k + 1) // n_steps)
        return self._state(time_us)

    def _step(self, time_us: int) -> None:
        """Move everybody to `time_us` and decide what they do next."""
        assert self._time_us is not None
        step_s = (time_us - self._time_us) / US_PER_S
        self._time_us = time_us
        self._count += 1
        self._kernel.move(step_s)
        vehicles = self.vehicles
        self._bodies.drift(step_s)
        gone = (vehicles.stop < 0) & (self._id >= 0)
        if gone.any():
            self.n_arrived += int(gone.sum())
            self._id[gone] = -1
        if (vehicles.stood_s > MISSED_AFTER_S).any():
            self._resolve_standstill()
        self._kernel.arrange()
        if self._enter():
            self._kernel.arrange()
        self._kernel.look(self._count, self._green_axis(time_us))

    def _green_axis(self, time_us: int) -> int:
        """Return which axis has green at signals, 2 if none."""
        half_us = round(0.5 * self._params.signal_cycle_s * US_PER_S)
        axis, phase_us = divmod(time_us % (2 * half_us), half_us)
        return axis if phase_us < half_us - self._params.signal_clear_s * US_PER_S else 2

    def _start(self, draw: np.random.Generator) -> None:
        """Place the vehicles and let them go at the speed of the traffic around them."""
        vehicles, book, road_map = self.vehicles, self._book, self.network.road_map
        n = vehicles.n_rows
        place = place_vehicles(
            self.network,
            book,
            self._trips,
            self._router,
            Spacing(self._params.spacing),
            vehicles.kind,
            vehicles.length_m,
            self._classes,
            draw,
        )
        spread = self._params.speed_factor_spread
        vehicles.speed_factor[:] = 1.0 + spread * (2.0 * self._drivers.random(n) - 1.0)
        vehicles.stop[:] = place.stop
        vehicles.lane[:] = place.lane
        vehicles.offset_m[:] = place.offset_m
        edge = book.edge[place.stop]
        limit = vehicles.speed_factor * road_map.edge_limit_mps[edge]
        desired = np.minimum(limit, self._classes.desired_speed_mps[vehicles.kind])
        # Who is ahead of whom shows at full speed; then everybody adapts to the gap.
        vehicles.speed_mps[:] = desired
        self._kernel.arrange()
        self._kernel.look(self._count, self._green_axis(0))
        vehicles.cleared[:] = 0
        for k, item in enumerate(self._params.classes.by_kind()):
            rows = vehicles.kind == k
            vehicles.speed_mps[rows] = equilibrium_speed_mps(
                vehicles.gap_m[rows], desired[rows], item.driver
            )
        self._kernel.slow_down()
        self._bodies.settle(np.arange(n))
        self._calm()

    def _calm(self) -> None:
        """Slow down everybody who would have to brake harder than is comfortable.

        Slower leaders slow their followers, hence the rounds. At standstill every gap is
        enough, so they end.
        """
        vehicles = self.vehicles
        while True:
            self._kernel.arrange()
            self._kernel.look(self._count, self._green_axis(0))
            speed = vehicles.speed_mps
            stop_m = np.maximum(np.minimum(vehicles.available_m, 1e6), 0.0)
            uneasy = (vehicles.wish_mps2 < -vehicles.ease_mps2) & (speed > 0.1)
            hasty = vehicles.stopping_m > stop_m
            if not (uneasy | hasty).any():
                return
            # Braking over the shorter way may be weaker than over all of it; rounds see to that.
            braking = speed * speed / (2.0 * np.maximum(vehicles.stopping_m, 1e-9))
            bound = 0.999 * np.sqrt(2.0 * braking * stop_m)
            speed[uneasy] *= 0.9
            np.minimum(speed, bound, out=speed, where=hasty)

    def _enter(self) -> bool:
        """Let new vehicles onto the map in place of those that left; return whether any did."""
        rows = np.flatnonzero(self.vehicles.stop < 0)[:ENTRIES_PER_STEP]
        used: set[int] = set()
        for row in rows.tolist():
            stop = self._trips.draw(self._entries)
            edge = int(self._book.edge[stop])
            spread = self._params.speed_factor_spread
            factor = 1.0 + spread * (2.0 * float(self._drivers.random()) - 1.0)
            if edge in used:
                continue
            entry = Entry(row=row, stop=stop, speed_factor=factor)
            if not place_at_entry(entry, self._entry_road):
                continue
            used.add(edge)
            self._id[row] = self._next_id
            self._next_id += 1
            self._bodies.settle(np.array([row]))
        return bool(used)

    def _resolve_standstill(self) -> None:
        """Send on who stands in a lane that does not lead to its goal; give up the hopeless."""
        vehicles, network, book = self.vehicles, self.network, self._book
        for row in np.flatnonzero(vehicles.stood_s > MISSED_AFTER_S).tolist():
            stop = int(vehicles.stop[row])
            if stop < 0:
                continue
            if vehicles.stood_s[row] > self._params.patience_s:
                vehicles.stop[row] = -1
                self._id[row] = -1
                self.n_given_up += 1
                continue
            movement = int(book.movement[stop])
            if movement < 0:
                continue
            lane = int(vehicles.lane[row])
            lost = not network.lane_low[movement] <= lane <= network.lane_high[movement]
            # At the line and first in the lane, and not more often than every ten seconds.
            if lost and vehicles.lane_end_m[row] < 5.0:
                ahead = vehicles.leader[row]
                if ahead < 0 or vehicles.gap_m[row] > vehicles.lane_end_m[row]:
                    self._detour(row, stop, lane)

    def _detour(self, row: int, stop: int, lane: int) -> None:
        """Give a vehicle that missed its turn a new route out of the lane it is in."""
        network, book = self.network, self._book
        edge = int(book.edge[stop])
        first, end = network.first_movement[edge : edge + 2].tolist()
        goals = [int(book.goal[stop])]
        goals += sorted({int(goal) for goal in book.goal if goal >= 0} - set(goals))
        for movement in range(first, end):
            if not network.lane_low[movement] <= lane <= network.lane_high[movement]:
                continue
            onto = int(network.to_edge[movement])
            for goal in goals:
                path = self._router.path(onto, goal) if goal >= 0 else None
                if path is None:
                    continue
                key = (edge, onto, goal)
                if key not in self._detours:
                    # What the vehicle may still lie on stays part of its way.
                    past = _past_edges(book, stop)
                    self._detours[key] = book.add([[*past, edge, *path]])[0] + len(past)
                    self._kernel.use_routes(book)
                self.vehicles.stop[row] = self._detours[key]
                self.vehicles.cleared[row] = 0
                return

    def _state(self, time_us: int) -> FleetState:
        vehicles, book = self.vehicles, self._book
        active = vehicles.stop >= 0
        stop = np.where(active, vehicles.stop, 0)
        front_edge = book.edge[stop]
        none = np.int32(-1)
        x, y, z, heading = self._bodies.locate(self._id, time_us)
        edge = np.where(active, front_edge, none)

        def real(values: FloatArray, empty: float = 0.0) -> FloatArray:
            return np.where(active, values, empty)

        return FleetState(
            time_us=time_us,
            id=self._id.copy(),
            kind=vehicles.kind.copy(),
            x_m=real(x),
            y_m=real(y),
            z_m=real(z),
            heading_rad=real(heading),
            speed_mps=real(vehicles.speed_mps),
            acceleration_mps2=real(vehicles.acceleration_mps2),
            edge=edge,
            lane=np.where(active, vehicles.lane, none),
            offset_m=real(vehicles.offset_m),
            level=self._geometry.level(edge),
            tunnel=self._geometry.tunnel(edge),
            length_m=self._length_m.copy(),
            width_m=self._width_m.copy(),
            height_m=self._height_m.copy(),
            antenna_height_m=self._antenna_m.copy(),
            leader=np.where(active, vehicles.leader, none),
            gap_m=real(vehicles.gap_m, np.inf),
        )


def _past_edges(book: RouteBook, stop: int) -> list[int]:
    """Return up to sixteen edges travelled before a stop, the oldest first."""
    past: list[int] = []
    at = int(book.before[stop])
    while at >= 0 and len(past) < 16:
        past.append(int(book.edge[at]))
        at = int(book.before[at])
    return past[::-1]
