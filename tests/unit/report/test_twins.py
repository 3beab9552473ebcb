"""A run beside its flat twin."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from v2x.errors import V2XError
from v2x.metrics.summary import summarise
from v2x.report import style
from v2x.report.twins import twin_figure


@pytest.fixture(scope="module")
def flat(plausible_records):
    return summarise(plausible_records, scenario_name="flat", seed=1)


@pytest.fixture(scope="module")
def mountain(flat):
    """The same with half of the receptions lost to propagation."""
    summary = copy.deepcopy(flat)
    for key in ("value", "ci_low", "ci_high"):
        summary["prr"][key] = [0.5 * value for value in summary["prr"][key]]
    received = summary["outcomes"]["received"]
    summary["outcomes"]["propagation"] = [
        p + 0.5 * r for p, r in zip(summary["outcomes"]["propagation"], received, strict=True)
    ]
    summary["outcomes"]["received"] = [0.5 * r for r in received]
    return summary


def test_curves_and_bands_are_those_of_the_summaries(mountain, flat, tmp_path):
    figure = twin_figure(mountain, flat)
    curves = figure.axes[0]
    assert [line.get_label() for line in curves.lines] == ["mountain", "flat"]
    for line, band, summary in zip(curves.lines, curves.collections, (mountain, flat), strict=True):
        np.testing.assert_allclose(line.get_ydata(), summary["prr"]["value"])
        outline = band.get_paths()[0].vertices[:, 1]
        assert outline.max() == pytest.approx(max(summary["prr"]["ci_high"]))
        assert outline.min() == pytest.approx(min(summary["prr"]["ci_low"]))
    # Bins are 20 m wide; the curve stands in their middle.
    np.testing.assert_allclose(curves.lines[0].get_xdata()[:2], [10, 30])
    assert curves.get_xlabel().endswith("[m]")
    style.save(figure, tmp_path, "twins")


def test_causes_fill_both_panels(mountain, flat):
    _, hilly, level = twin_figure(mountain, flat).axes
    for axes, summary in ((hilly, mountain), (level, flat)):
        received = axes.collections[0].get_paths()[0].vertices
        assert received[:, 1].max() == pytest.approx(max(summary["outcomes"]["received"]))
        top = max(area.get_paths()[0].vertices[:, 1].max() for area in axes.collections)
        assert top == pytest.approx(1.0)
    assert hilly.get_title(loc="left").startswith("mountain")


def test_empty_bins_are_gaps(mountain, flat, tmp_path):
    hole = copy.deepcopy(flat)
    for values in (*hole["outcomes"].values(), *(hole["prr"][k] for k in ("value", "ci_low"))):
        values[3] = None
    hole["prr"]["ci_high"][3] = None
    figure = twin_figure(mountain, hole)
    assert np.isnan(figure.axes[0].lines[1].get_ydata()).sum() == 1
    style.save(figure, tmp_path, "gap")


def test_bins_must_agree(mountain, flat):
    other = copy.deepcopy(flat)
    other["prr"]["bin_upper_m"] = [2 * x for x in other["prr"]["bin_upper_m"]]
    with pytest.raises(V2XError, match=r"different distance bins.*bin_width_m"):
        twin_figure(mountain, other)
