"""Reception by the place of the sender."""

from __future__ import annotations

import numpy as np
import pytest

from v2x.metrics.places import place_reliability
from v2x.records.tables import FIRST_ROADSIDE_ID


@pytest.fixture
def records(make_records, make_table):
    def make(packets, trajectories):
        tables = {
            "packets": make_table("packets", **packets),
            "trajectories": make_table("trajectories", **trajectories),
        }
        return make_records(tables)

    return make


def cells(found) -> dict[tuple[int, int], tuple[int, int]]:
    return {
        (column, row): (intended, received)
        for column, row, intended, received in zip(
            found.column.tolist(), found.row.tolist(), found.n_intended.tolist(),
            found.n_received.tolist(), strict=True,
        )
    }  # fmt: skip


def test_a_sender_is_where_it_was_seen_nearest_in_time(records):
    found = place_reliability(
        records(
            {
                "tx_id": 7,
                "generated_us": [0, 740_000, 760_000, 9_000_000],
                "n_intended": [10, 10, 10, 10],
                "n_received": [9, 5, 3, 1],
            },
            {"id": 7, "time_s": [0.5, 1.0], "x_m": [150.0, 250.0], "y_m": -1.0},
        )
    )
    assert cells(found) == {(1, -1): (20, 14), (2, -1): (20, 4)}
    np.testing.assert_allclose(found.prr, [0.7, 0.2])
    assert found.n_unplaced == 0


def test_vehicles_and_replications_do_not_mix(records):
    found = place_reliability(
        records(
            {
                "replication": [0, 0, 1, 1],
                "tx_id": [1, FIRST_ROADSIDE_ID + 2, 1, 5],
                "generated_us": 2_000_000,
                "n_intended": [1, 2, 4, 8],
                "n_received": [1, 2, 4, 8],
            },
            {
                "replication": [0, 0, 1],
                "id": [1, FIRST_ROADSIDE_ID + 2, 1],
                "time_s": [5.0, 1.9, 2.0],
                "x_m": [10.0, 110.0, 210.0],
                "y_m": 50.0,
            },
        ),
        cell_m=100.0,
    )
    assert cells(found) == {(0, 0): (1, 1), (1, 0): (2, 2), (2, 0): (4, 4)}
    # Vehicle 5 was never seen.
    assert found.n_unplaced == 8


def test_all_pairs_are_somewhere(plausible_records):
    packets = plausible_records.tables["packets"]
    for cell_m in (20.0, 100.0, 5000.0):
        found = place_reliability(plausible_records, cell_m=cell_m)
        assert found.n_intended.sum() + found.n_unplaced == packets["n_intended"].sum()
        assert found.n_received.sum() == packets["n_received"].sum()
        assert np.all(found.n_intended > 0)
        assert np.all((found.prr >= 0) & (found.prr <= 1))


def test_without_positions_nothing_is_placed(records, make_records, make_table):
    packets = make_table("packets", tx_id=1, n_intended=3, n_received=2)
    found = place_reliability(make_records({"packets": packets}))
    assert (len(found.n_intended), found.n_unplaced) == (0, 3)
    assert len(place_reliability(make_records({})).prr) == 0
