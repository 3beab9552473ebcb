"""The map figure keeps bridges, tunnels and levels apart and names its makers."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import same_color

from v2x.report import maps, style
from v2x.report.maps import map_figure, mean_absolute_grade
from v2x.world.road_map import Structure


def lines(axes) -> list[LineCollection]:
    found = [c for c in axes.collections if isinstance(c, LineCollection)]
    return sorted(found, key=lambda c: c.get_zorder())


def all_texts(figure) -> str:
    axes = figure.axes[0]
    shown = [text.get_text() for text in axes.texts]
    return "\n".join([*shown, axes.get_xlabel(), axes.get_title(loc="right")])


def legend(figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_grade_is_absolute_and_does_not_cross_edges(ridge):
    np.testing.assert_allclose(mean_absolute_grade(ridge), [0.05, 0.05, 0.03, 0.0, 0.0])


def test_grade_of_an_edge_of_many_slopes_is_weighted_by_length(make_map):
    up_and_flat = [(0, 0, 0), (100, 0, 10), (400, 0, 10)]
    road = make_map((up_and_flat, Structure.GROUND, 0))
    np.testing.assert_allclose(mean_absolute_grade(road), [0.025])


def test_structures_and_levels_are_drawn_apart(ridge):
    tunnel, street, casing, bridge = lines(map_figure(ridge).axes[0])
    assert tunnel.get_linestyle()[0][1] is not None
    assert street.get_linestyle()[0][1] is None
    assert same_color(casing.get_color()[0], style.BLACK)
    assert casing.get_linewidth()[0] > bridge.get_linewidth()[0]
    np.testing.assert_allclose(street.get_array(), [5.0, 5.0])
    np.testing.assert_allclose(bridge.get_array(), [3.0])
    assert tunnel.get_zorder() < street.get_zorder() < bridge.get_zorder()


def test_both_directions_have_their_dashes_in_step(ridge):
    tunnel = lines(map_figure(ridge).axes[0])[0]
    there, back = tunnel.get_segments()
    np.testing.assert_array_equal(there, back)


def test_legend_names_only_what_is_shown(ridge, make_map, plausible_records):
    assert legend(map_figure(ridge)) == ["road", "bridge", "tunnel"]
    plain = make_map(([(0, 0, 0), (300, 300, 0)], Structure.GROUND, 0))
    assert legend(map_figure(plain)) == ["road"]
    full = legend(map_figure(ridge, plausible_records.tables["trajectories"]))
    assert full[3:] == ["car at 20 s", "truck at 20 s", "bus at 20 s"]


def test_vehicles_are_those_of_the_last_state(ridge, make_table):
    table = make_table(
        "trajectories",
        replication=[0, 0, 0, 1],
        time_s=[0.0, 5.0, 5.0, 9.0],
        kind=[0, 0, 0, 0],
        x_m=[1.0, 2.0, 3.0, 4.0],
    )
    axes = map_figure(ridge, table).axes[0]
    (cars,) = (c for c in axes.collections if isinstance(c, PathCollection))
    assert cars.get_offsets()[:, 0].tolist() == [2.0, 3.0]


def test_attribution_is_always_there(ridge):
    assert "ODbL" in all_texts(map_figure(ridge))
    assert "somebody else" in all_texts(map_figure(ridge, attribution="© somebody else"))


def test_scale_bar_has_the_length_it_says(ridge):
    axes = map_figure(ridge).axes[0]
    (bar,) = axes.lines
    assert np.ptp(bar.get_xdata()) == 200.0
    assert "200 m" in all_texts(axes.figure)
    assert "N" in all_texts(axes.figure).splitlines()
    assert axes.get_aspect() == 1.0


@pytest.mark.parametrize(
    ("length_m", "expected_m"), [(730.0, 500.0), (200.0, 200.0), (99.0, 50.0), (4100.0, 2000.0)]
)
def test_round_length(length_m, expected_m):
    assert maps.round_length_m(length_m) == expected_m


def test_a_long_road_is_stretched_and_says_so(make_map, tmp_path):
    road = make_map(([(0, 0, 0), (2000, 0, 0)], Structure.GROUND, 0))
    figure = map_figure(road)
    assert "Not to scale" in all_texts(figure)
    assert figure.axes[0].get_aspect() == "auto"
    assert np.diff(figure.axes[0].get_ylim()) >= 100
    style.save(figure, tmp_path, "road")


def test_same_map_gives_same_bytes(ridge, plausible_records, tmp_path):
    trajectories = plausible_records.tables["trajectories"]
    once = style.save(map_figure(ridge, trajectories), tmp_path, "once")
    again = style.save(map_figure(ridge, trajectories), tmp_path, "again")
    for a, b in zip(once, again, strict=True):
        assert a.read_bytes() == b.read_bytes()
