"""What the roadside unit of a garage says, and how long that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

from v2x.applications.services.air_sizes import roadside_bytes, vehicle_bytes
from v2x.applications.services.parking.params import ParkingParams
from v2x.messages.coding.wire import UNAVAILABLE
from v2x.messages.csae.day2.dialogues.parking import (
    ParkingBook,
    guides,
    open_book,
    parking_heard,
)
from v2x.messages.csae.day2.dialogues.requests import Answer
from v2x.messages.csae.day2.elements import DriveBehaviour
from v2x.messages.csae.day2.frame import size_bytes
from v2x.messages.csae.day2.pam import ParkingArea, ParkingGuide, ParkingLot, ParkingNode
from v2x.messages.csae.day2.vir import (
    DriveRequest,
    ParkingKind,
    ParkingRequest,
    ParkingWish,
    RequestStatus,
    VehicleIntention,
)
from v2x.messages.csae.elements import Position3D, VehicleClassification

_SOMEBODY = bytes(8)
_NOWHERE = Position3D(latitude_deg=UNAVAILABLE, longitude_deg=UNAVAILABLE)
#: Class of a car in messages.
_CAR = 10
#: What everybody asks for.
WISH = ParkingRequest(
    vehicle_class=VehicleClassification(basic=_CAR),
    wishes=ParkingWish.ENTER | ParkingWish.PARK,
    kinds=ParkingKind.ORDINARY,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkingWord:
    """Content of a VIR with a request for a slot.

    Attributes
    ----------
    sender_id
        Who asks.
    request
        The request.
    """

    sender_id: bytes
    request: DriveRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaWord:
    """Content of a PAM: the garage as a whole, and who goes where.

    Attributes
    ----------
    guidance
        Vehicles on their way.
    """

    guidance: tuple[ParkingGuide, ...]

    def answer_to(self, vehicle_id: bytes) -> Answer | None:
        """Return what it answers to a vehicle, None for nothing."""
        for guide in self.guidance:
            if guide.vehicle_id == vehicle_id:
                return Answer(request_id=guide.request_id, accepted=True, slot=guide.slot)
        return None


class ParkingDesk:
    """The unit at the entrance: hears requests, keeps slots, and tells of them.

    Parameters
    ----------
    params
        Section of the scenario.
    """

    def __init__(self, params: ParkingParams) -> None:
        self._most, garage = params.most_guides, params.garage
        self._book: ParkingBook = open_book(
            dict.fromkeys(range(garage.n_slots), ParkingKind.ORDINARY)
        )
        # A node for the entrance, and one for the aisle of each level.
        self._ways: Mapping[int, tuple[int, ...]] = {
            slot: tuple(range(slot // garage.level_slots + 2)) for slot in range(garage.n_slots)
        }

    def hear(self, now_us: int, word: ParkingWord, occupied: frozenset[int]) -> None:
        """Take a request; see :func:`parking_heard`."""
        self._book = parking_heard(self._book, now_us, word.sender_id, word.request, occupied)

    def parked(self, now_us: int, vehicle_id: bytes) -> None:
        """End the promises to a vehicle that has parked, as the sensors of the garage say."""
        for grant in self._book.grants:
            if grant.requester_id == vehicle_id and grant.holds:
                done = DriveRequest(
                    request_id=grant.request_id, status=RequestStatus.COMPLETE, life_time_s=1.0
                )
                self._book = parking_heard(self._book, now_us, vehicle_id, done, frozenset())

    def messages(self, now_us: int) -> list[AreaWord]:
        """Return what is told now; one message without guidance if nobody is on the way."""
        told = [item for part in guides(self._book, now_us, dict(self._ways)) for item in part]
        pieces = [told[k : k + self._most] for k in range(0, len(told), self._most)]
        return [AreaWord(guidance=tuple(piece)) for piece in pieces or [[]]]


@cache
def request_bytes() -> int:
    """Return the size on the air of a VIR that asks for a slot [byte]."""
    request = DriveRequest(
        request_id=0, status=RequestStatus.REQUEST, target_rsu=_SOMEBODY, info=WISH, life_time_s=1.0
    )
    message = VehicleIntention(
        count=0,
        sender_id=_SOMEBODY,
        second_ms=0.0,
        position=_NOWHERE,
        behaviour=DriveBehaviour.GO_STRAIGHT,
        requests=(request,),
    )
    return vehicle_bytes(size_bytes(message))


@cache
def area_bytes(n_levels: int, n_guides: int) -> int:
    """Return the size on the air of a PAM that guides so many vehicles [byte]."""
    nodes = tuple(
        ParkingNode(node_id=k, position=_NOWHERE, floor=k - 1) for k in range(n_levels + 1)
    )
    guide = ParkingGuide(
        vehicle_id=_SOMEBODY, nodes=tuple(range(n_levels + 1)), slot=0, request_id=0
    )
    area = ParkingArea(count=0, lot=ParkingLot(lot_id=0, n_slots=1, n_levels=1), nodes=nodes)
    if n_guides:
        area = replace(area, guidance=(guide,) * n_guides)
    return roadside_bytes(size_bytes(area), with_certificate=True)
