"""Messages as receivers heard them, and what they remember of those before."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from v2x.security.attacks.base import Claims
from v2x.units import US_PER_S

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
SlotArray = NDArray[np.intp]
#: Receivers are numbered below this, identities below 2**42, so that 63 bits hold a pair.
_RECEIVER_BITS = 20
#: Longer silence ends a memory of a sender.
_FORGET_US = 10 * US_PER_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """Receptions, one row each: who heard what, and what the receiver knows beside it.

    Attributes
    ----------
    receiver : (n,) int64
        Number of the receiver, below 2**20.
    arrived_us : (n,) int64
        Time of reception [µs].
    claim : Claims
        What was heard.
    here_x_m, here_y_m, here_heading_rad : (n,) float64
        Where the receiver is [m], [rad].
    signal_dbm : (n,) float64
        Received power [dBm]; not a number if it was not measured.
    seen_gap_m : (n,) float64
        Distance from the claimed place to the nearest object that the sensors of the receiver see
        [m]; infinite if they see none, not a number without sensors.
    """

    receiver: NDArray[np.int64]
    arrived_us: NDArray[np.int64]
    claim: Claims
    here_x_m: FloatArray
    here_y_m: FloatArray
    here_heading_rad: FloatArray
    signal_dbm: FloatArray
    seen_gap_m: FloatArray

    def __len__(self) -> int:
        """Return the number of receptions."""
        return len(self.receiver)

    @property
    def pair(self) -> NDArray[np.int64]:
        """Number of each pair of receiver and claimed sender, (n,)."""
        return (self.claim.identity << _RECEIVER_BITS) | self.receiver

    @property
    def distance_m(self) -> FloatArray:
        """Distance from the receiver to the claimed place in plan [m], (n,)."""
        return np.hypot(self.claim.x_m - self.here_x_m, self.claim.y_m - self.here_y_m)

    def chosen(self, index: SlotArray) -> Heard:
        """Return the receptions at `index`."""
        columns = {
            item.name: getattr(self, item.name)[index]
            for item in fields(Heard)
            if item.name != "claim"
        }
        return Heard(claim=self.claim.chosen(index), **columns)


@dataclass(frozen=True, slots=True)
class Earlier:
    """An earlier claim of the same sender at the same receiver, one row per reception.

    Attributes
    ----------
    age_s : (n,) float64
        How long ago it came [s]; infinite if there was none.
    x_m, y_m, heading_rad, speed_mps : (n,) float64
        What it claimed [m], [rad], [m/s].
    """

    age_s: FloatArray
    x_m: FloatArray
    y_m: FloatArray
    heading_rad: FloatArray
    speed_mps: FloatArray

    def moved_m(self, heard: Heard) -> FloatArray:
        """Return how far the sender claims to have moved since, in plan [m]."""
        return np.hypot(heard.claim.x_m - self.x_m, heard.claim.y_m - self.y_m)


class PairMemory:
    """Columns of numbers for each pair of receiver and claimed sender.

    Attributes
    ----------
    values : dict of (capacity,) float64
        The columns; the row of a pair comes from :meth:`rows`.

    Parameters
    ----------
    names
        Names of the columns. Rows of new pairs hold no numbers (NaN).
    """

    def __init__(self, names: tuple[str, ...]) -> None:
        self.values = {name: np.full(64, np.nan) for name in names}
        self._pair = np.zeros(0, dtype=np.int64)
        self._row = np.zeros(0, dtype=np.intp)
        self._heard_us = np.zeros(64, dtype=np.int64)
        self._free = np.arange(63, -1, -1)

    def rows(self, pair: NDArray[np.int64], now_us: NDArray[np.int64]) -> SlotArray:
        """Return the rows of pairs, no pair twice, which are heard now; rows for new ones."""
        at = np.searchsorted(self._pair, pair)
        new = np.append(self._pair, -1)[at] != pair
        if new.any():
            self._add(np.sort(pair[new]), int(now_us.max()))
            at = np.searchsorted(self._pair, pair)
        row = self._row[at]
        self._heard_us[row] = now_us
        return np.asarray(row)

    def live(self, since_us: int) -> tuple[NDArray[np.int64], SlotArray, NDArray[np.int64]]:
        """Return pairs heard since `since_us`, their rows, and the last times [µs]."""
        kept = self._heard_us[self._row] >= since_us
        return self._pair[kept], self._row[kept], self._heard_us[self._row[kept]]

    def _add(self, pair: NDArray[np.int64], now_us: int) -> None:
        if len(pair) > len(self._free):
            self._forget(now_us - _FORGET_US)
        while len(pair) > len(self._free):
            self._grow()
        self._free, row = np.split(self._free, [len(self._free) - len(pair)])
        for column in self.values.values():
            column[row] = np.nan
        at = np.searchsorted(self._pair, pair)
        self._pair = np.insert(self._pair, at, pair)
        self._row = np.insert(self._row, at, row)

    def _forget(self, before_us: int) -> None:
        old = self._heard_us[self._row] < before_us
        self._free = np.concatenate([self._free, self._row[old]])
        self._pair, self._row = self._pair[~old], self._row[~old]

    def _grow(self) -> None:
        n = len(self._heard_us)
        self._heard_us = np.concatenate([self._heard_us, np.zeros(n, dtype=np.int64)])
        for name, column in self.values.items():
            self.values[name] = np.concatenate([column, np.full(n, np.nan)])
        self._free = np.concatenate([self._free, np.arange(2 * n - 1, n - 1, -1)])


def receiver_of(pair: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the receivers of pairs as :attr:`Heard.pair` numbers them."""
    return pair & ((1 << _RECEIVER_BITS) - 1)
