"""Where the milliseconds went, as it is drawn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from v2x.metrics.latency import PARTS
from v2x.records.tables import NETWORK_PARTS, NetworkPath
from v2x.report.network import GROUPS, has_network, network_figure


@pytest.fixture
def records(plausible_records, make_table):
    """One path, every part of which takes as many milliseconds as its number says."""
    part = np.arange(len(NETWORK_PARTS))
    tables = {
        **plausible_records.tables,
        "network": make_table("network", path=NetworkPath.MEC_CORE, outcome=[0, 1], n=[80, 20]),
        "network_parts": make_table(
            "network_parts", path=NetworkPath.MEC_CORE, part=part, sum_ms=80.0 * part
        ),
        "network_latency": make_table(
            "network_latency", path=NetworkPath.MEC_CORE, value_ms=[78.0], n=[80]
        ),
    }
    return replace(plausible_records, tables=tables)


def test_every_part_is_in_one_group():
    assert sorted(part for group in GROUPS for part in group[2]) == sorted(NETWORK_PARTS)
    assert sorted(part for group in GROUPS for part in group[3]) == sorted(PARTS)


def test_bars_are_the_sums_of_the_parts(records):
    axes = network_figure(records).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["PC5", "mec-core"]
    drawn = {bars.get_label(): bars.patches[1].get_width() for bars in axes.containers}
    for name, _, parts, _ in GROUPS:
        expected = sum(NETWORK_PARTS.index(part) for part in parts)
        assert drawn.get(name, 0.0) == pytest.approx(expected)
    assert "78.0 ms, 80.0 % delivered" in [text.get_text() for text in axes.texts]


def test_runs_without_a_network_have_no_figure(plausible_records, records):
    assert not has_network(plausible_records)
    assert has_network(records)
