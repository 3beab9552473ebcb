"""Rain, fog, gases and leaves against ITU-R figures."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from v2x.channel.attenuation import (
    early_itu_foliage_db,
    fog_db_per_km,
    fog_db_per_km_per_g_m3,
    fog_water_g_m3,
    gas_db_per_km,
    rain_coefficients,
    rain_db_per_km,
    weissberger_db,
)

TABLES = Path(__file__).resolve().parents[4] / "shared" / "reference" / "tables"


def test_rain_coefficients_of_p838() -> None:
    assert rain_coefficients(5.9) == pytest.approx((4.410e-4, 1.580), rel=4e-4)
    assert rain_coefficients(5.9, "horizontal") == pytest.approx((6.293e-4, 1.602), rel=4e-4)


def test_rain_reference_table_to_the_printed_digits() -> None:
    table = TABLES / "rain_p838_5g9.csv"
    if not table.exists():
        pytest.skip("reference tables are not beside this checkout")
    for row in csv.DictReader(table.read_text().splitlines()):
        rate = float(row["rain_rate_mm_h"])
        vertical = float(rain_db_per_km(rate, 5.9))
        assert vertical == pytest.approx(float(row["gamma_V_dB_per_km"]), abs=5.1e-5)
        assert 0.5 * vertical == pytest.approx(float(row["loss_V_500m_dB"]), abs=2e-4)
        assert float(rain_db_per_km(rate, 5.9, "horizontal")) == pytest.approx(
            float(row["gamma_H_dB_per_km"]), abs=5.1e-5
        )


def test_rain_of_radio_sheet() -> None:
    assert rain_db_per_km([25.0, 50.0, 100.0, 150.0], 5.9) == pytest.approx(
        [0.071, 0.213, 0.637, 1.21], abs=3e-3
    )
    assert rain_db_per_km(0.0, 5.9) == 0.0


def test_fog_by_temperature() -> None:
    found = [fog_db_per_km_per_g_m3(5.9, t) for t in (0.0, 10.0, 20.0)]
    assert found == pytest.approx([0.032, 0.024, 0.019], abs=5e-4)


def test_water_in_fog_is_what_p840_calls_typical() -> None:
    thick, medium = fog_water_g_m3([50.0, 300.0])
    assert thick == pytest.approx(0.5, abs=0.005)
    assert 0.04 < medium < 0.07
    assert fog_water_g_m3(1000.0) == 0.0
    assert fog_db_per_km(50.0, 5.9, 0.0) <= 0.0162


def test_gases_cost_nothing_to_speak_of() -> None:
    dry, vapour = gas_db_per_km(5.9)
    assert dry == pytest.approx(0.0075, abs=2e-4)
    assert vapour == pytest.approx(0.002, abs=2e-4)
    with pytest.raises(ValueError, match="carrier_ghz"):
        gas_db_per_km(60.0)


def test_leaves() -> None:
    assert weissberger_db([10.0, 30.0], 5.9) == pytest.approx([7.4, 16.3], abs=0.05)
    assert early_itu_foliage_db([10.0, 30.0], 5.9) == pytest.approx([10.8, 20.8], abs=0.05)
    assert weissberger_db(0.0, 5.9) == 0.0


def test_unknown_polarisation_is_rejected() -> None:
    with pytest.raises(ValueError, match="polarisation"):
        rain_db_per_km(10.0, 5.9, "slanted")
