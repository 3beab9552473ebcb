"""Tracks are confirmed after k hits of n, stand while they are missed, and are lost after m."""

from __future__ import annotations

import numpy as np
import pytest

from v2x.perception.tracks import MEASURED, Detections, Tracks

from ...simulation_parts import fleet_state

TICK_US = 100_000
NOBODY = np.zeros(0, dtype=np.intp)


def told(tracks: Tracks, hits: str, *, ids: dict[int, list[int]] | None = None) -> list[Detections]:
    """Return what is reported as row 0 finds row 1 in the ticks marked x."""
    reports = []
    for tick, mark in enumerate(hits):
        identity = (ids or {}).get(tick, [7, 8])
        fleet = fleet_state(tick * TICK_US, [0.0, 30.0], id=identity)
        host, found = (np.array([0]), np.array([1])) if mark == "x" else (NOBODY, NOBODY)
        measured = {name: np.full(len(host), float(tick)) for name in MEASURED}
        reports.append(tracks.update(fleet, host, found, measured))
    return reports


def known(reports: list[Detections]) -> str:
    return "".join("x" if len(report) else "." for report in reports)


@pytest.mark.parametrize(
    ("hits", "expected"),
    [
        ("xxx", "..x"),
        ("x.x.x", "....x"),
        # Three within six ticks are too few.
        ("x..x.x", "......"),
        ("x.x..x", "......"),
        ("x..x.xx", "......x"),
    ],
)
def test_three_hits_of_five_confirm(hits: str, expected: str) -> None:
    assert known(told(Tracks(3, 5, 5), hits)) == expected


@pytest.mark.parametrize("lose_after", [1, 2, 5])
def test_a_track_is_lost_after_so_many_misses_and_must_be_confirmed_again(lose_after: int) -> None:
    tracks = Tracks(3, 5, lose_after)
    hits = "xxx" + "." * lose_after + "xx"
    assert known(told(tracks, hits)) == "..x" + "x" * (lose_after - 1) + "..."
    assert len(tracks) == 1


def test_while_it_is_missed_the_last_measurement_stands_and_ages() -> None:
    reports = told(Tracks(2, 3, 4), "xx..x")
    ages = [report.age_s.tolist() for report in reports]
    assert ages == [[], [0.0], [0.1], [0.2], [0.0]]
    assert [report.range_m.tolist() for report in reports[1:]] == [[1.0], [1.0], [1.0], [4.0]]
    assert [report.confidence.tolist() for report in reports[1:]] == [
        [pytest.approx(2 / 3)],
        [pytest.approx(2 / 3)],
        [pytest.approx(1 / 3)],
        [pytest.approx(1 / 3)],
    ]


@pytest.mark.parametrize("newcomer", [[9, 8], [7, 9], [-1, 8]])
def test_another_road_user_in_a_row_is_another_track(newcomer: list[int]) -> None:
    reports = told(Tracks(2, 3, 4), "xx.x", ids={2: newcomer, 3: newcomer})
    assert known(reports) == ".x.."


def test_history_never_overflows_and_pairs_stay_in_order() -> None:
    tracks = Tracks(3, 5, 5)
    rng = np.random.default_rng(3)
    for tick in range(200):
        found = np.flatnonzero(rng.random(100) < 0.7)
        found = found[found // 10 != found % 10]
        host, other = found // 10, found % 10
        measured = {name: np.zeros(len(host)) for name in MEASURED}
        report = tracks.update(fleet_state(tick, np.zeros(10)), host, other, measured)
        key = report.host * 10 + report.object
        assert (np.diff(key) > 0).all()
        assert ((report.confidence >= 0.0) & (report.confidence <= 1.0)).all()
    # 90 pairs; five misses in a row happen to 0.3^5 of them.
    assert len(report) > 80
