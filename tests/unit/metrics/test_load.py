"""Channel busy ratio over nodes and time."""

from __future__ import annotations

import math

import numpy as np
import pytest

from v2x.metrics.load import cbr_over_time, cbr_quantile, mean_cbr


@pytest.fixture
def load(make_table):
    """Eleven nodes at two times: 0, 0.1 … 1.0, then all 0.5."""
    return make_table(
        "load",
        time_s=np.repeat([0.5, 1.5], 11),
        node_id=np.tile(np.arange(11), 2),
        cbr=np.r_[np.arange(11) / 10, np.full(11, 0.5)],
    )


def test_pooled(make_records, load):
    records = make_records({"load": load})
    assert mean_cbr(records).value == pytest.approx(0.5)
    assert cbr_quantile(records, 0.5) == 0.5
    assert cbr_quantile(records, 0.9) == pytest.approx(np.quantile(load["cbr"], 0.9))


def test_warm_up_does_not_count(make_records, load):
    records = make_records({"load": load}, warmup_s=0.5)
    assert cbr_quantile(records, 0.0) == 0.5
    assert cbr_over_time(records).time_s.tolist() == [1.5]


def test_over_time(make_records, load):
    series = cbr_over_time(make_records({"load": load}))
    assert series.time_s.tolist() == [0.5, 1.5]
    np.testing.assert_allclose(series.mean, [0.5, 0.5])
    np.testing.assert_allclose(series.p10, [0.1, 0.5])
    np.testing.assert_allclose(series.p90, [0.9, 0.5])


def test_many_times_are_merged(make_records, make_table):
    time_s = np.arange(1, 251) / 10
    shuffled = np.random.default_rng(1).permutation(250)
    table = make_table("load", time_s=time_s[shuffled], cbr=(time_s / 25)[shuffled])
    series = cbr_over_time(make_records({"load": table}))
    assert len(series.time_s) == 100
    assert series.time_s[-1] == 25.0
    # Groups of two or three times, each with the mean of its own rising values.
    np.testing.assert_allclose(series.mean, series.time_s / 25, atol=0.005)
    assert np.all(np.diff(series.mean) > 0)


def test_no_measurements(make_records):
    records = make_records({})
    assert math.isnan(mean_cbr(records).value)
    assert math.isnan(cbr_quantile(records, 0.5))
    assert cbr_over_time(records).time_s.shape == (0,)
