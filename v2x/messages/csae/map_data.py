"""Map message: nodes, the roads into them, lanes and where they lead (T/CSAE 53-2020, Msg_MAP)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Annotated, ClassVar

from v2x.messages.coding.structure import Choice, ListOf, Record
from v2x.messages.coding.symbols import Enumerated, Flags
from v2x.messages.coding.wire import (
    Integer,
    Scaled,
)
from v2x.messages.csae.elements import (
    DescriptiveName,
    MessageCount,
    MinuteOfYear,
    NodeReference,
    PhaseId,
    Position3D,
    Speed,
)
from v2x.messages.csae.offsets import PositionOffset

#: Lane or link width [m].
Width = Annotated[float, Scaled(0, 32_767, (1, 100))]
#: LaneID, from the left; 0 if it is not known.
LaneId = Annotated[int, Integer(0, 255)]


class SpeedLimitType(IntEnum):
    """Whom and when a speed limit is for."""

    UNKNOWN = 0
    MAX_IN_SCHOOL_ZONE = 1
    MAX_IN_SCHOOL_ZONE_WITH_CHILDREN = 2
    MAX_IN_CONSTRUCTION_ZONE = 3
    VEHICLE_MIN = 4
    VEHICLE_MAX = 5
    VEHICLE_NIGHT_MAX = 6
    TRUCK_MIN = 7
    TRUCK_MAX = 8
    TRUCK_NIGHT_MAX = 9
    TRAILER_MIN = 10
    TRAILER_MAX = 11
    TRAILER_NIGHT_MAX = 12


class Maneuver(IntFlag):
    """AllowedManeuvers at the end of a lane; bit 11 is reserved."""

    STRAIGHT = 1 << 0
    LEFT = 1 << 1
    RIGHT = 1 << 2
    U_TURN = 1 << 3
    LEFT_ON_RED = 1 << 4
    RIGHT_ON_RED = 1 << 5
    LANE_CHANGE = 1 << 6
    NO_STOPPING = 1 << 7
    YIELD_ALWAYS = 1 << 8
    GO_WITH_HALT = 1 << 9
    CAUTION = 1 << 10


class LaneSharing(IntFlag):
    """Who else may use a lane."""

    OVERLAPPING_DESCRIPTION = 1 << 0
    SEVERAL_LANES_AS_ONE = 1 << 1
    OTHER_NON_MOTORIZED = 1 << 2
    INDIVIDUAL_MOTORIZED = 1 << 3
    BUS = 1 << 4
    TAXI = 1 << 5
    PEDESTRIANS = 1 << 6
    CYCLISTS = 1 << 7
    TRACKED_VEHICLES = 1 << 8
    PEDESTRIAN_TRAFFIC = 1 << 9


class VehicleLane(IntFlag):
    """LaneAttributes-Vehicle; FLY_OVER: not at grade, which tells decks apart."""

    REVOCABLE = 1 << 0
    FLY_OVER = 1 << 1
    CAR_POOL = 1 << 2
    BUS_ONLY = 1 << 3
    TAXI_ONLY = 1 << 4
    NOT_PUBLIC = 1 << 5
    INFRARED_BEACON = 1 << 6
    ON_REQUEST = 1 << 7


class CrosswalkLane(IntFlag):
    """LaneAttributes-Crosswalk; bits 9 to 15 are reserved."""

    REVOCABLE = 1 << 0
    BICYCLES_ALLOWED = 1 << 1
    FLY_OVER = 1 << 2
    FIXED_CYCLE = 1 << 3
    TWO_WAY_CYCLES = 1 << 4
    PUSH_BUTTON = 1 << 5
    AUDIO = 1 << 6
    RADIO_REQUEST = 1 << 7
    UNSIGNALISED_PARTS = 1 << 8


class BikeLane(IntFlag):
    """LaneAttributes-Bike; bits 7 to 15 are reserved."""

    REVOCABLE = 1 << 0
    PEDESTRIANS_ALLOWED = 1 << 1
    FLY_OVER = 1 << 2
    FIXED_CYCLE = 1 << 3
    TWO_WAY_CYCLES = 1 << 4
    ISOLATED_BY_BARRIER = 1 << 5
    UNSIGNALISED_PARTS = 1 << 6


class SidewalkLane(IntFlag):
    """LaneAttributes-Sidewalk; bits 4 to 15 are reserved."""

    REVOCABLE = 1 << 0
    BICYCLES_ALLOWED = 1 << 1
    FLY_OVER = 1 << 2
    WALK_BICYCLES = 1 << 3


class BarrierLane(IntFlag):
    """LaneAttributes-Barrier; bits 10 to 15 are reserved."""

    REVOCABLE = 1 << 0
    MEDIAN = 1 << 1
    WHITE_HASHING = 1 << 2
    STRIPES = 1 << 3
    DOUBLE_STRIPES = 1 << 4
    CONES = 1 << 5
    CONSTRUCTION_BARRIER = 1 << 6
    CHANNELS = 1 << 7
    LOW_CURBS = 1 << 8
    HIGH_CURBS = 1 << 9


class StripingLane(IntFlag):
    """LaneAttributes-Striping; bits 6 to 15 are reserved."""

    REVOCABLE = 1 << 0
    DRAW_ON_LEFT = 1 << 1
    DRAW_ON_RIGHT = 1 << 2
    CONNECTS_LEFT = 1 << 3
    CONNECTS_RIGHT = 1 << 4
    CONNECTS_AHEAD = 1 << 5


class TrackedLane(IntFlag):
    """LaneAttributes-TrackedVehicle; bits 5 to 15 are reserved."""

    REVOCABLE = 1 << 0
    COMMUTER_RAIL = 1 << 1
    LIGHT_RAIL = 1 << 2
    HEAVY_RAIL = 1 << 3
    OTHER_RAIL = 1 << 4


class ParkingLane(IntFlag):
    """LaneAttributes-Parking; bits 7 to 15 are reserved."""

    REVOCABLE = 1 << 0
    PARALLEL = 1 << 1
    HEAD_IN = 1 << 2
    NO_PARKING = 1 << 3
    BUS = 1 << 4
    TAXI = 1 << 5
    NOT_PUBLIC = 1 << 6


LaneType = (
    VehicleLane
    | CrosswalkLane
    | BikeLane
    | SidewalkLane
    | BarrierLane
    | StripingLane
    | TrackedLane
    | ParkingLane
)
_LANE_TYPE = Choice(
    {
        "vehicle": Flags(VehicleLane, 8, extensible=True),
        "crosswalk": Flags(CrosswalkLane, 16),
        "bike": Flags(BikeLane, 16),
        "sidewalk": Flags(SidewalkLane, 16),
        "barrier": Flags(BarrierLane, 16),
        "striping": Flags(StripingLane, 16),
        "tracked": Flags(TrackedLane, 16),
        "parking": Flags(ParkingLane, 16),
    },
    (
        *(VehicleLane, CrosswalkLane, BikeLane, SidewalkLane),
        *(BarrierLane, StripingLane, TrackedLane, ParkingLane),
    ),
    extensible=True,
)
_MANEUVERS = Flags(Maneuver, 12)
Maneuvers = Annotated[Maneuver, _MANEUVERS]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedLimit(Record):
    """A limit and whom it is for (DF_RegulatorySpeedLimit).

    Attributes
    ----------
    kind
        Kinds of later versions are read as unknown.
    speed_mps
        The limit, in steps of 0.02 m/s.
    """

    kind: Annotated[SpeedLimitType, Enumerated(SpeedLimitType, later=SpeedLimitType.UNKNOWN)]
    speed_mps: Speed


SpeedLimits = Annotated[tuple[SpeedLimit, ...], ListOf(SpeedLimit, 1, 9)]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadPoint(Record):
    """A point of a centre line (DF_RoadPoint).

    Attributes
    ----------
    offset
        Relative to the position of the node.
    """

    EXTENSIBLE: ClassVar[bool] = True
    offset: PositionOffset


#: Upstream first; the last is at the stop line.
Points = Annotated[tuple[RoadPoint, ...], ListOf(RoadPoint, 2, 31)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectingLane(Record):
    """A lane behind the node (DF_ConnectingLane).

    Attributes
    ----------
    lane
        Its number on its link.
    maneuver
        How one gets there.
    """

    lane: LaneId
    maneuver: Maneuvers | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection(Record):
    """Where a lane leads (DF_Connection).

    Attributes
    ----------
    remote_node
        The node at the end of the link it leads onto.
    lane
        The lane of that link.
    phase_id
        Phase of the signal, if not that of the movement.
    """

    remote_node: NodeReference
    lane: ConnectingLane | None = None
    phase_id: PhaseId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneAttributes(Record):
    """Kind of a lane (DF_LaneAttributes).

    Attributes
    ----------
    shared_with
        Who else may use it.
    kind
        Flags of one of the eight kinds of lane; none set is allowed.
    """

    shared_with: Annotated[LaneSharing, Flags(LaneSharing, 10)] | None = None
    kind: Annotated[LaneType, _LANE_TYPE]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane(Record):
    """A lane (DF_Lane).

    Attributes
    ----------
    lane_id
        Number from the left, beginning with 1 (T/CSAE 159-2020).
    width_m
        In steps of 1 cm.
    attributes, maneuvers, speed_limits
        What it is, where it may lead, and how fast one may drive.
    connections
        Where it does lead.
    points
        Its centre line.
    """

    EXTENSIBLE: ClassVar[bool] = True
    lane_id: LaneId
    width_m: Width | None = None
    attributes: LaneAttributes | None = None
    maneuvers: Maneuvers | None = None
    connections: Annotated[tuple[Connection, ...], ListOf(Connection, 1, 16)] | None = None
    speed_limits: SpeedLimits | None = None
    points: Points | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement(Record):
    """A way over the node (DF_Movement).

    Attributes
    ----------
    remote_node
        The node at the end of the link it leads onto.
    phase_id
        Phase of the signal it obeys.
    """

    remote_node: NodeReference
    phase_id: PhaseId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Link(Record):
    """A road into a node (DF_Link).

    Attributes
    ----------
    name
        Name of the road.
    upstream_node
        Where it comes from.
    speed_limits
        Limits on all its lanes.
    width_m
        In steps of 1 cm.
    points
        Its centre line.
    movements
        Where it leads.
    lanes
        1 to 32.
    """

    EXTENSIBLE: ClassVar[bool] = True
    name: DescriptiveName | None = None
    upstream_node: NodeReference
    speed_limits: SpeedLimits | None = None
    width_m: Width | None = None
    points: Points | None = None
    movements: Annotated[tuple[Movement, ...], ListOf(Movement, 1, 32)] | None = None
    lanes: Annotated[tuple[Lane, ...], ListOf(Lane, 1, 32)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Node(Record):
    """A junction or the end of a road (DF_Node).

    Attributes
    ----------
    name, node
        What it is called.
    position
        Its middle, from which all offsets in it count.
    links
        The roads that end here; those that begin here belong to the nodes they lead to.
    """

    EXTENSIBLE: ClassVar[bool] = True
    name: DescriptiveName | None = None
    node: NodeReference
    position: Position3D
    links: Annotated[tuple[Link, ...], ListOf(Link, 1, 32)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MapData(Record):
    """A piece of the map, at least every second.

    Attributes
    ----------
    count
        Running number of the sender's MAP, 0 to 127.
    minute_of_year
        When the message was made.
    nodes
        1 to 63.
    """

    EXTENSIBLE: ClassVar[bool] = True
    count: MessageCount
    minute_of_year: MinuteOfYear | None = None
    nodes: Annotated[tuple[Node, ...], ListOf(Node, 1, 63)]
