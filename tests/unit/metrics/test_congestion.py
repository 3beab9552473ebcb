"""What congestion control did, from invented tables."""

from __future__ import annotations

import numpy as np
import pytest

from v2x.metrics.congestion import congestion_figures
from v2x.metrics.summary import summarise
from v2x.records.tables import FIRST_ROADSIDE_ID


@pytest.fixture
def control(make_table):
    """Two vehicles and a roadside unit at two times."""
    return make_table(
        "congestion",
        time_s=np.repeat([0.5, 1.0], 3),
        node_id=np.tile([1, 2, FIRST_ROADSIDE_ID], 2),
        cr=[0.9, 0.9, 0.9, 0.002, 0.004, 0.9],
        interval_ms=[1.0, 1.0, 1.0, 200.0, 600.0, np.nan],
        n_offered=[100, 100, 100, 5, 5, 100],
        n_suppressed=[0, 0, 0, 1, 3, 0],
        n_adapted=[9, 9, 9, 2, 1, 9],
        tx_power_dbm=[1.0, 1.0, 1.0, 12.0, 14.0, np.nan],
    )


def test_road_users_after_the_warm_up_count(make_records, control):
    figures = congestion_figures(make_records({"congestion": control}, warmup_s=0.5))
    assert figures.cr.value == pytest.approx(0.003)
    assert figures.cr_max == 0.004
    assert figures.cr_p95 == pytest.approx(0.0039)
    assert figures.share_suppressed.value == pytest.approx(0.4)
    assert figures.interval_ms == 400.0
    assert (figures.n_offered, figures.n_suppressed, figures.n_adapted) == (10, 4, 3)
    assert figures.tx_power_dbm == 13.0


def test_a_control_without_intervals_has_none(make_records, control):
    control["interval_ms"] = np.full(6, np.nan)
    records = make_records({"congestion": control})
    assert np.isnan(congestion_figures(records).interval_ms)


def test_runs_without_control_have_no_such_figures(make_records):
    assert congestion_figures(make_records({})) is None


def test_the_summary_has_them_where_there_is_control(make_records, control, plausible_records):
    plain = summarise(plausible_records, scenario_name="x", seed=1)
    assert "congestion" not in plain
    tables = dict(plausible_records.tables) | {"congestion": control}
    summary = summarise(make_records(tables, warmup_s=0.5), scenario_name="x", seed=1)
    assert summary["congestion"]["cr"]["mean"] == pytest.approx(0.003)
    assert summary["congestion"]["share_suppressed"]["mean"] == pytest.approx(0.4)
    assert summary["congestion"]["interval_ms"] == 400.0
