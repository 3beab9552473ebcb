"""Energy and fuel: printed figures, conservation, limits of recuperation."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from v2x.mobility.energy import (
    BUS_ENERGY,
    CAR_ENERGY,
    TRUCK_ENERGY,
    ElectricDrive,
    EnergyParams,
    FuelDrive,
    RoadLoad,
    VspCoefficients,
    electric_power_w,
    fuel_g_per_s,
    grade_class,
    specific_power_kw_per_t,
    tractive_force_n,
)

V60 = 60.0 / 3.6
PERCENT = np.array([-6.0, -3.0, 0.0, 3.0, 6.0])


def test_battery_energy_at_60_kmh() -> None:
    """The printed figures to the watt-hour."""
    force = tractive_force_n(V60, 0.0, PERCENT / 100.0, CAR_ENERGY.load)
    drawn, returned = electric_power_w(V60, force, CAR_ENERGY.electric)
    wh_per_km = (drawn - returned + 600.0) / 60.0
    assert wh_per_km == pytest.approx([-126.0, -31.0, 103.0, 267.0, 430.0], abs=0.5)
    assert not ((drawn > 0.0) & (returned > 0.0)).any()


def test_forces_by_hand() -> None:
    """On the level at rest m g f; speeding up δ m a; a slope m g sin θ."""
    load = RoadLoad(mass_kg=1000.0, drag_area_m2=0.5, rolling_resistance=0.01)
    assert tractive_force_n(0.0, 0.0, 0.0, load) == pytest.approx(98.1)
    assert tractive_force_n(0.0, 1.0, 0.0, load) == pytest.approx(98.1 + 1050.0)
    assert tractive_force_n(10.0, 0.0, 0.0, load) == pytest.approx(98.1 + 0.5 * 1.2 * 0.5 * 100)
    steep = float(tractive_force_n(0.0, 0.0, 0.75, load))  # 3-4-5 triangle
    assert steep == pytest.approx(9810.0 * (0.01 * 0.8 + 0.6))


def test_speeding_up_and_braking_lose_what_efficiencies_say() -> None:
    """The kinetic energy with rotating parts, paid for with 0.9 and got back with 0.65."""
    load = replace(CAR_ENERGY.load, drag_area_m2=1e-9, rolling_resistance=1e-9)
    drive = replace(CAR_ENERGY.electric, regen_none_below_mps=0.0, regen_full_from_mps=1e-9)
    v, a, step = np.arange(0.005, 15.0, 0.01), 1.0, 0.01
    kinetic_j = 0.5 * 1.05 * 1800.0 * 15.0**2
    drawn, _ = electric_power_w(v, tractive_force_n(v, a, 0.0, load), drive)
    _, returned = electric_power_w(v, tractive_force_n(v, -a, 0.0, load), drive)
    assert drawn.sum() * step == pytest.approx(kinetic_j / 0.9, rel=1e-5)
    assert returned.sum() * step == pytest.approx(kinetic_j * 0.65, rel=1e-5)


@pytest.mark.parametrize(
    ("kmh", "share"), [(4.99, 0.0), (5.0, 0.0), (7.5, 0.5), (10.0, 1.0), (10.01, 1.0)]
)
def test_recuperation_fades_at_low_speed(kmh: float, share: float) -> None:
    v = kmh / 3.6
    _, returned = electric_power_w(v, -1000.0, CAR_ENERGY.electric)
    assert returned == pytest.approx(share * 1000.0 * v * 0.65)


def test_recuperation_has_a_highest_power() -> None:
    """60 kW into the battery are 92.3 kW at the wheels."""
    force = -np.array([0.99, 1.01, 3.0]) * 60e3 / 0.65 / 30.0
    _, returned = electric_power_w(30.0, force, CAR_ENERGY.electric)
    assert returned == pytest.approx([59.4e3, 60e3, 60e3])


def test_specific_power() -> None:
    """v (1.1 a + 9.81 i + 0.132) + 0.000302 v³ at 20 m/s, 0.5 m/s² and 2 %."""
    found = specific_power_kw_per_t(20.0, 0.5, 0.02, VspCoefficients())
    assert found == pytest.approx(20.0 * (0.55 + 0.1962 + 0.132) + 0.000302 * 8000.0)


def test_heavy_vehicles_have_the_specific_power_of_their_forces() -> None:
    v, a, grade = 15.0, 0.3, 0.01
    force = float(tractive_force_n(v, a, grade, TRUCK_ENERGY.load))
    found = specific_power_kw_per_t(v, a, grade, TRUCK_ENERGY.vsp_coefficients)
    assert found == pytest.approx(force * v / 25e3, rel=1e-3)
    light = replace(TRUCK_ENERGY.load, mass_kg=12.5e3)
    assert VspCoefficients.of(light).drag_per_m == 2.0 * TRUCK_ENERGY.vsp_coefficients.drag_per_m


def test_fuel_rates_are_those_of_the_table() -> None:
    fuel = FuelDrive(vsp_kw_per_t=(0.0, 10.0), fuel_g_per_s=(0.2, 1.2))
    assert fuel_g_per_s([-5.0, 0.0, 5.0, 10.0, 99.0], fuel) == pytest.approx(
        [0.2, 0.2, 0.7, 1.2, 1.2]
    )


@pytest.mark.parametrize(
    ("item", "kmh", "low", "high"),
    [(CAR_ENERGY, 60, 30, 50), (CAR_ENERGY, 120, 50, 75), (TRUCK_ENERGY, 80, 200, 320)],
)
def test_default_rates_are_of_the_right_size(item: Any, kmh: int, low: int, high: int) -> None:
    """Grams of fuel per km on the level: 4 to 7 and 7 to 10 l of petrol, 24 to 38 l of diesel."""
    vsp = specific_power_kw_per_t(kmh / 3.6, 0.0, 0.0, item.vsp_coefficients)
    assert low < float(fuel_g_per_s(vsp, item.fuel)) * 3600.0 / kmh < high


@pytest.mark.parametrize(
    ("percent", "of_class"), [(-4.51, 0), (-4.49, 1), (-1.51, 1), (0.0, 2), (1.51, 3), (4.51, 4)]
)
def test_grade_classes(percent: float, of_class: int) -> None:
    assert grade_class(percent / 100.0) == of_class


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: replace(CAR_ENERGY.load, mass_kg=0.0), "mass_kg must be > 0"),
        (lambda: replace(CAR_ENERGY.load, rotating_mass=0.9), "rotating_mass must be at least 1"),
        (lambda: ElectricDrive(drive_efficiency=1.1), "drive_efficiency must be in"),
        (lambda: ElectricDrive(regen_power_w=-1.0), "regen_power_w must be >= 0"),
        (lambda: ElectricDrive(regen_none_below_mps=4.0), "must be below"),
        (lambda: FuelDrive(vsp_kw_per_t=(0.0,), fuel_g_per_s=()), "equally long"),
        (lambda: FuelDrive(vsp_kw_per_t=(1.0, 0.0), fuel_g_per_s=(1.0, 1.0)), "must ascend"),
        (lambda: FuelDrive(vsp_kw_per_t=(0.0,), fuel_g_per_s=(-1.0,)), "fuel_g_per_s must be"),
        (lambda: replace(CAR_ENERGY.fuel, co2_per_fuel=0.0), "co2_per_fuel must be"),
        (lambda: replace(BUS_ENERGY, electric_share=1.5), "electric_share must be in"),
        (lambda: EnergyParams(stop_mps=3.0), "must be positive and ascend"),
    ],
)
def test_bad_parameters_are_named(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
