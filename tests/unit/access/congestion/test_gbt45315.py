"""GB/T 45315-2025 Annex C, method 1: periods by busy ratio and speed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from v2x.access.congestion.gbt45315 import Gbt45315, Gbt45315Params

from .channel import context, observe, release


@pytest.mark.parametrize(
    ("cbr", "periods_ms"),
    [
        (0.0, (100, 100, 100, 100)),
        (0.6, (100, 100, 100, 100)),
        (0.6001, (1000, 500, 200, 100)),
        (0.8, (1000, 500, 200, 100)),
        (0.8001, (1000, 500, 400, 100)),
        (1.0, (1000, 500, 400, 100)),
    ],
)
def test_the_table_at_its_boundaries(cbr: float, periods_ms: tuple[int, ...]) -> None:
    params = Gbt45315Params()
    for (low, high), period in zip(
        ((0.0, 5.0), (5.001, 10.0), (10.001, 25.0), (25.001, 200.0)), periods_ms, strict=True
    ):
        assert params.period_ms(cbr, low) == params.period_ms(cbr, high) == period


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cbr_bounds": (0.6, 0.3, 0.8)}, "cbr_bounds must ascend"),
        ({"speed_bounds_kmh": (0.0, 5.0, 10.0)}, "speed_bounds_kmh must ascend"),
        ({"periods_ms": ((100,) * 4,) * 3}, "periods_ms must have one row more"),
        ({"periods_ms": ((100,) * 3,) * 4}, "periods_ms must have one row more"),
        ({"periods_ms": ((0,) * 4,) * 4}, "periods_ms must be within 1"),
        ({"hold_messages": -1}, "hold_messages must be >= 0"),
    ],
)
def test_tables_that_are_none(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(Gbt45315Params(), **changes)


def sent_ms(control: Gbt45315, first_ms: int, until_ms: int) -> list[int]:
    """Offer a message each 100 ms; returns when those that are generated are [ms]."""
    answers = [release(control, ms) for ms in range(first_ms, until_ms, 100)]
    return [answer // 1000 for answer in answers if answer >= 0]


def test_a_vehicle_in_a_jam_on_a_busy_channel_speaks_once_a_second() -> None:
    control = Gbt45315(Gbt45315Params(), context())
    assert control.interval_ms().tolist() == [100.0]
    observe(control, 0.7, speed_mps=1.0)
    assert control.interval_ms().tolist() == [1000.0]
    assert sent_ms(control, 0, 5000) == [0, 1000, 2000, 3000, 4000]
    state = control.take_state(5000)
    assert (state.n_offered[0], state.n_suppressed[0]) == (50, 45)


def test_a_changed_period_stays_for_ten_messages() -> None:
    control = Gbt45315(Gbt45315Params(), context())
    observe(control, 0.7, speed_mps=5.0)  # 18 km/h: 200 ms
    assert len(sent_ms(control, 0, 1800)) == 9
    observe(control, 0.1, start=18, speed_mps=5.0)
    assert control.interval_ms().tolist() == [200.0]
    assert len(sent_ms(control, 1800, 2000)) == 1
    observe(control, 0.1, start=20, speed_mps=5.0)
    assert control.interval_ms().tolist() == [100.0]


def test_speed_decides_node_by_node_and_newcomers_start_anew() -> None:
    control = Gbt45315(Gbt45315Params(), context(4))
    observe(control, [0.9] * 4, speed_mps=[1.0, 2.0, 5.0, 20.0])
    assert control.interval_ms().tolist() == [1000.0, 500.0, 400.0, 100.0]
    control.forget(0)
    assert control.interval_ms().tolist() == [100.0, 500.0, 400.0, 100.0]
