"""Parking area (T/CSAE 157-2020, Msg_PAM); the byte layout is our own."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Annotated, ClassVar

from v2x.messages.coding.structure import ListOf, Record
from v2x.messages.coding.symbols import Boolean, Enumerated, Flags
from v2x.messages.coding.wire import Integer, Scaled
from v2x.messages.csae.day2.elements import RequestId
from v2x.messages.csae.day2.vir import ParkingKinds, SlotNumber
from v2x.messages.csae.elements import (
    DescriptiveName,
    Identity,
    MessageCount,
    MinuteOfYear,
    Position3D,
    Speed,
)
from v2x.messages.csae.offsets import PositionOffset


class ParkingAutomation(IntEnum):
    """AVPType: how far vehicles may park themselves, from not at all to wholly."""

    P0 = 0
    P1 = 1
    P2 = 2
    P3 = 3
    P4 = 4
    P5 = 5


class SlotStatus(IntEnum):
    """SlotStatus; those of later versions are read as unknown."""

    UNKNOWN = 0
    AVAILABLE = 1
    OCCUPIED = 2


class SlotAngle(IntEnum):
    """ParkingSpaceTheta; those of later versions are read as unknown."""

    UNKNOWN = 0
    VERTICAL = 1
    SIDE = 2
    OBLIQUE = 3


class SlotLock(IntEnum):
    """ParkingLock; those of later versions are read as unknown."""

    UNKNOWN = 0
    NO_LOCK = 1
    LOCKED = 2
    UNLOCKED = 3


class ParkingNodeAttribute(IntFlag):
    """PAMNodeAttributes."""

    ENTRANCE = 1 << 0
    EXIT = 1 << 1
    TO_UPSTAIRS = 1 << 2
    TO_DOWNSTAIRS = 1 << 3
    ELECTRONIC_TOLL = 1 << 4
    MANUAL_TOLL = 1 << 5
    PASS_AFTER_PAYMENT = 1 << 6
    BLOCKED = 1 << 7


ParkingNodeId = Annotated[int, Integer(0, 65_535)]
_NODES = ListOf(Integer(0, 65_535), 1, 32)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkingLot(Record):
    """The area as a whole (DF_ParkingLotInfo).

    Attributes
    ----------
    lot_id, name
        Which one.
    n_slots, n_levels
        How large it is.
    automation
        How far vehicles may park themselves; levels of later versions are read as none.
    """

    EXTENSIBLE: ClassVar[bool] = True
    lot_id: Annotated[int, Integer(0, 65_535)] | None = None
    name: DescriptiveName | None = None
    n_slots: Annotated[int, Integer(0, 65_535)] | None = None
    n_levels: Annotated[int, Integer(0, 256)] | None = None
    automation: (
        Annotated[ParkingAutomation, Enumerated(ParkingAutomation, later=ParkingAutomation.P0)]
        | None
    ) = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotCorners(Record):
    """Three corners of a slot (DF_ParkingSlotPosition).

    Attributes
    ----------
    top_left, top_right, bottom_left
        Relative to the node of the drive.
    """

    top_left: PositionOffset
    top_right: PositionOffset
    bottom_left: PositionOffset


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkingSlot(Record):
    """A place to park (DF_ParkingSlot).

    Attributes
    ----------
    slot_id, sign
        Number, and the name on its sign.
    corners
        Where it is.
    kind
        What it is for.
    status, angle, lock
        Whether it is free, how it lies to the drive, and whether it is locked.
    """

    EXTENSIBLE: ClassVar[bool] = True
    slot_id: SlotNumber
    corners: SlotCorners | None = None
    sign: DescriptiveName | None = None
    kind: ParkingKinds
    status: Annotated[SlotStatus, Enumerated(SlotStatus, later=SlotStatus.UNKNOWN)]
    angle: Annotated[SlotAngle, Enumerated(SlotAngle, later=SlotAngle.UNKNOWN)]
    lock: Annotated[SlotLock, Enumerated(SlotLock, later=SlotLock.UNKNOWN)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkingDrive(Record):
    """A way to a node of the area (DF_PAMDrive).

    Attributes
    ----------
    upstream_node, drive_id
        Where it comes from, and its number.
    separated
        Whether the two directions are apart.
    speed_limit_mps, height_limit_m, width_m
        What may drive there; steps of 0.02 m/s, 0.1 m and 1 cm.
    n_lanes
        Lanes.
    points
        2 to 31 points, relative to the node.
    onward
        1 to 32 nodes that one can go on to.
    slots
        1 to 256 slots along it.
    """

    EXTENSIBLE: ClassVar[bool] = True
    upstream_node: ParkingNodeId
    drive_id: Annotated[int, Integer(0, 255)] | None = None
    separated: Annotated[bool, Boolean()] | None = None
    speed_limit_mps: Speed | None = None
    height_limit_m: Annotated[float, Scaled(0, 100, (1, 10))] | None = None
    width_m: Annotated[float, Scaled(0, 32_767, (1, 100))] | None = None
    n_lanes: Annotated[int, Integer(0, 100)] | None = None
    points: Annotated[tuple[PositionOffset, ...], ListOf(PositionOffset, 2, 31)] | None = None
    onward: Annotated[tuple[int, ...], _NODES] | None = None
    slots: Annotated[tuple[ParkingSlot, ...], ListOf(ParkingSlot, 1, 256)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkingNode(Record):
    """A node of the area (DF_PAMNode).

    Attributes
    ----------
    node_id, position
        Number and place.
    floor
        -128 to 128, 0 is the ground.
    attributes
        What it leads to.
    drives
        1 to 63 drives that end there.
    """

    EXTENSIBLE: ClassVar[bool] = True
    node_id: ParkingNodeId
    position: Position3D
    floor: Annotated[int, Integer(-128, 128)] | None = None
    attributes: Annotated[ParkingNodeAttribute, Flags(ParkingNodeAttribute, 8)] | None = None
    drives: Annotated[tuple[ParkingDrive, ...], ListOf(ParkingDrive, 1, 63)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkingGuide(Record):
    """Where one vehicle should park (DF_ParkingGuide).

    Attributes
    ----------
    vehicle_id
        The vehicle.
    nodes
        1 to 32 nodes of its way.
    slot
        The slot that is kept for it.
    request_id
        Request of the vehicle that this answers; an addition of ours, as in RSC.
    """

    EXTENSIBLE: ClassVar[bool] = True
    vehicle_id: Identity
    nodes: Annotated[tuple[int, ...], _NODES]
    slot: SlotNumber | None = None
    request_id: RequestId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkingArea(Record):
    """A parking area, every second.

    Attributes
    ----------
    count
        Running number of the sender's PAM, 0 to 127.
    minute_of_year
        When the message was made.
    lot
        The area as a whole.
    nodes
        1 to 63 nodes.
    guidance
        1 to 16 vehicles on their way.
    """

    EXTENSIBLE: ClassVar[bool] = True
    count: MessageCount
    minute_of_year: MinuteOfYear | None = None
    lot: ParkingLot
    nodes: Annotated[tuple[ParkingNode, ...], ListOf(ParkingNode, 1, 63)]
    guidance: Annotated[tuple[ParkingGuide, ...], ListOf(ParkingGuide, 1, 16)] | None = None
