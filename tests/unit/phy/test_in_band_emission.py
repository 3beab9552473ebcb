"""In-band emission against the limits it is built from."""

from __future__ import annotations

import math

import numpy as np
import pytest

from v2x.phy.in_band_emission import LIMIT_FLOOR_DB, EmissionParams, relative_emission_db

PLAIN = EmissionParams(w_db=0.0, x_db=0.0, y_db=0.0, z_db=0.0)


def test_adjacent_ten_blocks_of_the_evaluation_set() -> None:
    # The published example: -21 dB next to a 10-RB allocation, -26 dB ten blocks on.
    emission = relative_emission_db(0, 10, 50, 23.0, 2)
    assert emission[10] == pytest.approx(-21.1, abs=0.05)
    assert emission[19] == pytest.approx(-25.6, abs=0.05)
    assert np.all(emission[:10] == 0.0)
    assert np.all((emission[10:20] > -26.0) & (emission[10:20] < -21.0))


def test_terms_worked_by_hand() -> None:
    emission = relative_emission_db(0, 10, 50, 23.0, 2)
    near = 20.0 * math.log10(0.175) - 6.0
    far = -25.0 - 10.0 * math.log10(50 / 10) - 6.0
    # Away from image and carrier, the general term alone.
    assert emission[12] == pytest.approx(near - 5.0 * 2 / 10)
    assert emission[39] == pytest.approx(max(near - 5.0 * 29 / 10, far))
    # The image of 0...9 is 40...49.
    image = 10.0 ** ((-25.0 - 3.0) / 10.0)
    for rb in (40, 49):
        general = max(near - 5.0 * (rb - 10) / 10, far)
        expected = 10.0 * math.log10(10.0 ** (general / 10.0) + image)
        assert emission[rb] == pytest.approx(expected)
    # The carrier lies between blocks 24 and 25; its leakage is relative to all ten blocks.
    leakage = 10.0 * 10.0 ** ((-25.0 - 3.0) / 10.0)
    for rb in (24, 25):
        general = near - 5.0 * (rb - 10) / 10
        expected = 10.0 * math.log10(10.0 ** (general / 10.0) + leakage)
        assert emission[rb] == pytest.approx(expected)
    assert emission[23] < emission[24] - 10.0


def test_one_carrier_block_if_their_number_is_odd() -> None:
    emission = relative_emission_db(0, 4, 25, 23.0, 2)
    general = relative_emission_db(0, 4, 25, 23.0, 2, EmissionParams(z_db=200.0))
    assert np.flatnonzero(emission > general + 1e-6).tolist() == [12]


def test_allocation_over_image_and_carrier_stays_at_zero() -> None:
    emission = relative_emission_db(20, 10, 50, 23.0, 2)
    assert np.all(emission[20:30] == 0.0)
    assert emission == pytest.approx(emission[::-1])


def test_emission_falls_with_distance_where_only_the_general_term_acts() -> None:
    params = EmissionParams(y_db=300.0, z_db=300.0)
    for first in (0, 13, 40):
        emission = relative_emission_db(first, 10, 50, 23.0, 2, params)
        assert np.all(np.diff(emission[first + 10 :]) <= 1e-12)
        assert np.all(np.diff(emission[: max(first, 1)]) >= -1e-12)


def test_mirrored_allocations_emit_mirrored() -> None:
    left = relative_emission_db(5, 8, 50, 23.0, 2)
    right = relative_emission_db(50 - 5 - 8, 8, 50, 23.0, 2)
    assert left == pytest.approx(right[::-1])


def test_every_margin_lowers_the_emission() -> None:
    plain = relative_emission_db(0, 10, 50, 23.0, 2, PLAIN)
    for name in ("w_db", "x_db", "y_db", "z_db"):
        margins = {"w_db": 0.0, "x_db": 0.0, "y_db": 0.0, "z_db": 0.0, name: 3.0}
        lowered = relative_emission_db(0, 10, 50, 23.0, 2, EmissionParams(**margins))
        assert np.all(lowered <= plain)
        assert np.any(lowered < plain - 0.1), name


def test_denser_constellations_are_cleaner_near_the_allocation() -> None:
    at_1 = [relative_emission_db(0, 10, 50, 23.0, order)[10] for order in (2, 4, 6)]
    assert at_1 == sorted(at_1, reverse=True)
    assert at_1[0] - at_1[2] == pytest.approx(20.0 * math.log10(0.175 / 0.08))


def test_absolute_limit_holds_at_low_power() -> None:
    # -57 dBm - (-30 - 10) dBm - 6 dB = -23 dB.
    emission = relative_emission_db(0, 10, 100, -30.0, 2)
    assert emission[30] == pytest.approx(-23.0)


def test_floor_of_the_limit() -> None:
    free = relative_emission_db(0, 10, 100, 23.0, 2)
    held = relative_emission_db(0, 10, 100, 23.0, 2, EmissionParams(limit_floor=True))
    assert free.min() < LIMIT_FLOOR_DB - 5.0
    assert held == pytest.approx(np.maximum(free, LIMIT_FLOOR_DB))


def test_impossible_requests_are_rejected() -> None:
    with pytest.raises(ValueError, match="resource blocks 45 to 54 are not within 0 and 49"):
        relative_emission_db(45, 10, 50, 23.0, 2)
    with pytest.raises(ValueError, match="modulation_order must be 2, 4, 6 or 8, got 3"):
        relative_emission_db(0, 10, 50, 23.0, 3)
    with pytest.raises(ValueError, match="x_db must be finite, got nan"):
        EmissionParams(x_db=math.nan)
