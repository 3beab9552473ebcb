"""Which messages of each link have been looked at, and which of them were taken."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

TimeArray = NDArray[np.int64]


class LinkTimes:
    """Of each link the newest message that was looked at, and the newest that was taken.

    Only links of the last tick are remembered.

    Parameters
    ----------
    n_rows
        Rows of the fleet.
    """

    def __init__(self, n_rows: int) -> None:
        self._n_rows = n_rows
        self._pair: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self._seen_us: TimeArray = np.zeros(0, dtype=np.int64)
        self._taken_us: TimeArray = np.zeros(0, dtype=np.int64)

    def forget(self, rows: NDArray[np.integer]) -> None:
        """Forget the links of rows whose road user is another one now."""
        kept = ~(
            np.isin(self._pair // self._n_rows, rows) | np.isin(self._pair % self._n_rows, rows)
        )
        self._pair = self._pair[kept]
        self._seen_us, self._taken_us = self._seen_us[kept], self._taken_us[kept]

    def before(
        self,
        sender: NDArray[np.integer],
        receiver: NDArray[np.integer],
        generated_us: TimeArray,
    ) -> tuple[TimeArray, TimeArray]:
        """Return when the newest messages of links were generated that were seen and taken.

        Parameters
        ----------
        sender, receiver : (n,) int
            Ends of the links, no pair twice.
        generated_us : (n,) int64
            Generation of the newest message now [µs]. A link on which it is older than before has
            begun anew, for another road user.

        Returns
        -------
        seen_us, taken_us : (n,) int64
            -1 for none [µs].
        """
        pair = self._pair_of(sender, receiver)
        at = np.searchsorted(self._pair, pair)
        known = np.append(self._pair, -1)[at] == pair
        known &= np.append(self._seen_us, -1)[at] <= generated_us
        seen = np.where(known, np.append(self._seen_us, -1)[at], -1)
        return seen, np.where(known, np.append(self._taken_us, -1)[at], -1)

    def put(
        self,
        sender: NDArray[np.integer],
        receiver: NDArray[np.integer],
        seen_us: TimeArray,
        taken_us: TimeArray,
    ) -> None:
        """Remember the links of the present tick instead of those of the last one."""
        pair = self._pair_of(sender, receiver)
        order = np.argsort(pair)
        self._pair = pair[order]
        self._seen_us, self._taken_us = seen_us[order], taken_us[order]

    def _pair_of(
        self, sender: NDArray[np.integer], receiver: NDArray[np.integer]
    ) -> NDArray[np.int64]:
        return receiver.astype(np.int64) * self._n_rows + sender
