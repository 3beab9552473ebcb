"""Zone ids of TS 38.331 5.8.11, and distances that follow from them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from v2x.phy.nr.zone import distance_to_zone_m, zone_id


@pytest.mark.parametrize(
    ("x_m", "y_m", "length_m", "zone"),
    [
        (3210.0, 160.0, 50.0, 192),  # radio.md 7.2: x1 = 64 mod 64 = 0, y1 = 3
        (0.0, 0.0, 5.0, 0),
        (4.999, 5.0, 5.0, 64),
        (319.9, 0.0, 5.0, 63),
        (320.0, 0.0, 5.0, 0),
        (-0.1, 0.0, 5.0, 63),
        (-0.1, -0.1, 5.0, 63 * 64 + 63),
        (-320.0, -5.0, 5.0, 63 * 64),
        (1279.0, 1281.0, 20.0, 63),
    ],
)
def test_zone_ids(x_m: float, y_m: float, length_m: float, zone: int) -> None:
    assert int(zone_id(x_m, y_m, length_m)) == zone


@settings(max_examples=300, derandomize=True)
@given(
    x=st.floats(-5000, 5000),
    y=st.floats(-5000, 5000),
    length=st.sampled_from([5.0, 10.0, 20.0, 30.0, 40.0, 50.0]),
    bearing=st.floats(0.0, 2.0 * math.pi),
    share=st.floats(0.0, 0.49),
)
def test_the_distance_errs_by_half_a_diagonal_at_most(
    x: float, y: float, length: float, bearing: float, share: float
) -> None:
    """As long as the sender is nearer than half of 64 zones; ids repeat beyond."""
    way = share * 63.0 * length
    there = (x + way * math.cos(bearing), y + way * math.sin(bearing))
    guessed = float(distance_to_zone_m(*there, zone_id(x, y, length), length))
    assert abs(guessed - way) <= length / math.sqrt(2.0) + 1e-6


def test_a_far_sender_seems_near_where_ids_repeat() -> None:
    """5 m zones repeat after 320 m: a sender 310 m away seems 10 m away."""
    zone = zone_id(np.array([2.5, 2.5]), 2.5, 5.0)
    far = distance_to_zone_m(np.array([312.5, 162.5]), 2.5, zone, 5.0)
    assert far.tolist() == [10.0, 160.0]
