"""Figures of what roadside units told, by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from v2x.metrics.relay import relay_figures
from v2x.records.tables import RunRecords


@pytest.fixture
def records(make_table: Callable[..., Any], make_records: Callable[..., RunRecords]) -> RunRecords:
    """60 states of 100 ms in one block, 20 of 180 ms in the next."""
    return make_records(
        {
            "relay": make_table(
                "relay",
                block_start_s=[0.0, 1.0],
                n=[60, 20],
                n_newer=[15, 5],
                to_unit_ms=[60 * 40.0, 20 * 40.0],
                fibre_ms=[0.0, 20 * 5.0],
                wait_for_message_ms=[60 * 20.0, 20 * 95.0],
                from_unit_ms=[60 * 40.0, 20 * 40.0],
            ),
            "relay_latency": make_table("relay_latency", value_ms=[100.0, 180.0], n=[60, 20]),
        }
    )


def test_mean_parts_and_share(records: RunRecords) -> None:
    found = relay_figures(records)
    assert found is not None
    assert found.mean.value == pytest.approx(120.0)
    assert found.mean.low < 120.0 < found.mean.high
    assert found.part_means_ms == pytest.approx(
        {"to_unit": 40.0, "fibre": 1.25, "wait_for_message": 38.75, "from_unit": 40.0}
    )
    assert found.newer.value == pytest.approx(0.25)
    assert found.delay.n_samples == 80


def test_quantiles_are_exact_to_a_bin(records: RunRecords) -> None:
    found = relay_figures(records)
    assert found is not None
    assert 100.0 <= found.delay.quantile(0.5) <= 101.0
    assert 180.0 <= found.delay.quantile(0.95) <= 181.0


def test_nothing_told_no_figures(make_records: Callable[..., RunRecords]) -> None:
    assert relay_figures(make_records({})) is None
