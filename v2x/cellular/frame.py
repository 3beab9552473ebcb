"""Time on the Uu interface: numerology, duplex pattern, and who waits how long.

Clauses: slots TS 38.211 4.3.2, resource blocks TS 38.101-1 Table 5.3.2-1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int32]

SYMBOLS_PER_SLOT = 14
#: Length of a slot [µs] by subcarrier spacing [kHz] (TS 38.211 4.3.2).
SLOT_US: Mapping[int, int] = {15: 1000, 30: 500, 60: 250}
#: Resource blocks by subcarrier spacing [kHz] and bandwidth [MHz] (TS 38.101-1 Table 5.3.2-1).
RESOURCE_BLOCKS: Mapping[int, Mapping[int, int]] = {
    15: {5: 25, 10: 52, 15: 79, 20: 106, 25: 133, 30: 160, 40: 216, 50: 270},
    30: {
        5: 11, 10: 24, 15: 38, 20: 51, 25: 65, 30: 78, 40: 106, 50: 133, 60: 162, 70: 189,
        80: 217, 90: 245, 100: 273,
    },
    60: {
        10: 11, 15: 18, 20: 24, 25: 31, 30: 38, 40: 51, 50: 65, 60: 79, 70: 93, 80: 107,
        90: 121, 100: 135,
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Frame:
    """The slots of a duplex pattern, repeated for ever and the same in all cells.

    Parameters
    ----------
    pattern
        A letter for each slot: D downlink, U uplink, S the special slot between them, F both
        (FDD). S carries downlink data (its downlink symbols are taken for a slot), and no uplink
        data.
    scs_khz
        Subcarrier spacing [kHz].

    Examples
    --------
    >>> frame = Frame("DDDSU", 30)
    >>> frame.period_us, frame.wait_for_uplink().tolist(), frame.wait_for_downlink().tolist()
    (2500, [4, 3, 2, 1, 0], [0, 0, 0, 0, 1])
    """

    pattern: str
    scs_khz: int

    def __post_init__(self) -> None:
        """Reject patterns without one of the directions."""
        if self.scs_khz not in SLOT_US:
            raise ValueError(f"scs_khz must be 15, 30 or 60, got {self.scs_khz}")
        known = set(self.pattern) <= set("DSUF") and 1 <= len(self.pattern) <= 80
        if not known or not self._is("UF").any() or not self._is("DSF").any():
            raise ValueError(
                "pattern must be letters D, S, U or F (both, FDD) with at least one slot for "
                f"each direction, got {self.pattern!r}"
            )

    def _is(self, letters: str) -> NDArray[np.bool_]:
        return np.array([letter in letters for letter in self.pattern])

    @property
    def slot_us(self) -> int:
        """Length of a slot [µs]."""
        return SLOT_US[self.scs_khz]

    @property
    def symbol_us(self) -> float:
        """Mean length of a symbol [µs]."""
        return self.slot_us / SYMBOLS_PER_SLOT

    @property
    def period_us(self) -> int:
        """Length of the pattern [µs]."""
        return self.slot_us * len(self.pattern)

    @property
    def uplink_share(self) -> float:
        """Share of the slots that carry uplink data."""
        return float(self._is("UF").mean())

    @property
    def downlink_share(self) -> float:
        """Share of the slots that carry downlink data."""
        return float(self._is("DSF").mean())

    def wait_for_uplink(self) -> IntArray:
        """Return the slots from each slot to the next that carries uplink data, (n_slots,)."""
        return _waits(self._is("UF"))

    def wait_for_downlink(self) -> IntArray:
        """Return the slots from each slot to the next that carries downlink data, (n_slots,)."""
        return _waits(self._is("DSF"))

    def occasions(self, period_us: int) -> IntArray:
        """Return the uplink slots of `period_us` [µs], a whole number of patterns or none."""
        repeated = np.tile(self._is("UF"), period_us // self.period_us)
        return np.flatnonzero(repeated).astype(np.int32)


def _waits(usable: NDArray[np.bool_]) -> IntArray:
    at = np.flatnonzero(usable)
    n = len(usable)
    following = np.concatenate([at, at + n])
    slot = np.arange(n)
    return (following[np.searchsorted(following, slot)] - slot).astype(np.int32)
