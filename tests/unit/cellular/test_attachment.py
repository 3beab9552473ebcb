"""Serving cells, hysteresis, time to trigger, gaps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from v2x.cellular.attachment import Attached, Attachment
from v2x.cellular.coverage import RoadCoverage, edge_samples
from v2x.cellular.params import SchedulingParams
from v2x.world.synthetic import highway

#: Loss to cell 0 and 1 at five places 100 m apart; at the last nothing is heard.
LOSS_DB = np.array([[80, 100], [88, 92], [91, 89], [100, 80], [150, 150]], dtype=float)
AT_ONCE = SchedulingParams(time_to_trigger_ms=0.0)


def drive(
    params: SchedulingParams, places: list[int], *, ids: list[int] | None = None
) -> list[Attached]:
    road_map = highway(length_m=500.0, lanes_per_direction=1, wrap=False)
    samples = edge_samples(road_map, 100.0)
    n = len(samples.points)
    cells = np.tile(np.arange(2, dtype=np.int32), (n, 1))
    loss = np.resize(LOSS_DB, (n, 2))
    one = Attachment(
        RoadCoverage(samples=samples, cell=cells, loss_db=loss),
        params,
        max_loss_db=120.0,
        n_rows=1,
        seed=1,
    )
    return [
        one.move(
            100_000 * k,
            np.array([7 if ids is None else ids[k]]),
            np.zeros(1, dtype=np.int32),
            np.array([100.0 * place + 50.0]),
            np.ones(1, dtype=np.bool_),
        )
        for k, place in enumerate(places)
    ]


def cells(states: list[Attached]) -> list[int]:
    return [int(state.cell[0]) for state in states]


def test_a_cell_takes_over_beyond_the_hysteresis() -> None:
    states = drive(AT_ONCE, [0, 1, 2, 3, 2, 1, 0])
    assert cells(states) == [0, 0, 0, 1, 1, 0, 0]
    assert [bool(s.handed_over[0]) for s in states] == [
        False,
        False,
        False,
        True,
        False,
        True,
        False,
    ]


def test_it_must_be_better_for_the_time_to_trigger() -> None:
    params = SchedulingParams(time_to_trigger_ms=320.0)
    assert cells(drive(params, [0, 3, 3, 3, 3, 3, 3])) == [0, 0, 0, 0, 0, 1, 1]
    assert cells(drive(params, [0, 3, 3, 0, 3, 3, 3])) == [0] * 7


def test_coverage_lost_and_found_interrupts() -> None:
    states = drive(AT_ONCE, [0, 4, 4, 0])
    assert cells(states) == [0, -1, -1, 0]
    assert np.isinf(states[1].loss_db[0])
    assert [bool(s.handed_over[0]) for s in states] == [False, False, False, True]


def test_gaps_have_the_length_asked_for() -> None:
    state = drive(AT_ONCE, [0, 3])[1]
    assert 30_000 <= state.available_us[0] - 100_000 <= 50_000
    none = drive(replace(AT_ONCE, handover_gap_ms=(0.0, 0.0)), [0, 3])[1]
    assert none.available_us[0] == 100_000


def test_a_new_vehicle_in_the_row_is_attached_without_a_gap() -> None:
    state = drive(AT_ONCE, [0, 3], ids=[7, 8])[1]
    assert cells([state]) == [1]
    assert not state.handed_over[0]
    assert state.available_us[0] == 0


def test_loss_is_that_of_the_serving_cell() -> None:
    states = drive(AT_ONCE, [0, 1, 2])
    assert [float(s.loss_db[0]) for s in states] == pytest.approx([80.0, 88.0, 91.0])
