from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PolyCollection

from v2x.report.batch_figures import curves, distance_figure, factor_figure

FACTORS = ["traffic.density_per_km", "access.type"]


@pytest.fixture
def summary() -> pd.DataFrame:
    """Return a table of two factors: PRR over three bins, and the CBR."""
    rows = []
    for density, access in itertools.product((120, 60), ("lte-mode4", "random")):
        for upper in (20.0, 40.0, 60.0):
            mean = 1 - upper / 100
            rows.append(("prr", density, access, upper, mean, mean - 0.1, mean + 0.1, 4))
        rows.append(("cbr", density, access, np.nan, density / 200, np.nan, np.nan, 1))
    return pd.DataFrame(rows, columns=["metric", *FACTORS, "bin", "mean", "low", "high", "n"])


def test_a_curve_for_each_combination_in_ascending_order(summary: pd.DataFrame) -> None:
    found = list(curves(summary, "cbr", FACTORS[0], FACTORS[1:]))

    assert [curve.label for curve in found] == ["type lte-mode4", "type random"]
    assert all(curve.x == [60, 120] for curve in found)
    assert found[0].mean.tolist() == [0.3, 0.6]


def test_distance_has_a_panel_for_each_value_of_the_first_factor(summary: pd.DataFrame) -> None:
    figure = distance_figure(summary, FACTORS)

    assert [axes.get_title() for axes in figure.axes] == ["density_per_km 120", "density_per_km 60"]
    for axes in figure.axes:
        assert len(axes.lines) == 2
        assert axes.lines[0].get_xdata().tolist() == [10, 30, 50]  # centres of the bins
        bands = [one for one in axes.collections if isinstance(one, PolyCollection)]
        assert len(bands) == 2
        extent = bands[0].get_paths()[0].get_extents()
        assert (extent.y0, extent.y1) == (pytest.approx(0.3), pytest.approx(0.9))


def test_without_factors_there_is_one_curve(summary: pd.DataFrame) -> None:
    one = summary[(summary[FACTORS[0]] == 60) & (summary[FACTORS[1]] == "random")]
    figure = distance_figure(one.drop(columns=FACTORS), [])

    assert [len(axes.lines) for axes in figure.axes] == [1]


def test_factors_are_drawn_against_the_first_that_is_a_number(summary: pd.DataFrame) -> None:
    figure = factor_figure(summary, FACTORS[::-1])

    shown = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_ylabel() for axes in shown] == ["Channel busy ratio"]
    assert figure.get_supxlabel() == FACTORS[0]
    assert len(shown[0].lines) == 2


def test_many_samples_are_points_and_too_many_panels_are_told() -> None:
    n = 20
    rows = [("cbr", i / n, -i, np.nan, i / n, np.nan, np.nan, 1) for i in range(n)]
    rows += [("prr", i / n, -i, 20.0, i / n, np.nan, np.nan, 1) for i in range(n)]
    table = pd.DataFrame(rows, columns=["metric", "a", "b", "bin", "mean", "low", "high", "n"])

    assert not factor_figure(table, ["a", "b"]).legends
    told = distance_figure(table, ["a", "b"]).axes[0].texts[0].get_text()
    assert told == "20 values of a: too many to draw."
