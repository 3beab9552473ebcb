"""Alerts and dangers counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from v2x.metrics.summary import summarise
from v2x.metrics.warnings import (
    confirmed_alerts,
    warned_dangers,
    warning_figures,
)

NAN = np.nan


@pytest.fixture
def tables(make_table):
    """Vehicles 1 to 5, of which 5 has no device; 200 km in two blocks of one replication.

    Sort 0 tells 1 of 2 (in time, a danger follows), 3 of 4 (late), and 2 of 4 on another deck;
    sort 1 tells 1 of a sign.
    """
    return {
        "exposure": make_table(
            "exposure", block_start_s=[0.0, 1.0], vehicle_s=[900.0, 900.0], distance_m=[1e5, 1e5]
        ),
        "devices": make_table(
            "devices", id=[1, 2, 3, 4, 5], equipped=[True, True, True, True, False]
        ),
        "conflicts": make_table(
            "conflicts",
            event=[0, 1, 2],
            vehicle_id=[2, 3, 5],
            other_id=[1, 4, 1],
            begin_s=[1.2, 0.5, 1.0],
            worst_s=[1.9, 1.4, 1.5],
            end_s=[2.0, 1.5, 1.6],
            min_ttc_s=[1.0, 1.4, 0.5],
        ),
        "warnings": make_table(
            "warnings",
            warning=[0, 1, 2, 3],
            application=[0, 0, 0, 1],
            vehicle_id=[1, 3, 2, 1],
            other_id=[2, 4, 4, -1],
            begin_s=[0.9, 1.3, 0.2, 0.5],
            end_s=[1.6, 1.4, 0.4, 0.9],
            distance_m=[60.0, 20.0, 50.0, NAN],
            needed_m=[40.0, 30.0, NAN, NAN],
            lead_s=[3.0, 1.0, 2.0, NAN],
            age_s=[0.1, 0.2, 0.3, 0.5],
            other_deck=[False, False, True, False],
        ),
    }


@pytest.fixture
def records(make_records, tables):
    made = make_records(tables)
    made.facts["warnings"] = ["fcw", "ivs"]
    made.facts["conflict_ttc_s"] = 3.0
    return made


def test_figures_of_each_sort(records):
    found = warning_figures(records).by_application
    fcw, ivs = found["fcw"], found["ivs"]
    assert (fcw.n, fcw.n_about_others, ivs.n, ivs.n_about_others) == (3, 3, 1, 0)
    assert fcw.per_1000_km.value == pytest.approx(3 / 0.2)
    assert fcw.false_per_1000_km.value == pytest.approx(1 / 0.2)
    assert fcw.timely.value == pytest.approx(1 / 2)
    assert fcw.confirmed.value == pytest.approx(2 / 3)
    assert fcw.other_deck.value == pytest.approx(1 / 3)
    assert fcw.margin_m == pytest.approx(5.0)
    assert fcw.lead_s == pytest.approx(2.0)
    assert fcw.age_s == pytest.approx(0.2)
    assert np.isnan(ivs.margin_m)
    assert np.isnan(ivs.timely.value)


def test_dangers(records):
    found = warning_figures(records).dangers
    assert (found.n, found.n_both_equipped) == (3, 2)
    assert found.warned.value == 1.0
    assert found.in_time.value == pytest.approx(1 / 2)
    assert found.in_time_of_all.value == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("begin_s", "end_s", "expected"),
    [(-9.0, -3.8, True), (-9.0, -3.9, False), (2.0, 3.0, True), (2.1, 3.0, False)],
)
def test_an_alert_is_confirmed_by_a_conflict_until_five_seconds_after_its_end(
    make_table, tables, begin_s, end_s, expected
):
    """The conflict of 1 and 2 lasts from 1.2 to 2.0 s."""
    alert = make_table("warnings", vehicle_id=[1], other_id=[2], begin_s=[begin_s], end_s=[end_s])
    assert confirmed_alerts(alert, tables["conflicts"]).tolist() == [expected]
    assert bool(warned_dangers(alert, tables["conflicts"])[0][0]) == (expected and begin_s < 1.9)


@pytest.mark.parametrize(
    ("begin_s", "distance_m", "expected"),
    [(1.89, 40.0, (True, True)), (1.89, 39.9, (True, False)), (1.9, 90.0, (False, False))],
)
def test_a_warning_in_time_leaves_the_way_needed_before_the_worst(
    make_table, tables, begin_s, distance_m, expected
):
    alert = make_table(
        "warnings",
        vehicle_id=[1],
        other_id=[2],
        begin_s=[begin_s],
        end_s=[begin_s],
        distance_m=[distance_m],
        needed_m=[40.0],
    )
    warned, in_time = warned_dangers(alert, tables["conflicts"])
    assert (bool(warned[0]), bool(in_time[0])) == expected
    assert not warned[1:].any()


def test_replications_are_kept_apart(make_table, tables):
    alert = make_table(
        "warnings", replication=[1], vehicle_id=[1], other_id=[2], begin_s=[1.0], end_s=[2.0]
    )
    assert not confirmed_alerts(alert, tables["conflicts"]).any()
    assert not warned_dangers(alert, tables["conflicts"])[0].any()


def test_a_run_without_warnings_has_no_figures(make_records, tables):
    assert warning_figures(make_records({"exposure": tables["exposure"]})) is None


def test_without_a_watch_for_conflicts_nothing_is_said_of_dangers(make_records, tables):
    made = make_records({"warnings": tables["warnings"], "devices": tables["devices"]})
    made.facts["warnings"] = ["fcw", "ivs"]
    found = warning_figures(made)
    assert found.dangers is None
    assert np.isnan(found.by_application["fcw"].per_1000_km.value)
    assert np.isnan(found.by_application["fcw"].confirmed.value)


def test_the_summary_holds_them(records):
    summary = summarise(records, scenario_name="x", seed=1)["warnings"]
    assert summary["by_application"]["fcw"]["n"] == 3
    assert summary["dangers"]["in_time"]["mean"] == pytest.approx(0.5)
