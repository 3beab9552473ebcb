"""What the watch over energy adds up, by hand and against conserved quantities."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from v2x.mobility.energy import EnergyParams, FuelDrive
from v2x.mobility.fleet import FleetState
from v2x.records.tables import check_table
from v2x.sim.energy_watch import EnergyWatch
from v2x.sim.recorder import Recorder, RecordParams
from v2x.world.synthetic import highway

from ...simulation_parts import fleet_state

TICK_US = 100_000
ROAD = highway()
LIMIT_MPS = float(ROAD.edge_limit_mps[0])


def params(electric_share: float = 1.0, **changes: Any) -> EnergyParams:
    plain = EnergyParams(record=True)
    return replace(plain, car=replace(plain.car, electric_share=electric_share), **changes)


def watch(n_rows: int, what: EnergyParams | None = None, block_s: float = 1.0) -> EnergyWatch:
    return EnergyWatch(what or params(), ROAD, n_rows=n_rows, block_s=block_s, seed=1)


def table(one: EnergyWatch) -> dict[str, np.ndarray]:
    return one.tables()["energy"]


def climbing(k: int, speed: float, grade: float, **columns: Any) -> FleetState:
    """Return one car on a ramp after `k` ticks."""
    way = speed * k * 0.1
    return fleet_state(k * TICK_US, [way], z_m=[grade * way], speed_mps=speed, **columns)


@pytest.mark.parametrize(
    ("percent", "wh_per_km"), [(-6, -126), (-3, -31), (0, 103), (3, 267), (6, 430)]
)
def test_a_kilometre_on_each_grade(percent: int, wh_per_km: float) -> None:
    """60 km/h for a minute: printed figures within 1 %, in the right class of grades."""
    one = watch(1)
    for k in range(601):
        one.observe(climbing(k, 60 / 3.6, percent / 100.0))
    found = table(one)
    assert found["distance_m"].sum() == pytest.approx(1000.0)
    assert set(found["grade_class"].tolist()) == {(percent + 6) // 3}
    net_wh = found["drive_wh"] - found["regen_wh"] + found["aux_wh"]
    assert net_wh.sum() == pytest.approx(wh_per_km, rel=0.01)
    assert found["block_start_s"].tolist() == list(range(60))
    assert found["delay_s"].sum() == pytest.approx(60.0 - 1000.0 / LIMIT_MPS)
    assert found["n_stops"].sum() == 0


def test_speeding_up_costs_the_kinetic_energy() -> None:
    """Mean speed and mean acceleration of each tick: the sum is exact whatever the profile."""
    what = params()
    bare = replace(what.car.load, drag_area_m2=1e-9, rolling_resistance=1e-9)
    one = watch(1, replace(what, car=replace(what.car, load=bare)))
    speeds = np.array([0.0, 3.0, 3.5, 9.0, 14.0, 20.0])
    for k, speed in enumerate(speeds):
        one.observe(fleet_state(k * TICK_US, [0.0], speed_mps=speed))
    kinetic_wh = 0.5 * 1800.0 * 1.05 * 400.0 / 3600.0
    assert table(one)["drive_wh"].sum() == pytest.approx(kinetic_wh / 0.9)


def test_fuel_goes_by_the_specific_power() -> None:
    """A table that is the specific power itself: 60 km/h on the level for 10 s."""
    what = params(0.0)
    fuel = FuelDrive(vsp_kw_per_t=(0.0, 100.0), fuel_g_per_s=(0.0, 100.0), co2_per_fuel=3.0)
    one = watch(1, replace(what, car=replace(what.car, fuel=fuel)))
    for k in range(101):
        one.observe(climbing(k, 60 / 3.6, 0.0))
    found = table(one)
    vsp = 60 / 3.6 * 0.132 + 0.000302 * (60 / 3.6) ** 3
    assert found["fuel_g"].sum() == pytest.approx(10.0 * vsp)
    assert found["co2_g"].sum() == pytest.approx(30.0 * vsp)
    assert found["drive_wh"].sum() == found["aux_wh"].sum() == 0.0
    assert not found["electric"].any()


def test_halts_are_counted_once_each() -> None:
    """Stop-and-go below 2 m/s is one halt; who stood from the start has none."""
    profile = [10, 5, 0, 0, 1, 0, 1.9, 0.4, 2.1, 0.4, 0]
    one = watch(2)
    for k, speed in enumerate(profile):
        one.observe(fleet_state(k * TICK_US, [0.0, 50.0], speed_mps=[speed, 0.0]))
    found = table(one)
    of_first = found["vehicle_id"] == 0
    assert found["n_stops"][of_first].sum() == 2
    assert found["n_stops"][~of_first].sum() == 0
    assert found["delay_s"][~of_first].sum() == pytest.approx(1.0)


def test_jerk() -> None:
    """0, 1, 2, 2 m/s² between ticks: two changes of 10 m/s³ for 0.1 s each."""
    one = watch(1)
    for k, speed in enumerate([10.0, 10.0, 10.1, 10.3, 10.5]):
        one.observe(fleet_state(k * TICK_US, [0.0], speed_mps=speed))
    assert table(one)["jerk2_m2ps5"].sum() == pytest.approx(20.0)


def test_rows_that_change_hands_belong_to_two_vehicles() -> None:
    one = watch(1)
    for k in range(12):
        one.observe(climbing(k, 10.0, 0.0, id=[3 if k <= 5 else 8]))
    found = table(one)
    assert found["vehicle_id"].tolist() == [3, 8, 8]
    assert found["duration_s"] == pytest.approx([0.5, 0.4, 0.1])
    assert found["block_start_s"].tolist() == [0.0, 0.0, 1.0]


def test_others_and_empty_rows_do_not_count() -> None:
    one = watch(3)
    for k in range(3):
        one.observe(
            fleet_state(k * TICK_US, [0.0, 9.0, 20.0], speed_mps=9.0, id=[0, -1, 2], kind=[0, 0, 4])
        )
    assert table(one)["vehicle_id"].tolist() == [0]


def test_off_the_road_nobody_is_late() -> None:
    one = watch(1)
    for k in range(3):
        one.observe(climbing(k, 1.0, 0.0, edge=[-1]))
    assert table(one)["delay_s"].sum() == 0.0


def test_who_is_electric_hangs_on_the_identity_alone() -> None:
    def electric(ids: list[int], seed: int = 1) -> dict[int, bool]:
        one = EnergyWatch(params(0.5), ROAD, n_rows=len(ids), block_s=1.0, seed=seed)
        for k in range(2):
            one.observe(fleet_state(k * TICK_US, np.zeros(len(ids)), speed_mps=9.0, id=ids))
        found = table(one)
        return dict(zip(found["vehicle_id"].tolist(), found["electric"].tolist(), strict=True))

    many = electric(list(range(400)))
    assert abs(sum(many.values()) - 200) < 4 * 10
    assert electric([7, 3, 300]) == {key: many[key] for key in (7, 3, 300)}
    assert electric(list(range(400)), seed=2) != many


def test_the_recorder_writes_the_table() -> None:
    one = Recorder(RecordParams(), warmup_us=TICK_US, watches=(watch(1),))
    for k in range(4):
        one.observe_fleet(climbing(k, 10.0, 0.0))
    found = one.tables(5)["energy"]
    check_table("energy", found)
    assert found["replication"].tolist() == [5]
    assert found["duration_s"] == pytest.approx([0.2])
    check_table(
        "energy", Recorder(RecordParams(), warmup_us=0, watches=(watch(1),)).tables(0)["energy"]
    )
