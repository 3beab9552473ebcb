"""What the medium counts of gaps and ages."""

from __future__ import annotations

from v2x.sim.recorder import RecordParams

from ...simulation_parts import FrozenFleet, ScheduledPackets, every, simulate


def test_gaps_and_ages_of_a_regular_sender() -> None:
    """A packet every 100 ms on 30.0 ms, ticks on 0: gaps of 100 ms, ages of 70 ms."""
    finished = simulate(
        FrozenFleet(x_m=[0.0, 50.0]),
        application=ScheduledPackets(every(100_000, 20, 30_000, 0)),
        duration_s=2.0,
    )
    freshness = finished.tables["freshness"]
    rows = list(
        zip(*(freshness[key].tolist() for key in ("quantity", "value_ms", "n")), strict=True)
    )
    assert rows == [(0, 100.0, 19), (1, 70.0, 19)]


def test_pairs_too_far_apart_have_no_gap() -> None:
    finished = simulate(
        FrozenFleet(x_m=[0.0, 50.0]),
        application=ScheduledPackets(every(100_000, 20, 30_000, 0)),
        records=RecordParams(awareness_range_m=49.0),
        duration_s=2.0,
    )
    assert len(finished.tables["freshness"]["n"]) == 0


def test_pairs_that_part_forget() -> None:
    """Out of range for half a second: no gap spans it."""
    fleet = FrozenFleet(x_m=[0.0, -300.0], speed_mps=[0.0, 400.0])
    finished = simulate(
        fleet,
        application=ScheduledPackets(every(100_000, 40, 30_000, 0)),
        records=RecordParams(awareness_range_m=100.0),
        duration_s=4.0,
    )
    freshness = finished.tables["freshness"]
    gaps = freshness["quantity"] == 0
    assert freshness["value_ms"][gaps].tolist() == [100.0]


def test_very_long_gaps_share_the_open_bin() -> None:
    finished = simulate(
        FrozenFleet(x_m=[0.0, 50.0]),
        application=ScheduledPackets([(30_000, 0), (12_030_000, 0)]),
        duration_s=12.5,
    )
    freshness = finished.tables["freshness"]
    gaps = freshness["quantity"] == 0
    assert freshness["value_ms"][gaps].tolist() == [10_000.0]
