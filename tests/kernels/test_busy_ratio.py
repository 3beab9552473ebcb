"""The channel busy ratio against its definition."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from v2x import rng
from v2x._kernels.sensing import busy_ratio

from .twin_sensing import Sensed
from .twin_sensing import busy_ratio as twin_busy_ratio


@settings(max_examples=60, derandomize=True, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    n_nodes=st.integers(0, 4),
    slot=st.sampled_from([0, 1, 60, 5000]),
    n_slots=st.sampled_from([1, 50, 100, 200]),
)
def test_busy_ratio_equals_its_definition(seed: int, n_nodes: int, slot: int, n_slots: int) -> None:
    """Idle slots count as free, own transmissions do not count; NaN without a measurement."""
    g = rng.stream(seed, "busy")
    window, n_subchannels, threshold = 200, 3, 1e-9
    words = np.full((n_nodes, window, 1 + 3 * n_subchannels), -1, dtype=np.int32)
    active = g.random(n_nodes) < 0.8
    expected = []
    for node in range(n_nodes):
        sensed = Sensed(n_subchannels, np.zeros((8, 8)), window=window, ring=window, idle_mw=1e-12)
        for m in range(max(slot - 300, 0), slot):
            kind = g.random()
            if kind < 0.3:
                sensed.s_rssi_mw[m] = (10.0 ** g.uniform(-11, -7, 3)).astype(np.float32)
            elif kind < 0.5 or (n_slots == 1 and seed % 3 == 0):
                sensed.own.add(m)
        words[node] = sensed.history().words[0]
        expected.append(
            twin_busy_ratio(sensed, slot, n_slots, threshold) if active[node] else math.nan
        )
    ratio = np.full(n_nodes, -7.0)
    busy_ratio(
        words, words.view(np.float32), slot, n_slots, threshold, active.view(np.uint8), ratio
    )
    assert ratio == pytest.approx(expected, nan_ok=True)


def test_the_threshold_itself_is_not_busy() -> None:
    """TS 36.214 5.1.30: S-RSSI that exceeds the threshold."""
    threshold = 2.0**-30
    sensed = Sensed(2, np.zeros((8, 8)), window=10, ring=10)
    sensed.s_rssi_mw[5] = np.array([threshold, threshold * 1.001], dtype=np.float32)
    ratio = np.zeros(1)
    words = sensed.history().words
    active = np.ones(1, dtype=np.uint8)
    busy_ratio(words, words.view(np.float32), 6, 1, threshold, active, ratio)
    assert ratio[0] == 0.5
