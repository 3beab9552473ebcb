"""Maps of coverage and of reception by place."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.collections import PathCollection, PolyCollection
from matplotlib.colors import same_color

from v2x.metrics.places import PlaceReliability
from v2x.report import style
from v2x.report.coverage import LEAST_PAIRS, coverage_figure, places_figure

X_M = np.array([0.0, 500.0, 1000.0, 1500.0])
Y_M = np.zeros(4)
COVERED = np.array([True, True, True, False])
SITES = SimpleNamespace(x_m=np.array([100.0]), y_m=np.array([5.0]))


def dots(figure) -> list[PathCollection]:
    return [c for c in figure.axes[0].collections if isinstance(c, PathCollection)]


def legend(figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_power_is_coloured_and_dark_places_are_black(ridge):
    power_dbm = np.array([-90.0, -60.0, -np.inf, -40.0])
    figure = coverage_figure(ridge, X_M, Y_M, covered=COVERED, rsrp_dbm=power_dbm, sites=SITES)
    heard, dark, units = dots(figure)
    # The strongest last, and neither what is not covered nor what has no power.
    assert heard.get_offsets()[:, 0].tolist() == [0.0, 500.0]
    assert heard.get_array().tolist() == [-90.0, -60.0]
    assert dark.get_offsets()[:, 0].tolist() == [1500.0]
    assert same_color(dark.get_facecolor()[0], style.BLACK)
    assert units.get_offsets().tolist() == [[100.0, 5.0]]
    assert legend(figure) == ["dark (25.0 % of the places)", "roadside unit"]
    assert "[dBm]" in figure.axes[1].get_ylabel()
    assert "ODbL" in figure.axes[0].get_xlabel()


def test_small_losses_look_like_large_powers(ridge):
    power_dbm = np.array([-90.0, -60.0, -np.inf, -40.0])
    by_power = coverage_figure(ridge, X_M, Y_M, covered=COVERED, rsrp_dbm=power_dbm)
    by_loss = coverage_figure(ridge, X_M, Y_M, covered=COVERED, loss_db=20.0 - power_dbm)
    for figure in (by_power, by_loss):
        figure.canvas.draw()
    one, other = dots(by_power)[0], dots(by_loss)[0]
    assert other.get_array().tolist() == [110.0, 80.0]
    np.testing.assert_array_equal(one.get_offsets(), other.get_offsets())
    np.testing.assert_array_equal(one.get_facecolor(), other.get_facecolor())
    assert "Loss" in by_loss.axes[1].get_ylabel()
    # The better end of the bar is on top in both.
    assert by_loss.axes[1].yaxis_inverted()
    assert not by_power.axes[1].yaxis_inverted()


def test_without_power_there_are_two_colours(ridge):
    figure = coverage_figure(ridge, X_M, Y_M, covered=COVERED)
    covered, dark = dots(figure)
    assert (len(covered.get_offsets()), len(dark.get_offsets())) == (3, 1)
    assert legend(figure) == ["covered", "dark (25.0 % of the places)"]
    assert len(figure.axes) == 1


@pytest.mark.parametrize("covered", [np.ones(4, np.bool_), np.zeros(4, np.bool_)])
def test_all_or_nothing(ridge, tmp_path, covered):
    """Without a covered or without a dark place the figure still draws, and says which it is."""
    power_dbm = np.where(covered, -70.0, -np.inf)
    figure = coverage_figure(ridge, X_M, Y_M, covered=covered, rsrp_dbm=power_dbm)
    style.save(figure, tmp_path, "c")
    said = [text for box in figure.legends for text in (t.get_text() for t in box.get_texts())]
    assert said == ([] if covered.all() else ["dark (100.0 % of the places)"])


def places(n_intended: list[int], n_received: list[int]) -> PlaceReliability:
    return PlaceReliability(
        cell_m=100.0,
        column=np.array([-1, 3, 12]),
        row=np.array([0, -2, 0]),
        n_intended=np.array(n_intended),
        n_received=np.array(n_received),
        n_unplaced=0,
    )


def test_squares_lie_where_the_senders_were(ridge):
    figure = places_figure(ridge, places([50, LEAST_PAIRS - 1, 40], [25, 0, 40]))
    few, drawn = (c for c in figure.axes[0].collections if type(c) is PolyCollection)
    np.testing.assert_allclose(drawn.get_array(), [0.5, 1.0])
    boxes = [path.get_extents().extents.tolist() for path in drawn.get_paths()]
    assert boxes == [[-100, 0, 0, 100], [1200, 0, 1300, 100]]
    assert few.get_paths()[0].get_extents().extents.tolist() == [300, -200, 400, -100]
    assert f"fewer than {LEAST_PAIRS} pairs" in legend(figure)
    assert "ODbL" in figure.axes[0].get_xlabel()


def test_classes_are_told_by_the_colour_bar_from_dark_to_light(ridge):
    figure = places_figure(ridge, places([100, 100, 100], [10, 92, 100]))
    (drawn,) = [
        c for c in figure.axes[0].collections if type(c) is PolyCollection and len(c.get_paths())
    ]
    assert drawn.norm.boundaries[0] == 0.0
    assert drawn.norm.boundaries[-1] == 1.0
    figure.canvas.draw()
    lightness = drawn.get_facecolor()[:, :3] @ [0.2126, 0.7152, 0.0722]
    assert np.all(np.diff(lightness) > 0.1)


def test_no_packets_say_so(ridge, tmp_path):
    none = np.empty(0, np.int64)
    figure = places_figure(
        ridge,
        PlaceReliability(
            cell_m=100.0, column=none, row=none, n_intended=none, n_received=none, n_unplaced=0
        ),
    )
    assert "No packet" in "\n".join(text.get_text() for text in figure.axes[0].texts)
    style.save(figure, tmp_path, "none")
