"""What the recorder makes of believed positions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from v2x.mobility.fleet import FleetState, NodeKind
from v2x.mobility.positioning import BelievedState
from v2x.records.tables import Sky, check_table
from v2x.sim.recorder import Recorder, RecordParams

from ...simulation_parts import fleet_state


def believed_of(fleet: FleetState, **columns: Any) -> BelievedState:
    """Return the truth, as it would be believed; `columns` replace it."""
    n = fleet.n_rows
    truth = {
        "x_m": fleet.x_m,
        "y_m": fleet.y_m,
        "z_m": fleet.z_m,
        "horizontal_sigma_m": np.ones(n),
        "vertical_sigma_m": np.ones(n),
        "sky": np.zeros(n, dtype=np.int32),
        "edge_by_plan": fleet.edge,
        "edge_by_height": fleet.edge,
        "level_by_plan": fleet.level,
        "level_by_height": fleet.level,
    }
    values = {name: np.array(columns.get(name, value)) for name, value in truth.items()}
    return BelievedState(time_us=fleet.time_us, **values)


@pytest.fixture
def fleet() -> FleetState:
    return fleet_state(
        1_000_000,
        [0.0, 10.0, 20.0, 30.0, 40.0, 50.0],
        edge=[0, 1, 2, 3, 4, -1],
        level=[0, 1, 2, 1, 0, 0],
        kind=[0, 0, 0, 0, NodeKind.VRU, 0],
    )


def test_sums_and_wrong_roads(fleet: FleetState) -> None:
    one = Recorder(RecordParams(), warmup_us=0)
    deck = Sky.DECK
    believed = believed_of(
        fleet,
        x_m=fleet.x_m + np.array([3.0, 0.0, 0.0, 0.0, 99.0, 1.0]),
        y_m=fleet.y_m + np.array([4.0, 0.0, 2.0, 0.0, 0.0, 0.0]),
        z_m=fleet.z_m + np.array([0.0, -7.0, 1.0, 0.0, 0.0, 0.0]),
        sky=[deck, deck, deck, Sky.OPEN, deck, -1],
        # Row 0: another edge of its level. Row 1: of another level. Row 2: no road at all.
        edge_by_plan=[4, 2, -1, 3, 4, -1],
        level_by_plan=[0, 2, 0, 1, 0, 0],
        edge_by_height=[0, 2, 2, 3, 4, -1],
        level_by_height=[0, 2, 2, 1, 0, 0],
    )
    one.observe_believed(fleet, believed)
    tables = one.tables(2)
    table = tables["positions"]
    check_table("positions", table)
    check_table("position_errors", tables["position_errors"])
    rows = dict(zip(table["sky"].tolist(), range(2), strict=True))
    assert set(rows) == {Sky.OPEN, Sky.DECK}
    under = {name: values[rows[Sky.DECK]].item() for name, values in table.items()}
    assert under == {
        "replication": 2,
        "time_s": 1.0,
        "sky": Sky.DECK,
        "n": 3,
        "sum_horizontal_m2": 29.0,
        "sum_vertical_m2": 50.0,
        "n_wrong_edge_plan": 3,
        "n_wrong_level_plan": 2,
        "n_wrong_edge_height": 1,
        "n_wrong_level_height": 1,
    }
    assert table["n"][rows[Sky.OPEN]] == 1
    assert table["n_wrong_edge_plan"][rows[Sky.OPEN]] == 0


def test_a_level_that_is_right_by_chance_is_wrong_without_a_road(fleet: FleetState) -> None:
    one = Recorder(RecordParams(), warmup_us=0)
    nowhere = np.full(6, -1)
    believed = believed_of(fleet, edge_by_plan=nowhere, level_by_plan=np.zeros(6))
    one.observe_believed(fleet, believed)
    (row,) = range(len(one.tables(0)["positions"]["n"]))
    table = one.tables(0)["positions"]
    # Row 5 is off the road and knows it; row 4 is a person.
    assert (table["n"][row], table["n_wrong_edge_plan"][row]) == (5, 4)
    assert table["n_wrong_level_plan"][row] == 4


def test_errors_are_gathered_in_bins(fleet: FleetState) -> None:
    one = Recorder(RecordParams(), warmup_us=0)
    x = fleet.x_m + np.array([0.24, 0.26, 199.9, 200.1, 0.0, 1e6])
    for _ in range(2):
        one.observe_believed(fleet, believed_of(fleet, x_m=x))
    table = one.tables(0)["position_errors"]
    plan, height = table["axis"] == 0, table["axis"] == 1
    assert table["value_m"][plan].tolist() == [0.0, 0.25, 199.75, 200.0]
    assert table["n"][plan].tolist() == [2, 2, 2, 4]
    assert (table["value_m"][height].tolist(), table["n"][height].tolist()) == ([0.0], [10])
    again = one.tables(0)["position_errors"]
    assert again["n"].tolist() == table["n"].tolist()


def test_nothing_before_the_warm_up(fleet: FleetState) -> None:
    one = Recorder(RecordParams(), warmup_us=1_000_001)
    one.observe_believed(fleet, believed_of(fleet))
    assert not len(one.tables(0)["positions"]["n"])
    assert not len(one.tables(0)["position_errors"]["n"])
    later = replace(fleet, time_us=1_000_001)
    one.observe_believed(later, believed_of(later))
    assert one.tables(0)["positions"]["n"].tolist() == [5]
