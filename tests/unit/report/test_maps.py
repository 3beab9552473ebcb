"""The map figure keeps bridges, tunnels and levels apart and names its makers."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.collections import LineCollection, PathCollection, PolyCollection
from matplotlib.colors import same_color
from matplotlib.quiver import Quiver

from v2x.report import style
from v2x.report.frame import around, round_length_m
from v2x.report.maps import map_figure, mean_absolute_grade
from v2x.world.buildings import Buildings
from v2x.world.road_map import Structure
from v2x.world.terrain import Terrain


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
    _, tunnel, rim, street, casing, bridge = lines(map_figure(ridge).axes[0])
    assert tunnel.get_linestyle()[0][1] is not None
    assert street.get_linestyle()[0][1] is None
    assert same_color(casing.get_color()[0], style.BLACK)
    assert casing.get_linewidth()[0] > bridge.get_linewidth()[0]
    assert casing.get_linewidth()[0] > rim.get_linewidth()[0] > street.get_linewidth()[0]
    np.testing.assert_allclose(street.get_array(), [5.0, 5.0])
    np.testing.assert_allclose(bridge.get_array(), [3.0])
    assert tunnel.get_zorder() < street.get_zorder() < bridge.get_zorder()


def test_outline_of_a_tunnel_has_the_dashes_of_the_tunnel(ridge):
    outline, tunnel = lines(map_figure(ridge).axes[0])[:2]
    assert outline.get_linewidth()[0] > tunnel.get_linewidth()[0]
    np.testing.assert_allclose(outline.get_linestyle()[0][1], tunnel.get_linestyle()[0][1])


def test_both_directions_have_their_dashes_in_step(ridge):
    tunnel = lines(map_figure(ridge).axes[0])[1]
    there, back = tunnel.get_segments()
    np.testing.assert_array_equal(there, back)


def test_legend_names_only_what_is_in_view(ridge, make_map, plausible_records):
    assert legend(map_figure(ridge)) == ["road", "bridge", "tunnel", "portal"]
    plain = make_map(([(0, 0, 0), (300, 300, 0)], Structure.GROUND, 0))
    assert legend(map_figure(plain)) == ["road"]
    full = legend(map_figure(ridge, plausible_records.tables["trajectories"]))
    assert full[4:] == ["car at 20 s", "truck at 20 s", "bus at 20 s"]
    assert legend(map_figure(ridge, window=around(1000.0, 0.0, 100.0))) == ["road"]


def test_portals_are_bars_across_the_road(ridge):
    (bars,) = (c for c in map_figure(ridge).axes[0].collections if isinstance(c, Quiver))
    assert set(map(tuple, bars.get_offsets())) == {(200, -500), (1800, 500)}
    np.testing.assert_allclose(bars.U * 1600 + bars.V * 1000, 0.0, atol=1e-9)


def test_tubes_too_short_to_see_have_no_bars(make_map):
    road = make_map(
        ([(0, 0, 0), (20000, 10000, 0)], Structure.GROUND, 0),
        ([(9000, 0, 0), (9050, 0, 0)], Structure.TUNNEL, -1),
    )
    assert legend(map_figure(road)) == ["road", "tunnel"]


def test_ground_water_and_buildings_lie_under_the_roads(ridge):
    water = np.zeros((30, 60), dtype=np.bool_)
    water[:, :20] = True
    terrain = Terrain(
        west_m=-400.0, south_m=-900.0, step_m=60.0, height_m=np.zeros((30, 60), "f4"), water=water
    )
    house = Buildings(
        first_corner=np.array([0, 4], dtype=np.int32),
        corner_x_m=np.array([10.0, 20.0, 20.0, 10.0]),
        corner_y_m=np.array([30.0, 30.0, 40.0, 40.0]),
        base_m=np.zeros(1),
        top_m=np.full(1, 12.0),
    )
    figure = map_figure(replace(ridge, terrain=terrain, buildings=house))
    axes = figure.axes[0]
    (relief,) = axes.images
    (outline,) = (c for c in axes.collections if type(c) is PolyCollection)
    assert relief.get_zorder() < outline.get_zorder() < lines(axes)[0].get_zorder()
    assert outline.get_paths()[0].get_extents().extents.tolist() == [10, 30, 20, 40]
    assert legend(figure)[-2:] == ["water", "building"]
    # What the map shows is what the roads need, whatever the ground covers.
    np.testing.assert_allclose(axes.get_xlim(), (-80, 2080))


def test_roadside_units_are_shown(ridge):
    sites = SimpleNamespace(x_m=np.array([5.0, 9.0]), y_m=np.array([6.0, 7.0]))
    figure = map_figure(ridge, sites=sites)
    (units,) = (c for c in figure.axes[0].collections if isinstance(c, PathCollection))
    assert units.get_offsets().tolist() == [[5, 6], [9, 7]]
    assert legend(figure)[-1] == "roadside unit"


def test_roads_are_as_wide_as_their_lanes_where_there_is_room(ridge):
    def width_pt(radius_m: float) -> float:
        drawn = lines(map_figure(ridge, window=around(1000.0, 0.0, radius_m)).axes[0])
        return float(drawn[3].get_linewidth()[0])

    assert width_pt(160.0) == pytest.approx(2 * width_pt(320.0))
    assert width_pt(5000.0) == width_pt(9000.0) > 1.0


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
    assert np.ptp(bar.get_xdata()) * np.ptp(axes.get_xlim()) == pytest.approx(200.0)
    assert "200 m" in all_texts(axes.figure)
    assert "N" in all_texts(axes.figure).splitlines()
    assert axes.get_aspect() == 1.0


@pytest.mark.parametrize(
    ("length_m", "expected_m"), [(730.0, 500.0), (200.0, 200.0), (99.0, 50.0), (4100.0, 2000.0)]
)
def test_round_length(length_m, expected_m):
    assert round_length_m(length_m) == expected_m


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
