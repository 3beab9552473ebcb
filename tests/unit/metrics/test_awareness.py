"""Neighbours known, directly and by relay."""

from __future__ import annotations

import numpy as np
import pytest

from v2x.metrics.awareness import awareness
from v2x.metrics.summary import summarise


def samples(make_table):
    """Return two seconds of two bins: 150 of 200, then 170 of 200 with relay, and so on."""
    return make_table(
        "awareness",
        time_s=[1.0, 1.0, 2.0, 2.0],
        bin_upper_m=[20.0, 40.0, 20.0, 40.0],
        n_pairs=[100, 100, 100, 100],
        n_direct=[90, 60, 80, 50],
        n_with_relay=[95, 75, 100, 70],
        n_other_level=[10, 20, 0, 10],
        n_other_level_known=[8, 4, 0, 2],
    )


def test_shares_pool_all_samples(make_records, make_table):
    curve = awareness(make_records({"awareness": samples(make_table)}))
    assert curve.bin_upper_m.tolist() == [20.0, 40.0]
    assert curve.share_direct.tolist() == [0.85, 0.55]
    assert curve.share_with_relay.tolist() == [0.975, 0.725]
    assert curve.direct.value == 280 / 400
    assert curve.with_relay.value == 340 / 400
    assert curve.direct.low < curve.direct.value < curve.direct.high
    assert (curve.n_other_level, curve.n_other_level_known) == (40, 14)
    assert curve.false_same_level == 14 / 280


def test_nobody_near_is_no_share(make_records):
    curve = awareness(make_records({}))
    assert np.isnan(curve.direct.value)
    assert np.isnan(curve.false_same_level)
    assert len(curve.share_direct) == 0


def test_the_summary_has_it(make_records, make_table):
    made = summarise(make_records({"awareness": samples(make_table)}), scenario_name="x", seed=1)[
        "awareness"
    ]
    assert made["share_direct"] == [0.85, 0.55]
    assert made["with_relay"]["mean"] == pytest.approx(0.85)
    assert made["other_level"] == {"n_pairs": 40, "n_known": 14, "false_same_level": 0.05}
