"""Reservations of parking slots: one vehicle a slot, whatever is lost."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from v2x.messages.csae.day2.dialogues.answers import answers_in_pam
from v2x.messages.csae.day2.dialogues.parking import (
    ParkingBook,
    guides,
    open_book,
    parking_heard,
    reserved,
)
from v2x.messages.csae.day2.dialogues.requests import (
    PARKING,
    Answer,
    Manoeuvre,
    Phase,
    Request,
    advance,
    begin,
)
from v2x.messages.csae.day2.pam import ParkingArea, ParkingLot, ParkingNode
from v2x.messages.csae.day2.vir import (
    DriveRequest,
    ParkingKind,
    ParkingRequest,
    ParkingWish,
    RequestStatus,
)
from v2x.messages.csae.elements import VehicleClassification

from .day2_samples import OTHER, PLACE, VEHICLE

ORDINARY, CHARGING = ParkingKind.ORDINARY, ParkingKind.CHARGING
WAYS = {1: (10, 11), 2: (10, 12), 3: (10, 13)}
NONE: frozenset[int] = frozenset()


def wish(slot: int | None = None, kinds: ParkingKind | None = None) -> ParkingRequest:
    return ParkingRequest(
        vehicle_class=VehicleClassification(basic=10),
        wishes=ParkingWish.ENTER | ParkingWish.PARK,
        kinds=kinds,
        slot=slot,
    )


def ask(
    slot: int | None = None,
    *,
    number: int = 1,
    status: RequestStatus = RequestStatus.REQUEST,
    kinds: ParkingKind | None = None,
) -> DriveRequest:
    info = wish(slot, kinds) if status is RequestStatus.REQUEST else None
    return DriveRequest(request_id=number, status=status, info=info, life_time_s=600.0)


def book() -> ParkingBook:
    return open_book({1: ORDINARY, 2: ORDINARY, 3: CHARGING})


def owners(now: ParkingBook, now_us: int = 0) -> dict[int, bytes]:
    return {slot: grant.requester_id for slot, grant in reserved(now, now_us).items()}


def test_a_slot_is_kept_for_one_vehicle_only() -> None:
    now = parking_heard(book(), 0, VEHICLE, ask(2), NONE)
    now = parking_heard(now, 0, OTHER, ask(2), NONE)
    assert owners(now) == {2: VEHICLE, 1: OTHER}
    assert owners(parking_heard(now, 0, VEHICLE, ask(1), NONE)) == owners(now)


def test_kinds_and_taken_slots() -> None:
    now = parking_heard(book(), 0, VEHICLE, ask(kinds=CHARGING), frozenset({1}))
    assert owners(now) == {3: VEHICLE}
    full = parking_heard(now, 0, OTHER, ask(kinds=CHARGING), NONE)
    assert owners(full) == {3: VEHICLE}
    assert guides(full, 0, WAYS)[0][0].slot == 3
    assert owners(parking_heard(book(), 0, VEHICLE, ask(), frozenset({1, 2, 3}))) == {}


def test_reservations_end_by_cancel_complete_time_or_another_request() -> None:
    now = parking_heard(book(), 0, VEHICLE, ask(2), NONE)
    for status in (RequestStatus.CANCEL, RequestStatus.COMPLETE):
        assert owners(parking_heard(now, 0, VEHICLE, ask(status=status), NONE)) == {}
    assert owners(now, 599_999_999) == {2: VEHICLE}
    assert owners(now, 600_000_000) == {}
    moved = parking_heard(now, 0, VEHICLE, ask(3, number=2), NONE)
    assert owners(moved) == {3: VEHICLE}
    assert owners(parking_heard(moved, 0, VEHICLE, ask(2), NONE)) == {3: VEHICLE}


def test_no_more_than_sixteen_vehicles_in_a_message() -> None:
    now = open_book(dict.fromkeys(range(20), ORDINARY))
    for k in range(20):
        now = parking_heard(now, 0, b"CAR%05d" % k, ask(), NONE)
    told = guides(now, 0, dict.fromkeys(range(20), (1,)))
    assert [len(part) for part in told] == [16, 4]


def pam(now: ParkingBook, now_us: int) -> ParkingArea:
    told = guides(now, now_us, WAYS)
    return ParkingArea(
        count=0,
        lot=ParkingLot(),
        nodes=(ParkingNode(node_id=10, position=PLACE),),
        guidance=told[0] if told else None,
    )


@given(st.lists(st.booleans(), max_size=150), st.integers(3, 40), st.booleans())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_whatever_is_lost_two_vehicles_never_rely_on_one_slot(
    lost: list[bool], drive_s: int, gives_up: bool
) -> None:
    """Two vehicles want slot 2; either message may be lost; PAM comes once a second."""
    now = book()
    cars: dict[bytes, Request] = {name: begin(PARKING, 0, 1, wish(2)) for name in (VEHICLE, OTHER)}
    acting_us: dict[bytes, int] = {}
    taken: set[int] = set()

    def passes() -> bool:
        return not (lost.pop() if lost else False)

    for now_us in range(0, 60_000_001, 500_000):
        area = pam(now, now_us) if now_us % 1_000_000 == 0 else None
        for name, request in list(cars.items()):
            answer: Answer | None = None
            if area is not None and passes():
                answer = next(iter(answers_in_pam(area, name)), None)
            manoeuvre = Manoeuvre.RUNNING
            if now_us - acting_us.get(name, now_us) >= 1_000_000 * drive_s:
                manoeuvre = Manoeuvre.ABORTED if gives_up else Manoeuvre.DONE
            request, word = advance(request, now_us, answer, manoeuvre)
            cars[name] = request
            if request.phase is Phase.ACTING:
                acting_us.setdefault(name, now_us)
            if request.phase is Phase.COMPLETE and request.answer is not None:
                assert request.answer.slot is not None
                taken.add(request.answer.slot)
            if word is not None and passes():
                now = parking_heard(now, now_us, name, word, frozenset(taken))
        relied = [
            request.answer.slot
            for request in cars.values()
            if request.phase in (Phase.ACTING, Phase.COMPLETE) and request.answer is not None
        ]
        assert len(set(relied)) == len(relied)
        kept = owners(now, now_us)
        for name, request in cars.items():
            if request.phase is Phase.ACTING:
                assert request.answer is not None
                assert kept[request.answer.slot or 0] == name
    assert all(request.is_over or request.phase is Phase.ACTING for request in cars.values())
