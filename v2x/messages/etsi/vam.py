"""VRU awareness message: what a vulnerable road user says of itself (TS 103 300-3).

The measured size of applications.md 2.4 covers basic and high-frequency container; the others are
of medium confidence.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Annotated, ClassVar

from v2x.messages.coding.structure import Record
from v2x.messages.coding.symbols import Flags
from v2x.messages.coding.wire import Integer, Scaled
from v2x.messages.etsi.cam import (
    LIGHTS_OFF,
    BasicContainer,
    Curvature,
    CurvatureModeCode,
    ExteriorLights,
    YawRate,
)
from v2x.messages.etsi.elements import (
    Acceleration,
    GenerationTime,
    Heading,
    ItsPduHeader,
    Speed,
)
from v2x.messages.etsi.road_users import Byte, VruCluster, VruKind
from v2x.messages.etsi.wire import NotModelled


class SizeClass(IntEnum):
    """VruSizeClass; the numbers above 3 are reserved."""

    UNAVAILABLE = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3


class DeviceUsage(IntFlag):
    """Switches of a bicycle that are on (VruSpecificExteriorLights)."""

    BACK_FLASH = 1 << 0
    HELMET = 1 << 1
    ARM = 1 << 2
    LEG = 1 << 3
    WHEEL = 1 << 4


_NO_DEVICES = DeviceUsage(0)


class LeaveReason(IntEnum):
    """ClusterLeaveReason; the numbers above 8 are reserved."""

    NOT_PROVIDED = 0
    LEADER_LOST = 1
    DISBANDED = 2
    OUT_OF_BOX = 3
    OUT_OF_SPEED = 4
    JOINING_ANOTHER = 5
    CANCELLED_JOIN = 6
    FAILED_JOIN = 7
    SAFETY = 8


class BreakupReason(IntEnum):
    """ClusterBreakupReason; the numbers above 5 are reserved."""

    NOT_PROVIDED = 0
    PURPOSE_COMPLETED = 1
    LEADER_MOVED_OUT = 2
    JOINING_ANOTHER = 3
    ENTERING_LOW_RISK = 4
    RECEPTION_OF_CPM = 5


#: DeltaTimeQuarterSecond [s]; 63.5 means that or more.
QuarterSeconds = Annotated[float, Scaled(1, 255, (1, 4))]
_REASON = Integer(0, 15)


@dataclass(frozen=True, slots=True, kw_only=True)
class VruHighFrequency(Record):
    """What changes fast (VruHighFrequencyContainer).

    Attributes
    ----------
    heading, speed, longitudinal_acceleration
        Motion over ground.
    curvature, curvature_mode, yaw_rate, lateral_acceleration, vertical_acceleration
        What few devices know.
    lane, environment, movement_control, orientation, roll, device_usage
        Not modelled.
    """

    EXTENSIBLE: ClassVar[bool] = True
    heading: Heading
    speed: Speed
    longitudinal_acceleration: Acceleration
    curvature: Curvature | None = None
    curvature_mode: CurvatureModeCode | None = None
    yaw_rate: YawRate | None = None
    lateral_acceleration: Acceleration | None = None
    vertical_acceleration: Acceleration | None = None
    lane: Annotated[None, NotModelled()] | None = None
    environment: Annotated[None, NotModelled()] | None = None
    movement_control: Annotated[None, NotModelled()] | None = None
    orientation: Annotated[None, NotModelled()] | None = None
    roll: Annotated[None, NotModelled()] | None = None
    device_usage: Annotated[None, NotModelled()] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VruLights(Record):
    """Lights of a vulnerable road user (VruExteriorLights).

    Attributes
    ----------
    vehicular
        Lights as vehicles have them.
    specific
        Five of eight bits are named.
    """

    vehicular: Annotated[ExteriorLights, Flags(ExteriorLights, 8)] = LIGHTS_OFF
    specific: Annotated[DeviceUsage, Flags(DeviceUsage, 8)] = _NO_DEVICES


@dataclass(frozen=True, slots=True, kw_only=True)
class VruLowFrequency(Record):
    """What changes slowly (VruLowFrequencyContainer).

    Attributes
    ----------
    kind
        Profile and sub profile.
    size_class
        SizeClass as a number, 0 to 15.
    lights
        Lights that are on.
    """

    EXTENSIBLE: ClassVar[bool] = True
    kind: VruKind | None = None
    size_class: Annotated[int, Integer(0, 15)] | None = None
    lights: VruLights | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterInformation(Record):
    """What a leader says of its cluster (VruClusterInformationContainer).

    Attributes
    ----------
    cluster
        The cluster.
    """

    EXTENSIBLE: ClassVar[bool] = True
    cluster: VruCluster


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterJoin(Record):
    """That the sender is about to join (ClusterJoinInfo).

    Attributes
    ----------
    cluster_id
        Which cluster.
    in_s
        When.
    """

    cluster_id: Byte
    in_s: QuarterSeconds


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterLeave(Record):
    """That the sender has left (ClusterLeaveInfo).

    Attributes
    ----------
    cluster_id
        Which cluster.
    reason
        LeaveReason as a number, 0 to 15.
    """

    cluster_id: Byte
    reason: Annotated[int, _REASON]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterBreakup(Record):
    """That a cluster ends (ClusterBreakupInfo).

    Attributes
    ----------
    reason
        BreakupReason as a number, 0 to 15.
    in_s
        When.
    """

    reason: Annotated[int, _REASON]
    in_s: QuarterSeconds


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterOperation(Record):
    """What is about to happen to a cluster (VruClusterOperationContainer).

    Attributes
    ----------
    join, leave, breakup
        One of them.
    id_change_in_s
        When the number of the cluster changes.
    """

    EXTENSIBLE: ClassVar[bool] = True
    join: ClusterJoin | None = None
    leave: ClusterLeave | None = None
    breakup: ClusterBreakup | None = None
    id_change_in_s: QuarterSeconds | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VamParameters(Record):
    """The containers of a VAM (VamParameters).

    Attributes
    ----------
    basic
        Who and where.
    high_frequency
        Motion.
    low_frequency
        Kind and lights; at most every 2 s.
    cluster, cluster_operation
        In VAMs of leaders, and around joining, leaving and breaking up.
    motion_prediction
        Not modelled.
    """

    EXTENSIBLE: ClassVar[bool] = True
    basic: BasicContainer
    high_frequency: VruHighFrequency
    low_frequency: VruLowFrequency | None = None
    cluster: ClusterInformation | None = None
    cluster_operation: ClusterOperation | None = None
    motion_prediction: Annotated[None, NotModelled()] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VruAwareness(Record):
    """State of a vulnerable road user or of a cluster (VAM).

    Attributes
    ----------
    header
        Message 16 and the pseudonym of the sender.
    generation_time_ms
        When its position held, modulo 65536.
    parameters
        The containers.
    """

    header: ItsPduHeader
    generation_time_ms: GenerationTime
    parameters: VamParameters
