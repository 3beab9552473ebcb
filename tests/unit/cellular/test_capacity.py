"""Link budget, efficiency and queues."""

from __future__ import annotations

import math

import numpy as np
import pytest

from v2x.cellular.capacity import CellLoad, LinkBudget, efficiency
from v2x.cellular.params import UuRadioParams


def test_uplink_budget_by_hand() -> None:
    """23 dBm on 20 blocks of 360 kHz, 3 + 8 dBi, 5 dB noise figure, 3 dB of interference."""
    noise = -174 + 10 * math.log10(360e3) + 5 + 3
    expected = 23 - 10 * math.log10(20) + 11 - 120 - noise
    found = LinkBudget(UuRadioParams()).uplink_sinr_db(np.array([120.0]))
    assert found[0] == pytest.approx(expected)


def test_downlink_budget_by_hand() -> None:
    noise = -174 + 10 * math.log10(360e3) + 9 + 3
    expected = 46 - 10 * math.log10(273) + 11 - 120 - noise
    found = LinkBudget(UuRadioParams()).downlink_sinr_db(np.array([120.0]))
    assert found[0] == pytest.approx(expected)


def test_coverage_ends_where_the_weaker_direction_does() -> None:
    budget = LinkBudget(UuRadioParams())
    edge = np.array([budget.max_loss_db])
    assert min(budget.uplink_sinr_db(edge)[0], budget.downlink_sinr_db(edge)[0]) == pytest.approx(
        -10.0
    )


def test_efficiency_is_the_truncated_bound() -> None:
    assert efficiency(np.array([-30.0, -10.0]), 0.4, 2.0) == pytest.approx(
        [0.4 * math.log2(1.1)] * 2
    )
    assert efficiency(np.array([60.0]), 0.4, 2.0)[0] == 2.0


def test_weak_links_need_more_slots() -> None:
    budget = LinkBudget(UuRadioParams())
    size = np.full(2, 300, dtype=np.int32)
    strong, weak = budget.uplink_slots(np.array([80.0, budget.max_loss_db]), size)
    # 348 bytes at 2 bit/s/Hz in 20 blocks of 132 elements; at the edge at 0.4 log2(1.1).
    assert strong == 1
    assert weak == math.ceil(348 * 8 / (132 * 0.4 * math.log2(1.1)) / 20)


def test_queue_is_that_of_pollaczek_and_khinchine() -> None:
    """Half full: a packet of 10 of 100 blocks per slot of 500 us takes 50 us of the cell."""
    cell = CellLoad(1, 100 / 500, 0.95)
    n = 1000  # in 100 ms there is room for 2000
    queues = cell.observe(np.zeros(n, dtype=np.int32), np.full(n, 10.0), 100_000)
    assert queues.busy[0] == pytest.approx(0.5)
    assert queues.mean_us[0] == pytest.approx(50 / (2 * 0.5))
    assert queues.overload[0] == 0.0


def test_an_overfull_cell_turns_the_excess_away() -> None:
    cell = CellLoad(2, 100 / 500, 0.95)
    n = 4000
    queues = cell.observe(np.ones(n, dtype=np.int32), np.full(n, 10.0), 100_000)
    assert cell.load.tolist() == pytest.approx([0.0, 2.0])
    assert queues.busy[1] == 0.95
    assert queues.overload.tolist() == pytest.approx([0.0, 1 - 0.95 / 2.0])


def test_load_remembers_ten_ticks() -> None:
    cell = CellLoad(1, 1.0, 0.95)
    nobody = np.zeros(0, dtype=np.int32)
    cell.observe(np.zeros(1, dtype=np.int32), np.array([50_000.0]), 100_000)
    for _ in range(10):
        cell.observe(nobody, np.zeros(0), 100_000)
    assert cell.load[0] == pytest.approx(0.5 * 0.9**10)
