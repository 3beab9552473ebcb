"""Decks: where lines pierce them, and the three ways past."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from v2x.channel.deck import Panels, crossing_share, power_sum_db, ways_db
from v2x.channel.diffraction import knife_edge_db
from v2x.channel.slab import MATERIALS, slab_db
from v2x.units import SPEED_OF_LIGHT_MPS

WAVELENGTH_M = SPEED_OF_LIGHT_MPS / 5.9e9


def point(*xyz: float) -> np.ndarray:
    return np.array(xyz, dtype=np.float64)[:, None]


#: Eastward, 60 m long, 10 m wide, rising from 10 to 13 m.
PANEL = Panels(point(0, 0, 10), point(60, 0, 13), np.array([5.0]))


def share(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    return float(crossing_share(point(*a), point(*b), PANEL)[0])


def ways(a: tuple[float, ...], b: tuple[float, ...], panel: Panels = PANEL) -> np.ndarray:
    return ways_db(
        point(*a),
        point(*b),
        panel,
        material=MATERIALS["concrete"],
        thickness_m=0.25,
        carrier_ghz=5.9,
    )[:, 0]


def test_a_line_through_the_deck() -> None:
    # Straight up at x = 20, where the deck is at 11 m.
    assert share((20, 1, 1), (20, 1, 21)) == pytest.approx(0.5)
    # Rising along the deck, from 9 m below its start to 9 m above its end.
    assert share((0, 0, 1), (60, 0, 22)) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ((20, 1, 1), (20, 1, 10.9)),  # both below
        ((20, 1, 12), (50, 1, 14)),  # both on the deck
        ((20, 6, 1), (20, 6, 21)),  # straight up beside it
        ((20, -30, 1), (20, 30, 12)),  # below it where they cross in plan
        ((-30, 0, 1), (-1, 0, 21)),  # ends before it
        ((20, 0, 11), (20, 0, 21)),  # stands on its surface
    ],
)
def test_a_line_past_the_deck(a: tuple[float, ...], b: tuple[float, ...]) -> None:
    assert math.isnan(share(a, b))
    assert math.isnan(share(b, a))


def test_edges_worked_by_hand() -> None:
    level = Panels(point(0, 0, 10), point(60, 0, 10), np.array([5.0]))
    through, left, right = ways((30, 1, 0), (30, 1, 20), level)
    assert through == pytest.approx(float(slab_db(MATERIALS["concrete"], 0.25, 0.0, 5.9)))
    detours = [2.0 * math.hypot(10.0, 4.0) - 20.0, 2.0 * math.hypot(10.0, 6.0) - 20.0]
    nu = [2.0 * math.sqrt(detour / WAVELENGTH_M) for detour in detours]
    assert [left, right] == pytest.approx(knife_edge_db(nu).tolist())
    # Along the edge, feet 40 m apart lengthen the way as they lengthen the straight line.
    _, oblique, _ = ways((10, 1, 0), (50, 1, 20), level)
    detour = math.hypot(2.0 * math.hypot(10.0, 4.0), 40.0) - math.hypot(40.0, 20.0)
    assert oblique == pytest.approx(float(knife_edge_db(2.0 * math.sqrt(detour / WAVELENGTH_M))))


def test_an_edge_is_the_knife_edge_of_the_profile() -> None:
    """A ray at right angles to a far edge, low over it: P.526 with h, d1, d2 gives the same."""
    level = Panels(point(-500, 0, 10), point(500, 0, 10), np.array([500.0]))
    # The edge at y = -500 stands 3 m beside the ray; both antennas are 100 m from it.
    a, b = (0.0, -497.0, -90.0), (0.0, -497.0, 110.0)
    _, _, right = ways(a, b, level)
    nu = 3.0 * math.sqrt(2.0 / WAVELENGTH_M * (2.0 / 100.0))
    assert right == pytest.approx(float(knife_edge_db(nu)), abs=0.01)


def test_powers_of_the_ways_add() -> None:
    assert power_sum_db(np.array([[30.0], [30.0], [300.0]])) == pytest.approx(
        [30.0 - 10.0 * math.log10(2.0)]
    )
    assert power_sum_db(np.array([[0.0], [0.0], [0.0]])) == pytest.approx([0.0])


coordinate = st.floats(-80.0, 80.0)
height = st.floats(0.0, 30.0)
place = st.tuples(coordinate, coordinate, height)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(a=place, b=place)
def test_both_directions_and_both_drawings_agree(a, b) -> None:
    forth, back = share(a, b), share(b, a)
    assert math.isnan(forth) == math.isnan(back)
    if math.isnan(forth):
        return
    assert forth == pytest.approx(1.0 - back, abs=1e-9)
    # The point is on the deck: inside the rectangle and at its height.
    x, y, z = np.array(a) + forth * (np.array(b) - np.array(a))
    assert -1e-9 <= x <= 60.0 + 1e-9
    assert abs(y) <= 5.0 + 1e-9
    assert z == pytest.approx(10.0 + x / 20.0, abs=1e-6)
    assert ways(a, b) == pytest.approx(ways(b, a), abs=1e-9)
    turned = Panels(PANEL.end_m, PANEL.start_m, PANEL.half_width_m)
    assert sorted(ways(a, b)) == pytest.approx(sorted(ways(a, b, turned)), abs=1e-6)
