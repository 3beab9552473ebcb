"""Slots that a parking area keeps for vehicles on their way (VIR parking, PAM).

A reservation is a promise like any other (see :mod:`.requests`): it ends when the vehicle parks
or cancels, or when its time is over. Slots that are taken are known from the sensors of the area,
not from messages, so a lost "complete" never gives a taken slot away.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from v2x.messages.csae.day2.dialogues.requests import Grant, GrantPhase, Grants, heard, lapsed
from v2x.messages.csae.day2.pam import ParkingGuide
from v2x.messages.csae.day2.vir import DriveRequest, ParkingKind, ParkingRequest

#: Vehicles that one PAM can guide.
MOST_GUIDES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkingBook:
    """What a parking area knows of its slots.

    Attributes
    ----------
    slots
        Kind of each slot by its number.
    grants
        Promises, as for all requests.
    kept
        Slot of each promise by vehicle and request.
    """

    slots: dict[int, ParkingKind]
    grants: Grants = ()
    kept: dict[tuple[bytes, int], int]


def open_book(slots: dict[int, ParkingKind]) -> ParkingBook:
    """Return a book without reservations."""
    return ParkingBook(slots=dict(slots), kept={})


def reserved(book: ParkingBook, now_us: int) -> dict[int, Grant]:
    """Return the promise that keeps each slot."""
    holding = {
        (item.requester_id, item.request_id): item
        for item in lapsed(book.grants, now_us)
        if item.holds
    }
    return {slot: holding[key] for key, slot in book.kept.items() if key in holding}


def parking_heard(
    book: ParkingBook,
    now_us: int,
    vehicle_id: bytes,
    request: DriveRequest,
    occupied: frozenset[int],
) -> ParkingBook:
    """Return the book after a request was received.

    Parameters
    ----------
    book
        The book of before.
    now_us
        The present tick [µs].
    vehicle_id, request
        Who asks, and the entry in its VIR. A vehicle with another reservation gets the new one
        instead of that.
    occupied
        Slots that are taken.

    Notes
    -----
    The vehicle gets the slot it would like, if that is free and of a kind that will do, and the
    free one of the lowest number otherwise. If there is none it hears nothing, since a PAM has no
    word for it, and its request expires.
    """
    slot = _slot_for(book, now_us, vehicle_id, request, occupied)
    grants, _ = heard(book.grants, now_us, vehicle_id, request, able=slot is not None)
    key = (vehicle_id, request.request_id)
    kept = dict(book.kept)
    mine = next((item for item in grants if (item.requester_id, item.request_id) == key), None)
    if mine is not None and mine.phase is GrantPhase.PROMISED and slot is not None:
        grants = tuple(
            replace(item, phase=GrantPhase.RELEASED)
            if item.requester_id == vehicle_id and item is not mine and item.holds
            else item
            for item in grants
        )
        kept.setdefault(key, slot)
    held = {(item.requester_id, item.request_id) for item in grants if item.holds}
    return ParkingBook(
        slots=book.slots,
        grants=grants,
        kept={name: number for name, number in kept.items() if name in held},
    )


def _slot_for(
    book: ParkingBook,
    now_us: int,
    vehicle_id: bytes,
    request: DriveRequest,
    occupied: frozenset[int],
) -> int | None:
    if not isinstance(request.info, ParkingRequest):
        return None
    standing = reserved(book, now_us)
    others = {slot for slot, grant in standing.items() if grant.requester_id != vehicle_id}
    known = book.kept.get((vehicle_id, request.request_id))
    if known is not None and known in standing:
        return known
    kinds = request.info.kinds
    free = [
        slot
        for slot, kind in sorted(book.slots.items())
        if slot not in occupied and slot not in others and (kinds is None or kind & kinds)
    ]
    wanted = request.info.slot
    if wanted in free:
        return wanted
    return free[0] if free else None


def guides(
    book: ParkingBook, now_us: int, ways: dict[int, tuple[int, ...]]
) -> tuple[tuple[ParkingGuide, ...], ...]:
    """Return what PAM say to the vehicles on their way, at most 16 in each message.

    Parameters
    ----------
    book
        The book.
    now_us
        The present tick [µs].
    ways
        Nodes on the way to each slot.
    """
    told = tuple(
        ParkingGuide(
            vehicle_id=grant.requester_id,
            nodes=ways[slot],
            slot=slot,
            request_id=grant.request_id,
        )
        for slot, grant in sorted(reserved(book, now_us).items())
    )
    return tuple(told[k : k + MOST_GUIDES] for k in range(0, len(told), MOST_GUIDES))
