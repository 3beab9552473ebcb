"""Channel busy ratio: TS 36.214 5.1.30."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from v2x._kernels.sensing import busy_ratio
from v2x.phy.sensing_history import SensingHistory

from .by_hand import IDLE_MW, Sensed

LIMIT_MW = 10.0**-9.4
NOW = 1000


def cbr(*sensed: Sensed, n_slots: int = 100, now: int = NOW, active: object = True) -> list[float]:
    """Return the CBR of nodes that sensed this."""
    history = SensingHistory(len(sensed), sensed[0].window, sensed[0].n_subchannels)
    for node, one in enumerate(sensed):
        one.write(history, node)
    ratio = np.zeros(len(sensed))
    rows = np.array(np.broadcast_to(active, len(sensed)), dtype=np.uint8)
    busy_ratio(history.words, history.powers, now, n_slots, LIMIT_MW, rows, ratio)
    return ratio.tolist()


def test_share_of_busy_subchannels() -> None:
    """3 busy subchannels of 5 in 20 of the last 100 slots: 60 of 500."""
    loud = [2 * LIMIT_MW] * 3 + [IDLE_MW] * 2
    sensed = Sensed(s_rssi_mw=dict.fromkeys(range(NOW - 20, NOW), loud))
    assert cbr(sensed) == [pytest.approx(0.12)]


def test_only_the_last_100_slots_count() -> None:
    everywhere = Sensed(s_rssi_mw=dict.fromkeys(range(NOW - 300, NOW - 100), [1.0] * 5))
    assert cbr(everywhere) == [0.0]
    edge = Sensed(s_rssi_mw={NOW - 100: [1.0] * 5, NOW - 101: [1.0] * 5})
    assert cbr(edge) == [pytest.approx(0.01)]


@pytest.mark.parametrize(("factor", "busy"), [(0.999, 0.0), (1.001, 1.0)])
def test_the_threshold_is_strict(factor: float, busy: float) -> None:
    level = [factor * LIMIT_MW] * 5
    assert cbr(Sensed(s_rssi_mw=dict.fromkeys(range(NOW - 100, NOW), level))) == [busy]


def test_own_transmissions_are_left_out() -> None:
    """A node hears nothing while it transmits: 10 busy slots of 90 that it monitored."""
    sensed = Sensed(
        own=list(range(NOW - 10, NOW)),
        s_rssi_mw=dict.fromkeys(range(NOW - 20, NOW - 10), [1.0] * 5),
    )
    assert cbr(sensed) == [pytest.approx(10 / 90)]


def test_nothing_monitored_gives_no_ratio() -> None:
    assert math.isnan(cbr(Sensed(own=list(range(NOW - 100, NOW))))[0])
    assert math.isnan(cbr(Sensed(), now=0)[0])


def test_the_first_slots_of_a_run() -> None:
    """After 10 slots there are only 10 to look at."""
    assert cbr(Sensed(s_rssi_mw={3: [1.0] * 5}), now=10) == [pytest.approx(0.1)]


def test_rows_that_do_not_count_get_none() -> None:
    busy = Sensed(s_rssi_mw=dict.fromkeys(range(NOW - 100, NOW), [1.0] * 5))
    first, second = cbr(busy, busy, active=[0, 1])
    assert math.isnan(first)
    assert second == 1.0


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    st.dictionaries(st.integers(900, 1099), st.lists(st.booleans(), min_size=3, max_size=3)),
    st.sets(st.integers(900, 1099), max_size=30),
    st.integers(1, 100),
)
def test_counting(busy: dict[int, list[bool]], own: set[int], n_slots: int) -> None:
    """Against plain counting, for a ring that has gone round."""
    now = 1100
    sensed = Sensed(
        n_subchannels=3,
        window=200,
        own=sorted(own),
        s_rssi_mw={k: [1.0 if b else IDLE_MW for b in row] for k, row in busy.items()},
    )
    seen = [k for k in range(now - n_slots, now) if k not in own]
    expected = sum(sum(busy.get(k, [])) for k in seen) / (3 * len(seen)) if seen else math.nan
    assert cbr(sensed, n_slots=n_slots, now=now) == [pytest.approx(expected, nan_ok=True)]
