"""Figures of the way through the network, by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from v2x.metrics.network import cell_figures, network_paths
from v2x.records.tables import NETWORK_PARTS, NetworkOutcome, NetworkPath, RunRecords

MEC, CLOUD = NetworkPath.MEC_CORE, NetworkPath.CLOUD
N_PARTS = len(NETWORK_PARTS)


@pytest.fixture
def records(make_table: Callable[..., Any], make_records: Callable[..., RunRecords]) -> RunRecords:
    """Two blocks: 60 and 30 deliveries of 10 and 13 ms over MEC; the cloud delivers nothing."""
    block, path, outcome = np.indices((2, 2, 5)).reshape(3, -1)
    n = np.zeros((2, 2, 5), dtype=np.int64)
    n[0, 0] = [60, 20, 10, 5, 5]
    n[1, 0] = [30, 40, 20, 5, 5]
    n[:, 1, NetworkOutcome.NO_UPLINK] = 100
    sums = np.zeros((2, 2, N_PARTS))
    sums[0, 0, NETWORK_PARTS.index("uplink_wait")] = 60 * 4.0
    sums[0, 0, NETWORK_PARTS.index("transport")] = 60 * 6.0
    sums[1, 0, NETWORK_PARTS.index("transport")] = 30 * 13.0
    codes = np.array([MEC, CLOUD])
    part_block, part_path, part = np.indices(sums.shape).reshape(3, -1)
    return make_records(
        {
            "network": make_table(
                "network", block_start_s=block, path=codes[path], outcome=outcome, n=n.ravel()
            ),
            "network_parts": make_table(
                "network_parts",
                block_start_s=part_block,
                path=codes[part_path],
                part=part,
                sum_ms=sums.ravel(),
            ),
            "network_latency": make_table(
                "network_latency", path=MEC, value_ms=[10.0, 13.0], n=[60, 30]
            ),
            "network_cells": make_table(
                "network_cells",
                time_s=[0.0, 0.0, 10.0, 10.0],
                cell=[-1, 0, -1, 0],
                n_users=[10, 30, 0, 40],
                n_handovers=[0, 0, 0, 8],
                uplink_load=[0.0, 0.2, 0.0, 0.3],
                downlink_load=[0.0, 0.9, 0.0, 1.2],
            ),
        },
        n_cells=1,
        simulated_s=20.0,
    )


def test_mean_and_parts(records: RunRecords) -> None:
    found = network_paths(records)["mec-core"]
    assert found.mean.value == pytest.approx((60 * 10 + 30 * 13) / 90)
    assert found.mean.low < found.mean.value < found.mean.high
    assert found.part_means_ms["transport"] == pytest.approx((60 * 6 + 30 * 13) / 90)
    assert sum(found.part_means_ms.values()) == pytest.approx(found.mean.value)


def test_quantiles_are_exact_to_a_bin(records: RunRecords) -> None:
    delay = network_paths(records)["mec-core"].delay
    assert 10.0 <= delay.quantile(0.5) <= 10.1
    assert 13.0 <= delay.quantile(0.95) <= 13.1


def test_shares_of_pairs(records: RunRecords) -> None:
    found = network_paths(records)["mec-core"]
    assert found.delivered.value == pytest.approx(0.45)
    assert list(found.outcomes.values()) == pytest.approx([0.45, 0.3, 0.15, 0.05, 0.05])


def test_a_path_without_deliveries_has_no_delay(records: RunRecords) -> None:
    found = network_paths(records)["cloud"]
    assert found.delivered.value == 0.0
    assert np.isnan(found.mean.value)
    assert np.isnan(found.delay.quantile(0.5))
    assert np.isnan(list(found.part_means_ms.values())).all()


def test_cells(records: RunRecords) -> None:
    """40 users for 20 s; 8 handovers."""
    found = cell_figures(records)
    assert found is not None
    assert found.share_covered == pytest.approx(70 / 80)
    assert found.handovers_per_user_h == pytest.approx(8 / (40 * 20 / 3600))
    assert (found.uplink_load, found.downlink_load) == (0.3, 1.2)


def test_runs_without_a_network_have_no_figures(
    make_records: Callable[..., RunRecords],
) -> None:
    assert network_paths(make_records({})) == {}
    assert cell_figures(make_records({})) is None
