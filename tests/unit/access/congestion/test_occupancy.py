"""The channel occupancy ratio against a count by hand (TS 36.214 5.1.31)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from v2x.access.base import TRANSMISSION
from v2x.access.congestion.occupancy import ChannelOccupancy

WINDOW = 20


def on_air(*rows: tuple[int, int, int]) -> np.ndarray:
    """Return transmissions: (node, priority, subchannels)."""
    out = np.zeros(len(rows), dtype=TRANSMISSION)
    for row, (node, priority, width) in zip(out, rows, strict=True):
        row["node"], row["priority"], row["n_subchannels"] = node, priority, width
    return out


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(
        st.tuples(st.integers(0, 90), st.integers(0, 2), st.integers(1, 8), st.integers(1, 5)),
        max_size=60,
        unique_by=lambda item: item[:2],
    ),
    st.integers(0, 120),
)
def test_a_rolling_count_is_a_count(sent: list[tuple[int, int, int, int]], ahead: int) -> None:
    occupancy = ChannelOccupancy(3, WINDOW, 5)
    now = 0
    for slot, node, priority, width in sorted(sent):
        occupancy.add(slot, on_air((node, priority, width)))
        now = slot + 1
    now = min(now, 91) + ahead
    expected = np.zeros(3)
    for slot, node, _, width in sent:
        expected[node] += width * (now - WINDOW <= slot < now)
    assert occupancy.ratio(now).tolist() == pytest.approx((expected / (WINDOW * 5)).tolist())


def test_priorities_are_counted_apart() -> None:
    occupancy = ChannelOccupancy(2, WINDOW, 5)
    occupancy.add(3, on_air((0, 2, 1), (1, 5, 4)))
    occupancy.add(4, on_air((0, 5, 3)))
    assert occupancy.used[0, [2, 5]].tolist() == [1, 3]
    assert occupancy.used[1, [2, 5]].tolist() == [0, 4]


def test_the_successor_of_a_node_starts_at_zero_and_never_goes_below() -> None:
    occupancy = ChannelOccupancy(2, WINDOW, 5)
    occupancy.add(0, on_air((0, 5, 4), (1, 5, 1)))
    occupancy.forget(0)
    occupancy.add(5, on_air((0, 5, 2)))
    assert occupancy.used.sum(axis=1).tolist() == [2, 1]
    occupancy.advance(WINDOW)  # what the one before sent would now expire
    assert occupancy.used.sum(axis=1).tolist() == [2, 0]
    occupancy.advance(5 + WINDOW)
    assert occupancy.used.sum() == 0
