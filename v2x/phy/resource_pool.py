"""The grid of subchannels and slots in which sidelink transmissions live."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x.phy.error_model import BlerCurve, pscch_curve, pssch_curve
from v2x.phy.in_band_emission import EmissionParams, relative_emission_db
from v2x.phy.sidelink_pool import SidelinkPool
from v2x.phy.transport_block import PSCCH_RB, mcs_row, pssch_rb, subchannels_needed
from v2x.units import LTE_RB_HZ

#: Resource blocks of a channel by its bandwidth [MHz] (TS 36.101 Table 5.6-1).
CHANNEL_RB = {5: 25, 10: 50, 15: 75, 20: 100}
#: Numbers of subchannels that TS 36.331 6.3.8 has code points for (numSubchannel), and sizes
#: (sizeSubchannel) that it allows with an adjacent PSCCH, and without.
RRC_NUMBERS = (1, 3, 5, 8, 10, 15, 20)
RRC_SIZES_ADJACENT = (5, 6, 10, 15, 20, 25, 50, 75, 100)
RRC_SIZES_APART = (4, 5, 6, 8, 9, 10, 12, 15, 16, 18, 20, 30, 48, 72, 96)
#: Highest MCS with a modulation and code rate of its own, without 64QAM.
MAX_DISTINCT_MCS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourcePool:
    """Subchannels of an LTE channel, a :class:`SidelinkPool` (TS 36.213 14.1.1).

    In the adjacent arrangement the PSCCH fills the two lowest resource blocks of the first
    subchannel of a transmission; otherwise it has a block of its own below the data, two
    resource blocks per subchannel.

    Attributes
    ----------
    n_subchannels, subchannel_rb
        Number of subchannels, and resource blocks in each.
    adjacent
        Whether the PSCCH is adjacent to its PSSCH.
    slot_us
        Length of a slot [µs]; 1000 for LTE.
    """

    n_subchannels: int
    subchannel_rb: int
    adjacent: bool = True
    slot_us: int = 1000

    def __post_init__(self) -> None:
        """Reject pools that no channel holds."""
        if not 1 <= self.n_subchannels <= 20:
            raise ValueError(f"n_subchannels must be within 1 and 20, got {self.n_subchannels}")
        if not 4 <= self.subchannel_rb <= 100:
            raise ValueError(f"subchannel_rb must be within 4 and 100, got {self.subchannel_rb}")
        if self.pool_rb > max(CHANNEL_RB.values()):
            raise ValueError(
                f"{self.n_subchannels} subchannels of {self.subchannel_rb} resource blocks need "
                f"{self.pool_rb}, but the widest channel (20 MHz) has 100"
            )

    def check_rrc_values(self) -> None:
        """Raise ValueError if TS 36.331 6.3.8 has no code point for the pool."""
        sizes = RRC_SIZES_ADJACENT if self.adjacent else RRC_SIZES_APART
        arrangement = "with" if self.adjacent else "without"
        if self.n_subchannels not in RRC_NUMBERS:
            raise ValueError(
                f"n_subchannels must be one of {RRC_NUMBERS}, got {self.n_subchannels}"
            )
        if self.subchannel_rb not in sizes:
            raise ValueError(
                f"subchannel_rb must be one of {sizes} {arrangement} an adjacent PSCCH, "
                f"got {self.subchannel_rb}"
            )

    @property
    def pool_rb(self) -> int:
        """Resource blocks of the whole pool, control block included."""
        control = 0 if self.adjacent else PSCCH_RB * self.n_subchannels
        return self.n_subchannels * self.subchannel_rb + control

    @property
    def channel_rb(self) -> int:
        """Resource blocks of the narrowest channel that holds the pool."""
        return min(rb for rb in CHANNEL_RB.values() if rb >= self.pool_rb)

    @property
    def bandwidth_mhz(self) -> int:
        """Bandwidth of that channel [MHz]."""
        return next(mhz for mhz, rb in CHANNEL_RB.items() if rb == self.channel_rb)

    @property
    def rb_hz(self) -> float:
        """Width of a resource block [Hz]."""
        return LTE_RB_HZ

    @property
    def reserves_two(self) -> bool:
        """Whether an SCI may announce two further transmissions; SCI format 1 names one other."""
        return False

    @property
    def data_fills_control(self) -> bool:
        """Whether data of a wide transmission lies in the control blocks of its subchannels."""
        return self.adjacent

    @property
    def measured_rb(self) -> tuple[int, int]:
        """Data and control resource blocks that the S-RSSI of one subchannel covers."""
        if self.adjacent:
            return self.subchannel_rb - PSCCH_RB, PSCCH_RB
        return self.subchannel_rb, 0

    def control_blocks(self, subchannel: int) -> range:
        """Return the resource blocks of the PSCCH that belongs to `subchannel`."""
        width = self.subchannel_rb if self.adjacent else PSCCH_RB
        return range(subchannel * width, subchannel * width + PSCCH_RB)

    def data_blocks(self, subchannel: int) -> range:
        """Return the resource blocks of `subchannel` that only the PSSCH uses."""
        if self.adjacent:
            first = subchannel * self.subchannel_rb
            return range(first + PSCCH_RB, first + self.subchannel_rb)
        first = PSCCH_RB * self.n_subchannels + subchannel * self.subchannel_rb
        return range(first, first + self.subchannel_rb)

    def occupied(self, first: int, length: int) -> list[tuple[int, int]]:
        """Return first block and width of each contiguous piece of a transmission."""
        n_rb = pssch_rb(length, self.subchannel_rb, self.adjacent)
        if self.adjacent:
            return [(self.control_blocks(first)[0], PSCCH_RB + n_rb)]
        return [(self.control_blocks(first)[0], PSCCH_RB), (self.data_blocks(first)[0], n_rb)]

    def densities(self, length: int, control_boost_db: float | None) -> tuple[float, float]:
        """Return the share of the transmit power in each data and each control block."""
        n_rb = pssch_rb(length, self.subchannel_rb, self.adjacent)
        boost = 0.0 if control_boost_db is None else 10.0 ** (control_boost_db / 10.0)
        density = 1.0 / (n_rb + boost * PSCCH_RB)
        return density, boost * density

    def modulation_order(self, mcs: int) -> int:
        """Return the bits of a symbol; MCS 21 and up repeat 16QAM and are not offered."""
        if not 0 <= mcs <= MAX_DISTINCT_MCS:
            raise ValueError(
                f"mcs must be within 0 and {MAX_DISTINCT_MCS} (QPSK, 16QAM), got {mcs}"
            )
        return mcs_row(mcs).modulation_order

    def subchannels_needed(self, size_bytes: int, mcs: int) -> int:
        """Return the fewest subchannels that carry a packet."""
        self.modulation_order(mcs)
        return subchannels_needed(
            size_bytes, mcs, self.subchannel_rb, self.adjacent, self.n_subchannels
        )

    def data_curve(self, mcs: int, environment: str, size_bytes: int) -> BlerCurve:
        """Return the PSSCH error curve of an MCS."""
        return pssch_curve(mcs, environment, size_bytes)

    def second_stage_shift_db(self, mcs: int) -> None:
        """Return None: control information has one stage."""

    def with_second_stage(self, n_bits: int) -> ResourcePool:
        """Return the pool itself."""
        return self

    def control_curve(self) -> BlerCurve:
        """Return the PSCCH error curve."""
        return pscch_curve()


@dataclass(frozen=True, slots=True)
class PowerProfile:
    """Where in the pool the power of a transmission goes.

    The frequency axis is cut into bins: the data blocks of each subchannel, then the control
    blocks of each subchannel, padded to a multiple of 8. An allocation is taken to fill its
    subchannels, also where the DFT rule leaves a last resource block empty.

    Attributes
    ----------
    share : (n_subchannels, n_subchannels + 1, n_bins) float32
        Mean share of the transmit power per resource block of each bin, by first subchannel
        and number of subchannels.
    data_share, control_share : (n_subchannels + 1,) float32
        Share of the transmit power in each resource block of the data and of the control
        information, by number of subchannels.
    """

    share: NDArray[np.float32]
    data_share: NDArray[np.float32]
    control_share: NDArray[np.float32]


def power_profile(
    pool: SidelinkPool,
    *,
    mcs: int,
    control_boost_db: float | None,
    tx_power_dbm: float,
    emission: EmissionParams | None,
) -> PowerProfile:
    """Return how transmissions of every place and width spread over the pool.

    Parameters
    ----------
    pool
        The resource pool.
    mcs
        Modulation and coding scheme; its modulation sets the emission limits.
    control_boost_db
        Power spectral density of the PSCCH over the PSSCH [dB] where both share the power of a
        slot (TS 36.213 14.2.1: 3 dB); None gives the PSCCH no power and the PSSCH all of it.
    tx_power_dbm
        Total power of control and data [dBm]; enters the absolute emission limit.
    emission
        In-band emission, or None for transmitters that leak nothing.
    """
    n = pool.n_subchannels
    n_bins = -(-2 * n // 8) * 8
    share = np.zeros((n, n + 1, n_bins), dtype=np.float32)
    data_share = np.zeros(n + 1, dtype=np.float32)
    control_share = np.zeros(n + 1, dtype=np.float32)
    modulation_order = pool.modulation_order(mcs)
    for length in range(1, n + 1):
        density, control = pool.densities(length, control_boost_db)
        data_share[length], control_share[length] = density, control
        for first in range(n - length + 1):
            per_rb = _leakage(pool, first, length, tx_power_dbm, modulation_order, emission)
            per_rb *= density
            for s in range(n):
                share[first, length, s] = per_rb[pool.data_blocks(s)].mean()
                share[first, length, n + s] = per_rb[pool.control_blocks(s)].mean()
            share[first, length, first : first + length] = density
            if pool.data_fills_control:
                share[first, length, n + first + 1 : n + first + length] = density
            share[first, length, n + first] = control
    return PowerProfile(share, data_share, control_share)


def _leakage(
    pool: SidelinkPool,
    first: int,
    length: int,
    tx_power_dbm: float,
    modulation_order: int,
    emission: EmissionParams | None,
) -> NDArray[np.float64]:
    """Return the emission into each resource block relative to an allocated one, linear."""
    total = np.zeros(pool.channel_rb)
    if emission is None:
        return total
    for first_rb, width in pool.occupied(first, length):
        relative_db = relative_emission_db(
            first_rb, width, pool.channel_rb, tx_power_dbm, modulation_order, emission
        )
        outside = np.ones(pool.channel_rb, dtype=bool)
        outside[first_rb : first_rb + width] = False
        total[outside] += 10.0 ** (relative_db[outside] / 10.0)
    return total
