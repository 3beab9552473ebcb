"""The figure of a link's section shows the geometry and every part of its loss."""

from __future__ import annotations

import numpy as np
import pytest

from v2x.channel.base import LinkState
from v2x.channel.profile import Edges, LinkProfile, Spans
from v2x.report import style
from v2x.report.profile import profile_figure


def link(**changes) -> LinkProfile:
    return LinkProfile(
        **{
            "distance_m": np.linspace(0.0, 400.0, 41),
            "ground_m": 100.0 + 20.0 * np.sin(np.linspace(0.0, np.pi, 41)),
            "water": np.zeros(41, np.bool_),
            "height_a_m": 101.6,
            "height_b_m": 106.0,
            "wavelength_m": 0.05,
            "state": LinkState.TERRAIN,
            "loss_db": {"path loss": 100.25, "ground": 31.5},
        }
        | changes
    )


def edges() -> Edges:
    return Edges(
        distance_m=np.array([150.0, 200.0]),
        height_m=np.array([118.0, 120.0]),
        loss_db=np.array([9.25, 22.0]),
        method="deygout",
    )


def spans(*, cuts: bool) -> Spans:
    values = (np.array([v]) for v in (90.0, 110.0, 103.0, 104.5))
    from_m, to_m, bottom_m, top_m = values
    return Spans(from_m=from_m, to_m=to_m, bottom_m=bottom_m, top_m=top_m, cuts=np.array([cuts]))


def texts(axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def legend(figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_losses_and_their_sum_stand_beside_the_section():
    beside = texts(profile_figure(link()).axes[1])
    assert beside == [
        "Behind the ground", "", "path loss", "100.2 dB", "ground", "31.5 dB",
        "Total loss", "131.8 dB",
    ]  # fmt: skip


def test_a_blocked_link_has_no_total():
    blocked = link(state=LinkState.BLOCKED, loss_db={})
    assert texts(profile_figure(blocked).axes[1])[-2:] == ["Total loss", "no link"]


@pytest.mark.parametrize("state", LinkState)
def test_every_state_has_words(state):
    assert texts(profile_figure(link(state=state)).axes[1])[0]


def test_edges_carry_their_losses():
    figure = profile_figure(link(edges=edges()))
    axes = figure.axes[0]
    assert {"9.2 dB", "22.0 dB", "A", "B"} == set(texts(axes))
    assert "diffraction edge (Deygout)" in legend(figure)
    way = next(line for line in axes.lines if len(line.get_xdata()) == 4)
    np.testing.assert_allclose(way.get_xdata(), [0, 150, 200, 400])
    np.testing.assert_allclose(way.get_ydata(), [101.6, 118, 120, 106])


def test_fresnel_band_lies_around_the_ray():
    axes = profile_figure(link()).axes[0]
    band = next(c for c in axes.collections if "Fresnel" in str(c.get_label()))
    middle = band.get_paths()[0].vertices
    middle = middle[np.isclose(middle[:, 0], 200.0), 1]
    # 0.6 sqrt(0.05 * 200 * 200 / 400) either side of 103.8.
    np.testing.assert_allclose([middle.min(), middle.max()], 103.8 + np.array([-1, 1]) * 1.3416,
                               atol=1e-3)  # fmt: skip


def test_only_what_is_in_the_way_has_a_red_rim():
    assert "in the way" in legend(profile_figure(link(decks=spans(cuts=True))))
    plain = profile_figure(link(decks=spans(cuts=False), buildings=spans(cuts=False)))
    assert "in the way" not in legend(plain)
    assert {"deck", "building", "ground"} <= set(legend(plain))


def test_decks_are_where_they_are_and_never_too_small_to_see():
    (deck,) = profile_figure(link(decks=spans(cuts=True))).axes[0].patches
    assert (deck.get_x(), deck.get_width()) == (pytest.approx(90.0), pytest.approx(20.0))
    assert deck.get_y() + deck.get_height() == pytest.approx(104.5)
    thin = spans(cuts=True)
    thin.to_m[:] = thin.from_m
    (deck,) = profile_figure(link(decks=thin)).axes[0].patches
    assert deck.get_width() > 4.0


@pytest.mark.parametrize(
    ("height_m", "foot_m"),
    # On the ground at 100 m, on the deck at 104.5 m, and in rock, where nothing known carries it.
    [(101.6, 100.0), (106.1, 104.5), (60.0, 60.0)],
)
def test_an_antenna_stands_on_what_is_under_it(height_m: float, foot_m: float):
    deck = spans(cuts=False)
    deck.from_m[:], deck.to_m[:] = 0.0, 6.0
    axes = profile_figure(link(height_a_m=height_m, decks=deck)).axes[0]
    (mast,) = (
        line.get_ydata()
        for line in axes.lines
        if list(line.get_xdata()) == [0.0, 0.0] and len(line.get_ydata()) == 2
    )
    assert list(mast) == pytest.approx([foot_m, height_m])


def test_everything_is_inside_the_axes():
    axes = profile_figure(link(edges=edges(), decks=spans(cuts=True))).axes[0]
    low, high = axes.get_ylim()
    assert low < 100.0
    assert high > 120.0
    assert axes.get_xlabel().endswith("[m]")
    assert axes.get_ylabel().endswith("[m]")


def test_same_link_gives_same_bytes_and_names_the_owner(tmp_path):
    wet = link(water=np.arange(41) > 30, edges=edges())
    figure = profile_figure(wet, attribution="© somebody")
    assert figure.get_supxlabel() == "© somebody"
    assert "water" in legend(figure)
    once = style.save(figure, tmp_path, "once")
    again = style.save(profile_figure(wet, attribution="© somebody"), tmp_path, "again")
    for a, b in zip(once, again, strict=True):
        assert a.read_bytes() == b.read_bytes()
