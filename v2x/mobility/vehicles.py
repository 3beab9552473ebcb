"""The moving fleet in the arrays of the traffic kernel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from v2x.mobility.car_following import LEAST_GAP_M
from v2x.mobility.control import Controls
from v2x.mobility.dynamics import (
    LEAST_BRAKING_MPS2,
    ROLLING_RESISTANCE,
    specific_drag_per_m,
    specific_power_w_per_kg,
    traction_mps2,
)
from v2x.mobility.junctions import LaneNetwork
from v2x.mobility.lane_change import LaneChangeParams
from v2x.mobility.routes import LANE_VIEW_M
from v2x.mobility.vehicle_classes import VehicleClass
from v2x.units import GRAVITY_MPS2
from v2x.world.road_map import FloatArray, IntArray

#: Edges over which one vehicle may lie, and approaches to nodes per vehicle, of the kernel.
MAX_BACK, APPROACHES_PER_ROW, N_RANKS = 16, 24, 4


@dataclass(frozen=True, slots=True)
class ClassTable:
    """Behaviour of the vehicle classes, one element per class in the order of `NodeKind`.

    Attributes
    ----------
    desired_speed_mps, headway_s, min_gap_m, acceleration_mps2, deceleration_mps2, \
emergency_mps2 : (n_classes,) float64
        See :class:`~v2x.mobility.car_following.IdmParams`.
    power_w_per_kg, drag_per_m : (n_classes,) float64
        Power at the wheels per mass [W/kg], deceleration by air per squared speed [1/m].
    traction_mps2, mass_kg : (n_classes,) float64
        Acceleration the driven wheels can give on a dry road [m/s²]; mass [kg].
    heating_k_per_j : (n_classes,) float64
        Rise of the drums' temperature per heat [K/J]; 0 if they stay cold.
    retarder_w, cooling_w_per_k, cooling_w_per_k_per_mps : (n_classes,) float64
        See :class:`~v2x.mobility.dynamics.BrakeParams`.
    fade_from_k, fade_span_k, fade_loss : (n_classes,) float64
        Temperature above the air at which brakes begin to fade, rise to the end of it [K], and
        share of the braking that is lost then.
    ambient_c : (n_classes,) float64
        Temperature of the air and of cold drums [°C].
    """

    desired_speed_mps: FloatArray
    headway_s: FloatArray
    min_gap_m: FloatArray
    acceleration_mps2: FloatArray
    deceleration_mps2: FloatArray
    emergency_mps2: FloatArray
    power_w_per_kg: FloatArray
    drag_per_m: FloatArray
    traction_mps2: FloatArray
    mass_kg: FloatArray
    heating_k_per_j: FloatArray
    retarder_w: FloatArray
    cooling_w_per_k: FloatArray
    cooling_w_per_k_per_mps: FloatArray
    fade_from_k: FloatArray
    fade_span_k: FloatArray
    fade_loss: FloatArray
    ambient_c: FloatArray

    @classmethod
    def of(cls, classes: Sequence[VehicleClass]) -> ClassTable:
        """Return the table of `classes`."""
        drivers = [item.driver for item in classes]
        brakes = [item.brakes for item in classes]
        return cls(
            np.array([driver.desired_speed_mps for driver in drivers]),
            np.array([driver.headway_s for driver in drivers]),
            np.array([driver.min_gap_m for driver in drivers]),
            np.array([driver.acceleration_mps2 for driver in drivers]),
            np.array([driver.deceleration_mps2 for driver in drivers]),
            np.array([driver.emergency_mps2 for driver in drivers]),
            np.array([specific_power_w_per_kg(item.engine) for item in classes]),
            np.array([specific_drag_per_m(item.engine) for item in classes]),
            np.array([traction_mps2(item.engine) for item in classes]),
            np.array([item.engine.mass_kg for item in classes]),
            np.array([1.0 / brake.heat_capacity_j_per_k for brake in brakes]),
            np.array([brake.retarder_w for brake in brakes]),
            np.array([brake.cooling_w_per_k for brake in brakes]),
            np.array([brake.cooling_w_per_k_per_mps for brake in brakes]),
            np.array([brake.fade_from_c - brake.ambient_c for brake in brakes]),
            np.array([brake.fade_to_c - brake.fade_from_c for brake in brakes]),
            np.array([1.0 - brake.fade_least for brake in brakes]),
            np.array([brake.ambient_c for brake in brakes]),
        )

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.desired_speed_mps)


class Mode(IntEnum):
    """What moves a vehicle."""

    #: Its driver.
    DRIVEN = 0
    #: A forced stop, whatever is ahead: a breakdown or a crash.
    STOPPING = 1
    #: The slope alone: nothing brakes and nothing pulls.
    BRAKELESS = 2


@dataclass(frozen=True, slots=True)
class Vehicles:
    """State of every vehicle; the arrays belong to the model and the kernel writes to them.

    Attributes
    ----------
    kind : (n_rows,) int32
        Class.
    length_m, speed_factor : (n_rows,) float64
        Length [m]; speed the driver takes as limit, relative to the sign.
    stop : (n_rows,) int32
        Stop of the route the front is at; -1 for an empty row.
    lane : (n_rows,) int32
        Lane, during a change the new one.
    from_side : (n_rows,) int32
        During a change old lane minus new lane, else 0.
    cleared : (n_rows,) int32
        Movements ahead that may be made.
    lets_in : (n_rows,) int32
        Row that it lets in before itself, -1 for none.
    ignores : (n_rows,) int32
        Node whose lights, and whose other traffic, it has not noticed; -1 for none, -2 if it may
        pass every red light where nobody is in its way.
    offset_m, speed_mps, acceleration_mps2 : (n_rows,) float64
        Front along the edge [m], speed [m/s], acceleration [m/s²].
    change, settled_s, waited_s, stood_s : (n_rows,) float64
        Share of a lane change that is done; time since it began, waited for others at a
        node, stood still [s].
    leader, leader_hops : (n_rows,) int32
        Row ahead on the own way, -1 for none; edges to it.
    gap_m, available_m : (n_rows,) float64
        Bumper-to-bumper gap; distance before which it must be able to stop [m]; infinite
        where there is none.
    lane_end_m, line_m : (n_rows,) float64
        Distance to the end of a lane that does not lead where it goes, and to the first line
        of this or another kind that it must not pass yet [m]; infinite where there is none.
    wish_mps2 : (n_rows,) float64
        Acceleration the driver wants on the level [m/s²].
    brake_rise_k : (n_rows,) float64
        How much hotter the brakes are than the air [K]; 0 for classes whose brakes stay cold.
    adapting_s : (n_rows,) float64
        Time until the eyes are used to the dark of a tunnel [s].
    free_mps, ease_mps2 : (n_rows,) float64
        Speed the driver would go on an empty road [m/s]; braking found comfortable [m/s²].
    sight_m, delay_s : (n_rows,) float64
        How far the driver sees [m]; how much later than usual it reacts [s].
    stopping_m : (n_rows,) float64
        Distance to where it stops at its hardest [m].
    mode : (n_rows,) int32
        A :class:`Mode`.
    forced_mps2 : (n_rows,) float64
        Deceleration of a forced stop [m/s²].
    events : (n_rows,) int32
        :class:`~v2x.mobility.fleet.KeyEvent` bits that last: lights, a breakdown, an air bag.
    controls : Controls
        What is asked from outside.
    """

    kind: IntArray
    length_m: FloatArray
    speed_factor: FloatArray
    stop: IntArray
    lane: IntArray
    from_side: IntArray
    cleared: IntArray
    lets_in: IntArray
    ignores: IntArray
    offset_m: FloatArray
    speed_mps: FloatArray
    acceleration_mps2: FloatArray
    change: FloatArray
    settled_s: FloatArray
    waited_s: FloatArray
    stood_s: FloatArray
    leader: IntArray
    leader_hops: IntArray
    gap_m: FloatArray
    available_m: FloatArray
    lane_end_m: FloatArray
    line_m: FloatArray
    wish_mps2: FloatArray
    brake_rise_k: FloatArray
    adapting_s: FloatArray
    free_mps: FloatArray
    ease_mps2: FloatArray
    sight_m: FloatArray
    delay_s: FloatArray
    stopping_m: FloatArray
    mode: IntArray
    forced_mps2: FloatArray
    events: IntArray
    controls: Controls

    @classmethod
    def empty(cls, kind: IntArray, length_m: FloatArray) -> Vehicles:
        """Return as many empty rows as there are kinds and lengths."""
        n = len(kind)

        def none() -> IntArray:
            return np.full(n, -1, dtype=np.int32)

        def zero() -> NDArray[np.int32]:
            return np.zeros(n, dtype=np.int32)

        def real(value: float = 0.0) -> FloatArray:
            return np.full(n, value)

        return cls(
            kind=kind,
            length_m=length_m,
            speed_factor=real(1.0),
            stop=none(),
            lane=zero(),
            from_side=zero(),
            cleared=zero(),
            lets_in=none(),
            ignores=none(),
            offset_m=real(),
            speed_mps=real(),
            acceleration_mps2=real(),
            change=real(),
            settled_s=real(),
            waited_s=real(),
            stood_s=real(),
            leader=none(),
            leader_hops=zero(),
            gap_m=real(np.inf),
            available_m=real(np.inf),
            lane_end_m=real(np.inf),
            line_m=real(np.inf),
            wish_mps2=real(),
            brake_rise_k=real(),
            adapting_s=real(),
            free_mps=real(),
            ease_mps2=real(),
            sight_m=real(),
            delay_s=real(),
            stopping_m=real(),
            mode=zero(),
            forced_mps2=real(),
            events=zero(),
            controls=Controls.none(n),
        )

    @property
    def n_rows(self) -> int:
        """Number of rows, empty ones included."""
        return len(self.stop)

    def put(self, row: int, stop: int, lane: int, offset_m: float, speed_mps: float) -> None:
        """Put a new vehicle into an empty row."""
        self.stop[row] = stop
        self.lane[row] = lane
        self.offset_m[row] = offset_m
        self.speed_mps[row] = speed_mps
        for name in ("from_side", "cleared", "change", "settled_s", "waited_s", "stood_s"):
            getattr(self, name)[row] = 0
        self.mode[row] = self.events[row] = 0
        for name in ("acceleration_mps2", "brake_rise_k", "adapting_s", "forced_mps2"):
            getattr(self, name)[row] = 0.0
        self.controls.clear(np.array([row]))
        self.lets_in[row] = -1
        self.ignores[row] = -1


@dataclass(frozen=True, slots=True)
class Workspace:
    """Arrays in which the kernel sorts; of interest are the sorted presences.

    Attributes
    ----------
    first_present : (n_edges + 1,) int32
        First presence on each edge.
    row, front_m : (n_presences,) int32 and float64
        Vehicle and its front along the edge [m]; beyond the edge's length if only its rear
        is on the edge. Sorted by front on each edge.
    lane_reach_m : (n_lanes,) float64
        How far on a lane vehicles of earlier edges may come before they can stop [m].
    halt_m : (n_rows * n_classes,) float64
        Where each vehicle would stop with the cold brakes of each class [m ahead].
    """

    order: IntArray
    place: IntArray
    ranked: IntArray
    first_present: IntArray
    lane_reach_m: FloatArray
    node_first: IntArray
    node_waiting: IntArray
    row: IntArray
    at_stop: IntArray
    shift: IntArray
    front_m: FloatArray
    approach_next: IntArray
    approach_row: IntArray
    approach_move: IntArray
    approach_low: IntArray
    approach_high: IntArray
    approach_m: FloatArray
    halt_m: FloatArray

    @classmethod
    def of(cls, network: LaneNetwork, n_rows: int, n_classes: int) -> Workspace:
        """Return a workspace for a network and a number of vehicles and of their classes."""

        def ints(n: int) -> IntArray:
            return np.zeros(n, dtype=np.int32)

        road_map = network.road_map
        presences, approaches = n_rows * (MAX_BACK + 1), n_rows * APPROACHES_PER_ROW
        return cls(
            order=np.arange(n_rows, dtype=np.int32),
            place=ints(n_rows),
            ranked=ints(n_rows + N_RANKS),
            first_present=ints(road_map.n_edges + 1),
            lane_reach_m=np.zeros(int(network.lane_base[-1])),
            node_first=ints(road_map.n_nodes),
            node_waiting=ints(road_map.n_nodes),
            row=ints(presences),
            at_stop=ints(presences),
            shift=ints(presences),
            front_m=np.zeros(presences),
            approach_next=ints(approaches),
            approach_row=ints(approaches),
            approach_move=ints(approaches),
            approach_low=ints(approaches),
            approach_high=ints(approaches),
            approach_m=np.zeros(approaches),
            halt_m=np.zeros(n_rows * n_classes),
        )


@dataclass(frozen=True, slots=True)
class Settings:
    """Constants of a run in the form of the kernel.

    Attributes
    ----------
    step_s
        Longest step [s].
    grade_compensation
        Share of gravity on a slope that drivers make up for.
    courtesy_s
        How long somebody must have waited before those with priority let it in [s].
    longest_m
        Length of the longest vehicle [m].
    clearance_m
        Gap that nobody may give up, even when braking as hard as possible [m].
    view_m, view_s
        How far drivers look ahead: a distance plus what they cover in a time [m], [s].
    comfort_share
        Share of the braking that the road allows that drivers like to use.
    yellow_mps2
        Braking that drivers accept for a light that has just turned [m/s²]; what they find
        comfortable is always accepted.
    adaptation_s, dark_delay_s
        Time until eyes are used to the dark, and how much later drivers react meanwhile [s].
    only_sight
        Whether nothing beyond a driver's sight is seen, not even by those who could not stop
        within it; else such drivers know what is within their stopping distance.
    """

    step_s: float
    grade_compensation: float
    courtesy_s: float
    longest_m: float
    lane_change: LaneChangeParams
    clearance_m: float = 0.3
    view_m: float = 60.0
    view_s: float = 8.0
    least_gap_m: float = LEAST_GAP_M
    lane_view_m: float = LANE_VIEW_M
    comfort_share: float = 0.5
    yellow_mps2: float = 0.0
    adaptation_s: float = 6.0
    dark_delay_s: float = 0.5
    only_sight: bool = False
    gravity_mps2: float = GRAVITY_MPS2
    rolling_resistance: float = ROLLING_RESISTANCE
    least_braking_mps2: float = LEAST_BRAKING_MPS2

    @property
    def period_steps(self) -> int:
        """Steps between two looks at the neighbouring lanes: one second."""
        return max(1, round(1.0 / self.step_s))
