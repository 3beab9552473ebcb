"""Platoon management (T/CSAE 157-2020, Msg_CLPMM).

The layout gives the one real frame that was found, byte for byte; what that frame does not show
(lists of joining and leaving members, names of later versions) is our reading.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, ClassVar

from v2x.messages.coding.structure import ListOf, Record
from v2x.messages.coding.symbols import Boolean, Enumerated, Octets
from v2x.messages.coding.wire import Integer
from v2x.messages.csae.elements import Identity, MessageCount, MillisecondInMinute

#: Members of a platoon that a message can name.
MOST_MEMBERS = 32


class PlatoonRole(IntEnum):
    """RoleInPlatooning; roles of later versions are read as free."""

    LEADER = 0
    FOLLOWER = 1
    TAIL = 2
    FREE = 3


class PlatoonStatus(IntEnum):
    """StatusInPlatooning; states of later versions are read as navigating."""

    NAVIGATING = 0
    BEGIN_TO_DISMISS = 1
    ASK_FOR_JOINING = 2
    JOINING = 3
    FOLLOWING = 4
    ASK_FOR_LEAVING = 5
    LEAVING = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Member(Record):
    """A vehicle of a platoon (DF_MemberNode).

    Attributes
    ----------
    vehicle_id
        Its temporary identity.
    """

    EXTENSIBLE: ClassVar[bool] = True
    vehicle_id: Identity


Members = Annotated[tuple[Member, ...], ListOf(Member, 1, MOST_MEMBERS)]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberManagement(Record):
    """What the leader knows of the platoon (DF_MemberManagement).

    Attributes
    ----------
    members
        1 to 32 members from the front to the rear, the leader first.
    joining, leaving
        Vehicles that are let in and let go.
    capacity
        Most members, 1 to 32.
    open_to_join
        Whether others may ask to join.
    """

    EXTENSIBLE: ClassVar[bool] = True
    members: Members
    joining: Members | None = None
    leaving: Members | None = None
    capacity: Annotated[int, Integer(1, MOST_MEMBERS)]
    open_to_join: Annotated[bool, Boolean()]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatoonManagement(Record):
    """What a vehicle says of its platoon, every 100 ms to 1 s.

    Attributes
    ----------
    count
        Running number of the sender's CLPMM, 0 to 127.
    sender_id, second_ms
        Who, and when within the minute.
    platoon_id
        17 octets.
    role, status
        What the sender is in the platoon, and what it is doing there.
    management
        From the leader only.
    """

    EXTENSIBLE: ClassVar[bool] = True
    count: MessageCount
    sender_id: Identity
    second_ms: MillisecondInMinute
    platoon_id: Annotated[bytes, Octets(17, 17)]
    role: Annotated[PlatoonRole, Enumerated(PlatoonRole, later=PlatoonRole.FREE)]
    status: Annotated[PlatoonStatus, Enumerated(PlatoonStatus, later=PlatoonStatus.NAVIGATING)]
    management: MemberManagement | None = None
