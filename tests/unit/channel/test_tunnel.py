"""Tunnel modes, bends and portals against the reference table and by hand."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest

from v2x.channel.tunnel import (
    angle_between_axes_rad,
    bend_db,
    far_zone_m,
    line_of_sight_limit_m,
    mode_db_per_m,
    portal_db,
    roughness_db_per_m,
    tilt_db_per_m,
    tunnel_law,
)
from v2x.units import SPEED_OF_LIGHT_MPS

WAVELENGTH_M = SPEED_OF_LIGHT_MPS / 5.9e9
TABLES = Path(__file__).resolve().parents[4] / "shared" / "reference" / "tables"


def test_mode_table_to_the_printed_digits() -> None:
    table = TABLES / "tunnel_modal_attenuation_5g9.csv"
    if not table.exists():
        pytest.skip("reference tables are not beside this checkout")
    for row in csv.DictReader(table.read_text().splitlines()):
        width_m, height_m = float(row["width_m"]), float(row["height_m"])
        mode = int(row["m_horizontal"]), int(row["n_vertical"])
        for polarisation, column in (("vertical", "V"), ("horizontal", "H")):
            loss = mode_db_per_m(
                width_m,
                height_m,
                float(row["eps_r"]),
                WAVELENGTH_M,
                mode=mode,
                polarisation=polarisation,
            )
            expected = float(row[f"alpha_{column}_dB_per_100m"])
            assert 100.0 * loss == pytest.approx(expected, abs=5.1e-5)
        assert width_m**2 / WAVELENGTH_M == pytest.approx(float(row["w2_over_lambda_m"]), abs=0.5)
        assert height_m**2 / WAVELENGTH_M == pytest.approx(float(row["h2_over_lambda_m"]), abs=0.5)


def test_fundamental_mode_of_a_two_lane_tunnel() -> None:
    assert 100.0 * mode_db_per_m(10.25, 5.0, 5.24, WAVELENGTH_M) == pytest.approx(0.0233, abs=5e-5)
    assert far_zone_m(10.25, 5.0, WAVELENGTH_M) == pytest.approx(2068.0, abs=0.5)


@pytest.mark.parametrize(("tilt_deg", "loss_db"), [(0.3, 2.3), (0.5, 6.4), (1.0, 25.7)])
def test_tilted_walls(tilt_deg: float, loss_db: float) -> None:
    assert 100.0 * tilt_db_per_m(math.radians(tilt_deg), WAVELENGTH_M) == pytest.approx(
        loss_db, abs=0.05
    )


def test_roughness_matters_little_in_wide_tunnels() -> None:
    by_hand = 4.343 * math.pi**2 * 0.05**2 * WAVELENGTH_M * (10.25**-4 + 5.0**-4)
    assert roughness_db_per_m(10.25, 5.0, 0.05, WAVELENGTH_M) == pytest.approx(by_hand)
    assert 100.0 * by_hand < 0.01


def test_law_starts_at_free_space() -> None:
    law = tunnel_law(5.9, 1.8)
    assert law.loss_db(np.array([0.1, 1.0, 10.0, 100.0])) == pytest.approx(
        [47.86, 47.86, 65.86, 83.86], abs=0.005
    )
    # Ten times the frequency, twenty decibels.
    assert tunnel_law(59.0).loss_db(np.array([1.0])) == pytest.approx([67.86], abs=0.005)


def test_sight_in_bends_of_the_radio_sheet() -> None:
    assert line_of_sight_limit_m([150.0, 300.0, 500.0, 800.0], 9.0) == pytest.approx(
        [104.0, 147.0, 190.0, 240.0], abs=0.5
    )


def test_bend_worked_by_hand() -> None:
    # 300 m apart, 0.6 rad: R = 500 m, and 190 of the 300 m are in sight.
    hidden_m = 300.0 - 2.0 * math.sqrt(2.0 * 500.0 * 9.0)
    assert bend_db(300.0, 0.6, 9.0, 6.0) == pytest.approx(0.06 * hidden_m)
    assert bend_db(150.0, 0.3, 9.0, 6.0) == 0.0
    assert bend_db([0.0, 500.0], 0.0, 9.0, 6.0) == pytest.approx([0.0, 0.0])


def test_axes_are_lines_not_arrows() -> None:
    turn = angle_between_axes_rad([0.1, 0.1, 0.0, 3.0], [0.1 + np.pi, -0.1, np.pi / 2, 0.1])
    assert turn == pytest.approx([0.0, 0.2, np.pi / 2, 0.1 + np.pi - 3.0])


def test_portal_loss_grows_off_the_axis() -> None:
    angle = [0.0, np.pi / 4, np.pi / 2]
    assert portal_db(False, angle) == pytest.approx([10.0, 20.0, 30.0])
    assert portal_db(True, angle) == pytest.approx([3.0, 3.0, 3.0])


def test_unknown_polarisation_is_rejected() -> None:
    with pytest.raises(ValueError, match="polarisation"):
        mode_db_per_m(10.0, 5.0, 5.0, WAVELENGTH_M, polarisation="TM")
