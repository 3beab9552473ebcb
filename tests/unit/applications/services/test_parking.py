"""A garage: ways of those who search and of those who are guided, and who gets what."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from tests.unit.applications.services.short_runs import short_run
from v2x.applications.services.air_sizes import octets
from v2x.applications.services.parking.desk import WISH, ParkingDesk, ParkingWord, area_bytes
from v2x.applications.services.parking.garage import Garage, level_error_share
from v2x.applications.services.parking.params import GarageParams, ParkingParams
from v2x.messages.csae.day2.vir import DriveRequest, RequestStatus
from v2x.metrics.services.dialogues import parking_figures
from v2x.records.tables import RunRecords

S = 1_000_000
#: Empty, three levels of 4 slots; 36 km/h are 10 m/s.
EMPTY = GarageParams(
    n_levels=3, level_slots=4, ramp_m=20.0, speed_kmh=36.0, occupied=0.0, height_sd_m=0.0
)
FULL = GarageParams(
    n_levels=2, level_slots=4, ramp_m=20.0, speed_kmh=36.0, occupied=1.0, stay_s=1e6
)


def drive(garage: Garage, seconds: int, begin: int = 1) -> None:
    for k in range(10 * begin, 10 * (begin + seconds)):
        garage.tick(k * S // 10)


def test_who_searches_takes_the_first_free_slot_from_the_entrance_on() -> None:
    garage = Garage(EMPTY, 1)
    garage.enter(0, 1, None)
    drive(garage, 3)
    (search,) = garage.searches
    assert (search.slot, search.way_m) == (0, 1.25)
    assert garage.occupied() == frozenset({0})


def test_one_after_another_fills_level_after_level() -> None:
    garage = Garage(EMPTY, 1)
    for k in range(5):
        garage.enter(0, k, None)
        drive(garage, 10, 1 + 10 * k)
    assert [item.slot for item in garage.searches] == [0, 1, 2, 3, 4]
    # The whole aisle of the first level, a ramp, and to the first slot of the second.
    assert garage.searches[4].way_m == 5.0 + 20.0 + 1.25


def test_who_is_guided_drives_over_the_ramps_to_its_slot() -> None:
    garage = Garage(EMPTY, 1)
    garage.enter(0, 1, 10)
    drive(garage, 10)
    (search,) = garage.searches
    assert (search.slot, search.way_m, search.conflict) == (10, 2 * 20.0 + 3.75, False)
    assert garage.level(10) == 2


def test_a_promised_slot_that_another_took_is_a_conflict_and_the_search_goes_on() -> None:
    garage = Garage(EMPTY, 1)
    garage.enter(0, 1, None)
    drive(garage, 3)
    garage.enter(3 * S, 2, 0)
    drive(garage, 20, 4)
    first, second = garage.searches
    assert first.slot == 0
    assert second.conflict
    assert second.slot == 4
    assert second.way_m == 1.25 + (5.0 - 1.25) + 20.0 + 1.25


def test_who_finds_nothing_leaves_after_two_rounds() -> None:
    garage = Garage(FULL, 1)
    garage.enter(0, 1, None)
    drive(garage, 40)
    (search,) = garage.searches
    assert search.slot is None
    assert search.over_us > 0
    # Two rounds of two aisles of 5 m; between them ramps up, down and up again.
    assert search.way_m == pytest.approx(5.0 + 20.0 + 5.0 + 20.0 + 20.0 + 5.0 + 20.0 + 3.75)


def test_as_many_go_to_a_wrong_level_as_the_height_is_misjudged() -> None:
    params = GarageParams(n_levels=5, level_slots=400, occupied=0.0, height_sd_m=1.0)
    garage = Garage(params, 3)
    n = 1500
    for k in range(n):
        garage.enter(0, k, k)
    for _ in range(2):
        garage.tick(10_000 * S)
    share = np.mean([item.level_error for item in garage.searches])
    p = level_error_share(params)
    assert p == pytest.approx(0.1336, abs=1e-4)
    assert abs(share - p) < 4 * np.sqrt(p * (1 - p) / n)
    right, wrong = (
        [item for item in garage.searches if item.level_error == kind] for kind in (False, True)
    )
    along = {item.vehicle_id: garage.along_m(item.promised or 0) for item in garage.searches}
    for item, extra in [(right[1], 0.0), (wrong[0], 1.0)]:
        level = garage.level(item.promised or 0)
        direct_m = level * 60.0 + along[item.vehicle_id]
        more_m = extra * (2 * along[item.vehicle_id] + 2 * 60.0)
        assert item.way_m == pytest.approx(direct_m + more_m)


def test_slots_are_free_again_after_their_time() -> None:
    garage = Garage(GarageParams(n_levels=1, level_slots=1000, occupied=0.5, stay_s=100.0), 1)
    garage.tick(1)
    at_first = len(garage.occupied())
    assert abs(at_first - 500) < 4 * np.sqrt(250)
    garage.tick(100 * S)
    later = len(garage.occupied())
    expected = at_first * np.exp(-1.0)
    assert abs(later - expected) < 4 * np.sqrt(expected * (1 - np.exp(-1.0)))


def asks(who: int, status: RequestStatus = RequestStatus.REQUEST) -> ParkingWord:
    request = DriveRequest(request_id=1, status=status, info=WISH, life_time_s=600.0)
    return ParkingWord(sender_id=octets(who), request=request)


def test_the_desk_promises_each_slot_once_and_not_those_taken() -> None:
    desk = ParkingDesk(ParkingParams(garage=EMPTY))
    for who in (1, 2, 3):
        desk.hear(0, asks(who), frozenset({0, 1}))
    (word,) = desk.messages(0)
    slots = [word.answer_to(octets(who)) for who in (1, 2, 3)]
    assert [item.slot for item in slots if item is not None] == [2, 3, 4]
    assert word.answer_to(octets(9)) is None


def test_a_promise_ends_when_its_vehicle_has_parked() -> None:
    desk = ParkingDesk(ParkingParams(garage=EMPTY))
    desk.hear(0, asks(1), frozenset())
    desk.parked(S, octets(1))
    desk.hear(S, asks(2), frozenset())
    (word,) = desk.messages(S)
    assert [guide.slot for guide in word.guidance] == [0]


def test_guides_are_spread_over_messages_and_counted_in_their_size() -> None:
    desk = ParkingDesk(ParkingParams(garage=EMPTY, most_guides=2))
    assert [len(word.guidance) for word in desk.messages(0)] == [0]
    for who in range(5):
        desk.hear(0, asks(who), frozenset())
    assert [len(word.guidance) for word in desk.messages(0)] == [2, 2, 1]
    assert area_bytes(3, 2) > area_bytes(3, 1) > area_bytes(3, 0)


@pytest.mark.parametrize("changes", [{"wanting": 2.0}, {"ask_m": 10.0}, {"most_guides": 17}])
def test_impossible_parameters_are_rejected(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(changes))):
        ParkingParams(**changes)  # type: ignore[arg-type]


@cache
def run(knowledge: str) -> RunRecords:
    return short_run(
        "parking",
        duration_s="60",
        traffic__density_per_km="25",
        world__limit_kmh="60",
        roadside__placement="spacing",
        roadside__spacing_m="1000",
        information__knowledge=knowledge,
        information__equipped="0.7",
        _wanting="0.8",
        **{"_garage.occupied": "0.97", "_garage.speed_kmh": "20"},
    )


def test_guided_vehicles_find_their_slot_in_a_run_and_others_search() -> None:
    figures = parking_figures(run("messages"))
    assert figures["guided"].n >= 3
    assert figures["searching"].n >= 1
    assert figures["guided"].parked.value == 1.0
    assert figures["guided"].way_m.value > 0.0
    table = run("messages").tables["parking"]
    assert not np.isnan(table["asked_s"][table["guided"]]).any()


def test_without_knowledge_everybody_searches() -> None:
    figures = parking_figures(run("none"))
    assert figures["guided"].n == 0
    assert figures["searching"].n >= 4
