"""Surrogate safety measures worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from v2x.metrics.safety import (
    deceleration_to_avoid_crash_mps2,
    safety,
    time_to_collision_s,
    ttc_s,
)


def column(*values: float) -> np.ndarray:
    return np.array(values)


def test_time_to_collision():
    # Closing at 5 m/s over 20 m; equal speeds; falling back; overlapping, whoever is faster.
    ttc = time_to_collision_s(
        column(20, 20, 20, -1, -1), column(25, 20, 15, 25, 15), column(20, 20, 20, 20, 20)
    )
    assert ttc.tolist() == [4.0, math.inf, math.inf, 0.0, 0.0]


def test_deceleration_to_avoid_crash():
    drac = deceleration_to_avoid_crash_mps2(
        column(20, 20, np.inf, 0, -1), column(30, 15, 30, 30, 30), column(20, 20, 20, 20, 20)
    )
    np.testing.assert_allclose(drac, [100 / 40, 0, 0, np.nan, np.nan])


def test_braking_as_told_just_avoids_the_crash():
    """A follower that brakes with its DRAC is as fast as its leader when it touches it."""
    gap_m, follower_mps, leader_mps = 17.0, 31.0, 22.0
    drac = deceleration_to_avoid_crash_mps2(
        column(gap_m), column(follower_mps), column(leader_mps)
    )[0]
    t = (follower_mps - leader_mps) / drac
    travelled = follower_mps * t - drac * t * t / 2 - leader_mps * t
    assert travelled == pytest.approx(gap_m)


@pytest.fixture
def approach(make_table):
    """Follower 1 closes in on leader 2 at 10 m/s in steps of 0.1 s, twice, and 3 on 4 once.

    TTC of the first pair: 1.6, 1.4, 1.2, inf, inf, 1.4, 1.4 s; of the other 1.0 s twice.
    """
    time_s = np.r_[np.arange(7), 2, 3] / 10
    gap_m = np.array([16, 14, 12, 30, 30, 14, 14, 10, 10.0])
    closing = np.array([10, 10, 10, 0, 0, 10, 10, 10, 10.0])
    shuffled = np.random.default_rng(1).permutation(9)
    return make_table(
        "safety",
        time_s=time_s[shuffled],
        follower_id=np.array([1] * 7 + [3] * 2)[shuffled],
        leader_id=np.array([2] * 7 + [4] * 2)[shuffled],
        gap_m=gap_m[shuffled],
        follower_speed_mps=20 + closing[shuffled],
        leader_speed_mps=20.0,
    )


def test_worst_of_a_run(make_records, approach):
    figures = safety(make_records({"safety": approach}))
    assert figures.min_ttc_s == 1.0
    assert figures.min_gap_m == 10.0
    assert figures.max_drac_mps2 == pytest.approx(100 / 20)
    assert figures.n_collisions == 0


def test_spells_below_the_threshold_are_counted_once(make_records, approach):
    assert safety(make_records({"safety": approach})).n_critical == 3


def test_a_gap_in_the_records_ends_a_spell(make_records, approach):
    finer = make_records({"safety": approach}, mobility_period_s=0.05)
    assert safety(finer).n_critical == 6


def test_replications_are_apart(make_records, approach):
    both = {key: np.concatenate([values, values]) for key, values in approach.items()}
    both["replication"] = np.repeat(np.arange(2, dtype=np.int32), 9)
    assert safety(make_records({"safety": both}, replications=2)).n_critical == 6


def test_warm_up_does_not_count(make_records, approach):
    records = make_records({"safety": approach}, warmup_s=0.4)
    assert safety(records).n_critical == 1
    assert len(ttc_s(records)) == 3


def test_collisions_are_pairs(make_records, make_table):
    """Vehicles 1 and 2 overlap at three instants, and swap who follows; 5 touches 6 only."""
    table = make_table(
        "safety",
        time_s=[0.0, 0.1, 0.2, 0.0, 0.3],
        follower_id=[1, 1, 2, 5, 7],
        leader_id=[2, 2, 1, 6, 8],
        gap_m=[-0.5, -0.2, -0.1, 0.0, -1.0],
        follower_speed_mps=10.0,
        leader_speed_mps=10.0,
    )
    figures = safety(make_records({"safety": table}))
    assert figures.n_collisions == 2
    assert (figures.min_gap_m, figures.min_ttc_s) == (-1.0, 0.0)
    assert math.isnan(figures.max_drac_mps2)


def test_nobody_follows(make_records):
    figures = safety(make_records({}))
    assert (figures.n_critical, figures.n_collisions) == (0, 0)
    assert math.isnan(figures.min_ttc_s)
    assert math.isnan(figures.max_drac_mps2)
    assert math.isnan(figures.min_gap_m)
