"""What the recorder makes of what it is shown."""

from __future__ import annotations

import numpy as np
import pytest

from v2x.mobility.fleet import NodeKind
from v2x.records.tables import N_DIRECTIONS, N_OUTCOMES, SCHEMAS, Direction, check_table
from v2x.sim.recorder import Recorder, RecordParams

from ...simulation_parts import fleet_state


def recorder(warmup_us: int = 0, **params: float) -> Recorder:
    return Recorder(RecordParams(**params), warmup_us=warmup_us)


def test_an_empty_run_has_every_table() -> None:
    tables = recorder().tables(3)
    assert set(tables) == set(SCHEMAS)
    for name, table in tables.items():
        check_table(name, table)
        assert len(table["replication"]) == 0


def test_all_tables_follow_their_schemas() -> None:
    one = recorder()
    one.observe_fleet(fleet_state(0, [0.0, 10.0], leader=[1, -1], gap_m=[2.0, np.inf]))
    one.observe_load(500_000, np.array([0, 1]), np.array([0.25, np.nan]))
    one.observe_link_states(500_000, np.array([1, 2, 3]))
    one.close_block(0, np.ones((N_DIRECTIONS, 3, N_OUTCOMES), dtype=np.int64))
    gaps = np.zeros(10, dtype=np.int64)
    gaps[7] = 2
    one.take_freshness(gaps, np.zeros(10, dtype=np.int64))
    tables = one.tables(3)
    for name, table in tables.items():
        check_table(name, table)
        assert (table["replication"] == 3).all()
    assert tables["load"]["node_id"].tolist() == [0]
    assert tables["load"]["cbr"].tolist() == [0.25]
    assert tables["link_states"]["n"].tolist() == [1, 2, 3]
    assert (tables["freshness"]["quantity"].tolist(), tables["freshness"]["n"].tolist()) == (
        [0],
        [2],
    )
    assert len(tables["links"]["n"]) == 3 * N_OUTCOMES


def test_blocks_are_taken_and_cleared() -> None:
    one = recorder(bin_width_m=25.0, max_distance_m=50.0)
    counts = np.zeros((N_DIRECTIONS, 2, N_OUTCOMES), dtype=np.int64)
    counts[Direction.V2V] = np.arange(2 * N_OUTCOMES).reshape(2, N_OUTCOMES)
    one.close_block(3_000_000, counts)
    assert not counts.any()
    counts[Direction.V2V, 1, 0] = 5
    one.close_block(4_000_000, counts)
    links = one.tables(0)["links"]
    assert links["block_start_s"].tolist() == [3.0] * 2 * N_OUTCOMES + [4.0] * 2 * N_OUTCOMES
    assert links["bin_upper_m"][:9].tolist() == [25.0] * 8 + [50.0]
    assert links["outcome"][:9].tolist() == [*range(8), 0]
    assert links["n"].tolist() == [*range(16), *[0] * 8, 5, *[0] * 7]


@pytest.mark.parametrize("roadside", [False, True])
def test_directions_are_told_apart_where_there_are_roadside_units(roadside: bool) -> None:
    one = Recorder(RecordParams(), warmup_us=0, roadside=roadside)
    counts = np.zeros((N_DIRECTIONS, 2, N_OUTCOMES), dtype=np.int64)
    counts[:, 1, 3] = [10, 20, 30, 40]
    one.close_block(0, counts)
    assert not counts.any()
    links = one.tables(0)["links"]
    noted = links["n"] > 0
    assert (links["bin_upper_m"][noted] == 40.0).all()
    assert (links["outcome"][noted] == 3).all()
    found = dict(zip(links["direction"][noted].tolist(), links["n"][noted].tolist(), strict=True))
    assert found == ({0: 10, 1: 20, 2: 30, 3: 40} if roadside else {0: 10})


def test_known_neighbours_are_noted_after_the_warm_up() -> None:
    one = recorder(warmup_us=1_000_000, bin_width_m=20.0)
    known = np.array([[9, 8, 7, 6, 5], [4, 3, 2, 1, 0]], dtype=np.int64)
    for time_us in (0, 1_000_000):
        one.observe_awareness(time_us, known)
    table = one.tables(0)["awareness"]
    assert table["time_s"].tolist() == [1.0, 1.0]
    assert table["bin_upper_m"].tolist() == [20.0, 40.0]
    columns = ("n_pairs", "n_direct", "n_with_relay", "n_other_level", "n_other_level_known")
    assert [table[name].tolist() for name in columns] == known.T.tolist()


def test_trajectories_are_thinned() -> None:
    one = recorder(warmup_us=200_000, trajectory_period_s=0.3)
    for time_us in range(0, 1_000_000, 100_000):
        one.observe_fleet(fleet_state(time_us, [1.0, 2.0, 3.0], id=[7, -1, 9]))
    table = one.tables(0)["trajectories"]
    assert table["time_s"].tolist() == pytest.approx([0.2, 0.2, 0.5, 0.5, 0.8, 0.8])
    assert table["id"].tolist() == [7, 9] * 3
    assert table["x_m"].tolist() == [1.0, 3.0] * 3


def test_vehicles_are_counted_once_and_after_the_warm_up() -> None:
    one = recorder(warmup_us=100_000)
    kinds = [NodeKind.CAR, NodeKind.BUS, NodeKind.VRU, NodeKind.RSU]
    one.observe_fleet(fleet_state(0, np.zeros(4), id=[1, 2, 3, 4], kind=kinds))
    assert one.vehicles_seen == set()
    one.observe_fleet(fleet_state(100_000, np.zeros(4), id=[5, 2, 3, -1], kind=kinds))
    one.observe_fleet(fleet_state(200_000, np.zeros(4), id=[5, 6, 3, -1], kind=kinds))
    assert one.vehicles_seen == {5, 2, 6}


@pytest.mark.parametrize(
    ("gap_m", "closing_mps", "kept"),
    [
        (2.9, -5.0, True),  # closer than 3 m
        (50.0, 7.0, True),  # touches in 7.1 s
        (50.0, 6.0, False),  # touches in 8.3 s
        (50.0, -7.0, False),  # goes away
        (-0.5, 0.0, True),  # overlaps
    ],
)
def test_close_pairs_are_watched(gap_m: float, closing_mps: float, kept: bool) -> None:
    """A second pair with the least gap of all is always there."""
    one = recorder()
    fleet = fleet_state(
        0,
        np.zeros(4),
        id=[10, 11, 12, 13],
        leader=[1, -1, 3, -1],
        gap_m=[gap_m, np.inf, min(gap_m, 50.0) - 0.1, np.inf],
        speed_mps=[20.0 + closing_mps, 20.0, 20.0, 20.0],
    )
    one.observe_fleet(fleet)
    table = one.tables(0)["safety"]
    rows = dict(zip(table["follower_id"].tolist(), table["leader_id"].tolist(), strict=True))
    assert rows == ({10: 11, 12: 13} if kept else {12: 13})
    if kept:
        k = table["follower_id"].tolist().index(10)
        assert table["gap_m"][k] == gap_m
        assert table["follower_speed_mps"][k] - table["leader_speed_mps"][k] == closing_mps


def test_nobody_follows_nobody() -> None:
    one = recorder()
    one.observe_fleet(fleet_state(0, [0.0]))
    assert len(one.tables(0)["safety"]["gap_m"]) == 0


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("bin_width_m", 0.0),
        ("max_distance_m", -1.0),
        ("awareness_range_m", 0.0),
        ("block_s", 0.0),
        ("trajectory_period_s", 0.0),
        ("cbr_period_s", float("nan")),
        ("edge_margin_m", -1.0),
    ],
)
def test_sizes_that_cannot_be_counted_with(key: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{key} must be"):
        RecordParams(**{key: value})


def test_the_range_must_hold_a_bin() -> None:
    with pytest.raises(ValueError, match=r"max_distance_m \(10.0\) must hold at least one bin"):
        RecordParams(max_distance_m=10.0, bin_width_m=20.0)


@pytest.mark.parametrize(("width_m", "range_m"), [(20.0, 70.0), (20.0, 50.0), (15.0, 100.0)])
def test_the_range_is_a_whole_number_of_bins(width_m: float, range_m: float) -> None:
    """Else receivers beyond the range would count, or some within it would not."""
    with pytest.raises(ValueError, match="max_distance_m"):
        RecordParams(bin_width_m=width_m, max_distance_m=range_m)
    whole = range_m // width_m * width_m
    assert RecordParams(bin_width_m=width_m, max_distance_m=whole).max_distance_m == whole
    assert RecordParams(bin_width_m=0.1, max_distance_m=0.7).bin_width_m == 0.1
