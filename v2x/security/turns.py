"""Things of the same row one after the other, things of different rows at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray


def by_turn(row: NDArray[np.integer]) -> Iterator[NDArray[np.intp]]:
    """Yield the first thing of each row, then the second of each that has two, and so on.

    Parameters
    ----------
    row : (n,) int
        Row, or any other number, that each thing belongs to, in the order of the things.

    Examples
    --------
    >>> [chosen.tolist() for chosen in by_turn(np.array([4, 7, 4]))]
    [[0, 1], [2]]
    """
    order = np.argsort(row, kind="stable")
    first = np.searchsorted(row[order], row[order])
    turn = np.empty(len(row), dtype=np.intp)
    turn[order] = np.arange(len(row)) - first
    for k in range(int(turn.max(initial=-1)) + 1):
        yield np.flatnonzero(turn == k)
