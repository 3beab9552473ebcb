"""The contract of ``summary.json``, on which other tools rely."""

from __future__ import annotations

import json

import numpy as np
import pytest

from v2x.metrics.reliability import reliability
from v2x.metrics.summary import REQUIRED_FACTS, json_clean, summarise
from v2x.records.tables import OUTCOME_NAMES, RunRecords

KEYS = {
    "": "scenario seed simulated_s wall_s realtime_factor n_vehicles messages_sent "
    "awareness_range_m effective_antenna_height_m",
    "prr": "bin_upper_m value ci_low ci_high n ci_method",
    "cbr": "mean p10 p50 p90",
    "latency_ms": "mean p50 p95 p99 parts",
    "ipg_ms": "mean p50 p95 p99",
    "aoi_ms": "mean p50 p95 p99",
    "safety": "min_ttc_s n_ttc_below_1_5_s max_drac_mps2 min_gap_m n_collisions",
    "exclusions": "warmup_s edge_margin_m",
}


@pytest.fixture
def summary(plausible_records):
    return summarise(plausible_records, scenario_name="invented", seed=3)


@pytest.fixture
def empty_summary(make_records):
    return summarise(make_records({}, n_vehicles=0, messages_sent=0), scenario_name="x", seed=0)


@pytest.mark.parametrize("section", KEYS)
def test_keys(summary, empty_summary, section):
    for made in (summary, empty_summary):
        found = made[section] if section else made
        assert set(KEYS[section].split()) <= set(found)


def test_is_json(summary, empty_summary):
    for made in (summary, empty_summary):
        assert json.loads(json.dumps(made, allow_nan=False)) == made


def test_head(summary):
    assert (summary["scenario"], summary["seed"]) == ("invented", 3)
    assert summary["realtime_factor"] == 8.0


def test_outcomes_share_the_bins_of_the_prr_and_sum_to_one(summary):
    assert tuple(summary["outcomes"]) == OUTCOME_NAMES
    n_bins = len(summary["prr"]["bin_upper_m"])
    assert {len(values) for values in summary["prr"].values()} == {n_bins}
    shares = np.array(list(summary["outcomes"].values()))
    assert shares.shape == (len(OUTCOME_NAMES), n_bins)
    np.testing.assert_allclose(shares.sum(axis=0), 1.0, atol=1e-12)
    assert summary["outcomes"]["received"] == summary["prr"]["value"]


def test_limits_enclose_the_value(summary):
    prr = summary["prr"]
    assert np.all(np.array(prr["ci_low"]) < prr["value"])
    assert np.all(np.array(prr["ci_high"]) > prr["value"])
    for section in ("cbr", "latency_ms"):
        made = summary[section]
        assert made["ci_low"] < made["mean"] < made["ci_high"]


def test_percentiles_ascend(summary):
    for section in ("latency_ms", "ipg_ms", "aoi_ms"):
        made = summary[section]
        assert 0 < made["p50"] <= made["p95"] <= made["p99"]


def test_known_figures(summary, plausible_records):
    # Loss 0.2, period 100 ms, delay 20 ms: IPG 125 ms and AoI 95 ms; 4 standard errors of
    # 20,000 gaps (sd 56 ms) and of ages from 4,000 gaps.
    assert summary["ipg_ms"]["mean"] == pytest.approx(125.0, abs=1.6)
    assert summary["aoi_ms"]["mean"] == pytest.approx(95.0, abs=6.0)
    parts = summary["latency_ms"]["parts"]
    assert sum(parts.values()) == pytest.approx(summary["latency_ms"]["mean"])
    assert summary["prr"]["n"] == reliability(plausible_records).n.tolist()


def test_map_and_exclusions_are_as_stated(summary, plausible_records):
    assert summary["map"] == plausible_records.facts["map"]
    assert summary["exclusions"] == {"warmup_s": 0.0, "edge_margin_m": 250.0}


@pytest.mark.parametrize("height_m", [1.5, None])
def test_the_effective_antenna_height_is_stated(make_records, height_m):
    records = make_records({}, effective_antenna_height_m=height_m)
    made = summarise(records, scenario_name="x", seed=0)
    assert made["effective_antenna_height_m"] == height_m


def test_without_data_figures_are_null_and_counts_zero(empty_summary):
    assert set(empty_summary["prr"]["value"]) == {None}
    assert set(empty_summary["prr"]["n"]) == {0}
    assert empty_summary["ipg_ms"]["mean"] is None
    assert empty_summary["latency_ms"]["p99"] is None
    assert empty_summary["cbr"]["p50"] is None
    assert empty_summary["safety"]["min_ttc_s"] is None
    assert empty_summary["safety"]["n_collisions"] == 0


def test_a_lone_pair_that_never_closes_in_has_no_ttc(make_records, make_table):
    table = make_table("safety", gap_m=[50.0], follower_speed_mps=[9.0], leader_speed_mps=[10.0])
    made = summarise(make_records({"safety": table}), scenario_name="x", seed=0)
    assert made["safety"]["min_ttc_s"] is None
    assert made["safety"]["max_drac_mps2"] == 0.0


def test_no_wall_time_means_no_speed(make_records):
    made = summarise(make_records({}, wall_s=0.0), scenario_name="x", seed=0)
    assert made["realtime_factor"] is None


@pytest.mark.parametrize("name", REQUIRED_FACTS)
def test_a_missing_fact_is_named(plausible_records, name):
    facts = {key: value for key, value in plausible_records.facts.items() if key != name}
    with pytest.raises(ValueError, match=name):
        summarise(RunRecords(plausible_records.tables, facts), scenario_name="x", seed=0)


def test_json_clean():
    dirty = {1: (np.float32(0.5), np.inf, {"a": np.array([[1, 2]])}), "b": [np.nan, None, True]}
    assert json_clean(dirty) == {"1": [0.5, None, {"a": [[1, 2]]}], "b": [None, None, True]}
