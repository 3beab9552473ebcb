"""Traffic that follows routes through a map: the model behind every real scenario."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from v2x import rng
from v2x._kernels.car_following import CarFollowing
from v2x.mobility.base import MobilityContext
from v2x.mobility.bodies import Bodies
from v2x.mobility.car_following import equilibrium_speed_mps
from v2x.mobility.collisions import Collision
from v2x.mobility.conditions import RoadConditions, road_conditions
from v2x.mobility.control import Controls
from v2x.mobility.crossings.crossers import Crossers
from v2x.mobility.demand import (
    DemandKind,
    plan_trips,
    vehicle_count,
)
from v2x.mobility.detours import Detours
from v2x.mobility.drivers.params import CrashParams, HumanParams
from v2x.mobility.emergency import EmergencyVehicles
from v2x.mobility.entry import Entry, EntryRoad, place_at_entry
from v2x.mobility.fleet import FleetState
from v2x.mobility.geometry import RoadGeometry
from v2x.mobility.hazards.base import Hazard, Scene
from v2x.mobility.hazards.library import HazardPlan, plan_hazard
from v2x.mobility.intentions import Intentions
from v2x.mobility.joined import without_last
from v2x.mobility.junctions import LaneNetwork, lane_network
from v2x.mobility.placement import Spacing, place_vehicles
from v2x.mobility.routed_params import MISSED_AFTER_S, RoutedParams
from v2x.mobility.routes import RouteBook, Router
from v2x.mobility.signals.axes import AxesControl, AxesParams
from v2x.mobility.signals.base import SignalContext
from v2x.mobility.signals.traffic import TrafficLights, expected_flows_per_s
from v2x.mobility.signs import Signs
from v2x.mobility.trouble import Trouble, people
from v2x.mobility.vehicles import ClassTable, Mode, Settings, Vehicles, Workspace
from v2x.units import US_PER_S
from v2x.world.road_map import FloatArray

#: Vehicles that may try to enter in one step.
ENTRIES_PER_STEP = 8


class RoutedTraffic:
    """Cars, trucks and buses on their ways through the map.

    They follow each other by IDM across edges and junctions, feel slopes, grip and hot brakes,
    keep limits, slow down for bends and for what they cannot see, change lanes by MOBIL and for
    their routes, and enter junctions in an order in which everybody can stop behind everybody;
    they never overlap on a lane. That is what flawless drivers do on roads without a hazard; with
    human ones, or where something goes wrong, see :class:`~v2x.mobility.trouble.Trouble`.

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
    lights : TrafficLights
        Its traffic lights.
    vehicles : Vehicles
        State of the kernel, for inspection; beyond the rows of the fleet it has the obstacles.
    controls : Controls
        What is asked of the vehicles from outside.
    hazard : Hazard or None
        What goes wrong.
    crossers : Crossers or None
        Who crosses the streets.
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
        human = context.drivers if isinstance(context.drivers, HumanParams) else None
        roads = partial(
            road_conditions,
            self.network,
            context.weather,
            self._classes.emergency_mps2,
            params.eyes,
            params.curves,
            sight_trust=1.0 if human is None else human.sight_trust,
        )
        self.conditions: RoadConditions = roads()
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
        plan = plan_hazard(
            context.hazard, self.network, self._geometry, params.curves, self._book, roads
        )
        obstacle_m = [] if plan is None else plan.obstacle_m
        if plan is not None:
            self.conditions = plan.conditions
        self._n_vehicles = n
        # Obstacles follow the vehicles in the kernel; their class only says how they are sorted.
        kind = np.append(kind, np.zeros(len(obstacle_m), dtype=np.int32)).astype(np.int32)
        sizes = [item.size for item in classes]
        self._length_m = np.array([size.length_m for size in sizes])[kind]
        self._width_m = np.array([size.width_m for size in sizes])[kind]
        self._height_m = np.array([size.height_m for size in sizes])[kind]
        self._antenna_m = np.array([size.antenna_height_m for size in sizes])[kind]
        self._length_m[n:] = obstacle_m
        self.vehicles = Vehicles.empty(kind, self._length_m)
        signals = SignalContext(
            network=self.network,
            flow_per_s=expected_flows_per_s(self.network, self._router, self._book, self._trips, n),
            cycle_s=params.signal_cycle_s,
            clear_s=params.signal_clear_s,
        )
        make = context.signals or partial(AxesControl, AxesParams())
        self.lights = TrafficLights(
            make(signals), self.network, self._book, self.vehicles, context.seed
        )
        self.controls: Controls = self.vehicles.controls
        self._work = Workspace.of(self.network, len(kind), self._classes.n_classes)
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
                yellow_mps2=self.lights.control.yellow_mps2,
                adaptation_s=params.eyes.portal_adaptation_s,
                dark_delay_s=params.eyes.portal_delay_s,
                only_sight=human is not None,
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
        self._id: NDArray[np.int64] = np.full(len(kind), -1, dtype=np.int64)
        self._id[:n] = np.arange(n)
        self._next_id = n
        self._bodies = Bodies(
            self._geometry, self.vehicles, self._book, params.lane_change.duration_s
        )
        self._detours = Detours(self.network, self._router, self._book, self.vehicles)
        self._signs = Signs(
            self.network,
            self.conditions,
            self._book,
            self._classes,
            self.vehicles,
            params.curves,
        )
        self._trouble = self._possible_trouble(plan, human, context.seed)
        self.crossers = self._possible_crossers(context)
        self._emergency = self._possible_emergency(context)
        self._count = 0
        self._time_us: int | None = None
        self.n_given_up = 0
        self.n_arrived = 0
        self._start(rng.stream(context.seed, "mobility", "start"))

    @property
    def n_rows(self) -> int:
        """Rows of every state, fixed for the run."""
        return self._n_vehicles

    @property
    def hazard(self) -> Hazard | None:
        """What goes wrong, None if nothing does."""
        return None if self._trouble is None else self._trouble.hazard

    @property
    def collisions(self) -> tuple[Collision, ...]:
        """Collisions on lanes so far; flawless drivers have none but by a hazard."""
        return () if self._trouble is None else self._trouble.happened

    @property
    def brake_temperature_c(self) -> FloatArray:
        """Temperature of everybody's brakes, (n_rows,) [°C]; NaN in empty rows."""
        vehicles = self.vehicles
        heat_c = self._classes.ambient_c[vehicles.kind] + vehicles.brake_rise_k
        return np.where(vehicles.stop >= 0, heat_c, np.nan)[: self._n_vehicles]

    @property
    def n_cleared(self) -> int:
        """Wrecks so far that were taken off the road."""
        return 0 if self._trouble is None else self._trouble.n_cleared

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
        if self._trouble is not None and n_steps:
            self._trouble.collide(begin_us, self._id)
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
        if self._trouble is not None:
            self._trouble.begin(time_us, self._id)
        self._kernel.arrange()
        if self._enter():
            self._kernel.arrange()
        if self.crossers is not None:
            self.crossers.step(time_us, step_s)
        if self._emergency is not None:
            self._emergency.step(time_us)
        self._look(self.lights.at(time_us, self._id))
        if self._trouble is not None:
            self._trouble.react(time_us, self._id)

    def _look(self, green: NDArray[np.uint8]) -> None:
        """Let everybody look around who has been sorted."""
        if self._trouble is not None:
            self._trouble.blur()
        self._kernel.look(self._count, green)

    def _possible_trouble(
        self, plan: HazardPlan | None, human: HumanParams | None, seed: int
    ) -> Trouble | None:
        """Return what human drivers and hazards bring about, None if there are neither."""
        if plan is None and human is None:
            return None
        scene = Scene(
            network=self.network,
            geometry=self._geometry,
            conditions=self.conditions,
            book=self._book,
            classes=self._classes,
            vehicles=self.vehicles,
            first_obstacle=self._n_vehicles,
            reroute=self.reroute,
        )
        eyes, curves = self._params.eyes, self._params.curves
        return Trouble(
            scene,
            None if plan is None else plan.make(scene, eyes.fog_delay_s),
            None if human is None else people(human, scene, eyes, curves, seed),
            CrashParams() if human is None else human.crash,
            self._take_away,
        )

    def _possible_crossers(self, context: MobilityContext) -> Crossers | None:
        """Return who crosses the streets, None if nobody does."""
        if not context.crossings.are_there:
            return None
        crossers = Crossers(
            context.crossings,
            self.network,
            self._book,
            self.vehicles,
            self.lights.control,
            context.seed,
        )
        self._kernel.use_crossings(crossers.first_line, crossers.line_m, crossers.used)
        return crossers

    def _possible_emergency(self, context: MobilityContext) -> EmergencyVehicles | None:
        """Return the emergency vehicles, None if there are none."""
        if not context.emergency.are_there:
            return None
        return EmergencyVehicles(
            context.emergency,
            self.network,
            self._book,
            self.vehicles,
            self._n_vehicles,
            context.seed,
        )

    def _take_away(self, row: int) -> None:
        """Take the vehicle of a row off the road."""
        self.vehicles.stop[row] = -1
        self._id[row] = -1

    def intentions(self) -> Intentions:
        """Return the next movements of the vehicles, and the lane changes that they need."""
        n = self._n_vehicles
        known = self._signs.intentions()
        return Intentions(known.movement[:n], known.side[:n], known.left_m[:n])

    def reroute(self, row: int, avoid: frozenset[int]) -> bool:
        """Send a vehicle to its goal without these edges; return False if there is no way."""
        found, grows = self._detours.around(row, avoid)
        if grows:
            self._kernel.use_routes(self._book)
        return found

    def _start(self, draw: np.random.Generator) -> None:
        """Place the vehicles and let them go at the speed of the traffic around them."""
        vehicles, book, road_map = self.vehicles, self._book, self.network.road_map
        n = self._n_vehicles
        place = place_vehicles(
            self.network,
            book,
            self._trips,
            self._router,
            Spacing(self._params.spacing),
            vehicles.kind[:n],
            vehicles.length_m[:n],
            self._classes,
            draw,
        )
        spread = self._params.speed_factor_spread
        vehicles.speed_factor[:n] = 1.0 + spread * (2.0 * self._drivers.random(n) - 1.0)
        vehicles.stop[:n] = place.stop
        vehicles.lane[:n] = place.lane
        vehicles.offset_m[:n] = place.offset_m
        edge = book.edge[place.stop]
        limit = vehicles.speed_factor[:n] * road_map.edge_limit_mps[edge]
        desired = np.minimum(limit, self._classes.desired_speed_mps[vehicles.kind[:n]])
        # Who is ahead of whom shows at full speed; then everybody adapts to the gap.
        vehicles.speed_mps[:n] = desired
        self._look_at_start()
        vehicles.cleared[:] = 0
        for k, item in enumerate(self._params.classes.by_kind()):
            rows = np.flatnonzero(vehicles.kind[:n] == k)
            vehicles.speed_mps[rows] = equilibrium_speed_mps(
                vehicles.gap_m[rows], desired[rows], item.driver
            )
        self._kernel.slow_down()
        self._bodies.settle(np.arange(n))
        self._calm()

    def _look_at_start(self) -> None:
        """Let everybody know of those ahead, however dense the fog: nobody begins with a crash."""
        self._kernel.arrange()
        if self._trouble is not None:
            self.vehicles.sight_m[:] = np.inf
        self._kernel.look(self._count, self.lights.at(0, self._id))

    def _calm(self) -> None:
        """Slow down everybody who would have to brake harder than is comfortable.

        Slower leaders slow their followers, hence the rounds. At standstill every gap is
        enough, so they end.
        """
        vehicles = self.vehicles
        while True:
            self._look_at_start()
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
        rows = np.flatnonzero(self.vehicles.stop[: self._n_vehicles] < 0)[:ENTRIES_PER_STEP]
        used: set[int] = set()
        for row in rows.tolist():
            stop = self._trips.draw(self._entries)
            edge = int(self._book.edge[stop])
            spread = self._params.speed_factor_spread
            factor = 1.0 + spread * (2.0 * float(self._drivers.random()) - 1.0)
            if edge in used or (self.crossers is not None and self.crossers.holds(edge)):
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
            if stop < 0 or vehicles.mode[row] != Mode.DRIVEN:
                continue
            if vehicles.stood_s[row] > self._params.patience_s:
                self._take_away(row)
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
                clear = ahead < 0 or vehicles.gap_m[row] > vehicles.lane_end_m[row]
                if clear and self._detours.out_of_lane(row, stop, lane):
                    self._kernel.use_routes(book)

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

        leader, gap_m = vehicles.leader, vehicles.gap_m
        n_obstacles = vehicles.n_rows - self._n_vehicles
        if n_obstacles:
            # Obstacles are no road users: nobody follows them in the fleet.
            leader = np.where(leader < self._n_vehicles, leader, none)
            gap_m = np.where(leader >= 0, gap_m, np.inf)
        fleet = FleetState(
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
            leader=np.where(active, leader, none),
            gap_m=real(gap_m, np.inf),
            turn=self._signs.turn(),
            flags=self._signs.flags(self._id),
        )
        return without_last(fleet, n_obstacles) if n_obstacles else fleet
