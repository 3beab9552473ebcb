"""What stations remember, and how keys are found."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from v2x.messages.etsi.memory import StationMemory, angle_between_deg, places_of

KEYS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=12)


def columns(keys: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    table = np.array(keys, dtype=np.int64).reshape(-1, 2)
    return table[:, 0], table[:, 1]


@given(known=KEYS, asked=KEYS)
def test_places_of_keys(known: list[tuple[int, int]], asked: list[tuple[int, int]]) -> None:
    unique = list(dict.fromkeys(known))
    expected = [unique.index(key) if key in unique else -1 for key in asked]
    assert places_of(columns(unique), columns(asked)).tolist() == expected


def test_rows_grow_and_forget() -> None:
    memory = StationMemory({"n": 0, "x_m": 1.5})
    assert memory.follow(np.array([3, -1])).tolist() == [True, False]
    memory["n"][:] = 9
    assert memory.follow(np.array([3, 4, 5])).tolist() == [False, True, True]
    assert memory["n"].tolist() == [9, 0, 0]
    assert memory["x_m"].tolist() == [1.5, 1.5, 1.5]
    assert memory.follow(np.array([-1, 4, 5])).tolist() == [False, False, False]
    assert memory["n"].tolist() == [0, 0, 0]


def test_angles_are_the_short_way_round() -> None:
    first = np.radians([10.0, 350.0, 0.0, 725.0])
    second = np.radians([350.0, 10.0, 180.0, 0.0])
    assert np.allclose(angle_between_deg(first, second), [20.0, 20.0, 180.0, 5.0])
