"""The kernels of conflicts against their twin."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from v2x._kernels import conflicts
from v2x._kernels.scene import MOTION_COLUMNS, PLACE_COLUMNS
from v2x._kernels.trails import TRAIL_COLUMNS, Trails

from . import twin_conflicts as twin


def scene(seed: int, n: int, *, period_m: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Return road users on a few roads that meet here and there, close to each other."""
    draw = np.random.default_rng(seed)
    motion = np.zeros((n, MOTION_COLUMNS))
    place = np.zeros((n, PLACE_COLUMNS), dtype=np.int32)
    side = period_m or 150.0
    motion[:, twin.X], motion[:, twin.Y] = draw.uniform(0, side, n), draw.uniform(0, 150, n)
    heading = draw.choice([0.0, 0.2, np.pi / 2, np.pi, 2.3, -1.2], n) + draw.normal(0, 0.02, n)
    motion[:, twin.HX], motion[:, twin.HY] = np.cos(heading), np.sin(heading)
    motion[:, twin.V] = draw.choice([0.0, 5.0, 12.0, 25.0], n) * draw.uniform(0.5, 1.0, n)
    motion[:, twin.A] = draw.uniform(-4, 2, n)
    motion[:, twin.Z] = draw.choice([0.0, 8.0], n)
    motion[:, twin.CLIMB] = motion[:, twin.V] * draw.choice([0.0, 0.06], n)
    motion[:, twin.HL] = draw.choice([2.5, 6.5], n)
    motion[:, twin.HW] = draw.choice([1.0, 1.3], n)
    motion[:, twin.HEIGHT] = 3.0
    motion[:, twin.DRIFT] = draw.choice([0.0, 0.0, 1.0], n)
    motion[:, twin.LENGTH] = draw.uniform(30, 120, n)
    motion[:, twin.OFFSET] = motion[:, twin.LENGTH] * draw.uniform(0, 1, n)
    motion[:, twin.LEADER_GAP] = draw.uniform(0, 50, n)
    place[:, twin.LEVEL] = draw.choice([0, 1], n)
    place[:, twin.ROAD] = draw.choice([-1, 0, 1, 2], n)
    place[:, twin.WAY] = place[:, twin.ROAD] * 2 + draw.choice([0, 1], n)
    place[:, twin.BEGIN], place[:, twin.END] = draw.choice(4, n), draw.choice(4, n)
    place[:, twin.LEADER] = np.where(draw.random(n) < 0.3, draw.integers(0, n, n), -1)
    place[:, twin.WHEELS] = draw.random(n) < 0.9
    place[:, twin.ONTO], place[:, twin.LANE] = draw.choice([-1, 0], n), draw.choice([0, 1], n)
    return motion, place


def found(
    motion: np.ndarray, place: np.ndarray, *, period_m: float = 0.0, cell_m: float = 40.0
) -> dict[tuple[int, int], tuple[Any, ...]]:
    n = len(motion)
    columns = max(int(period_m // cell_m), 1) if period_m else 5
    cell = period_m / columns if period_m else cell_m
    rows = 160 // int(cell) + 2
    head = np.full(columns * rows, -1, dtype=np.int32)
    pairs = np.full((n * n + 1, conflicts.PAIR_COLUMNS), -9, dtype=np.int32)
    values = np.full((n * n + 1, conflicts.VALUE_COLUMNS), -9.0)
    k = conflicts.find_pairs(
        motion, place, 3.0, 10.0, 80.0, 0.0, 0.0, cell, columns, rows, period_m, head,
        np.empty(n, dtype=np.int32), np.empty(n), pairs, values,
    )  # fmt: skip
    assert (head == -1).all()
    assert (pairs[k:] == -9).all()
    return {
        (int(i), int(j)): (int(r), int(y), *v)
        for (i, j, r, y), v in zip(pairs[:k].tolist(), values[:k].tolist(), strict=True)
    }


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 25), st.sampled_from([0.0, 400.0, 130.0]))
def test_pairs_and_times_are_those_of_the_twin(seed: int, n: int, period_m: float) -> None:
    motion, place = scene(seed, n, period_m=period_m)
    expected = twin.find_pairs(motion, place, 3.0, 80.0, period_m)
    seen = found(motion, place, period_m=period_m)
    assert set(seen) == set(expected)
    for (i, j), (relation, ttc, axis, gap) in expected.items():
        kind, _, ttc_seen, mttc, _, _, gap_seen = seen[i, j]
        assert kind == relation
        assert ttc_seen == pytest.approx(ttc, abs=1e-9) or relation == twin.BESIDE
        assert gap_seen == pytest.approx(gap, abs=1e-9)
        if relation in (twin.SAME, twin.OPPOSITE, twin.ACROSS):
            slow = twin.modified(
                axis, *(motion[k, c] for c in (twin.V, twin.A) for k in (i, j)), 10.0
            )
            # The twin may step over a contact of less than a hundredth of a second.
            assert mttc == pytest.approx(slow, abs=1e-5) or mttc < slow


def test_the_scenes_hold_every_relation() -> None:
    kinds = set()
    for seed in range(40):
        kinds |= {pair[0] for pair in found(*scene(seed, 25)).values()}
    assert kinds == {1, 2, 3, 4, 5}


def test_the_grid_does_not_matter() -> None:
    motion, place = scene(3, 60)
    one, other = found(motion, place), found(motion, place, cell_m=149.0)
    assert len(one) > 5
    assert repr(sorted(one.items())) == repr(sorted(other.items()))


def test_too_little_room_is_told() -> None:
    motion, place = scene(3, 60)
    args = (3.0, 10.0, 80.0, 0.0, 0.0, 40.0, 5, 5, 0.0, np.full(25, -1, dtype=np.int32))
    pairs, values = np.zeros((2, 4), dtype=np.int32), np.zeros((2, 5))
    scratch = np.empty(60, dtype=np.int32), np.empty(60)
    n = conflicts.find_pairs(motion, place, *args, *scratch, pairs, values)
    assert n == len(found(motion, place)) > 2
    with pytest.raises(ValueError, match="equally long"):
        conflicts.find_pairs(motion, place, *args, *scratch, pairs, values[:1])
    with pytest.raises(ValueError, match="head has"):
        conflicts.find_pairs(
            motion, place, *args[:-1], np.full(3, -1, np.int32), *scratch, pairs, values
        )


def trails(n_rows: int, n_ticks: int = 30, period_m: float = 0.0) -> Trails:
    ring = n_ticks + 2
    return Trails(
        n_rows=n_rows, n_ticks=n_ticks, tick_s=0.1, west_m=-200.0, south_m=-200.0, cell_m=24.0,
        columns=20, rows=20, period_m=period_m, head=np.full(64, -1, dtype=np.int32),
        trail=np.zeros((n_rows * ring, TRAIL_COLUMNS), dtype=np.int32),
        history=np.zeros((ring, n_rows, 5)),
        identity=np.full((ring, n_rows), -1, dtype=np.int64),
        noted=np.zeros((n_rows, 2)),
    )  # fmt: skip


def observed(
    tracks: np.ndarray, sizes: np.ndarray, levels: tuple[int, ...] = (0, 0), z_m: float = 0.0
) -> list[tuple[float, float, float, int, int]]:
    """Return PETs of straight tracks (n_rows, n_ticks, 2): left, entered, occupied, who."""
    n_rows, n_ticks, _ = tracks.shape
    memory, out = trails(n_rows), []
    step = np.diff(tracks, axis=1)[:, :1].repeat(n_ticks, axis=1)
    motion = np.zeros((n_rows, MOTION_COLUMNS))
    place = np.full((n_rows, PLACE_COLUMNS), -1, dtype=np.int32)
    place[:, twin.WHEELS] = 1
    place[:, twin.LEVEL] = levels
    motion[:, twin.HL], motion[:, twin.HW] = sizes.T
    motion[:, twin.HEIGHT] = 2.0
    motion[1, twin.Z] = z_m
    for tick in range(n_ticks):
        motion[:, [twin.X, twin.Y]] = tracks[:, tick]
        norm = np.hypot(*step[:, tick].T)
        motion[:, [twin.HX, twin.HY]] = step[:, tick] / norm[:, None]
        motion[:, twin.V] = norm / 0.1
        crossers, times = np.empty((50, 2), dtype=np.int32), np.empty((50, 5))
        rows = np.arange(n_rows, dtype=np.int32)
        ids = np.arange(n_rows, dtype=np.int64)
        n = memory.observe(ids, rows, motion, place, crossers, times)
        for (one, other), (left, entered, occupied, _, _) in zip(
            crossers[:n].tolist(), times[:n].tolist(), strict=True
        ):
            out.append((0.1 * tick - left, 0.1 * tick - entered, occupied, one, other))
    return out


def straight(start: tuple[float, float], heading: float, speed: float, n: int = 130) -> np.ndarray:
    way = 0.1 * speed * np.arange(n)[:, None]
    return np.array(start) + way * np.array([np.cos(heading), np.sin(heading)])


@settings(max_examples=30, deadline=None)
@given(
    st.floats(50.0, 130.0),
    st.floats(-3.0, 3.0),
    st.floats(6.0, 20.0),
    st.floats(6.0, 20.0),
    st.floats(0.6, 2.5),
)
def test_crossings_are_those_of_the_tracks(
    angle_deg: float, turn: float, v_i: float, v_j: float, late_s: float
) -> None:
    """The second comes to the crossing `late_s` after the first, on any straight paths."""
    angle = np.radians(angle_deg)
    sizes = np.array([[2.5, 1.0], [6.5, 1.3]])
    first = straight((-50 * np.cos(turn), -50 * np.sin(turn)), turn, v_i)
    far = v_j * (50 / v_i + late_s)
    other = turn + angle
    second = straight((-far * np.cos(other), -far * np.sin(other)), other, v_j)
    entered_i, left, entered = twin.crossing_times(first, second, (2.5, 1.0, 6.5, 1.3), 0.1)
    seen = observed(np.stack([first, second]), sizes)
    if 0.02 < entered - left < 2.9:
        assert seen
    for left_seen, entered_seen, occupied, one, two in seen:
        assert (one, two) == (0, 1)
        assert left_seen == pytest.approx(left, abs=2e-3)
        assert entered_seen == pytest.approx(entered, abs=2e-3)
        if not np.isnan(occupied):
            assert occupied == pytest.approx(left - entered_i, abs=4e-3)


def test_a_crossing_worked_out_by_hand() -> None:
    """East at 10 m/s, north at 20 m/s, cars of 5 m by 2 m.

    The first leaves the path of the second when its rear is at x = 1 m: its middle is at 3.5 m,
    after 53.5 m. The second enters the other path with its middle at y = -3.5 m.
    """
    first = straight((-50.0, 0.0), 0.0, 10.0)
    second = straight((0.0, -143.5), np.pi / 2, 20.0)
    sizes = np.array([[2.5, 1.0], [2.5, 1.0]])
    seen = observed(np.stack([first, second]), sizes)
    assert seen
    for left, entered, occupied, *_ in seen:
        assert left == pytest.approx(5.35)
        assert entered == pytest.approx(7.0)
        assert occupied == pytest.approx(0.7)


@pytest.mark.parametrize(("levels", "z_m"), [((0, 1), 0.0), ((0, 0), 6.0), ((0, 1), 6.0)])
def test_paths_above_each_other_do_not_cross(levels: tuple[int, int], z_m: float) -> None:
    first = straight((-50.0, 0.0), 0.0, 10.0)
    second = straight((0.0, -143.5), np.pi / 2, 20.0)
    sizes = np.array([[2.5, 1.0], [2.5, 1.0]])
    assert not observed(np.stack([first, second]), sizes, levels, z_m)
