"""Whom messages are for: kernel against the rules written out."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from v2x import rng
from v2x._kernels.audience import address_members, address_range, keep_members
from v2x.phy.nr.zone import distance_to_zone_m, zone_id


def table(rows: list[dict[int, float]]) -> tuple[Any, Any, Any]:
    """Return a link table of distances by node and neighbour."""
    ordered = [sorted(row.items()) for row in rows]
    return (
        np.cumsum([0, *map(len, ordered)]).astype(np.int32),
        np.array([j for row in ordered for j, _ in row], dtype=np.int32),
        np.array([d for row in ordered for _, d in row], dtype=np.float32),
    )


def random_table(seed: int, n: int) -> tuple[list[dict[int, float]], Any]:
    """Return links between nodes at random places, and these (x, y) [m]."""
    place = rng.stream(seed, "places").uniform(-900.0, 900.0, (2, n))
    distance = np.hypot(*(place[:, :, None] - place[:, None, :]))
    rows = [
        {j: float(np.float32(distance[i, j])) for j in range(n) if j != i and distance[i, j] < 800}
        for i in range(n)
    ]
    return rows, place


NOBODY = np.zeros(0, dtype=np.int32)


@settings(max_examples=60, derandomize=True, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    n_places=st.sampled_from([1, 3]),
    ahead=st.booleans(),
    range_m=st.sampled_from([100.0, 500.0]),
)
def test_members_stay_in_range_and_empty_places_go_to_the_nearest(
    seed: int, n_places: int, ahead: bool, range_m: float
) -> None:
    """Two rounds against the rule written out."""
    g = rng.stream(seed, "members")
    n = 9
    members = np.full((n, n_places), -1, dtype=np.int32)
    for turn in range(3):
        rows, _ = random_table(seed + turn, n)
        user = (g.random(n) < 0.8).astype(np.uint8)
        changed = (g.random(n) < 0.2).astype(np.uint8)
        leader = g.integers(-1, n, n).astype(np.int32) if ahead else NOBODY
        before = members.tolist()
        keep_members(*table(rows), user, changed, leader, range_m, members)
        for i in range(n):
            kept = [
                j
                if j >= 0 and not (changed[i] or changed[j]) and rows[i].get(j, 1e9) <= range_m
                else -1
                for j in before[i]
            ]
            allowed = [int(leader[i])] if ahead else range(n)
            free = sorted(
                (rows[i][j], j)
                for j in allowed
                if user[j] and user[i] and rows[i].get(j, 1e9) <= range_m and j not in kept
            )
            for p in range(n_places):
                if kept[p] == -1 and free:
                    kept[p] = free.pop(0)[1]
            assert members[i].tolist() == kept
        # road users may be somebody else by the next turn
        members[user == 0] = -1
        intended, responds = np.full((2, sum(map(len, rows)) + 1), 77, dtype=np.uint8)
        expected = np.zeros(n, dtype=np.int32)
        row_start, neighbour, _ = table(rows)
        address_members(row_start, neighbour, user, members, intended, responds, expected)
        assert intended[-1] == responds[-1] == 77
        for i in range(n):
            named = members[i].tolist()
            for e in range(row_start[i], row_start[i + 1]):
                j = int(neighbour[e])
                assert intended[e] == (not user[i] or j in named)
                assert responds[e] == (named.index(j) + 1 if user[i] and j in named else 0)
            assert expected[i] == sum(1 << p for p, j in enumerate(named) if j >= 0)


@settings(max_examples=60, derandomize=True, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    zone_m=st.sampled_from([5.0, 20.0, 50.0]),
    range_m=st.sampled_from([50.0, 300.0]),
)
def test_range_is_that_of_the_zone_for_receivers_and_the_true_one_for_counts(
    seed: int, zone_m: float, range_m: float
) -> None:
    n = 9
    rows, place = random_table(seed, n)
    user = (rng.stream(seed, "users").random(n) < 0.8).astype(np.uint8)
    n_links = sum(map(len, rows))
    intended, responds = np.full((2, n_links), 77, dtype=np.uint8)
    expected = np.zeros(n, dtype=np.int32)
    row_start, neighbour, distance = table(rows)
    x, y = place
    address_range(
        row_start,
        neighbour,
        distance,
        user,
        x,
        y,
        0.0,
        zone_m,
        range_m,
        intended,
        responds,
        expected,
    )
    assert expected.tolist() == user.tolist()
    for i in range(n):
        near = distance_to_zone_m(x, y, zone_id(x[i], y[i], zone_m), zone_m) <= range_m
        for e in range(row_start[i], row_start[i + 1]):
            assert intended[e] == (not user[i] or distance[e] <= range_m)
            assert responds[e] == (user[i] and near[neighbour[e]])


def test_the_zone_of_a_wrapped_map_is_that_of_the_nearest_copy() -> None:
    """Across the seam at 2000 m the two are 20 m apart; without it they would be 1980 m."""
    rows = [{1: 20.0}, {0: 20.0}]
    for wrap_m, near in ((2000.0, 1), (0.0, 0)):
        responds, intended = np.zeros((2, 2), dtype=np.uint8)
        address_range(
            *table(rows),
            np.ones(2, np.uint8),
            np.array([1990.0, 10.0]),
            np.zeros(2),
            wrap_m,
            50.0,
            150.0,
            intended,
            responds,
            np.zeros(2, dtype=np.int32),
        )
        assert responds.tolist() == [near, near]
