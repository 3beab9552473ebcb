"""States of road users on their way through roadside units: heard, held, told."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
RowArray = NDArray[np.intp]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class ToldMessage:
    """A message of a unit and the states in it; arrays (n_states,).

    Attributes
    ----------
    packet, unit_row, generated_us
        Its number in the packet log, who sends it, and since when [µs].
    row, id
        Of whom it tells.
    state_us, heard_us, fibre_us
        When the states were generated, when a unit had decoded them, and how long they took from
        there to this unit [µs].
    """

    packet: int
    unit_row: int
    generated_us: int
    row: RowArray
    id: IntArray
    state_us: IntArray
    heard_us: IntArray
    fibre_us: IntArray


class HeldStates:
    """The newest state of each road user, and when it was decoded; both (n,) [µs], -1 for none."""

    def __init__(self, n: int) -> None:
        self.state_us = np.full(n, -1, dtype=np.int64)
        self.heard_us = np.full(n, -1, dtype=np.int64)

    def keep_newest(self, at: RowArray, state_us: IntArray, heard_us: IntArray) -> None:
        """Hold these states at `at` where they are newer; of equal ones the first decoded."""
        order = np.lexsort((-heard_us, state_us))
        order = order[state_us[order] > self.state_us[at[order]]]
        # Of several at one place numpy keeps the last, here the newest.
        self.state_us[at[order]] = state_us[order]
        self.heard_us[at[order]] = heard_us[order]


class HeardStates:
    """Receptions at units that not every unit holds yet, by the time of decoding; arrays (n,)."""

    def __init__(self) -> None:
        self.unit = np.zeros(0, dtype=np.intp)
        self.row = np.zeros(0, dtype=np.intp)
        self.state_us = np.zeros(0, dtype=np.int64)
        self.heard_us = np.zeros(0, dtype=np.int64)
        #: How many the units that heard them hold, and how many all of them hold.
        self.n_own = self.n_shared = 0

    def append(self, unit: RowArray, row: RowArray, state_us: IntArray, heard_us: IntArray) -> None:
        """Add receptions of a tick, all later than those that are held."""
        columns = (
            np.concatenate([self.unit, unit]),
            np.concatenate([self.row, row]),
            np.concatenate([self.state_us, state_us]),
            np.concatenate([self.heard_us, heard_us]),
        )
        order = np.argsort(columns[3], kind="stable")
        self.unit, self.row, self.state_us, self.heard_us = (c[order] for c in columns)

    def keep(self, mine: BoolArray) -> None:
        """Keep the receptions `mine`, (n,), only."""
        self.n_own = int(mine[: self.n_own].sum())
        self.n_shared = int(mine[: self.n_shared].sum())
        self.unit, self.row = self.unit[mine], self.row[mine]
        self.state_us, self.heard_us = self.state_us[mine], self.heard_us[mine]
