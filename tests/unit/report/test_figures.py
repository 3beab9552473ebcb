"""Figures show what the metrics say; their look was judged by eye."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from matplotlib.colors import same_color

from v2x.metrics.reliability import reliability
from v2x.records.tables import Outcome
from v2x.report import figures, style

DRAW = (
    figures.reliability_figure,
    figures.latency_figure,
    figures.freshness_figure,
    figures.load_figure,
    figures.safety_figure,
)


def legend(figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


def texts(axes) -> str:
    return "\n".join(text.get_text() for text in axes.texts)


@pytest.mark.parametrize("draw", DRAW)
def test_every_axis_has_a_label_with_its_unit(draw, plausible_records):
    axes = draw(plausible_records).axes
    assert any(a.get_xlabel().endswith("]") for a in axes)
    assert all(a.get_ylabel() for a in axes[:1])


@pytest.mark.parametrize("draw", DRAW)
def test_without_data_the_figure_says_so(draw, make_records, tmp_path):
    figure = draw(make_records({}))
    assert "No " in texts(figure.axes[0])
    style.save(figure, tmp_path, "empty")


@pytest.mark.parametrize("draw", DRAW)
def test_same_records_give_same_bytes(draw, plausible_records, tmp_path):
    once = style.save(draw(plausible_records), tmp_path, "once")
    again = style.save(draw(plausible_records), tmp_path, "again")
    assert [path.suffix for path in once] == [".png", ".svg"]
    for a, b in zip(once, again, strict=True):
        assert a.read_bytes() == b.read_bytes()


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf", ".PDF"])
def test_files_have_no_date(plausible_records, tmp_path, monkeypatch, suffix):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    style.write(figures.load_figure(plausible_records), tmp_path / f"a{suffix}")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1000000000")
    style.write(figures.load_figure(plausible_records), tmp_path / f"b{suffix}")
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_unknown_formats_are_refused(plausible_records, tmp_path):
    with pytest.raises(ValueError, match="xyz"):
        style.write(figures.load_figure(plausible_records), tmp_path / "a.xyz")


def test_users_settings_do_not_matter(plausible_records, tmp_path):
    import matplotlib as mpl

    plain = style.save(figures.load_figure(plausible_records), tmp_path, "plain")
    with mpl.rc_context({"font.size": 30, "xtick.direction": "in", "svg.hashsalt": "other"}):
        changed = style.save(figures.load_figure(plausible_records), tmp_path, "changed")
        assert mpl.rcParams["font.size"] == 30
    for a, b in zip(plain, changed, strict=True):
        assert a.read_bytes() == b.read_bytes()


class TestReliability:
    def test_line_and_band_are_the_curve(self, plausible_records):
        curve = reliability(plausible_records, bin_width_m=100.0)
        axes = figures.reliability_figure(plausible_records, bin_width_m=100.0).axes[0]
        x, y = axes.lines[0].get_data()
        np.testing.assert_allclose(x, [50, 150, 250, 350, 450])
        np.testing.assert_allclose(y, curve.prr)
        (band,) = (c for c in axes.collections if c.get_label() == "95 % confidence")
        outline = band.get_paths()[0].vertices
        assert {*np.round(curve.prr_low, 12), *np.round(curve.prr_high, 12)} <= set(
            np.round(outline[:, 1], 12)
        )

    def test_areas_fill_the_axes_from_received_up(self, plausible_records):
        axes = figures.reliability_figure(plausible_records).axes[0]
        edge = 0.0
        for area in axes.collections[:-1]:
            at = area.get_paths()[0].vertices
            column = at[np.isclose(at[:, 0], 250.0), 1]
            assert column.min() == pytest.approx(edge)
            edge = column.max()
        assert edge == pytest.approx(1.0)
        received = axes.collections[0]
        assert received.get_label() == "Received"
        assert same_color(received.get_facecolor()[0], style.OUTCOME_COLOURS[Outcome.RECEIVED])

    def test_legend_names_what_occurs_in_the_order_of_the_stack(self, plausible_records):
        names = legend(figures.reliability_figure(plausible_records))
        assert names[:2] == ["PRR", "95 % confidence"]
        assert (names[2], names[-1]) == ("Half duplex", "Received")
        assert "Unverified" not in names
        assert len(names) == 2 + 7

    def test_bins_without_pairs_are_gaps(self, make_records, make_table, tmp_path):
        links = make_table("links", bin_upper_m=[20, 60, 80], n=[5, 5, 5])
        figure = figures.reliability_figure(make_records({"links": links}, max_distance_m=80.0))
        assert np.isnan(figure.axes[0].lines[0].get_ydata()).tolist() == [False, True, False, False]
        style.save(figure, tmp_path, "gaps")

    def test_every_outcome_has_a_colour_and_a_place(self):
        assert set(style.OUTCOME_COLOURS) == set(Outcome) == set(figures.STACK)
        assert len(set(style.OUTCOME_COLOURS.values())) == len(Outcome)


def test_latency_rises_to_one_and_names_its_parts(plausible_records):
    figure = figures.latency_figure(plausible_records)
    share = figure.axes[0].lines[0].get_ydata()
    assert np.all(np.diff(share) >= 0)
    assert (share[0], share[-1]) == (0.0, 1.0)
    assert [name.rsplit(" ", 2)[0] for name in legend(figure)] == [
        "wait for resource",
        "retransmission",
        "air",
        "decode",
    ]


def test_freshness_falls_from_one_on_a_logarithmic_axis(plausible_records):
    for axes in figures.freshness_figure(plausible_records).axes:
        assert axes.get_yscale() == "log"
        share = axes.lines[0].get_ydata()
        assert share[0] == 1.0
        assert np.all(np.diff(share) <= 0)
        assert share[-1] > 0
        assert "mean" in texts(axes)


def test_time_to_collision_bars_hold_the_time_spent(make_records, make_table):
    table = make_table(
        "safety",
        time_s=np.arange(8) / 10,
        gap_m=[12.0, 12.0, 24.0, 60.0, 5.0, np.inf, 10.0, 200.0],
        follower_speed_mps=[30.0, 30.0, 30.0, 30.0, 20.0, 30.0, 10.0, 30.0],
        leader_speed_mps=20.0,
    )
    bars = figures.safety_figure(make_records({"safety": table}, replications=2)).axes[0].patches
    held = {round(bar.get_x(), 6): bar.get_height() for bar in bars if bar.get_height()}
    # TTC 1.2 s twice, 2.4 s and 6 s once, for 0.1 s each; the others are none or beyond
    # 8 s. Shared by two replications.
    assert held == pytest.approx({1.0: 0.1, 2.0: 0.05, 6.0: 0.05})
    critical = [bar for bar in bars if same_color(bar.get_facecolor(), style.VERMILLION)]
    assert max(bar.get_x() + bar.get_width() for bar in critical) == 1.5


def test_drawing_leaves_no_global_state_and_importing_loads_no_matplotlib():
    code = (
        "import sys\n"
        "import v2x.report.page\n"
        "assert 'matplotlib' not in sys.modules\n"
        "from v2x.report import style\n"
        "style.new_figure(2.0)\n"
        "assert 'matplotlib' in sys.modules\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
