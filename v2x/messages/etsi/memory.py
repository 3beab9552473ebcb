"""What stations remember from one check to the next, by row of the fleet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from v2x.mobility.fleet import FloatArray

#: Time of what has never happened [µs]; differences to it do not overflow.
NEVER_US = -(2**62)


class StationMemory:
    """Columns of state, one row a station; a row whose id changes begins anew.

    Parameters
    ----------
    initial
        Name of each column and the value that a new station has; whole numbers become int64,
        others float64.

    Examples
    --------
    >>> memory = StationMemory({"n_sent": 0})
    >>> memory.follow(np.array([7, 8]))
    array([ True,  True])
    >>> memory["n_sent"][:] = 5
    >>> memory.follow(np.array([7, 9, -1]))
    array([False,  True, False])
    >>> memory["n_sent"]
    array([5, 0, 0])
    """

    def __init__(self, initial: Mapping[str, float]) -> None:
        self._initial = dict(initial)
        self._id = np.zeros(0, dtype=np.int64)
        self._columns: dict[str, NDArray[Any]] = {
            name: np.zeros(0, dtype=np.int64 if isinstance(value, int) else np.float64)
            for name, value in initial.items()
        }

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self._columns[name]

    def follow(self, identity: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Forget rows whose id has changed, and return which of them hold a new station.

        Parameters
        ----------
        identity : (n_rows,) int64
            Stable identity of each row, -1 for an empty one.
        """
        more = len(identity) - len(self._id)
        if more > 0:
            self._id = np.append(self._id, np.full(more, -1))
            for name, column in self._columns.items():
                fill = np.full(more, self._initial[name], dtype=column.dtype)
                self._columns[name] = np.append(column, fill)
        known = self._id[: len(identity)]
        changed = known != identity
        if changed.any():
            for name, column in self._columns.items():
                column[: len(identity)][changed] = self._initial[name]
            known[changed] = identity[changed]
        return np.asarray(changed & (identity >= 0))


def angle_between_deg(first_rad: FloatArray, second_rad: FloatArray) -> FloatArray:
    """Return the angle between directions, 0 to 180 [degree]."""
    turn = np.mod(first_rad - second_rad + np.pi, 2.0 * np.pi) - np.pi
    return np.asarray(np.degrees(np.abs(turn)))


def places_of(known: tuple[NDArray[np.int64], ...], asked: tuple[NDArray[np.int64], ...]) -> Any:
    """Return where keys of several parts stand among known ones, -1 for those that do not.

    Parameters
    ----------
    known : tuple of (n,) int64
        Parts of the known keys, each key once.
    asked : tuple of (m,) int64
        Parts of the keys to find.

    Returns
    -------
    (m,) int64

    Examples
    --------
    >>> one, two = np.array([1, 1, 2]), np.array([5, 6, 5])
    >>> places_of((one, two), (np.array([2, 1, 3]), np.array([5, 6, 5])))
    array([ 2,  1, -1])
    """
    n_known, n_asked = len(known[0]), len(asked[0])
    parts = [np.append(a, b) for a, b in zip(known, asked, strict=True)]
    # Known keys stand in front of equal ones that are asked for.
    is_asked = np.arange(n_known + n_asked) >= n_known
    order = np.lexsort((is_asked, *parts))
    begins = np.ones(len(order), dtype=np.bool_)
    begins[1:] = np.any([part[order][1:] != part[order][:-1] for part in parts], axis=0)
    head = order[np.flatnonzero(begins)][np.cumsum(begins) - 1]
    place = np.full(n_known + n_asked, -1, dtype=np.int64)
    place[order] = np.where(head < n_known, head, -1)
    return place[n_known:]
