"""Reflection from water against limits and by hand."""

from __future__ import annotations

import cmath
import math

import numpy as np
import pytest

from v2x.channel.water import ament_factor, two_ray_db, vertical_reflection, water_permittivity
from v2x.units import SPEED_OF_LIGHT_MPS

WAVELENGTH_M = SPEED_OF_LIGHT_MPS / 5.9e9
WATER = water_permittivity(5.9, 18.0, 0.03)


def test_static_permittivity_of_water() -> None:
    # 80.1 at 20 degrees, 87.9 at the freezing point: handbook values of pure water.
    assert water_permittivity(1e-6, 20.0).real == pytest.approx(80.1, abs=0.3)
    assert water_permittivity(1e-6, 0.0).real == pytest.approx(87.9, abs=0.3)


def test_relaxation_outweighs_the_ions_of_a_river() -> None:
    pure, river = water_permittivity(5.9, 20.0), water_permittivity(5.9, 20.0, 0.03)
    assert -pure.imag > 20.0
    assert 0.0 < -(river.imag - pure.imag) < 0.1


def test_reflection_has_its_limits_and_its_brewster_angle() -> None:
    assert vertical_reflection(WATER, 0.0) == pytest.approx(-1.0)
    index = cmath.sqrt(WATER)
    assert complex(vertical_reflection(WATER, math.pi / 2)) == pytest.approx(
        (index - 1.0) / (index + 1.0)
    )
    grazing = np.linspace(0.0, math.pi / 2, 2000)
    deepest = grazing[np.argmin(np.abs(vertical_reflection(WATER, grazing)))]
    assert deepest == pytest.approx(math.atan(1.0 / abs(index)), abs=0.01)


def test_roughness_takes_the_coherent_part_away() -> None:
    assert ament_factor(0.0, 0.5, WAVELENGTH_M) == 1.0
    # A phase deviation 2 k s sin(psi) of one radian leaves exp(-1/2).
    psi = math.asin(WAVELENGTH_M / (4.0 * math.pi * 0.05))
    assert ament_factor(0.05, psi, WAVELENGTH_M) == pytest.approx(math.exp(-0.5))
    assert ament_factor(0.05, 0.5, WAVELENGTH_M) < 1e-6


def test_two_rays_worked_by_hand() -> None:
    d, ha, hb = 200.0, 6.0, 1.5
    direct, reflected = math.hypot(d, ha - hb), math.hypot(d, ha + hb)
    psi = math.atan2(ha + hb, d)
    gamma = complex(vertical_reflection(WATER, psi)) * float(ament_factor(0.05, psi, WAVELENGTH_M))
    turn = cmath.exp(-2j * math.pi * (reflected - direct) / WAVELENGTH_M)
    by_hand = -20.0 * math.log10(abs(1.0 + direct / reflected * gamma * turn))
    assert two_ray_db(d, ha, hb, WATER, 0.05, 5.9) == pytest.approx(by_hand, abs=1e-9)
    assert two_ray_db(d, hb, ha, WATER, 0.05, 5.9) == pytest.approx(by_hand, abs=1e-9)


def test_smooth_water_fades_and_lifts() -> None:
    distance = np.linspace(20.0, 2000.0, 40_000)
    loss = two_ray_db(distance, 6.0, 1.5, WATER, 0.0, 5.9)
    # The last fade lies where 2 ha hb / d is a wavelength; water reflects 0.69 of the field there.
    assert distance[np.argmax(loss)] == pytest.approx(2.0 * 6.0 * 1.5 / WAVELENGTH_M, rel=0.02)
    assert loss.max() == pytest.approx(-20.0 * math.log10(1.0 - 0.69), abs=0.1)
    assert -6.03 < loss.min() < -4.0
    assert two_ray_db(1e6, 6.0, 1.5, WATER, 0.0, 5.9) == 20.0
    # Far beyond the last maximum, 4 ha hb / lambda, the loss grows with 20 log d.
    far, further = two_ray_db([50_000.0, 100_000.0], 6.0, 1.5, WATER, 0.0, 5.9, limit_db=99.0)
    assert further - far == pytest.approx(6.02, abs=0.35)


def test_steep_rays_over_rough_water_do_not_interfere() -> None:
    assert two_ray_db(20.0, 30.0, 30.0, WATER, 0.05, 5.9) == pytest.approx(0.0, abs=1e-6)
