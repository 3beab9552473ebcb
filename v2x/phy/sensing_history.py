"""What each node measured and decoded in the last second: the memory of sensing."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class SensingHistory:
    """Ring of the last `window` slots of every node.

    Reception writes it, access technologies read it. One record is ``1 + 3 * n_subchannels``
    words: the slot it belongs to (a stale record means that nothing was received), then per
    subchannel the S-RSSI [mW] (negative: the node transmitted and measured nothing), the
    PSSCH-RSRP [mW per resource element] of the control information decoded there, and that
    information packed (:func:`unpack`; 0 for none).

    Attributes
    ----------
    n_nodes, window, n_subchannels
        Size of the ring.
    reserves_two
        Whether control information may announce a second further transmission.
    words : (n_nodes, window, 1 + 3 * n_subchannels) int32
        The ring.
    powers : same shape, float32
        The same memory, for its power fields.
    further : (n_nodes, window, n_subchannels) uint16
        The second further transmission of the control information in `words`, packed
        (:meth:`ControlInformation.pack_further`); without nodes unless `reserves_two`.
    urgency : (window,) int32
        Highest priority on air in each slot of the ring, 0 until there was one.
    """

    n_nodes: int
    window: int
    n_subchannels: int
    reserves_two: bool = False
    words: NDArray[np.int32] = field(init=False)
    powers: NDArray[np.float32] = field(init=False)
    further: NDArray[np.uint16] = field(init=False)
    urgency: NDArray[np.int32] = field(init=False)

    def __post_init__(self) -> None:
        """Allocate the ring, all records stale."""
        # in memory slot by slot, as reception writes; a selection reads one record of each
        words = np.full((self.window, self.n_nodes, 1 + 3 * self.n_subchannels), -1, np.int32)
        words = words.swapaxes(0, 1)
        object.__setattr__(self, "words", words)
        object.__setattr__(self, "powers", words.view(np.float32))
        n_further = self.n_nodes if self.reserves_two else 0
        further = np.zeros((n_further, self.window, self.n_subchannels), np.uint16)
        object.__setattr__(self, "further", further)
        object.__setattr__(self, "urgency", np.zeros(self.window, np.int32))

    def forget(self, node: int) -> None:
        """Make all records of `node` stale."""
        self.words[node, :, 0] = -1

    def s_rssi_mw(self, node: int, slot: int) -> NDArray[np.float32] | None:
        """Return the S-RSSI [mW] of each subchannel, or None if nothing was received."""
        record = self.words[node, slot % self.window]
        if record[0] != slot:
            return None
        return self.powers[node, slot % self.window, 1 : 1 + self.n_subchannels]


@dataclass(frozen=True, slots=True)
class ControlInformation:
    """What sensing needs of an SCI, as the sensing history keeps it.

    Attributes
    ----------
    reservation_ms
        Reservation period [ms], 0 for none.
    n_subchannels
        Width of the transmission.
    priority
        PPPP or sidelink priority, 1 to 8.
    gap_slots
        Slots to the other transmission of the packet, negative if it came before, 0 for none.
    other_subchannel
        First subchannel of the other transmission.
    gap2_slots, other2_subchannel
        The same of a second further transmission, which comes later than the first.
    """

    reservation_ms: int
    n_subchannels: int
    priority: int
    gap_slots: int
    other_subchannel: int
    gap2_slots: int = 0
    other2_subchannel: int = 0

    def pack(self) -> int:
        """Return the word that the history stores."""
        return (
            self.reservation_ms
            | self.n_subchannels << 10
            | self.priority << 15
            | (self.gap_slots + 32) << 19
            | self.other_subchannel << 25
        )

    def pack_further(self) -> int:
        """Return the word that the history stores of the second further transmission."""
        return self.gap2_slots | self.other2_subchannel << 5


def unpack(word: int, further: int = 0) -> ControlInformation:
    """Return the control information behind the words of the history.

    Examples
    --------
    >>> unpack(ControlInformation(100, 2, 5, -3, 7).pack())
    ControlInformation(reservation_ms=100, n_subchannels=2, priority=5, gap_slots=-3, \
other_subchannel=7, gap2_slots=0, other2_subchannel=0)
    """
    return ControlInformation(
        reservation_ms=word & 1023,
        n_subchannels=(word >> 10) & 31,
        priority=(word >> 15) & 15,
        gap_slots=((word >> 19) & 63) - 32,
        other_subchannel=(word >> 25) & 31,
        gap2_slots=further & 31,
        other2_subchannel=further >> 5,
    )
