"""PRR and outcome shares of tables small enough to count by hand, and of drawn ones."""

from __future__ import annotations

import numpy as np
import pytest

from v2x.errors import V2XError
from v2x.metrics.reliability import reliability
from v2x.records.tables import Outcome


@pytest.fixture
def links(make_table):
    """Two blocks; 8 of 10 and 1 of 4 received in the first bin, 1 of 2 in the third."""
    return make_table(
        "links",
        block_start_s=[0, 0, 1, 1, 1, 0, 0],
        bin_upper_m=[20, 20, 20, 20, 20, 60, 60],
        outcome=[
            Outcome.RECEIVED,
            Outcome.COLLISION,
            Outcome.RECEIVED,
            Outcome.HALF_DUPLEX,
            Outcome.OUT_OF_BUDGET,
            Outcome.RECEIVED,
            Outcome.PROPAGATION,
        ],
        n=[8, 2, 1, 1, 2, 1, 1],
    )


def test_prr_is_pooled_over_packets(make_records, links):
    curve = reliability(make_records({"links": links}, max_distance_m=80.0))
    assert curve.bin_upper_m.tolist() == [20, 40, 60, 80]
    assert curve.n.tolist() == [14, 0, 2, 0]
    # 9/14, not the mean of 8/10 and 1/4.
    np.testing.assert_allclose(curve.prr, [9 / 14, np.nan, 0.5, np.nan])
    np.testing.assert_allclose(curve.share[Outcome.COLLISION], [2 / 14, np.nan, 0, np.nan])


def test_pdr_leaves_out_what_was_never_sent(make_records, links):
    curve = reliability(make_records({"links": links}))
    assert curve.pdr[0] == pytest.approx(9 / 12)


def test_shares_of_a_bin_sum_to_one(plausible_records):
    curve = reliability(plausible_records)
    np.testing.assert_allclose(curve.share.sum(axis=0), 1.0, atol=1e-12)


def test_bins_are_merged(make_records, links):
    curve = reliability(make_records({"links": links}, max_distance_m=80.0), bin_width_m=40.0)
    assert curve.bin_upper_m.tolist() == [40, 80]
    assert curve.n.tolist() == [14, 2]
    np.testing.assert_allclose(curve.prr, [9 / 14, 0.5])


def test_a_merged_last_bin_may_be_partly_beyond_the_distance(make_records, links):
    curve = reliability(make_records({"links": links}, max_distance_m=60.0), bin_width_m=40.0)
    assert curve.bin_upper_m.tolist() == [40, 80]


@pytest.mark.parametrize("width_m", [10.0, 30.0, 0.0, -20.0])
def test_bins_cannot_be_split(make_records, links, width_m):
    with pytest.raises(V2XError, match="whole multiple of 20 m"):
        reliability(make_records({"links": links}), bin_width_m=width_m)


def test_limits_come_from_time_batches_or_wilson(make_records, links):
    curve = reliability(make_records({"links": links}, max_distance_m=60.0))
    assert curve.method == ("ratio-t over time batches", "none", "wilson")
    assert np.isnan(curve.prr_low[1])
    assert curve.prr_low[2] < 0.5 < curve.prr_high[2]


def test_limits_come_from_replications_if_there_are_any(make_records, links):
    links["replication"] = links["block_start_s"].astype(np.int32)
    curve = reliability(make_records({"links": links}))
    assert curve.method[0] == "ratio-t over replications"


def test_limits_hold_the_truth_of_drawn_outcomes(plausible_records):
    """Counts drawn with known shares: about 5 % of 25 bins may miss, 5 misses have p < 1 %."""
    curve = reliability(plausible_records)
    d = curve.bin_upper_m - 10
    lost = 0.01 + 0.25 / (1 + np.exp((470 - d) / 25)) + 0.35 / (1 + np.exp((380 - d) / 40))
    truth = 1 - lost - 0.22 * (1 - np.exp(-((d / 220) ** 2))) - 0.03 * d / 500 - 0.004
    missed = (truth < curve.prr_low) | (truth > curve.prr_high)
    assert missed.sum() < 5
    # Independent pairs, 8000 a bin: 4 standard deviations.
    assert np.all(np.abs(curve.prr - truth) < 4 * np.sqrt(truth * (1 - truth) / 8000))


def test_no_pairs(make_records):
    curve = reliability(make_records({}))
    assert np.isnan(curve.prr).all()
    assert curve.n.sum() == 0
    assert set(curve.method) == {"none"}
