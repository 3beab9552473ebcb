"""What a link carries and how full a cell is: from loss to slots, from load to queues."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from v2x.cellular.params import UuRadioParams

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int32]

#: Truncated Shannon bound of link adaptation (TR 36.942 A.1): share of the bound that is reached,
#: largest efficiency [bit/s/Hz] and least SINR [dB], uplink and downlink (medium confidence).
UPLINK_SHARE, UPLINK_MOST, DOWNLINK_SHARE, DOWNLINK_MOST = 0.4, 2.0, 0.6, 4.4
LEAST_SINR_DB = -10.0
#: Resource elements of a resource block and slot that carry data: 12 subcarriers, 14 symbols less
#: two of control and one of reference signals.
DATA_ELEMENTS = 12 * 11
#: Protocol overhead on a message [byte]: IP, UDP, SDAP, PDCP, RLC and MAC (medium confidence).
OVERHEAD_BYTES = 48
_NOISE_DBM_PER_HZ = -174.0
#: Share of the load that the last tick has in the mean over time: a memory of ten ticks.
_FRESH = 0.1


@dataclass(frozen=True, slots=True)
class LinkBudget:
    """SINR of both directions against the loss between the antennas.

    Parameters
    ----------
    radio
        Powers, gains, noise, bandwidth.

    Examples
    --------
    >>> budget = LinkBudget(UuRadioParams())
    >>> float(budget.uplink_sinr_db(np.array([120.0]))[0].round(1))
    11.4
    """

    radio: UuRadioParams

    def _block_noise_dbm(self) -> float:
        """Return thermal noise in a resource block [dBm]."""
        return _NOISE_DBM_PER_HZ + 10.0 * math.log10(12e3 * self.radio.scs_khz)

    def uplink_sinr_db(self, loss_db: FloatArray) -> FloatArray:
        """Return the SINR [dB] at the base station; the power is on ``uplink_rb`` blocks."""
        r = self.radio
        power = r.vehicle_power_dbm - 10.0 * math.log10(r.uplink_rb)
        gains = r.vehicle_gain_dbi + r.gnb_gain_dbi
        return power + gains - loss_db - self._floor_dbm(r.gnb_noise_db)

    def downlink_sinr_db(self, loss_db: FloatArray) -> FloatArray:
        """Return the SINR [dB] at the vehicle; the power is spread over the whole carrier."""
        r = self.radio
        power = r.gnb_power_dbm - 10.0 * math.log10(r.n_rb)
        gains = r.vehicle_gain_dbi + r.gnb_gain_dbi
        return power + gains - loss_db - self._floor_dbm(r.vehicle_noise_db)

    def _floor_dbm(self, noise_figure_db: float) -> float:
        return self._block_noise_dbm() + noise_figure_db + self.radio.interference_db

    @property
    def max_loss_db(self) -> float:
        """Largest loss at which both directions reach the least SINR [dB]."""
        zero = np.zeros(1)
        up, down = self.uplink_sinr_db(zero), self.downlink_sinr_db(zero)
        return float(min(up[0], down[0])) - LEAST_SINR_DB

    def uplink_slots(self, loss_db: FloatArray, size_bytes: IntArray) -> IntArray:
        """Return the uplink slots that packets need, (n,) int32, at least 1."""
        sinr = self.uplink_sinr_db(loss_db)
        per_block = DATA_ELEMENTS * efficiency(sinr, UPLINK_SHARE, UPLINK_MOST)
        blocks = 8.0 * (size_bytes + OVERHEAD_BYTES) / per_block
        return np.ceil(blocks / self.radio.uplink_rb).astype(np.int32)

    def downlink_blocks(self, loss_db: FloatArray, size_bytes: IntArray) -> IntArray:
        """Return the resource blocks that packets need in the downlink, (n,) int32."""
        sinr = self.downlink_sinr_db(loss_db)
        per_block = DATA_ELEMENTS * efficiency(sinr, DOWNLINK_SHARE, DOWNLINK_MOST)
        return np.ceil(8.0 * (size_bytes + OVERHEAD_BYTES) / per_block).astype(np.int32)


def efficiency(sinr_db: FloatArray, share: float, most: float) -> FloatArray:
    """Return the spectral efficiency [bit/s/Hz] that link adaptation reaches (TR 36.942 A.1).

    Examples
    --------
    >>> efficiency(np.array([0.0, 40.0]), 0.6, 4.4).round(2)
    array([0.6, 4.4])
    """
    sinr = 10.0 ** (np.maximum(sinr_db, LEAST_SINR_DB) / 10.0)
    return np.asarray(np.minimum(share * np.log2(1.0 + sinr), most))


@dataclass(frozen=True, slots=True)
class Queues:
    """The queue of each cell in one direction. All arrays have the shape (n_cells,).

    Attributes
    ----------
    busy
        Probability that a packet waits.
    mean_us
        Mean wait of those that do [µs].
    overload
        Probability that a packet is turned away.
    """

    busy: FloatArray
    mean_us: FloatArray
    overload: FloatArray


class CellLoad:
    """Utilisation of the cells in one direction, averaged over ten ticks.

    Parameters
    ----------
    n_cells
        Cells.
    blocks_per_us
        Resource blocks that a cell has for the direction [1/µs].
    max_load
        Utilisation that a cell does not exceed; what is offered beyond is turned away.
    """

    def __init__(self, n_cells: int, blocks_per_us: float, max_load: float) -> None:
        self._blocks_per_us, self._max_load = blocks_per_us, max_load
        self.load = np.zeros(n_cells)
        self._packet_blocks = np.ones(n_cells)
        self._started = False

    def observe(
        self, cell: IntArray, blocks: NDArray[np.floating[Any]], interval_us: int
    ) -> Queues:
        r"""Take what packets of an interval ask of their cells, and return the queues.

        Parameters
        ----------
        cell : (n,) int32
            Cell of each packet.
        blocks : (n,) float64
            Resource blocks that it needs, retransmissions included.
        interval_us
            Length of the interval [µs].

        Notes
        -----
        Each cell is an M/D/1 queue (Pollaczek and Khinchine): with the load :math:`\rho` and the
        time *s* that a mean packet takes of the whole cell, a packet waits with probability
        :math:`\rho`, and then :math:`s / (2 (1 - \rho))` in the mean. The law of the wait is
        taken for exponential. Packets in fact arrive in batches and leave in slots; the wait for
        the slot is counted apart.
        """
        n = len(self.load)
        asked = np.bincount(cell, weights=blocks, minlength=n)
        packets = np.bincount(cell, minlength=n)
        fresh = _FRESH if self._started else 1.0
        self._started = True
        self.load = (1.0 - fresh) * self.load + fresh * asked / (self._blocks_per_us * interval_us)
        seen = packets > 0
        self._packet_blocks[seen] = asked[seen] / packets[seen]
        busy = np.minimum(self.load, self._max_load)
        service_us = self._packet_blocks / self._blocks_per_us
        return Queues(
            busy=busy,
            mean_us=service_us / (2.0 * (1.0 - busy)),
            overload=np.maximum(self.load - self._max_load, 0.0) / np.maximum(self.load, 1e-9),
        )
