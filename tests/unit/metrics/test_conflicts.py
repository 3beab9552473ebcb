"""Rates of conflicts counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from v2x.metrics.conflicts import SEVERITIES, conflict_figures, exceedance, severity
from v2x.metrics.summary import summarise

INF, NAN = np.inf, np.nan


@pytest.fixture
def tables(make_table):
    """Two replications of two blocks, 50 km each block in the first and 100 km in the second.

    Conflicts: a collision, a serious TTC, a critical PET, and a mere encounter.
    """
    return {
        "exposure": make_table(
            "exposure",
            replication=[0, 0, 1, 1],
            block_start_s=[0.0, 1.0, 0.0, 1.0],
            vehicle_s=[900.0, 900.0, 1800.0, 1800.0],
            distance_m=[50e3, 50e3, 100e3, 100e3],
            following_s=[100.0, 100.0, 300.0, 300.0],
            tet_s=[9.0, 0.0, 18.0, 0.0],
            tit_s2=[1.0, 0.0, 2.0, 0.0],
            cpi_s=[0.9, 0.9, 1.8, 1.8],
            rss_s=[10.0, 30.0, 60.0, 60.0],
            n_hard_brakes=[1, 0, 2, 0],
        ),
        "conflicts": make_table(
            "conflicts",
            replication=[0, 0, 1, 1],
            event=[0, 1, 0, 1],
            kind=[0, 1, 1, 3],
            begin_s=[0.4, 1.0, 1.9, 0.0],
            min_ttc_s=[0.0, 0.9, INF, 2.0],
            min_mttc_s=[0.0, 1.1, INF, 2.5],
            pet_s=[NAN, 2.5, 1.2, NAN],
            max_drac_mps2=[NAN, 5.0, NAN, 1.0],
            max_drac_share=[NAN, 0.8, NAN, 0.2],
            collision=[True, False, False, False],
            collision_speed_mps=[3.0, NAN, NAN, NAN],
        ),
    }


def test_severity(tables):
    names = [SEVERITIES[k] for k in severity(tables["conflicts"])]
    assert names == ["collision", "serious", "critical", "caution"]


@pytest.mark.parametrize(
    ("ttc_s", "pet_s", "name"),
    [
        (0.99, NAN, "serious"),
        (1.0, NAN, "critical"),
        (1.49, NAN, "critical"),
        (1.5, NAN, "caution"),
        (INF, 0.99, "serious"),
        (2.0, 1.0, "critical"),
        (INF, 1.5, "caution"),
    ],
)
def test_each_side_of_the_thresholds(make_table, ttc_s, pet_s, name):
    row = make_table("conflicts", min_ttc_s=[ttc_s], pet_s=[pet_s])
    assert SEVERITIES[severity(row)[0]] == name


def test_figures(make_records, tables):
    found = conflict_figures(make_records(tables, replications=2))
    assert found.n_by_kind == {"following": 1, "crossing": 2, "head_on": 0, "merging": 1}
    assert found.n_by_severity == dict.fromkeys(SEVERITIES, 1)
    assert found.vehicle_km == 300.0
    assert found.per_1000_km.value == pytest.approx(4 / 0.3)
    assert found.per_1000_km.method == "ratio-t over replications"
    assert found.per_1000_km.low == 0.0  # and not negative
    assert found.serious_per_1000_km.value == pytest.approx(2 / 0.3)
    assert (found.min_ttc_s, found.min_mttc_s, found.min_pet_s) == (0.0, 0.0, 1.2)
    assert (found.max_drac_mps2, found.max_drac_share) == (5.0, 0.8)
    assert found.tet_share.value == pytest.approx(27 / 5400)
    assert found.tit_s2_per_h.value == pytest.approx(3 / 1.5)
    assert found.cpi.value == pytest.approx(1e-3)
    assert found.cpi.low == pytest.approx(found.cpi.high)
    assert found.rss_share.value == pytest.approx(160 / 800)
    assert found.hard_brakes_per_1000_km.value == pytest.approx(3 / 0.3)


def test_exceedance(make_records, tables):
    records = make_records(tables, replications=2)
    curve = exceedance(records, "min_ttc_s", np.array([0.0, 1.0, 3.0]))
    np.testing.assert_allclose(curve.per_1000_km, [0.0, 2 / 0.3, 3 / 0.3])
    assert (curve.n, curve.over) == (3, "replications")
    pet = exceedance(records, "pet_s", np.array([2.0, 3.0]))
    np.testing.assert_allclose(pet.per_1000_km, [1 / 0.3, 2 / 0.3])


def test_conflicts_count_in_the_block_in_which_they_begin(make_records, tables):
    """One replication: the interval is over its blocks of 1 s, 50 km each, 1 and 1 conflicts."""
    first = {
        name: {key: values[table["replication"] == 0] for key, values in table.items()}
        for name, table in tables.items()
    }
    found = conflict_figures(make_records(first)).per_1000_km
    assert found.method == "ratio-t over time batches"
    assert (found.value, found.low, found.high) == pytest.approx((20.0, 20.0, 20.0))


def test_a_crossing_from_before_the_first_block_counts_in_it(make_records, tables):
    tables["conflicts"]["begin_s"][:] = -0.3
    found = conflict_figures(make_records(tables, replications=2))
    assert found.per_1000_km.value == pytest.approx(4 / 0.3)


def test_who_does_not_watch_has_no_figures(make_records):
    assert conflict_figures(make_records({})) is None


def test_nothing_happened(make_records, tables):
    found = conflict_figures(make_records({"exposure": tables["exposure"]}, replications=2))
    assert found.per_1000_km.value == 0.0
    assert (found.min_ttc_s, found.min_mttc_s) == (INF, INF)
    assert np.isnan([found.min_pet_s, found.max_drac_mps2]).all()


def test_summary(make_records, tables):
    records = make_records(tables, replications=2, conflict_ttc_s=3.0)
    block = summarise(records, scenario_name="x", seed=1)["conflicts"]
    assert block["ttc_s"] == 3.0
    assert block["n_by_severity"]["collision"] == 1
    assert block["cpi"]["mean"] == pytest.approx(1e-3)
    assert block["min_pet_s"] == 1.2
    assert "conflicts" not in summarise(make_records({}), scenario_name="x", seed=1)
