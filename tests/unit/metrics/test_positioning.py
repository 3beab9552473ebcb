"""Position figures from invented records."""

from __future__ import annotations

import math

import numpy as np
import pytest

from v2x.metrics.positioning import error_histogram, positioning
from v2x.metrics.summary import summarise
from v2x.records.tables import Sky

OPEN, DECK = int(Sky.OPEN), int(Sky.DECK)


@pytest.fixture
def records(make_records, make_table):
    """Two instants of ten vehicles, one of them before the end of the warm-up."""
    positions = make_table(
        "positions",
        time_s=[0.9, 1.0, 1.0, 1.1],
        sky=[OPEN, OPEN, DECK, OPEN],
        n=[10, 6, 4, 10],
        sum_horizontal_m2=[1e9, 24.0, 100.0, 40.0],
        sum_vertical_m2=[1e9, 54.0, 400.0, 90.0],
        n_wrong_edge_plan=[10, 2, 3, 2],
        n_wrong_level_plan=[10, 0, 2, 0],
        n_wrong_edge_height=[10, 2, 2, 0],
        n_wrong_level_height=[10, 0, 1, 0],
    )
    errors = make_table(
        "position_errors",
        sky=[OPEN, OPEN, OPEN, OPEN, DECK, DECK],
        axis=[0, 0, 0, 1, 0, 1],
        value_m=[1.0, 1.25, 2.0, 3.0, 5.0, 200.0],
        n=[10, 5, 1, 16, 4, 4],
    )
    return make_records({"positions": positions, "position_errors": errors}, warmup_s=1.0)


def test_by_sky(records):
    figures = positioning(records)
    assert list(figures) == ["open", "deck", "all"]
    clear, under = figures["open"], figures["deck"]
    assert (clear.n, under.n) == (16, 4)
    assert clear.rms_horizontal_m == pytest.approx(2.0)
    assert clear.rms_vertical_m == pytest.approx(3.0)
    assert under.rms_horizontal_m == pytest.approx(5.0)
    assert under.rms_vertical_m == pytest.approx(10.0)
    assert clear.wrong_edge_by_plan == pytest.approx(0.25)
    assert clear.wrong_edge_by_height == pytest.approx(0.125)
    assert (under.wrong_edge_by_plan, under.wrong_level_by_plan) == (0.75, 0.5)
    assert (under.wrong_edge_by_height, under.wrong_level_by_height) == (0.5, 0.25)


def test_all_weighs_by_vehicles(records):
    everywhere = positioning(records)["all"]
    assert everywhere.n == 20
    assert everywhere.rms_horizontal_m == pytest.approx(math.sqrt(164.0 / 20.0))
    assert everywhere.wrong_level_by_plan == pytest.approx(0.1)
    assert everywhere.p95_horizontal_m == pytest.approx(5.1875, abs=0.01)


def test_percentiles_are_those_of_the_histogram(records):
    clear, under = (positioning(records)[name] for name in ("open", "deck"))
    # 15.2 of 16: a fifth of the last bin.
    assert clear.p95_horizontal_m == pytest.approx(2.05, abs=0.01)
    assert clear.p95_vertical_m == pytest.approx(3.0 + 0.95 * 0.25, abs=0.01)
    assert math.isinf(under.p95_vertical_m)
    both = error_histogram(records, 0, (OPEN, DECK))
    assert both.n.tolist() == [10, 5, 1, 4]


def test_the_summary_has_them_or_null(records, make_records):
    made = summarise(records, scenario_name="invented", seed=1)["positioning"]
    assert made["deck"]["n"] == 4
    assert made["deck"]["p95_vertical_m"] is None
    assert made["open"]["rms_horizontal_m"] == pytest.approx(2.0)
    without = summarise(make_records({}), scenario_name="invented", seed=1)
    assert without["positioning"] is None


def test_replications_are_pooled(make_records, make_table):
    table = make_table(
        "positions", replication=[0, 1], time_s=1.0, n=[1, 3], sum_horizontal_m2=[4.0, 0.0]
    )
    figures = positioning(make_records({"positions": table}))["all"]
    assert figures.rms_horizontal_m == pytest.approx(1.0)
    assert np.isnan(figures.p95_horizontal_m)
