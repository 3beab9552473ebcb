"""Figures of energy counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from v2x.metrics.energy import GRADE_CLASS_NAMES, KIND_NAMES, by_grade, energy_figures
from v2x.metrics.summary import summarise
from v2x.mobility.energy import GRADE_LIMITS
from v2x.mobility.fleet import NodeKind


@pytest.fixture
def tables(make_table):
    """Two replications: an electric car on the level and uphill, and a truck with fuel."""
    return {
        "energy": make_table(
            "energy",
            replication=[0, 0, 0, 1, 1, 1],
            vehicle_id=[1, 1, 2, 1, 1, 2],
            kind=[0, 0, 1, 0, 0, 1],
            electric=[True, True, False, True, True, False],
            grade_class=[2, 4, 2, 2, 4, 2],
            duration_s=[60.0, 60.0, 120.0, 60.0, 60.0, 120.0],
            distance_m=[1000.0, 1000.0, 2000.0, 1000.0, 1000.0, 2000.0],
            drive_wh=[100.0, 420.0, 0.0, 120.0, 400.0, 0.0],
            regen_wh=[26.0, 0.0, 0.0, 26.0, 0.0, 0.0],
            aux_wh=[10.0, 10.0, 0.0, 10.0, 10.0, 0.0],
            fuel_g=[0.0, 0.0, 500.0, 0.0, 0.0, 540.0],
            co2_g=[0.0, 0.0, 1600.0, 0.0, 0.0, 1720.0],
            n_stops=[1, 0, 2, 0, 0, 1],
            delay_s=[10.0, 5.0, 20.0, 0.0, 5.0, 20.0],
            jerk2_m2ps5=[0.0, 240.0, 0.0, 240.0, 0.0, 0.0],
        )
    }


def test_figures(make_records, tables):
    found = energy_figures(make_records(tables, replications=2))
    assert found.kwh_per_km.value == pytest.approx((1040 - 52 + 40) / 4000)
    assert found.kwh_per_km.method == "ratio-t over replications"
    assert found.co2_g_per_km.value == pytest.approx(3320 / 4)
    assert found.fuel_g_per_km.value == pytest.approx(1040 / 4)
    assert found.regen_share.value == pytest.approx(52 / 1040)
    assert found.stops_per_km.value == pytest.approx(4 / 8)
    assert found.stops_per_vehicle.value == pytest.approx(4 / 4)
    assert found.stops_per_vehicle.low == 0.0  # and not negative
    assert found.delay_s_per_vehicle.value == pytest.approx(60 / 4)
    assert found.delay_s_per_km.value == pytest.approx(60 / 8)
    assert found.jerk_rms_mps3 == pytest.approx(1.0)
    assert (found.vehicle_km, found.electric_km) == (8.0, 4.0)


def test_intervals_are_those_of_the_replications(make_records, tables):
    """CO2 of 800 and 860 g/km: mean 830, half width t(1) · 30."""
    co2 = energy_figures(make_records(tables, replications=2)).co2_g_per_km
    assert (co2.low, co2.high) == pytest.approx((830 - 12.706 * 30, 830 + 12.706 * 30), rel=1e-4)


def test_by_grade(make_records, tables):
    records = make_records(tables, replications=2)
    cars = by_grade(records, electric=True, kind=0)
    assert [one.value for one in cars][2::2] == pytest.approx([0.094, 0.42])
    assert np.isnan([cars[k].value for k in (0, 1, 3)]).all()
    trucks = by_grade(records, electric=False, kind=1)
    assert trucks[2].value == pytest.approx(830.0)
    assert all(np.isnan(one.value) for one in by_grade(records, electric=True, kind=1))


def test_the_summary_has_them_if_they_were_recorded(make_records, tables):
    told = summarise(make_records(tables, replications=2), scenario_name="s", seed=1)["energy"]
    assert told["kwh_per_km"]["mean"] == pytest.approx(0.257)
    assert told["vehicle_km"] == 8.0
    assert "energy" not in summarise(make_records({}), scenario_name="s", seed=1)
    assert energy_figures(make_records({})) is None


def test_names_are_those_of_the_model():
    assert len(GRADE_CLASS_NAMES) == len(GRADE_LIMITS) + 1
    assert [NodeKind[name.upper()] for name in KIND_NAMES] == [0, 1, 2]
