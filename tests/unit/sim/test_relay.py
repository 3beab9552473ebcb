"""What roadside units tell, followed message by message: closed forms of every part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from v2x.applications.joined import JoinedMessages
from v2x.mobility.fleet import FleetState
from v2x.mobility.joined import JoinedFleet
from v2x.mobility.roadside import RoadsideRows
from v2x.records.tables import RELAY_PARTS
from v2x.sim.recorder import RecordParams
from v2x.sim.relay import MOST_STATES, RelayParams, RelayWatch
from v2x.sim.simulation import Simulation, SimulationParts

from ...simulation_parts import HEARD_TO_150_M, FrozenFleet, ScheduledPackets, Tables, build, every
from .test_roadside import sites_at

RECORDS = RecordParams(max_distance_m=300.0, awareness_range_m=300.0)
DECODE_US, SLOT_US = 2_500, 1_000
#: Slot and decoding: what is sent in the slot of its generation takes this long [µs].
HOP_US = SLOT_US + DECODE_US
N_MESSAGES = 29
PARAMS = RelayParams(
    state_bytes=26,
    overhead_bytes=100,
    linked=False,
    fibre_us=5_000,
    known_within_us=1_000_000,
    range_m=300.0,
    decode_us=DECODE_US,
    slot_us=SLOT_US,
    counted_from_us=0,
    block_us=1_000_000,
)


def parts_of(
    fleet: FrozenFleet,
    units_m: Sequence[float],
    *,
    vehicle_us: Sequence[int] = (1_000, 2_000),
    unit_us: Sequence[int] = (20_000,),
    size_bytes: int = 500,
    relay: bool = True,
    records: RecordParams = RECORDS,
    **params: Any,
) -> tuple[SimulationParts, RelayWatch | None]:
    """Return three seconds in which everybody sends once in 100 ms, at the phases given."""
    phases = np.resize(vehicle_us, fleet.n_rows)
    if fleet.n_rows > len(vehicle_us):
        phases = 1_000 * (1 + np.arange(fleet.n_rows))
    plan = [p for row, t in enumerate(phases.tolist()) for p in every(100_000, N_MESSAGES, t, row)]
    own = [p for row, t in enumerate(unit_us) for p in every(100_000, N_MESSAGES, t, row)]
    parts = build(
        JoinedFleet(fleet, RoadsideRows(sites_at(*units_m))),
        application=JoinedMessages(
            ScheduledPackets(plan), ScheduledPackets(own, size_bytes=size_bytes), len(units_m)
        ),
        propagation=HEARD_TO_150_M,
        records=records,
        duration_s=3.0,
    )
    if not relay:
        return parts, None
    watch = RelayWatch(replace(PARAMS, **params), parts.medium._links, parts.packets)
    return replace(parts, relay=watch), watch


def run(vehicles_m: Sequence[float], units_m: Sequence[float], **options: Any) -> Tables:
    """Return the tables of such a run of vehicles that stand."""
    parts, _ = parts_of(FrozenFleet(x_m=vehicles_m), units_m, **options)
    Simulation(parts).run()
    return parts.recorder.tables(0)


def means_us(tables: Tables) -> dict[str, float]:
    """Return the mean of each part [µs]."""
    table = tables["relay"]
    return {part: 1e3 * table[f"{part}_ms"].sum() / table["n"].sum() for part in RELAY_PARTS}


def test_every_part_of_two_vehicles_and_a_unit() -> None:
    """Heard at 4.5 and 5.5 ms, told at 20 ms, known at 23.5 ms: of every message."""
    tables = run([0.0, 250.0], [125.0])
    assert tables["relay"]["n"].sum() == tables["relay"]["n_newer"].sum() == 2 * N_MESSAGES
    assert tables["relay"]["block_start_s"].tolist() == [0.0, 1.0, 2.0]
    assert tables["relay"]["n"].tolist() == [20, 20, 18]
    found = means_us(tables)
    assert found["to_unit"] == pytest.approx(HOP_US)
    assert found["fibre"] == 0.0
    assert found["wait_for_message"] == pytest.approx(20_000 - HOP_US - 1_500)
    assert found["from_unit"] == pytest.approx(HOP_US)
    latency = tables["relay_latency"]
    assert dict(zip(latency["value_ms"].tolist(), latency["n"].tolist(), strict=True)) == {
        21.0: N_MESSAGES,
        22.0: N_MESSAGES,
    }


@pytest.mark.parametrize(
    ("told_us", "wait_us", "n"),
    [(4_500, 0, N_MESSAGES), (4_499, 99_999, N_MESSAGES - 1), (1_500, 97_000, N_MESSAGES - 1)],
)
def test_what_is_decoded_after_the_generation_is_not_told(
    told_us: int, wait_us: int, n: int
) -> None:
    """The vehicle's message of 1 ms is known to the unit at 4.5 ms, not a microsecond before."""
    fleet = FrozenFleet(x_m=[0.0, 250.0])
    parts, _ = parts_of(fleet, [125.0], unit_us=[told_us], vehicle_us=(1_000, 30_000))
    plan = every(100_000, N_MESSAGES, 1_000, 0)
    own = every(100_000, N_MESSAGES, told_us, 0)
    parts = replace(
        parts,
        application=JoinedMessages(
            ScheduledPackets(plan), ScheduledPackets(own, size_bytes=500), 1
        ),
    )
    Simulation(parts).run()
    tables = parts.recorder.tables(0)
    assert tables["relay"]["n"].sum() == n
    assert means_us(tables)["wait_for_message"] == pytest.approx(wait_us)
    slot_end_us = (-(-told_us // SLOT_US) + 1) * SLOT_US
    assert means_us(tables)["from_unit"] == pytest.approx(slot_end_us + DECODE_US - told_us)


def test_a_state_decoded_in_the_next_tick_is_not_lost() -> None:
    """Sent at 98 ms, known at 101.5 ms, told at 102 ms, in another tick."""
    tables = run([0.0, 250.0], [125.0], vehicle_us=(98_000, 97_000), unit_us=[2_000])
    assert tables["relay"]["n"].sum() == 2 * (N_MESSAGES - 1)
    assert means_us(tables)["wait_for_message"] == pytest.approx(1_000)


def test_two_messages_within_a_tick_are_both_followed() -> None:
    """At 20 Hz the memory of the links, read once per tick, would know every second only."""
    parts, _ = parts_of(FrozenFleet(x_m=[0.0, 250.0]), [125.0])
    plan = every(50_000, 58, 1_000, 0)
    own = every(50_000, 58, 20_000, 0)
    application = JoinedMessages(ScheduledPackets(plan), ScheduledPackets(own, size_bytes=500), 1)
    Simulation(replace(parts, application=application)).run()
    tables = parts.recorder.tables(0)
    assert tables["relay"]["n"].sum() == 58
    assert means_us(tables)["wait_for_message"] == pytest.approx(20_000 - HOP_US - 1_000)


def test_a_message_holds_as_many_states_as_its_size() -> None:
    """Room for two of four: everybody is told of in turn, none is left out."""
    vehicles_m = [100.0, 110.0, 120.0, 130.0]
    fleet = FrozenFleet(x_m=vehicles_m)
    parts, watch = parts_of(fleet, [125.0], size_bytes=100 + 2 * 26 + 25)
    assert watch is not None
    Simulation(parts).run()
    table = parts.recorder.tables(0)["relay"]
    assert table["n"].sum() == N_MESSAGES * 2 * 3
    links = parts.medium._links
    sender = np.repeat(np.arange(5), np.diff(links.row_start))
    told = links.column("last_relayed")
    newest = [told[(sender == row) & (links.neighbour < 4)] for row in range(4)]
    assert all(values.min() == values.max() for values in newest)
    assert min(values[0] for values in newest) >= 2_700_000
    full = run(vehicles_m, [125.0], size_bytes=100 + 4 * 26)
    assert full["relay"]["n"].sum() == N_MESSAGES * 4 * 3


def test_room() -> None:
    assert [PARAMS.room(size) for size in (50, 100, 125, 126, 303)] == [0, 0, 0, 1, 7]
    assert PARAMS.room(5_000) == MOST_STATES


def test_nothing_fits_nothing_is_told() -> None:
    tables = run([0.0, 250.0], [125.0], size_bytes=110)
    assert len(tables["relay"]["n"]) == len(tables["relay_latency"]["n"]) == 0


FAR = RecordParams(max_distance_m=800.0, awareness_range_m=800.0)


@pytest.mark.parametrize(
    ("fibre_us", "wait_us"),
    [(5_000, (11_500, 9_500)), (14_500, (2_000, 0)), (14_501, (1_999, 99_999))],
)
def test_linked_units_tell_what_others_hear_after_the_fibre(
    fibre_us: int, wait_us: tuple[int, int]
) -> None:
    """A at 0 m, units at 125 and 625 m, B at 750 m; A is told of at 21 ms, B at 20 ms."""
    tables = run(
        [0.0, 750.0],
        [125.0, 625.0],
        unit_us=[20_000, 21_000],
        linked=True,
        fibre_us=fibre_us,
        range_m=800.0,
        records=FAR,
    )
    found, n = means_us(tables), tables["relay"]["n"].sum()
    assert found["to_unit"] == pytest.approx(HOP_US)
    assert found["fibre"] == pytest.approx(fibre_us)
    assert found["from_unit"] == pytest.approx(HOP_US)
    late = wait_us[1] > 99_000
    assert n == 2 * N_MESSAGES - late
    total_us = N_MESSAGES * wait_us[0] + (N_MESSAGES - late) * wait_us[1]
    assert found["wait_for_message"] == pytest.approx(total_us / n)


def test_units_without_fibre_or_out_of_range_share_nothing() -> None:
    where = ([0.0, 750.0], [125.0, 625.0])
    apart = run(*where, unit_us=[20_000, 21_000], linked=False, range_m=800.0, records=FAR)
    short = run(*where, unit_us=[20_000, 21_000], linked=True, range_m=600.0, records=FAR)
    assert len(apart["relay"]["n"]) == len(short["relay"]["n"]) == 0


def test_units_tell_of_nobody_far_away_whom_others_heard() -> None:
    """The unit at 625 m is too far from the vehicle at 0 m, that at 125 m not from its partner."""
    table = run(
        [0.0, 500.0],
        [125.0, 625.0],
        unit_us=[20_000, 21_000],
        linked=True,
        range_m=550.0,
        records=FAR,
    )["relay"]
    assert table["n"].sum() == N_MESSAGES


def test_what_was_heard_directly_before_is_not_newer() -> None:
    """Neighbours 100 m apart hear each other before the unit tells them."""
    table = run([70.0, 170.0], [120.0])["relay"]
    assert (table["n"].sum(), table["n_newer"].sum()) == (2 * N_MESSAGES, 0)


def test_two_units_that_tell_the_same_count_once() -> None:
    """The message of 20 ms comes first; that of 21 ms brings nothing new."""
    tables = run([0.0, 250.0], [124.0, 126.0], unit_us=[20_000, 21_000])
    assert tables["relay"]["n"].sum() == 2 * N_MESSAGES
    assert means_us(tables)["wait_for_message"] == pytest.approx(15_000)


class _Replaced(FrozenFleet):
    """From the second second on, row 0 has another vehicle at the same place."""

    def advance(self, time_us: int) -> FleetState:
        fleet = super().advance(time_us)
        return replace(fleet, id=np.array([7, 1])) if time_us >= 1_000_000 else fleet


def test_states_of_who_left_are_not_told_as_those_of_the_next() -> None:
    """Told at 103.1 ms and on: what row 0 said at 901 ms would come at 1003.1 ms, too late."""
    parts, _ = parts_of(_Replaced(x_m=[0.0, 250.0]), [125.0], unit_us=[3_100])
    Simulation(parts).run()
    assert parts.recorder.tables(0)["relay"]["n"].sum() == (9 + 18) + 28


def test_messages_of_who_left_do_not_reach_as_those_of_the_next() -> None:
    """Told at 999.5 ms, on air from 1000 ms on: what row 0 said at 901 ms is nobody's now."""
    parts, _ = parts_of(_Replaced(x_m=[0.0, 250.0]), [125.0], unit_us=[99_500])
    Simulation(parts).run()
    assert parts.recorder.tables(0)["relay"]["n"].sum() == (9 + 19) + 29


def test_old_states_are_not_told() -> None:
    assert len(run([0.0, 250.0], [125.0], known_within_us=10_000)["relay"]["n"]) == 0
    young = run([0.0, 250.0], [125.0], known_within_us=18_500)
    assert young["relay"]["n"].sum() == N_MESSAGES  # of 18 ms, not of 19


def test_the_warm_up_does_not_count() -> None:
    tables = run([0.0, 250.0], [125.0], counted_from_us=1_000_000)
    assert tables["relay"]["block_start_s"].tolist() == [1.0, 2.0]


def test_following_changes_no_other_table() -> None:
    where = ([0.0, 40.0, 250.0], [60.0, 125.0])
    options = {"unit_us": [20_000, 21_000], "linked": True}
    followed, plain = run(*where, **options), run(*where, **options, relay=False)
    assert len(plain["relay"]["n"]) == 0 < len(followed["relay"]["n"])
    for name in set(plain) - {"relay", "relay_latency"}:
        for key, column in plain[name].items():
            assert column.tobytes() == followed[name][key].tobytes(), (name, key)
